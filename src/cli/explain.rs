//! Arguments of `jobpass explain`.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::{IdentityArgs, MessageArgs, request};

/// `jobpass explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// A file with `kind: token` documents, as `tctl get tokens` prints them in YAML or JSON (`-`: standard input); only
    /// the one that `--token` names is judged, if it names one
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// Explain these claims instead of this job's identity token: a JSON object, or what `explain --json` printed
    #[arg(long, value_name = "FILE", conflicts_with = "id_token")]
    pub claims: Option<PathBuf>,
    /// Judge as of this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    /// The cluster's version: older ones lack globs and some methods
    #[arg(long, value_name = "VERSION", default_value = "18.11.0")]
    pub server_version: String,
    /// The cluster's name, which is the audience of some methods
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// A role that login is to ask people for, repeatable: what must be set on the cluster is shown
    #[arg(long, value_name = "ROLE", value_parser = request::role)]
    pub request_role: Vec<String>,
    /// Who the job is
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// How much is printed
    #[command(flatten)]
    pub messages: MessageArgs,
}
