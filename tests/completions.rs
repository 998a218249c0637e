//! The committed completions are those of this binary. `SNAPSHOTS=overwrite cargo test` rewrites them.

use std::path::Path;

use snapbox::data::DataFormat;
use snapbox::{Assert, Data};

use crate::support::command::{Ran, binary, jobpass, run};

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

/// The part of a script that is about one command.
fn about(name: &str, command: &str) -> String {
    let script = std::fs::read_to_string(file(name)).unwrap();
    let (begin, end) = match name {
        "jobpass.bash" => {
            (format!("        jobpass__subcmd__{command})"), "            ;;\n        jobpass__")
        }
        "_jobpass" => (format!("({command})\n_arguments "), "\n;;"),
        "_jobpass.ps1" => (format!("'jobpass;{command}' {{"), "break"),
        _ => {
            let lines =
                script.lines().filter(|line| line.contains(&format!("_using_subcommand {command}\"")));
            return lines.collect::<Vec<_>>().join("\n");
        }
    };
    let at = script.find(&begin).unwrap_or_else(|| panic!("{name} has no {command}"));
    script[at..].split(end).next().unwrap().to_owned()
}

#[test]
fn exec_is_offered_no_flag_that_it_refuses() {
    for (_, name) in FILES {
        for (command, offered) in [("login", true), ("exec", false)] {
            let part = about(name, command);
            // In fish they have no dashes.
            let has = |flag: &str| {
                let ends = [' ', '=', '[', '\'', ')', '\n', '"'];
                let dashed = ends.iter().any(|end| part.contains(&format!("--{flag}{end}")));
                dashed || part.contains(&format!(" -l {flag} "))
            };
            for flag in ["dir", "export", "json", "print-command", "request-nowait", "reuse-if-valid-for"] {
                assert_eq!(has(flag), offered, "{name}: {command} --{flag}");
            }
            assert!(has("proxy") && has("export-vars") && has("color"), "{name}: {command}");
        }
    }
    for (command, offered) in [("login", true), ("exec", false)] {
        let ran = run(binary().to_str().unwrap(), &[command, "--jso", "--", "x"]);
        assert_eq!((ran.code, ran.stderr.contains("did you mean `--json`?")), (2, offered), "{}", ran.all());
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
