//! Arguments of `jobpass doctor`.

use std::path::PathBuf;

use clap::Args;

use super::{ClusterArgs, IdentityArgs, MessageArgs, request, value};

/// `jobpass doctor`: what `login` takes, as far as it matters before the join.
#[derive(Debug, Args, Default)]
pub struct Doctor {
    /// Where the cluster is
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Who the job is
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// The folder that login is to write; a private one in the platform's temp folder when left out
    #[arg(long, aliases = ["destination", "destination-dir"], value_name = "DIR", value_parser = value::folder, help_heading = "Credentials")]
    pub dir: Option<PathBuf>,
    /// The name that login is to give this identity
    #[arg(long, value_name = "NAME", value_parser = value::name, help_heading = "Credentials")]
    pub name: Option<String>,
    /// A role that login is to ask people for, repeatable: what must be set on the cluster is shown
    #[arg(long, value_name = "ROLE", help_heading = "Approval", value_parser = request::role)]
    pub request_role: Vec<String>,
    /// Only show which platform this is, and why not another; nothing is sent
    #[arg(long, help_heading = "Checks")]
    pub platform_only: bool,
    /// How much is printed
    #[command(flatten)]
    pub messages: MessageArgs,
}
