//! A folder under way: made beside its final place, renamed when it is whole, gone when it is dropped before.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;

use super::ownership::check_replaceable;
use super::placed::{EARLIER, Earlier, Placed};
use super::{FOLDER_MODE, FileToWrite, WriteError, io, stale};
use crate::system::{exchange, user};

/// A folder under way.
#[derive(Debug)]
pub struct Pending {
    final_dir: PathBuf,
    temporary: TempDir,
    _lock: File,
}

impl Pending {
    /// Prepares `final_dir` (absolute): its parent is created when missing; a temporary sibling (0700) is created at
    /// once, so that a place that cannot be written is known before anything is asked of Teleport. A folder that is
    /// there already is replaced only when it is empty or jobpass wrote all that is in it; a link is never followed.
    pub fn prepare(final_dir: &Path) -> Result<Self, WriteError> {
        let unfit =
            |reason: &str| WriteError::Unfit { path: final_dir.display().to_string(), reason: reason.into() };
        let parent = final_dir.parent().ok_or_else(|| unfit("it is the root"))?;
        final_dir.file_name().ok_or_else(|| unfit("it has no name"))?;
        check_replaceable(final_dir, user())?;
        DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(parent)
            .map_err(|e| io("create", parent, e))?;
        let (temporary, lock) = temporary(parent, stale::PARTIAL)?;
        if let Ok(now) = lock.metadata().and_then(|m| m.modified()) {
            stale::sweep(parent, user(), now);
        }
        Ok(Self { final_dir: final_dir.to_owned(), temporary, _lock: lock })
    }

    /// The final folder.
    pub fn dir(&self) -> &Path {
        &self.final_dir
    }

    /// Writes all files and puts the folder in place for good.
    pub fn commit(self, files: &[FileToWrite]) -> Result<(), WriteError> {
        self.fill(files)?;
        self.put_in_place().map(drop)
    }

    /// Writes files: new, with their modes, down to the disk.
    pub fn fill(&self, files: &[FileToWrite]) -> Result<(), WriteError> {
        files.iter().try_for_each(|file| self.put(file))
    }

    /// Renames the folder into place. An earlier one steps aside, and comes back when the new one is taken back. Where
    /// the file system can swap them, there is a whole folder in that place at every moment.
    pub fn put_in_place(self) -> Result<Placed, WriteError> {
        let (from, to) = (self.temporary.path().to_owned(), self.final_dir);
        if let Ok(folder) = File::open(&from) {
            let _ = folder.sync_all();
        }
        check_replaceable(&to, user())?;
        let earlier = if to.exists() {
            let (aside, lock) = temporary(to.parent().unwrap_or(Path::new("/")), stale::ASIDE)?;
            let out_of_the_way = aside.path().join(EARLIER);
            if exchange(&from, &to) {
                // The earlier folder has the temporary name now.
                if let Err(error) = std::fs::rename(&from, &out_of_the_way) {
                    exchange(&from, &to);
                    return Err(io("rename", &to, error));
                }
                let _ = self.temporary.keep();
                return Ok(Placed { dir: to, earlier: Some(Earlier { aside, _lock: lock }) });
            }
            std::fs::rename(&to, out_of_the_way).map_err(|e| io("rename", &to, e))?;
            Some(Earlier { aside, _lock: lock })
        } else {
            None
        };
        let renamed = std::fs::rename(&from, &to);
        let placed = Placed { dir: to, earlier };
        if let Err(error) = renamed {
            let error = io("rename", &placed.dir, error);
            placed.take_back();
            return Err(error);
        }
        let _ = self.temporary.keep();
        Ok(placed)
    }

    fn put(&self, file: &FileToWrite) -> Result<(), WriteError> {
        let inside = file.path.components().all(|c| matches!(c, Component::Normal(_)));
        if !inside || file.path.as_os_str().is_empty() {
            let path = file.path.display().to_string();
            return Err(WriteError::Unfit { path, reason: "it is not a name inside the folder".into() });
        }
        let path = self.temporary.path().join(&file.path);
        let shown = self.final_dir.join(&file.path);
        if let Some(folder) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(FOLDER_MODE)
                .create(folder)
                .map_err(|e| io("create", folder, e))?;
        }
        let mut options = OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(file.mode).open(&path);
        let mut opened = opened.map_err(|e| io("create", &shown, e))?;
        opened.write_all(&file.content).and_then(|()| opened.sync_all()).map_err(|e| io("write", &shown, e))
    }
}

