//! Issued → what comes of it: files for its folder, variables and outputs for later steps. A file for each kind.

pub mod ssh;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{FileToWrite, MANIFEST, WriteError, io};
use crate::identity::Authorities;
use crate::issue::Issued;
use crate::output::Kind;

/// What the files say beside the identity.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The CAs that the outputs share.
    pub authorities: &'a Authorities,
    /// Host of the proxy.
    pub proxy_host: &'a str,
    /// The proxy for later steps, `HOST:PORT`.
    pub proxy: &'a str,
    /// Absolute path of the binary that the `ProxyCommand` runs.
    pub binary: &'a Path,
    /// `--ca-file`, absolute: the `ProxyCommand` needs the same roots.
    pub ca_file: Option<&'a Path>,
    /// When the output expires.
    pub expires: Timestamp,
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
}

/// Files and variables of one output.
pub fn contents(issued: &Issued, context: &Context<'_>) -> Result<Contents, WriteError> {
    match issued.output.kind {
        Kind::Ssh { .. } => ssh::contents(issued, context),
    }
}

/// A copy of the running binary.
pub fn binary(name: &str, exe: &Path) -> Result<FileToWrite, WriteError> {
    let content = std::fs::read(exe).map_err(|source| io("read", exe, source))?;
    Ok(FileToWrite { path: PathBuf::from(name), content: Zeroizing::new(content), mode: 0o700 })
}

/// The manifest, which is the report.
pub fn manifest(json: &str) -> FileToWrite {
    FileToWrite {
        path: PathBuf::from(MANIFEST),
        content: Zeroizing::new(json.as_bytes().to_vec()),
        mode: 0o600,
    }
}
