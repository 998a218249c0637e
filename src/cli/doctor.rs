//! Arguments of `jobpass doctor`.

use std::path::PathBuf;

use clap::Args;

use super::{ClusterArgs, IdentityArgs, Talk, value};

/// `jobpass doctor`: what `login` takes, as far as it matters before the join.
#[derive(Debug, Args, Default)]
pub struct Doctor {
    /// Where the cluster is
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Who the job is
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// The folder login is to write; a private one in the platform's temp folder when left out
    #[arg(long, aliases = ["destination", "destination-dir"], value_name = "DIR", help_heading = "Credentials")]
    pub dir: Option<PathBuf>,
    /// The name login is to give this identity
    #[arg(long, value_name = "NAME", value_parser = value::name, help_heading = "Credentials")]
    pub name: Option<String>,
    /// Only say which platform this is, and why not another; nothing is sent
    #[arg(long, help_heading = "Checks")]
    pub platform_only: bool,
    /// How much is said
    #[command(flatten)]
    pub talk: Talk,
}