/// A private folder beside the final one that is locked for as long as this run uses it.
fn temporary(parent: &Path, prefix: &str) -> Result<(TempDir, File), WriteError> {
    let failed = |e| io("create a folder in", parent, e);
    let folder = tempfile::Builder::new()
        .prefix(prefix)
        .permissions(Permissions::from_mode(FOLDER_MODE))
        .tempdir_in(parent)
        .map_err(failed)?;
    let lock = stale::lock(folder.path()).map_err(failed)?;
    Ok((folder, lock))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use std::os::unix::fs::MetadataExt as _;

    use super::*;
    use crate::error::StageError as _;
    use crate::write::tests::{entries, file, make, ours};
    use crate::write::{MANIFEST, ownership};

    #[test]
    fn writes_private_files_and_nothing_beside() {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("new/out");
        Pending::prepare(&dir).unwrap().commit(&ours()).unwrap();
        assert_eq!(entries(&dir), ["a", "jobpass.json", "key"]);
        assert_eq!(entries(base.path().join("new").as_path()), ["out"]);
        for (path, mode) in [("", 0o700), ("key", 0o600), ("a", 0o700), ("a/key", 0o600)] {
            let got = std::fs::metadata(dir.join(path)).unwrap().permissions().mode() & 0o777;
            assert_eq!(got, mode, "{path}");
        }
    }

    #[test]
    fn leaves_nothing_when_dropped_or_failed() {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("out");
        drop(Pending::prepare(&dir).unwrap());
        assert!(entries(base.path()).is_empty());
        for bad in ["../x", "/x", "a/../../x", ""] {
            let error = Pending::prepare(&dir).unwrap().commit(&[file("key", "s"), file(bad, "s")]);
            assert!(matches!(error, Err(WriteError::Unfit { .. })), "{bad}");
        }
        // The same name twice: the second cannot be new.
        assert!(Pending::prepare(&dir).unwrap().commit(&[file("k", "1"), file("k", "2")]).is_err());
        assert!(entries(base.path()).is_empty());
    }

    #[test]
    fn replaces_its_own_and_nobody_elses() {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("out");
        Pending::prepare(&dir).unwrap().commit(&ours()).unwrap();
        Pending::prepare(&dir).unwrap().commit(&[file("other", "x")]).unwrap();
        assert_eq!(entries(&dir), ["other"]);
        assert_eq!(entries(base.path()), ["out"]);
        assert!(
            matches!(Pending::prepare(&dir), Err(WriteError::NotOurs { .. })),
            "no manifest: not ours any more"
        );
        assert_eq!(entries(&dir), ["other"]);
        std::fs::remove_file(dir.join("other")).unwrap();
        Pending::prepare(&dir).unwrap().commit(&ours()).unwrap();
        let link = base.path().join("link");
        std::os::unix::fs::symlink(&dir, &link).unwrap();
        assert!(matches!(Pending::prepare(&link), Err(WriteError::NotOurs { .. })));
    }

    #[test]
    fn replaces_nothing_it_did_not_write() {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("out");
        Pending::prepare(&dir).unwrap().commit(&ours()).unwrap();
        for added in ["notes", "a/notes", ".git/config"] {
            DirBuilder::new().recursive(true).create(dir.join(added).parent().unwrap()).unwrap();
            make(&dir.join(added), b"x").unwrap();
            let error = Pending::prepare(&dir).unwrap_err();
            assert!(matches!(error, WriteError::NotOurs { .. }), "{added}: {error:?}");
            std::fs::remove_file(dir.join(added)).unwrap();
        }
        // An empty folder is nothing of ours either, nor is a link in place of a file.
        assert!(matches!(Pending::prepare(&dir), Err(WriteError::NotOurs { .. })));
        std::fs::remove_dir(dir.join(".git")).unwrap();
        std::fs::remove_file(dir.join("key")).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", dir.join("key")).unwrap();
        assert!(matches!(Pending::prepare(&dir), Err(WriteError::NotOurs { .. })));
        // A manifest that anyone could commit to a repository.
        let checkout = base.path().join("checkout");
        std::fs::create_dir(&checkout).unwrap();
        make(&checkout.join(MANIFEST), br#"{"jobpass":"x","files":[]}"#).unwrap();
        assert!(matches!(Pending::prepare(&checkout), Err(WriteError::NotOurs { .. })));
        assert_eq!(entries(base.path()), ["checkout", "out"]);
    }

    #[test]
    fn what_is_taken_back_gives_way_to_the_earlier_folder() {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("out");
        Pending::prepare(&dir).unwrap().commit(&ours()).unwrap();
        let new = [file("new", "x"), file(MANIFEST, r#"{"jobpass":"1","files":["new","jobpass.json"]}"#)];
        let pending = Pending::prepare(&dir).unwrap();
        pending.fill(&new).unwrap();
        let placed = pending.put_in_place().unwrap();
        assert_eq!(entries(&dir), ["jobpass.json", "new"]);
        placed.take_back();
        assert_eq!(entries(&dir), ["a", "jobpass.json", "key"]);
        assert_eq!(entries(base.path()), ["out"]);

        let pending = Pending::prepare(&dir).unwrap();
        pending.fill(&new).unwrap();
        drop(pending.put_in_place().unwrap());
        assert_eq!(
            (entries(&dir), entries(base.path())),
            (vec!["jobpass.json".into(), "new".into()], vec!["out".into()])
        );
    }

    #[test]
    fn sweeps_what_killed_runs_left() {
        let base = tempfile::tempdir().unwrap();
        let old = |name: &str| {
            let dir = base.path().join(name);
            std::fs::create_dir(&dir).unwrap();
            make(&dir.join("key"), b"x").unwrap();
            let folder = File::open(&dir).unwrap();
            let then = folder.metadata().unwrap().modified().unwrap() - Duration::from_secs(600);
            folder.set_modified(then).unwrap();
            folder
        };
        for name in
            [".jobpass-partial-killed", ".jobpass-old-killed", ".someone-else", ".jobpass-partial-running"]
        {
            old(name);
        }
        let _running = stale::lock(&base.path().join(".jobpass-partial-running")).unwrap();
        std::fs::create_dir(base.path().join(".jobpass-partial-new")).unwrap();
        Pending::prepare(&base.path().join("out")).unwrap().commit(&ours()).unwrap();
        let left = [".jobpass-partial-new", ".jobpass-partial-running", ".someone-else", "out"];
        assert_eq!(entries(base.path()), left);
    }

    #[test]
    fn others_may_not_swap_the_folder() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("shared");
        std::fs::create_dir(&folder).unwrap();
        let risk = || ownership::risk(&folder.join("sub"), &[user()]);
        for (mode, wanted) in [(0o700, None), (0o755, None), (0o1777, None), (0o777, Some("mode 0777"))] {
            std::fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
            let found = risk();
            assert_eq!(found.is_some(), wanted.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(wanted.unwrap_or_default()), "{mode:o}");
        }
        // Who may not give folders away plays the other user.
        std::fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        let user = folder.metadata().unwrap().uid();
        let (owner, user) = match std::os::unix::fs::chown(&folder, Some(user + 4321), None) {
            Ok(()) => (user + 4321, user),
            Err(_) => (user, user + 1),
        };
        let found = ownership::risk(&folder, &[user]).unwrap_or_default();
        assert_eq!(ownership::risk(&folder, &[user, owner]), None, "one who is trusted");
        assert!(owner == 0 || found.contains("belongs to another user"), "{found}");
        assert!(check_replaceable(&folder, user).is_err());
    }

    #[test]
    fn says_where_it_cannot_write() {
        let base = tempfile::tempdir().unwrap();
        let plain = base.path().join("file");
        make(&plain, b"x").unwrap();
        let error = Pending::prepare(&plain.join("sub/out")).unwrap_err();
        assert!(matches!(error, WriteError::Io { .. }), "{error:?}");
        assert!(error.hints()[0].contains("--dir"));
        assert!(matches!(Pending::prepare(&plain), Err(WriteError::NotOurs { .. })));
        assert!(matches!(Pending::prepare(Path::new("/")), Err(WriteError::Unfit { .. })));
    }
}
