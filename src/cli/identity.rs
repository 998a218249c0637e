//! Who the job is.

use std::path::PathBuf;

use clap::Args;

use super::value;
use crate::detect;
use crate::platform::Platform;
use crate::teleport::JoinMethod;

/// Arguments about the job's identity.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Identity")]
pub struct IdentityArgs {
    /// Name of the join token (`kind: token`), or the absolute path of a file with that name
    #[arg(long, value_name = "NAME")]
    pub token: Option<String>,
    /// The join method of the token
    #[arg(long, value_name = "METHOD", default_value = "auto", value_parser = value::methods())]
    pub join_method: value::Auto<JoinMethod>,
    /// The CI platform
    #[arg(long, value_name = "PLATFORM", default_value = "auto", value_parser = value::platforms())]
    pub platform: value::Auto<Platform>,
    /// Take the identity token from this variable
    #[arg(long, value_name = "NAME", group = "id_token", value_parser = value::text)]
    pub id_token_env: Option<String>,
    /// Take the identity token from this file (`-`: standard input)
    #[arg(long, value_name = "FILE", group = "id_token")]
    pub id_token_file: Option<PathBuf>,
    /// Take the identity token from the output of this command (split into words like a shell does; no shell runs)
    #[arg(long, value_name = "COMMAND", group = "id_token", value_parser = value::words)]
    pub id_token_command: Option<value::Words>,
    /// Ask the platform for a token with this audience
    #[arg(long, value_name = "AUDIENCE", value_parser = value::text)]
    pub audience: Option<String>,
}

impl IdentityArgs {
    /// What detection needs of it.
    pub fn detection(&self) -> detect::Wanted {
        detect::Wanted {
            platform: self.platform.0,
            method: self.join_method.0,
            token_given: self.id_token_env.is_some()
                || self.id_token_file.is_some()
                || self.id_token_command.is_some(),
        }
    }

    /// What the token stage needs of it.
    pub fn evidence(&self) -> crate::token::Wanted {
        use crate::token::Source;
        let source = match (&self.id_token_env, &self.id_token_file, &self.id_token_command) {
            (Some(name), _, _) => Source::Env(name.clone()),
            (_, Some(path), _) => Source::File(path.clone()),
            (_, _, Some(words)) => Source::Command(words.0.clone()),
            _ => Source::Platform,
        };
        crate::token::Wanted { source, audience: self.audience.clone() }
    }
}
