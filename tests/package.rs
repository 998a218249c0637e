//! The package has all that its own tests, bench and documents need.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::command::Ran;

/// Folders that are packaged whole.
const FOLDERS: [&str; 6] = ["benches", "ci-examples", "completions", "docs", "src", "tests"];

/// Single files: what tests read, what README points to, and settings of tools.
const FILES: [&str; 11] = [
    ".cargo/config.toml",
    ".clippy.toml",
    ".deny.toml",
    ".rustfmt.toml",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
}

#[test]
fn the_package_holds_what_its_tests_read() {
    if root().join("Cargo.toml.orig").exists() {
        return; // These are the files of a package already; cargo does not package one again.
    }
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.args(["package", "--list", "--allow-dirty", "--offline"]);
    let list = Ran::of(&cargo.current_dir(root()).output().unwrap()).ok().stdout;
    let packaged: BTreeSet<&str> = list.lines().collect();
    let files = FOLDERS.iter().flat_map(|folder| below(&root().join(folder)));
    for file in files.chain(FILES.map(|file| root().join(file))) {
        let name = file.strip_prefix(root()).unwrap().to_str().unwrap();
        assert!(packaged.contains(name), "{name} is not in the package");
    }
    let ci = packaged.iter().find(|name| name.starts_with(".ci/"));
    assert_eq!(ci, None, "the package needs nothing of `.ci`");
}
