//! Why nothing was written.

use std::path::Path;

use thiserror::Error;

use crate::error::{Exit, StageError};
use crate::text::io_reason;

/// What a wipe does with a file.
pub(super) const REMOVE: &str = "remove";

/// Why nothing was written.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum WriteError {
    /// Creating, writing or renaming failed.
    #[error("could not {action} `{path}`")]
    Io {
        action: &'static str,
        path: String,
        #[source]
        source: std::io::Error,
    },
    /// The folder exists and is not ours.
    #[error("`{path}` exists and was not created by jobpass")]
    NotOurs { path: String },
    /// A folder that is to be wiped is not ours.
    #[error("`{path}` was not written by jobpass and stays as it is")]
    NotWritten { path: String, reason: &'static str },
    /// Others could swap the folder for one of theirs.
    #[error("`{path}` is not a safe place for private keys")]
    Unsafe { path: String, reason: String },
    /// A Unix socket could not be opened there.
    #[error("could not listen at `{path}`")]
    Socket {
        path: String,
        #[source]
        source: std::io::Error,
    },
    /// Something about the place or what should go there.
    #[error("`{path}` cannot be written: {reason}")]
    Unfit { path: String, reason: String },
}

impl StageError for WriteError {
    fn exit(&self) -> Exit {
        Exit::Files
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Io { source, .. } | Self::Socket { source, .. } => vec![io_reason(source)],
            Self::Unsafe { reason, .. } => vec![reason.clone()],
            Self::NotWritten { reason, .. } => vec![(*reason).to_owned()],
            Self::NotOurs { .. } | Self::Unfit { .. } => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        use std::io::ErrorKind;
        let hint = match self {
            Self::Io { action: REMOVE, .. } => {
                "make sure that this user may remove it, and run `jobpass logout` again"
            }
            Self::Io { source, .. } => match source.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                    "the disk is full: free some space, or choose another `--dir`"
                }
                ErrorKind::ReadOnlyFilesystem => "the file system is read-only: choose another `--dir`",
                _ => "choose a folder with `--dir` that this user may write",
            },
            Self::NotOurs { .. } => {
                "choose another `--dir`, or remove that folder if nothing in it is needed"
            }
            Self::Socket { .. } => {
                "set `XDG_RUNTIME_DIR` to a folder with a short path that only this user may change"
            }
            Self::NotWritten { .. } => "name the folder that `jobpass login` wrote, as its report has it",
            Self::Unfit { .. } => "choose another `--dir`",
            Self::Unsafe { .. } => "choose a folder with `--dir` that only this user and root may change",
        };
        vec![hint.to_owned()]
    }
}

pub(super) fn io(action: &'static str, path: &Path, source: std::io::Error) -> WriteError {
    WriteError::Io { action, path: path.display().to_string(), source }
}
