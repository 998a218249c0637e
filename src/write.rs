//! A new private folder, whole or not at all.

pub mod contents;
mod error;
mod file;
pub mod folders;
pub mod manifest;
pub mod ownership;
pub mod pending;
pub mod placed;
pub mod stale;

use std::path::{Path, PathBuf};

pub use error::WriteError;
pub use file::FileToWrite;
pub use folders::Folders;
pub use manifest::MANIFEST;
pub use pending::Pending;
pub use placed::Placed;

use error::io;

/// Mode of folders.
const FOLDER_MODE: u32 = 0o700;

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
    let files = manifest::manifest_files(dir)
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

#[cfg(test)]
mod tests;
