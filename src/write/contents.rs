//! Issued → what comes of it: files for its folder, variables and outputs for later steps. A file for each kind.

mod app;
mod client_certificate;
mod command_line;
mod consumers;
mod database;
pub mod kube;
mod kubeconfig;
mod parts;
pub mod ssh;
#[cfg(test)]
mod tests;
mod tunnel;

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::{WriteError, io};
use super::file::FileToWrite;
use crate::issue::Issued;
use crate::output::Kind;
pub use consumers::Consumer;
pub use parts::{Contents, Context, Sockets};

/// Files and variables of one output.
pub fn contents(issued: &Issued, context: &Context<'_>) -> Result<Contents, WriteError> {
    match &issued.output.kind {
        Kind::Ssh { .. } => ssh::contents(issued, context),
        Kind::Kube(kube) => kube::contents(kube, issued, context),
        Kind::Database(database) => Ok(database::contents(issued, database, context)),
        Kind::App(app) => Ok(app::contents(issued, app, context)),
    }
}

/// A copy of the running binary.
pub fn binary(name: &str, exe: &Path) -> Result<FileToWrite, WriteError> {
    let content = std::fs::read(exe).map_err(|source| io("read", exe, source))?;
    Ok(FileToWrite { path: PathBuf::from(name), content: Zeroizing::new(content), mode: 0o700 })
}
