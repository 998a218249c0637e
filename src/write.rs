//! A new private folder, whole or not at all.

pub mod contents;
pub mod folders;
pub mod ownership;
pub mod pending;
pub mod placed;
mod stale;

use std::path::{Path, PathBuf};

use thiserror::Error;

pub use folders::Folders;
pub use pending::Pending;
pub use placed::Placed;

use crate::error::{Exit, StageError};
use crate::text::io_reason;

/// The manifest of a folder of ours: the report, with the list of its files.
pub const MANIFEST: &str = "jobpass.json";
/// Mode of folders.
const FOLDER_MODE: u32 = 0o700;

/// One file to be.
pub struct FileToWrite {
    /// Relative to the folder; may have one subfolder (`NAME/key`).
    pub path: PathBuf,
    /// Content, wiped when dropped.
    pub content: zeroize::Zeroizing<Vec<u8>>,
    /// Octal; 0o600, or 0o700 for a copied binary.
    pub mode: u32,
}

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
    /// Others could swap the folder for one of theirs.
    #[error("`{path}` is not a safe place for private keys")]
    Unsafe { path: String, reason: String },
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
            Self::Io { source, .. } => vec![io_reason(source)],
            Self::Unsafe { reason, .. } => vec![reason.clone()],
            Self::NotOurs { .. } | Self::Unfit { .. } => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        use std::io::ErrorKind;
        let hint = match self {
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
            Self::Unfit { .. } => "choose another `--dir`",
            Self::Unsafe { .. } => "choose a folder with `--dir` that only this user and root may change",
        };
        vec![hint.to_owned()]
    }
}

/// Removes what the manifest of a folder lists, and the folder when nothing else is in it. A folder that is not there, or is empty, is no
/// error; one without a manifest of ours is, and so is a link. Links inside are not followed.
pub fn wipe(dir: &Path) -> Result<Vec<PathBuf>, WriteError> {
    match std::fs::symlink_metadata(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(io("access", dir, e)),
        Ok(meta) if !meta.is_dir() => return Err(WriteError::NotOurs { path: dir.display().to_string() }),
        // Only an empty folder goes this way.
        Ok(_) if std::fs::remove_dir(dir).is_ok() => return Ok(Vec::new()),
        Ok(_) => {}
    }
    let files = ownership::manifest_files(dir)
        .ok_or_else(|| WriteError::NotOurs { path: dir.display().to_string() })?;
    let mut removed = Vec::new();
    // The manifest goes last, so that an interrupted wipe can be run again.
    let (manifest, rest): (Vec<_>, Vec<_>) = files.into_iter().partition(|f| f == Path::new(MANIFEST));
    for file in rest.into_iter().chain(manifest) {
        let path = dir.join(&file);
        let linked = |folder: &Path| std::fs::symlink_metadata(folder).is_ok_and(|m| m.is_symlink());
        if path.ancestors().skip(1).take_while(|folder| *folder != dir).any(linked) {
            continue;
        }
        match std::fs::remove_file(&path) {
            Ok(()) => removed.push(file),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(io("remove", &path, e)),
        }
        if let Some(folder) = path.parent().filter(|p| *p != dir) {
            // Not empty yet: a later file's turn.
            let _ = std::fs::remove_dir(folder);
        }
    }
    let _ = std::fs::remove_dir(dir);
    Ok(removed)
}

fn io(action: &'static str, path: &Path, source: std::io::Error) -> WriteError {
    WriteError::Io { action, path: path.display().to_string(), source }
}
