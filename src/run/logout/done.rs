//! What a logout did, for people and as JSON.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::export::Blanked;
use crate::text::{json, safe};
use crate::write::wipe::others;

/// What was done.
#[derive(Debug, Default, Serialize)]
pub struct Done {
    /// The folders whose files are gone now.
    pub wiped: Vec<Folder>,
    /// Folders that had been wiped before, with files of others in them.
    pub before: Vec<Folder>,
    /// Folders that were named and are not there.
    pub absent: Vec<PathBuf>,
    /// Variables that later steps lose.
    pub blanked: Vec<String>,
    /// Where they do.
    pub places: Vec<String>,
    /// Variables that this shell keeps.
    #[serde(skip)]
    pub kept: Vec<String>,
    /// Lines for a shell or the platform's log.
    #[serde(skip)]
    pub stdout: String,
}

/// A folder of ours.
#[derive(Debug, Serialize)]
pub struct Folder {
    /// Absolute.
    pub dir: PathBuf,
    /// Files that were removed, relative.
    pub files: Vec<PathBuf>,
    /// What is left in it, and is not ours.
    pub left: Vec<PathBuf>,
}

impl Folder {
    /// What is in it by now, and what is not any more.
    pub fn new(dir: PathBuf, files: Vec<PathBuf>) -> Self {
        Self { files, left: others(&dir), dir }
    }
}

/// Names shown, at most.
const MAX_NAMES: usize = 5;

impl Done {
    /// Adds variables that were taken back.
    pub fn add(&mut self, blanked: Blanked) {
        let add = |all: &mut Vec<String>, more: Vec<String>| {
            for name in more {
                if !all.contains(&name) {
                    all.push(name);
                }
            }
        };
        add(&mut self.blanked, blanked.names);
        add(&mut self.places, blanked.places);
        add(&mut self.kept, blanked.kept);
        self.stdout.push_str(&blanked.stdout);
    }

    /// A line each, for people. `name` is that of the login.
    pub fn text(&self, name: Option<&str>) -> String {
        let mut lines = Vec::new();
        for folder in &self.wiped {
            let files = match folder.files.len() {
                1 => "1 file".to_owned(),
                count => format!("{count} files"),
            };
            lines.push(format!("wiped {} ({files}){}", folder.dir.display(), left("; left ", &folder.left)));
        }
        let nothing = |dir: &Path, why: &str| format!("nothing to wipe: `{}` {why}", dir.display());
        for folder in &self.before {
            lines.push(nothing(&folder.dir, &format!("was wiped before{}", left("; it has ", &folder.left))));
        }
        lines.extend(self.absent.iter().map(|dir| nothing(dir, "does not exist")));
        if lines.is_empty() {
            let name = name.map(|name| format!(" of the name `{name}`")).unwrap_or_default();
            lines.push(format!("nothing to wipe: this job has no folder of a login{name}"));
        }
        if !self.blanked.is_empty() {
            lines.push(format!("blanked {} in {}", self.blanked.join(", "), self.places.join(", ")));
        }
        lines.join("\n")
    }

    /// The same as JSON, with a newline at the end.
    pub fn json(&self) -> String {
        json::pretty(self)
    }
}

/// What is left, behind a word.
fn left(word: &str, names: &[PathBuf]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = names
        .iter()
        .take(MAX_NAMES)
        .map(|name| format!("`{}`", safe(&name.display().to_string(), 80)))
        .collect();
    let more = match names.len().saturating_sub(MAX_NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{word}{}{more}, not written by jobpass", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_done_and_what_was_left() {
        let folder = |files: usize, left: &[&str]| Folder {
            dir: "/d".into(),
            files: vec!["f".into(); files],
            left: left.iter().map(PathBuf::from).collect(),
        };
        let many: Vec<&str> = ["a", "b", "c", "d", "e", "f", "g"].to_vec();
        for (done, want) in [
            (Done::default(), "nothing to wipe: this job has no folder of a login of the name `n`"),
            (Done { wiped: vec![folder(1, &[])], ..Done::default() }, "wiped /d (1 file)"),
            (
                Done { wiped: vec![folder(2, &["m\u{1b}"])], ..Done::default() },
                "wiped /d (2 files); left `m`, not written by jobpass",
            ),
            (
                Done { before: vec![folder(0, &many)], absent: vec!["/e".into()], ..Done::default() },
                "nothing to wipe: `/d` was wiped before; it has `a`, `b`, `c`, `d`, `e` and 2 more, not written by \
                 jobpass\nnothing to wipe: `/e` does not exist",
            ),
        ] {
            assert_eq!(done.text(Some("n")), want);
        }
    }
}
