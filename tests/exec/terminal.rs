//! A person at a terminal: Ctrl-C, Ctrl-Z, `fg`, an interactive shell.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use crate::support::cluster::listing;
use crate::support::command::{Ran, binary};

/// Types a script of `tests/data/exec` into a shell on a terminal; what was seen.
#[track_caller]
fn typed(script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/exec");
    let path = format!("{}:/usr/bin:/bin", binary().parent().unwrap().display());
    let ran = Command::new("/usr/bin/python3")
        .arg(data.join("terminal.py"))
        .stdin(File::open(data.join(script)).unwrap())
        .env_clear()
        .envs([("PATH", path.as_str()), ("TMPDIR", folder.path().to_str().unwrap()), ("TERM", "dumb")])
        .env("JOBPASS_ROOT", "/nonexistent")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let ran = Ran::of(&ran);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert!(listing(folder.path()).is_empty(), "{:?}", listing(folder.path()));
    ran.stdout
}

#[test]
fn ctrl_c_and_ctrl_z_are_for_the_command() {
    typed("ctrl-c-and-ctrl-z.txt");
}

#[test]
fn a_shell_has_its_own_jobs() {
    typed("shell.txt");
}
