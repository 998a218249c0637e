//! A login that an earlier run wrote: where its folders are, whose it is, what it exported.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;

use crate::cli::value;
use crate::export::Sink;
use crate::platform::Platform;
use crate::report::Report;
use crate::write::{MANIFEST, manifest};

/// A login in its folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The folder with the manifest.
    pub dir: PathBuf,
    manifest: Value,
}

impl Written {
    /// The login that wrote `dir`: it has the folder, or a subfolder for each output in the folder above.
    pub fn find(dir: &Path) -> Option<Self> {
        let read = |dir: &Path| {
            // By a link the folders that its manifest names would be found.
            std::fs::symlink_metadata(dir).ok().filter(std::fs::Metadata::is_dir)?;
            Some(Self { dir: dir.to_owned(), manifest: manifest::read(dir)? })
        };
        read(dir).or_else(|| read(dir.parent()?).filter(|above| above.has_subfolder(dir)))
    }

    fn has_subfolder(&self, dir: &Path) -> bool {
        let is_below = |file: &PathBuf| {
            file.components().count() > 1 && dir.file_name().is_some_and(|name| file.starts_with(name))
        };
        self.is_wiped() || manifest::files(&self.manifest).iter().any(is_below)
    }

    /// Whether it was wiped, and only files of others are left.
    pub fn is_wiped(&self) -> bool {
        manifest::is_wiped(&self.manifest)
    }

    /// Its `--name`.
    pub fn name(&self) -> Option<&str> {
        self.manifest.get("name")?.as_str()
    }

