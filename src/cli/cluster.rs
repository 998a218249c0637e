//! Where the cluster is and how to trust it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::value::{self, Pin};
use crate::net::HostPort;

/// Arguments about the cluster.
#[derive(Debug, Clone, Args, Default)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterArgs {
    /// The proxy's web address
    #[arg(long, alias = "proxy-server", value_name = "HOST[:PORT]", value_parser = value::address)]
    pub proxy: Option<HostPort>,
    /// Give later steps the address that the cluster itself advertises, not `--proxy`
    #[arg(long)]
    pub use_advertised_address: bool,
    /// The auth service itself, where its port is reachable; needs `--ca-pin`, `--ca-file` or the flag below
    #[arg(long, value_name = "HOST[:PORT]", value_parser = value::auth_address, conflicts_with = "proxy")]
    pub auth_server: Option<HostPort>,
    /// SHA-256 of the public key of the cluster's host CA, as `tctl status` shows it (with `--auth-server`)
    #[arg(long, value_name = "sha256:HEX", value_parser = value::pin, requires = "auth_server")]
    pub ca_pin: Option<Pin>,
    /// Trust whatever answers at `--auth-server`; the join sends it this job's identity token
    #[arg(long, requires = "auth_server", conflicts_with_all = ["ca_pin", "ca_file"])]
    pub insecure_trust_on_first_use: bool,
    /// Trust only these roots (PEM) for the cluster's web certificate, with `--auth-server` for the auth service; other servers keep
    /// the system's roots (or `SSL_CERT_FILE`)
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Deadline of the whole run; a bare number is seconds
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = value::timeout)]
    pub timeout: Duration,
}
