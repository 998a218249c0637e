//! The manifest of a folder of ours: the report, with the list of the files.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;
use zeroize::Zeroizing;

use super::file::FileToWrite;
use crate::system::user;
use crate::text::json;

/// Its name.
pub const MANIFEST: &str = "jobpass.json";

/// The manifest, which is the report.
pub fn manifest(json: &str) -> FileToWrite {
    FileToWrite {
        path: PathBuf::from(MANIFEST),
        content: Zeroizing::new(json.as_bytes().to_vec()),
        mode: 0o600,
    }
}

/// What stays in place of a manifest once a folder is wiped and files of others are in it: that jobpass wrote it, and has
/// nothing more there.
pub(super) fn of_wiped() -> FileToWrite {
    manifest(&json::pretty(&serde_json::json!({
        "jobpass": env!("CARGO_PKG_VERSION"), "wiped": true, "files": [MANIFEST],
    })))
}

/// The manifest of a folder; `None` where there is none of ours. A link is none, nor is a file of another user's: what it says is
/// removed, and asked for again.
pub fn read(dir: &Path) -> Option<Value> {
    read_as(dir, user())
}

fn read_as(dir: &Path, user: u32) -> Option<Value> {
    let path = dir.join(MANIFEST);
    std::fs::symlink_metadata(&path).ok().filter(|found| found.is_file() && found.uid() == user)?;
    let json: Value = serde_json::from_str(&crate::env::read_text(&path).ok()?).ok()?;
    (json.get("jobpass")?.is_string() && json.get("files")?.is_array()).then_some(json)
}

/// Whether nothing of ours is left beside it.
pub fn is_wiped(manifest: &Value) -> bool {
    manifest.get("wiped") == Some(&Value::Bool(true))
}

/// The files that it lists, itself among them.
pub fn files(manifest: &Value) -> Vec<PathBuf> {
    let files = manifest.get("files").and_then(Value::as_array).into_iter().flatten();
    let files = files.filter_map(|file| file.as_str().map(PathBuf::from));
    // What points outside is not ours to touch.
    files.filter(|file| file.components().all(|c| matches!(c, Component::Normal(_)))).collect()
}

/// The files that a folder's manifest lists; `None` where there is no manifest of ours.
pub(super) fn manifest_files(dir: &Path) -> Option<Vec<PathBuf>> {
    read(dir).map(|manifest| files(&manifest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a folder where everyone may write, such as `/tmp`.
    #[test]
    fn one_that_another_user_left_is_none() {
        let dir = tempfile::tempdir().unwrap();
        crate::write::tests::make(&dir.path().join(MANIFEST), &of_wiped().content).unwrap();
        assert!(read(dir.path()).is_some());
        assert!(read_as(dir.path(), user() + 1).is_none());
    }

    #[test]
    fn manifests_under_fire() {
        let manifests = [
            r#"{"jobpass":"0.1.0","files":["key","a/b","../x","/y","jobpass.json"]}"#,
            r#"{"files":[1,null,"./a"],"jobpass":"x"}"#,
        ];
        crate::under_fire::parser("manifests", manifests).memory(200, 256 * 1024).text(|text| {
            let Ok(manifest) = serde_json::from_str(text) else { return };
            let _ = is_wiped(&manifest);
            for file in files(&manifest) {
                assert!(Path::new("/folder").join(&file).starts_with("/folder"), "{}", file.display());
                assert!(
                    file.components().all(|part| matches!(part, Component::Normal(_))),
                    "{}",
                    file.display()
                );
            }
        });
    }
}
