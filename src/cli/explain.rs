//! Arguments of `jobpass explain`.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::{IdentityArgs, MessageArgs};

/// `jobpass explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// A file with `kind: token` documents: YAML, or what `tctl get token/NAME --format=json` prints (`-`: standard input)
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// Explain these claims (a JSON object) instead of this job's identity token
    #[arg(long, value_name = "FILE", conflicts_with = "id_token")]
    pub claims: Option<PathBuf>,
    /// As if it were this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    /// The cluster's version: globs and some methods came late
    #[arg(long, value_name = "VERSION", default_value = "18.11.0")]
    pub server_version: String,
    /// The cluster's name, which is the audience of some methods
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// Who the job is
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// How much is printed
    #[command(flatten)]
    pub messages: MessageArgs,
}
