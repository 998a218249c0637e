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

fn file(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(name).display().to_string()
}

#[test]
fn bash_completes_flags_and_values() {
    for (word, before, want) in [
        ("--dry", "login", "--dry-run"),
        ("git", "--platform", "github gitlab"),
        ("spa", "--simulate", "spacelift"),
        ("gen", "--join-method", "generic_oidc"),
        ("env-", "--export", "env-file=PATH"),
    ] {
        // The word before the cursor's is the third argument of a completion function.
        let script = "[ \"$3\" = --export ] && COMP_WORDBREAKS=; . \"$0\"; COMP_WORDS=(jobpass login \"$2\" \"$1\"); \
                      [ \"$2\" = login ] && COMP_WORDS=(jobpass login \"$1\"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); \
                      _jobpass jobpass \"$1\" \"$2\"; echo \"${COMPREPLY[*]}\"";
        let seen = run("bash", &["-c", script, &file("jobpass.bash"), word, before]).ok();
        assert_eq!(seen.stdout.trim(), want, "{word}: {}", seen.stderr);
    }
}

#[test]
fn every_shell_offers_values() {
    for (name, values) in [
        ("_jobpass", "PLATFORM:(auto github gitlab circleci spacelift bitbucket "),
        ("jobpass.fish", "-l platform -d 'The CI platform' -r -f -a \"auto\\t''\ngithub\\t''"),
        ("_jobpass.ps1", "'--platform' { 'auto', 'github', 'gitlab', 'circleci', 'spacelift', 'bitbucket', "),
        ("_jobpass.ps1", "'completions' { 'bash', 'elvish', 'fish', 'powershell', 'zsh'; break }"),
    ] {
        let script = std::fs::read_to_string(file(name)).unwrap();
        assert!(script.contains(values), "{name} lacks {values}");
        assert!(!script.contains("azure,"), "{name} offers what this build refuses");
    }
    // Where there is a fish, ask it.
    if Path::new("/usr/bin/fish").exists() {
        let script = format!("source {}; complete -C 'jobpass login --platform git'", file("jobpass.fish"));
        let seen = run("/usr/bin/fish", &["--no-config", "-c", &script]).ok().stdout;
        assert_eq!(seen.split_whitespace().collect::<Vec<_>>(), ["github", "gitlab"]);
    }
}

#[test]
fn the_manual_page_is_roff() {
    let page = Ran::of(&jobpass(Path::new("/"), &["man"], []).output().unwrap()).ok().stdout;
    assert!(page.contains(".TH jobpass 1") && page.contains(".SH NAME"), "{}", &page[..200]);
}
