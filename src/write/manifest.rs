//! The manifest of a folder of ours: the report, with the list of the files.

use std::path::{Component, Path, PathBuf};

use zeroize::Zeroizing;

use super::file::FileToWrite;

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

/// The files that a folder's manifest lists, itself among them; `None` where there is no manifest of ours.
pub(super) fn manifest_files(dir: &Path) -> Option<Vec<PathBuf>> {
    listed(&crate::env::read_text(&dir.join(MANIFEST)).ok()?)
}

fn listed(manifest: &str) -> Option<Vec<PathBuf>> {
    let json: serde_json::Value = serde_json::from_str(manifest).ok()?;
    json.get("jobpass")?.as_str()?;
    let files = json.get("files")?.as_array()?.iter().filter_map(|f| f.as_str().map(PathBuf::from));
    // What points outside is not ours to touch.
    Some(files.filter(|f| f.components().all(|c| matches!(c, Component::Normal(_)))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_under_fire() {
        let manifests = [
            r#"{"jobpass":"0.1.0","files":["key","a/b","../x","/y","jobpass.json"]}"#,
            r#"{"files":[1,null,"./a"],"jobpass":"x"}"#,
        ];
        crate::under_fire::parser("manifests", manifests).memory(200, 256 * 1024).text(|text| {
            for file in listed(text).unwrap_or_default() {
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
