//! The committed completions are those of this binary. `SNAPSHOTS=overwrite cargo test` rewrites them.

use std::path::Path;

use snapbox::data::DataFormat;
use snapbox::{Assert, Data};

use crate::support::command::{Ran, jobpass, run};

const FILES: [(&str, &str); 4] =
    [("bash", "jobpass.bash"), ("zsh", "_jobpass"), ("fish", "jobpass.fish"), ("powershell", "_jobpass.ps1")];

#[test]
fn committed_completions_are_current() {
    for (shell, file) in FILES {
        let printed = Ran::of(&jobpass(Path::new("/"), &["completions", shell], []).output().unwrap()).ok();
        assert_eq!(printed.stderr, "");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file);
        let wanted = Data::read_from(&path, Some(DataFormat::Text)).raw();
        Assert::new().action_env("SNAPSHOTS").eq(Data::text(printed.stdout).raw(), wanted);
    }
    let there: Vec<_> =
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("completions")).unwrap().collect();
    assert_eq!(there.len(), FILES.len());
}

#[test]
fn bash_completes_with_them() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions/jobpass.bash");
    let script = ". \"$0\"; COMP_WORDS=(jobpass login --dry); COMP_CWORD=2; \
                  _jobpass jobpass --dry login; echo \"${COMPREPLY[*]}\"";
    let seen = run("bash", &["-c", script, file.to_str().unwrap()]).ok();
    assert_eq!(seen.stdout.trim(), "--dry-run", "{}", seen.stderr);
}

#[test]
fn the_manual_page_is_roff() {
    let page = Ran::of(&jobpass(Path::new("/"), &["man"], []).output().unwrap()).ok().stdout;
    assert!(page.contains(".TH jobpass 1") && page.contains(".SH NAME"), "{}", &page[..200]);
}
