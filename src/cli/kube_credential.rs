//! Arguments of `jobpass kube-credential`.

use std::path::PathBuf;

use clap::Args;

use super::{MessageArgs, value};

/// Give kubectl the client certificate and key of a folder, as an `ExecCredential` on standard output. The kubeconfig that
/// `login --kube-exec` writes calls it. It takes no `JOBPASS_` variables: each folder has its own cluster.
#[derive(Debug, Args)]
pub struct KubeCredential {
    /// The folder that login wrote
    #[arg(long, value_name = "DIR", value_parser = value::folder)]
    pub dir: PathBuf,
    /// The kubernetes cluster, in a folder for several
    #[arg(long, value_name = "CLUSTER", value_parser = value::text)]
    pub kube: Option<String>,
    /// Get new credentials first when these are at their end, as `login --renew` allows
    #[arg(long)]
    pub renew: bool,
    /// How much is printed
    #[command(flatten)]
    pub messages: MessageArgs,
}
