//! What the command line says about the network.

use std::path::PathBuf;

/// The options.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--ca-file`: trust only these roots for the cluster's web certificate. All other servers keep the system's.
    pub ca_file: Option<PathBuf>,
    /// Roots (PEM) of a cluster in this process, which plays the CI platform too: the only ones, for every server.
    pub ca_pem: Option<String>,
}
