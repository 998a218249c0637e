//! Whose a folder is: what may be replaced, and which places others could tamper with.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::error::{WriteError, io};
use super::manifest::manifest_files;

/// Refuses a place that something else occupies: only an empty folder and one that jobpass wrote for this user, with
/// nothing else in it, may be replaced. A link is never followed.
pub(super) fn check_replaceable(dir: &Path, user: u32) -> Result<(), WriteError> {
    let not_ours = || WriteError::NotOurs { path: dir.display().to_string() };
    match std::fs::symlink_metadata(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(io("access", dir, e)),
        Ok(meta) if !meta.is_dir() || meta.uid() != user => Err(not_ours()),
        Ok(_) => {
            let empty = std::fs::read_dir(dir).map_err(|e| io("read", dir, e))?.next().is_none();
            let known = || manifest_files(dir).is_some_and(|files| has_only(dir, Path::new(""), &files));
            if empty || known() { Ok(()) } else { Err(not_ours()) }
        }
    }
}

/// Whether every file below `dir` is listed; what cannot be read is not.
fn has_only(dir: &Path, below: &Path, files: &[PathBuf]) -> bool {
    let Ok(entries) = std::fs::read_dir(dir.join(below)) else { return false };
    entries.into_iter().all(|entry| {
        let Ok(entry) = entry else { return false };
        let path = below.join(entry.file_name());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                files.iter().any(|f| f.starts_with(&path) && *f != path) && has_only(dir, &path, files)
            }
            Ok(kind) => kind.is_file() && files.contains(&path),
            Err(_) => false,
        }
    })
}

/// Why users other than these and root could swap a folder in `parent` for one of theirs: a folder on the way belongs to
/// one of them, or everyone may write to it and it has no sticky bit.
pub fn risk(parent: &Path, users: &[u32]) -> Option<String> {
    let there = parent.ancestors().find(|folder| folder.exists())?;
    // Where a link leads counts.
    let there = there.canonicalize().ok()?;
    there.ancestors().find_map(|folder| {
        let meta = folder.metadata().ok()?;
        let mode = meta.permissions().mode();
        let shown = folder.display();
        if meta.uid() != 0 && !users.contains(&meta.uid()) {
            Some(format!("`{shown}` belongs to another user"))
        } else if mode & 0o002 != 0 && mode & 0o1000 == 0 {
            Some(format!(
                "every user of this machine may rename what is in `{shown}` (mode {:04o})",
                mode & 0o7777
            ))
        } else {
            None
        }
    })
}
