//! What the files of a kind are made from, and what comes of them.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::consumers::Consumer;
use crate::identity::Authorities;
use crate::teleport::kube::KubeServer;
use crate::write::file::FileToWrite;

/// What the files say beside the identity.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The CAs that the outputs share.
    pub authorities: &'a Authorities,
    /// The root cluster's name.
    pub cluster: &'a str,
    /// Host of the proxy.
    pub proxy_host: &'a str,
    /// The proxy for later steps, `HOST:PORT`.
    pub proxy: &'a str,
    /// Absolute path of the binary that the `ProxyCommand` runs.
    pub binary: &'a Path,
    /// The same binary as commands for people name it.
    pub command: &'a Path,
    /// `--ca-file`, absolute: the `ProxyCommand` needs the same roots.
    pub ca_file: Option<&'a Path>,
    /// `--export-vars`: programs that get variables of their own.
    pub consumers: &'a [Consumer],
    /// Whether something before the proxy terminates TLS.
    pub is_behind_a_balancer: bool,
    /// Where kubectl goes; `None` where no output is for it.
    pub kube: Option<&'a KubeServer>,
    /// Where an ssh output's private keys are, if they are to be in no file.
    pub sockets: Option<&'a Sockets>,
    /// `--renew`: who uses the files gets new ones when these end.
    pub renew: bool,
    /// When the output expires.
    pub expires: Timestamp,
}

/// Where a running `jobpass exec --agent` answers for the keys of an ssh output.
#[derive(Debug, Clone)]
pub struct Sockets {
    /// Its ssh-agent.
    pub agent: PathBuf,
    /// Where `ssh-proxy` asks for connections.
    pub proxy: PathBuf,
}

impl Sockets {
    /// Those of the output of that number, in the private folder.
    pub fn of(folder: &Path, output: usize) -> Self {
        Self { agent: folder.join("agent.sock"), proxy: folder.join(format!("proxy-{output}.sock")) }
    }
}

/// What comes of one output.
#[derive(Default)]
pub struct Contents {
    /// Its files, relative to the folder it shares.
    pub files: Vec<FileToWrite>,
    /// The environment of later steps: names without the suffix of the output.
    pub variables: Vec<(&'static str, String)>,
    /// Step outputs, likewise.
    pub step_outputs: Vec<(&'static str, String)>,
    /// How to use it: commands that work as they are, one a line, for people. Names in capitals are for them to fill in.
    pub usage: Vec<String>,
    /// What was left out of its files, and why.
    pub warnings: Vec<String>,
}
