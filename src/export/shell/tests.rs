use super::*;
use proptest::prelude::*;
use std::process::Command;

const ALL: [Shell; 3] = [Shell::Posix, Shell::Fish, Shell::PowerShell];

fn variable(value: &str) -> [(String, String); 1] {
    [("K".to_owned(), value.to_owned())]
}

#[test]
fn refuses_names_that_are_code() {
    for shell in ALL {
        for name in ["A;id", "A B", "A-B", "", "1A", "A\n", "A=1"] {
            assert!(lines(shell, &[(name.to_owned(), String::new())], "x").is_err(), "{name:?}");
        }
        assert!(lines(shell, &variable("\0"), "x").is_err());
    }
    assert!(lines(Shell::PowerShell, &variable("a\nb"), "x").is_err());
}

#[test]
fn quotes_what_a_shell_would_read() {
    for (value, posix, fish, powershell) in [
        ("/d/x.y:443", "/d/x.y:443", "'/d/x.y:443'", "'/d/x.y:443'"),
        ("", "''", "''", "''"),
        ("a b", "'a b'", "'a b'", "'a b'"),
        ("~/x", "'~/x'", "'~/x'", "'~/x'"),
        ("x:~/y", "'x:~/y'", "'x:~/y'", "'x:~/y'"),
        (r"it's a\b", r#""it's a\\b""#, r"'it\'s a\\b'", r"'it''s a\b'"),
        ("$a ‘b’", "'$a ‘b’'", "'$a ‘b’'", "'$a ‘‘b’’'"),
    ] {
        for (shell, want) in [
            (Shell::Posix, format!("export K={posix}\n")),
            (Shell::Fish, format!("set -gx K {fish}\n")),
            (Shell::PowerShell, format!("$env:K = {powershell}\n")),
        ] {
            assert_eq!(lines(shell, &variable(value), "x").unwrap(), want, "{value:?}");
        }
    }
}

/// What a shell hands to the programs that it starts, after it read the lines.
fn seen_by(shell: &str, arguments: &[&str]) -> String {
    let program = format!("/usr/bin/{shell}");
    let out = Command::new(&program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", "/nonexistent")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap_or_else(|e| panic!("{program}: {e}"));
    String::from_utf8(out.stdout).unwrap()
}

/// By the rules of the page: a verbatim string ends at a quote that is not doubled.
fn read_by_powershell(line: &str) -> Option<String> {
    let rest = line.strip_prefix("$env:K = '")?.strip_suffix("\n")?;
    let quotes = "'\u{2018}\u{2019}\u{201a}\u{201b}";
    let mut out = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        if quotes.contains(c) {
            match chars.next() {
                Some(next) if quotes.contains(next) => {}
                Some(_) => return None,
                None => return Some(out),
            }
        }
        out.push(c);
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn values_come_back_from_shells(
        value in "(?s)[^\0]{0,30}|['\"\\\\$`!^~=:\n\r %#;&|<>(){}\\[\\]*?]{0,12}|(?s)[^\0]{0,8}EOF\n?"
    ) {
        let text = lines(Shell::Posix, &variable(&value), "x").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("env");
        super::super::file::append(&path, text.as_bytes()).unwrap();
        let path = path.to_str().unwrap();
        for shell in ["bash", "dash", "zsh"] {
            for (script, argument) in [(". \"$0\"; printenv K", path), ("eval \"$0\"; printenv K", &text)] {
                let seen = seen_by(shell, &["-c", script, argument]);
                prop_assert_eq!(seen.strip_suffix('\n'), Some(value.as_str()), "{}", shell);
            }
        }
        let text = lines(Shell::Fish, &variable(&value), "x").unwrap();
        for script in ["eval $argv[1]; printenv K", "echo -n $argv[1] | source; printenv K"] {
            let seen = seen_by("fish", &["--no-config", "-c", script, &text]);
            prop_assert_eq!(seen.strip_suffix('\n'), Some(value.as_str()), "{}", script);
        }
    }

    #[test]
    fn values_come_back_from_powershells_rules(value in "[^\\pC]{0,30}|['‘’‚‛\"`$ ]{0,12}") {
        let text = lines(Shell::PowerShell, &variable(&value), "x").unwrap();
        prop_assert_eq!(read_by_powershell(&text), Some(value));
    }
}

/// A script that evaluates the lines of a run that failed does not go on as if nothing had happened.
#[test]
fn a_failure_is_seen_by_the_shell() {
    let posix = Shell::Posix.failure(4);
    for shell in ["bash", "dash", "zsh"] {
        assert_eq!(seen_by(shell, &["-c", "eval \"$0\"; echo $?", &posix]), "4\n", "{shell}");
        assert_eq!(seen_by(shell, &["-c", "set -e; eval \"$0\"; echo on", &posix]), "", "{shell}");
    }
    let fish = Shell::Fish.failure(4);
    assert_eq!(seen_by("fish", &["--no-config", "-c", "eval $argv[1]; echo $status", &fish]), "4\n");
    assert_eq!(Shell::PowerShell.failure(4), "throw 'jobpass ended with exit code 4'\n");
}