    /// When the first of its certificates ends, as it says itself.
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.manifest.get("valid_until")?.as_str()?.parse().ok()
    }

    /// The folders of the same login that are there: those of outputs with one of their own first, its own last.
    pub fn folders(&self) -> Vec<PathBuf> {
        let dirs = self.outputs().filter_map(|output| output.get("dir")?.as_str().map(PathBuf::from));
        let others = dirs.filter(|dir| dir.is_absolute()).filter_map(|dir| Self::find(&dir));
        let mut all: Vec<PathBuf> = Vec::new();
        for other in others.filter(|other| other.is_of_the_same_login(self)) {
            if other.dir != self.dir && !all.contains(&other.dir) {
                all.push(other.dir);
            }
        }
        all.push(self.dir.clone());
        all
    }

    /// The folder of an output may have been written again by another login.
    fn is_of_the_same_login(&self, other: &Self) -> bool {
        let same = |field: &str| self.manifest.get(field) == other.manifest.get(field);
        !self.is_wiped() && same("issued_at") && same("outputs")
    }

    /// The variables that it gave later steps, without those that had the same value before.
    pub fn variables(&self) -> Vec<(String, String)> {
        let before: Vec<&str> = self.list("already_set").iter().filter_map(Value::as_str).collect();
        let objects = self.outputs().filter_map(|output| output.get("variables")?.as_object());
        let pairs =
            objects.flatten().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        pairs.filter(|(name, _)| !before.contains(&name.as_str())).collect()
    }

    /// How it exported them, where it was asked for a way.
    pub fn sink(&self) -> Option<Sink> {
        value::sink(self.asked("--export=")?).ok()
    }

    /// The platform that it was told; `None`: it looked for itself.
    pub fn platform(&self) -> Option<Platform> {
        let id = self.asked("--platform=")?;
        Platform::ALL.into_iter().find(|platform| platform.id() == id)
    }

    /// The value of a flag that it was given.
    fn asked(&self, flag: &str) -> Option<&str> {
        let flags = self.manifest.get("asked").and_then(|asked| asked.get("flags")?.as_array());
        let flags = flags.into_iter().flatten().filter_map(Value::as_str);
        flags.filter_map(|word| word.strip_prefix(flag)).next_back()
    }

    /// The report that it is, as this version writes it.
    pub fn report(&self) -> Result<Report, String> {
        serde_json::from_value(self.manifest.clone())
            .map_err(|_| format!("`{}` cannot be read", self.dir.join(MANIFEST).display()))
    }

    fn outputs(&self) -> impl Iterator<Item = &Value> {
        self.list("outputs").iter()
    }

    fn list(&self, field: &str) -> &[Value] {
        self.manifest.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::write::{FileToWrite, Pending, wipe};

    fn write(dir: &Path, files: &[&str], more: &Value) {
        let listed = [files, &[MANIFEST]].concat();
        let mut manifest = json!({ "jobpass": "0.1.0", "files": listed });
        manifest.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let file = |path: &str| FileToWrite { path: path.into(), content: b"x".to_vec().into(), mode: 0o600 };
        let mut all: Vec<FileToWrite> = files.iter().map(|path| file(path)).collect();
        all.push(manifest::manifest(&manifest.to_string()));
        Pending::prepare(dir).unwrap().commit(&all).unwrap();
    }

    #[test]
    fn a_subfolder_belongs_to_the_folder_above() {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("out");
        write(&dir, &["ssh/key", "key"], &json!({}));
        for (path, found) in [("", true), ("ssh", true), ("key", false), ("none", false), ("ssh/none", false)]
        {
            let found_in = Written::find(&dir.join(path)).map(|written| written.dir);
            assert_eq!(found_in, found.then(|| dir.clone()), "{path}");
        }
        let link = base.path().join("link");
        std::os::unix::fs::symlink(&dir, &link).unwrap();
        assert_eq!((Written::find(&link), Written::find(&link.join("ssh"))), (None, None));
        assert_eq!(Written::find(base.path()), None);
    }

    #[test]
    fn what_another_login_wrote_since_is_not_its_own() {
        let base = tempfile::tempdir().unwrap();
        let [dir, own, taken, gone] = ["out", "own", "taken", "gone"].map(|name| base.path().join(name));
        let dirs = [&dir.join("ssh"), &own, &taken, &gone, Path::new("own")].map(|dir| json!({ "dir": dir }));
        let login = |at: &str| json!({ "issued_at": at, "outputs": dirs });
        write(&dir, &["ssh/key"], &login("1"));
        write(&own, &["key"], &login("1"));
        write(&taken, &["key"], &login("2"));
        let folders = |dir: &Path| Written::find(dir).unwrap().folders();
        assert_eq!(folders(&dir.join("ssh")), [own.clone(), dir.clone()]);
        assert_eq!(folders(&own), [dir.clone(), own]);
        assert_eq!(folders(&taken), [taken]);
        std::fs::create_dir(dir.join("mine")).unwrap();
        wipe(&dir).unwrap();
        assert!(Written::find(&dir).unwrap().is_wiped());
        assert!(Written::find(&dir.join("ssh")).unwrap().is_wiped());
    }

    #[test]
    fn whatever_a_manifest_says_is_read() {
        let base = tempfile::tempdir().unwrap();
        for (index, (more, variables, sink)) in [
            (json!({}), 0, None),
            (json!({ "outputs": 3, "already_set": "x", "asked": 3, "name": [] }), 0, None),
            (
                json!({ "outputs": [3, { "variables": 3, "dir": 3 }], "asked": { "flags": [3, "--export=odd"] } }),
                0,
                None,
            ),
            (
                json!({ "outputs": [{ "variables": { "A": "1", "B": "2", "C": 3 } }], "already_set": ["B", 3],
                    "asked": { "flags": ["--export=none", "--export=shell"] } }),
                1,
                Some(Sink::Shell),
            ),
        ]
        .into_iter()
        .enumerate()
        {
            let dir = base.path().join(index.to_string());
            write(&dir, &["key"], &more);
            let written = Written::find(&dir).unwrap();
            assert_eq!(written.variables().len(), variables, "{more}");
            assert_eq!((written.sink(), written.name()), (sink, None), "{more}");
            assert_eq!(written.folders(), [dir]);
        }
    }
}
