//! Issued → what comes of it: files for its folder, variables and outputs for later steps. A file for each kind.

mod parts;
pub mod ssh;

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::{WriteError, io};
use super::file::FileToWrite;
use crate::issue::Issued;
use crate::output::Kind;
pub use parts::{Contents, Context};

/// Files and variables of one output.
pub fn contents(issued: &Issued, context: &Context<'_>) -> Result<Contents, WriteError> {
    match issued.output.kind {
        Kind::Ssh { .. } => ssh::contents(issued, context),
        Kind::Kube(_) | Kind::Database(_) | Kind::App(_) => Ok(Contents::default()),
    }
}

/// A copy of the running binary.
pub fn binary(name: &str, exe: &Path) -> Result<FileToWrite, WriteError> {
    let content = std::fs::read(exe).map_err(|source| io("read", exe, source))?;
    Ok(FileToWrite { path: PathBuf::from(name), content: Zeroizing::new(content), mode: 0o700 })
}
