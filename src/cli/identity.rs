//! Who the job is.

use std::path::PathBuf;

use clap::Args;

use super::{join_method, value};
use crate::platform::Platform;
use crate::teleport::JoinMethod;

/// Arguments about the job's identity.
#[derive(Debug, Clone, Args, Default)]
#[command(next_help_heading = "Identity")]
pub struct IdentityArgs {
    /// Name of the join token (`kind: token`), or the absolute path of a file with that name
    #[arg(long, value_name = "NAME")]
    pub token: Option<String>,
    /// The join method of the token
    #[arg(long, value_name = "METHOD", default_value = "auto", value_parser = join_method::methods())]
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
    /// Client id of the user-assigned identity that a machine of Azure's joins as
    #[arg(long, value_name = "ID", value_parser = value::text)]
    pub azure_client_id: Option<String>,
}
