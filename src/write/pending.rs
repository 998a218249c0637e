//! A folder under way: made beside its final place, renamed when it is whole, gone when it is dropped before.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;

use super::{FOLDER_MODE, FileToWrite, MANIFEST, WriteError, io};

/// A folder under way.
#[derive(Debug)]
pub struct Pending {
    final_dir: PathBuf,
    temporary: TempDir,
}

impl Pending {
    /// Prepares `final_dir` (absolute): its parent is made when missing; a temporary sibling (0700) is made at once, so that a place that cannot be
    /// written is known before anything is asked of Teleport. A folder that is there already is replaced only when it is empty or has a manifest
    /// of ours; a link is never followed.
    pub fn prepare(final_dir: &Path) -> Result<Self, WriteError> {
        let unfit =
            |reason: &str| WriteError::Unfit { path: final_dir.display().to_string(), reason: reason.into() };
        let parent = final_dir.parent().ok_or_else(|| unfit("it is the root"))?;
        let name = final_dir.file_name().ok_or_else(|| unfit("it has no name"))?;
        replaceable(final_dir)?;
        DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(parent)
            .map_err(|e| io("create", parent, e))?;
        let temporary = tempfile::Builder::new()
            .prefix(&format!(".{}.partial-", name.to_string_lossy()))
            .permissions(Permissions::from_mode(FOLDER_MODE))
            .tempdir_in(parent)
            .map_err(|e| io("create a folder in", parent, e))?;
        Ok(Self { final_dir: final_dir.to_owned(), temporary })
    }

    /// The final folder.
    pub fn dir(&self) -> &Path {
        &self.final_dir
    }

    /// Writes all files and puts the folder in place.
    pub fn commit(self, files: &[FileToWrite]) -> Result<(), WriteError> {
        self.fill(files)?;
        self.place()
    }

    /// Writes files: new, with their modes, down to the disk.
    pub fn fill(&self, files: &[FileToWrite]) -> Result<(), WriteError> {
        files.iter().try_for_each(|file| self.put(file))
    }

    /// Renames the folder into place.
    pub fn place(self) -> Result<(), WriteError> {
        let (from, to) = (self.temporary.path().to_owned(), &self.final_dir);
        if let Ok(folder) = File::open(&from) {
            let _ = folder.sync_all();
        }
        replaceable(to)?;
        if !to.exists() {
            std::fs::rename(&from, to).map_err(|e| io("rename", to, e))?;
            let _ = self.temporary.keep();
            return Ok(());
        }
        // An older folder of ours steps aside, and comes back if the new one cannot take its place.
        let parent = to.parent().unwrap_or(Path::new("/"));
        let aside = tempfile::Builder::new()
            .prefix(".jobpass-old-")
            .tempdir_in(parent)
            .map_err(|e| io("create a folder in", parent, e))?;
        let old = aside.path().join("old");
        std::fs::rename(to, &old).map_err(|e| io("rename", to, e))?;
        if let Err(error) = std::fs::rename(&from, to) {
            if std::fs::rename(&old, to).is_err() {
                // It could not come back either: better found under another name than lost.
                let _ = aside.keep();
            }
            return Err(io("rename", to, error));
        }
        let _ = self.temporary.keep();
        Ok(())
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

/// The files a folder's manifest lists; `None` where there is no manifest of ours.
pub(super) fn manifest_files(dir: &Path) -> Option<Vec<PathBuf>> {
    let text = crate::env::read_text(&dir.join(MANIFEST)).ok()?;
    let json: serde_json::Value = serde_json::from_str(&text).ok()?;
    json.get("jobpass")?.as_str()?;
    let files = json.get("files")?.as_array()?.iter().filter_map(|f| f.as_str().map(PathBuf::from));
    // What points outside is not ours to touch.
    Some(files.filter(|f| f.components().all(|c| matches!(c, Component::Normal(_)))).collect())
}

fn replaceable(dir: &Path) -> Result<(), WriteError> {
    let not_ours = || WriteError::NotOurs { path: dir.display().to_string() };
    match std::fs::symlink_metadata(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(io("access", dir, e)),
        Ok(meta) if !meta.is_dir() => Err(not_ours()),
        Ok(_) => {
            let empty = std::fs::read_dir(dir).map_err(|e| io("read", dir, e))?.next().is_none();
            if empty || manifest_files(dir).is_some() { Ok(()) } else { Err(not_ours()) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StageError as _;
    use crate::write::wipe;

    fn file(path: &str, content: &str) -> FileToWrite {
        FileToWrite { path: path.into(), content: content.as_bytes().to_vec().into(), mode: 0o600 }
    }

    fn ours() -> Vec<FileToWrite> {
        vec![
            file("a/key", "secret"),
            file("key", "secret"),
            file(MANIFEST, r#"{"jobpass":"0.1.0","files":["a/key","key","jobpass.json"]}"#),
        ]
    }

    #[allow(clippy::disallowed_methods)]
    fn make(path: &Path, content: &[u8]) -> std::io::Result<()> {
        std::fs::write(path, content)
    }

    fn entries(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

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

    #[test]
    fn wipes_what_its_manifest_lists() {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("out");
        assert_eq!(wipe(&dir).unwrap().len(), 0);
        Pending::prepare(&dir).unwrap().commit(&ours()).unwrap();
        assert_eq!(wipe(&dir).unwrap().len(), 3);
        assert!(!dir.exists());
        Pending::prepare(&dir).unwrap().commit(&ours()).unwrap();
        make(&dir.join("mine"), b"x").unwrap();
        wipe(&dir).unwrap();
        assert_eq!(entries(&dir), ["mine"]);
        assert!(matches!(wipe(&dir), Err(WriteError::NotOurs { .. })));
        std::fs::remove_file(dir.join("mine")).unwrap();
        assert_eq!(wipe(&dir).unwrap().len(), 0);
        assert!(!dir.exists(), "an empty folder goes too");
    }

    #[test]
    fn wipe_follows_no_link() {
        let base = tempfile::tempdir().unwrap();
        let (dir, elsewhere, link) =
            (base.path().join("out"), base.path().join("elsewhere"), base.path().join("link"));
        Pending::prepare(&elsewhere).unwrap().commit(&[file("key", "not ours")]).unwrap();
        let manifest = file(MANIFEST, r#"{"jobpass":"1","files":["a/key","jobpass.json"]}"#);
        Pending::prepare(&dir).unwrap().commit(&[manifest]).unwrap();
        std::os::unix::fs::symlink(&dir, &link).unwrap();
        assert!(matches!(wipe(&link), Err(WriteError::NotOurs { .. })));
        std::os::unix::fs::symlink(&elsewhere, dir.join("a")).unwrap();
        wipe(&dir).unwrap();
        assert_eq!(entries(&elsewhere), ["key"]);
    }

    #[test]
    fn a_manifest_cannot_point_outside() {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("out");
        let outside = base.path().join("keep");
        make(&outside, b"x").unwrap();
        let evil = format!(r#"{{"jobpass":"1","files":["../keep","{}","jobpass.json"]}}"#, outside.display());
        Pending::prepare(&dir).unwrap().commit(&[file(MANIFEST, &evil)]).unwrap();
        wipe(&dir).unwrap();
        assert!(outside.exists());
    }
}
