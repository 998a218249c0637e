//! `K=V` lines: GitLab's file, and the user's env file.

use super::error::{ExportError, refused};
use super::name::is_posix;

/// For a file which a runner reads with the shell's `read -r` line by line, as GitLab's does: no newlines, no white
/// space at a line's end.
pub(super) fn gitlab(pairs: &[(String, String)], file: &str) -> Result<String, ExportError> {
    lines(pairs, &format!("`{file}`"), |value| {
        if value.contains(['\n', '\r', '\0']) {
            Some("it has more than one line")
        } else if value.ends_with([' ', '\t']) {
            Some("it ends with white space")
        } else {
            None
        }
    })
}

/// For a file that `docker --env-file` (which takes each value as it is) and a shell's `source` read alike:
/// values a shell would expand or split are refused, as no quoting means the same to both.
pub(super) fn env_file(pairs: &[(String, String)], place: &str) -> Result<String, ExportError> {
    lines(pairs, place, |value| {
        if value.contains(['\n', '\r', '\0']) {
            return Some("it has more than one line");
        }
        let plain = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
        let plain = value.chars().all(|c| plain(c) && !c.is_control() && !c.is_whitespace());
        (!plain).then_some("`source` and `docker --env-file` would read its characters differently")
    })
}

fn lines(
    pairs: &[(String, String)],
    place: &str,
    problem: impl Fn(&str) -> Option<&'static str>,
) -> Result<String, ExportError> {
    let mut out = String::new();
    for (name, value) in pairs {
        if !is_posix(name) {
            return Err(refused(name, place, "it is not a valid variable name"));
        }
        if let Some(reason) = problem(value) {
            return Err(refused(name, place, reason));
        }
        out.push_str(name);
        out.push('=');
        out.push_str(value);
        out.push('\n');
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    fn variable(value: &str) -> [(String, String); 1] {
        [("K".to_owned(), value.to_owned())]
    }

    #[test]
    fn refuses_what_the_format_cannot_carry() {
        for (value, to_gitlab, to_file) in [
            ("/a/b.c-d_e:443", true, true),
            ("", true, true),
            ("/ä/ö", true, true),
            ("two\nlines", false, false),
            ("cr\rhere", false, false),
            ("nul\0", false, false),
            ("ends ", false, false),
            ("a b", true, false),
            ("$(id)", true, false),
            ("it's", true, false),
            ("~/x", true, false),
            ("a\\b", true, false),
        ] {
            assert_eq!(gitlab(&variable(value), "GITLAB_ENV").is_ok(), to_gitlab, "{value:?}");
            assert_eq!(env_file(&variable(value), "x").is_ok(), to_file, "{value:?}");
        }
        for name in ["A-B", "A B", "A\nB", "", "1", "A=B"] {
            let pair = [(name.to_owned(), "v".to_owned())];
            assert!(gitlab(&pair, "GITLAB_ENV").is_err() && env_file(&pair, "x").is_err(), "{name:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn an_env_file_means_the_same_to_a_shell(
            value in "[a-z~$'\"`\\\\ *?#!&;|<>(){}=:,./%+@äλ-]{0,8}|[a-z/.:@%+=,_-]{0,20}"
        ) {
            if let Ok(text) = env_file(&variable(&value), "x") {
                let dir = tempfile::tempdir().unwrap();
                let path = dir.path().join("env");
                super::super::file::replace(&path, text.as_bytes()).unwrap();
                let script = ". \"$0\"; printf %s \"$K\"";
                let out = Command::new("sh").args(["-c", script]).arg(&path).output().unwrap();
                prop_assert_eq!(String::from_utf8(out.stdout).unwrap(), value);
            }
        }

        #[test]
        fn gitlab_values_come_back_from_its_reading_loop(value in "[ -~]{0,30}") {
            if let Ok(text) = gitlab(&variable(&value), "GITLAB_ENV") {
                // As gitlab-runner's bash script does.
                let script = "while read -r line; do export \"$line\"; done <<< \"$0\"; printf %s \"$K\"";
                let line = text.trim_end_matches('\n');
                let out = Command::new("bash").args(["-c", script, line]).output().unwrap();
                prop_assert_eq!(String::from_utf8(out.stdout).unwrap(), value);
            }
        }
    }
}
