//! Arguments of `jobpass ssh-proxy`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{MessageArgs, value};
use crate::net::HostPort;

/// Connect ssh to a node through the proxy, as the `ProxyCommand` of the `ssh_config` that login writes. It takes no
/// `JOBPASS_` variables: each folder has its own cluster.
#[derive(Debug, Args)]
pub struct SshProxy {
    /// The folder that login wrote
    #[arg(long, value_name = "DIR", value_parser = value::folder, required_unless_present = "socket")]
    pub dir: Option<PathBuf>,
    /// The socket of a running `jobpass exec --agent`, which has the keys and connects, in place of a folder
    #[arg(long, value_name = "PATH", conflicts_with_all = ["dir", "proxy", "ca_file", "renew"])]
    pub socket: Option<PathBuf>,
    /// The proxy's web address; that of the login when left out
    #[arg(long, value_name = "HOST[:PORT]", value_parser = value::address)]
    pub proxy: Option<HostPort>,
    /// Trust only these roots (PEM) for the cluster's web certificate
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// How long connecting may take
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = value::timeout)]
    pub timeout: Duration,
    /// The node, with or without the cluster's suffix (`%h`)
    #[arg(value_parser = value::text)]
    pub host: String,
    /// Its port; 0 and 3022 stand for the node's own (`%p`)
    pub port: u16,
    /// The cluster; the root when left out
    pub cluster: Option<String>,
    /// Get new credentials first when these are at their end, as `login --renew` allows
    #[arg(long)]
    pub renew: bool,
    /// How much is printed
    #[command(flatten)]
    pub messages: MessageArgs,
}
