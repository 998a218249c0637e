//! Taking away what was written: by the manifest alone.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::error::{REMOVE, WriteError, io};
use super::manifest::{self, MANIFEST};
use crate::system::user;

/// Removes what the manifest of a folder lists, and the folder when nothing else is in it. Where something else is, a manifest that
/// lists nothing but itself stays, by which the folder is known to be wiped. A folder that is not there, is empty or was wiped
/// before is no error; one without a manifest of ours is, and so is a link. Links inside are not followed. Returns what was
/// removed, relative to the folder.
pub fn wipe(dir: &Path) -> Result<Vec<PathBuf>, WriteError> {
    let not_written = |reason| WriteError::NotWritten { path: dir.display().to_string(), reason };
    match std::fs::symlink_metadata(dir) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(io("access", dir, e)),
        Ok(meta) if meta.is_symlink() => return Err(not_written("it is a link")),
        Ok(meta) if !meta.is_dir() => return Err(not_written("it is not a folder")),
        Ok(meta) if meta.uid() != user() => return Err(not_written("it belongs to another user")),
        // Only an empty folder goes this way.
        Ok(_) if std::fs::remove_dir(dir).is_ok() => return Ok(Vec::new()),
        Ok(_) => {}
    }
    let manifest = manifest::read(dir).ok_or_else(|| not_written("it has no `jobpass.json`"))?;
    let mut removed = Vec::new();
    // The manifest goes last, so that an interrupted wipe can be run again.
    for file in manifest::files(&manifest).into_iter().filter(|file| file != Path::new(MANIFEST)) {
        let path = dir.join(&file);
        let linked = |folder: &Path| std::fs::symlink_metadata(folder).is_ok_and(|m| m.is_symlink());
        if path.ancestors().skip(1).take_while(|folder| *folder != dir).any(linked) {
            continue;
        }
        match std::fs::remove_file(&path) {
            Ok(()) => removed.push(file),
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(io(REMOVE, &path, e)),
        }
        if let Some(folder) = path.parent().filter(|p| *p != dir) {
            // Not empty yet: a later file's turn.
            let _ = std::fs::remove_dir(folder);
        }
    }
    let path = dir.join(MANIFEST);
    if others(dir).is_empty() {
        std::fs::remove_file(&path).map_err(|e| io(REMOVE, &path, e))?;
        removed.push(MANIFEST.into());
        let _ = std::fs::remove_dir(dir);
    } else if !manifest::is_wiped(&manifest) {
        mark(dir).map_err(|e| io("write", &path, e))?;
    }
    Ok(removed)
}

/// The names in a folder beside the manifest, sorted.
pub fn others(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<PathBuf> = entries
        .map(|entry| entry.file_name().into())
        .filter(|name: &PathBuf| name != Path::new(MANIFEST))
        .collect();
    names.sort();
    names
}

/// Puts the manifest of a wiped folder in the place of the one that was there, in one step.
fn mark(dir: &Path) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut file = tempfile::Builder::new().prefix(".jobpass-").tempfile_in(dir)?;
    file.write_all(&manifest::of_wiped().content)?;
    file.persist(dir.join(MANIFEST)).map_err(|error| error.error)?;
    Ok(())
}
