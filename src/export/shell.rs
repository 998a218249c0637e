//! `export K=V` lines for POSIX shells.

use super::error::{ExportError, refused};
use super::name::is_posix;

/// One line per variable (more where the value has newlines), quoted so that nothing in it is expanded. `shlex` writes
/// `''`, `"…"` or `'…'` in forms that bash, dash, zsh and ksh agree on, and nothing around plain words.
pub(super) fn exports(pairs: &[(String, String)], place: &str) -> Result<String, ExportError> {
    let mut out = String::new();
    for (name, value) in pairs {
        if !is_posix(name) {
            return Err(refused(name, place, "it is not a valid variable name"));
        }
        let value = shlex::try_quote(value).map_err(|_| refused(name, place, "it contains a NUL byte"))?;
        out.push_str("export ");
        out.push_str(name);
        out.push('=');
        out.push_str(&value);
        out.push('\n');
    }
    Ok(out)
}

/// One `unset` of all names; nothing of none.
pub(super) fn unset(pairs: &[(String, String)], place: &str) -> Result<String, ExportError> {
    if let Some((name, _)) = pairs.iter().find(|(name, _)| !is_posix(name)) {
        return Err(refused(name, place, "it is not a valid variable name"));
    }
    let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    Ok(if names.is_empty() { String::new() } else { format!("unset {}\n", names.join(" ")) })
}

/// What the `export K=V` lines of a script assign, in their order; what it unsets is empty. Whatever else it does is not seen.
pub(super) fn assigned(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for words in text.lines().filter_map(shlex::split) {
        match words.split_first().map(|(first, rest)| (first.as_str(), rest)) {
            Some(("export", rest)) => {
                let pairs = rest.iter().filter_map(|word| word.split_once('='));
                found.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            }
            Some(("unset", names)) => found.extend(names.iter().map(|name| (name.clone(), String::new()))),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    #[test]
    fn refuses_names_that_are_code() {
        for name in ["A;id", "A B", "A-B", "", "1A", "A\n", "A=1"] {
            assert!(exports(&[(name.to_owned(), String::new())], "x").is_err(), "{name:?}");
        }
        assert!(exports(&[("A".to_owned(), "\0".to_owned())], "x").is_err());
    }

    #[test]
    fn quotes_what_a_shell_would_read() {
        for (value, want) in [
            ("/d/x.y:443", "/d/x.y:443"),
            ("", "''"),
            ("a b", "'a b'"),
            ("~/x", "'~/x'"),
            ("x:~/y", "'x:~/y'"),
        ] {
            let text = exports(&[("K".to_owned(), value.to_owned())], "x").unwrap();
            assert_eq!(text, format!("export K={want}\n"));
        }
    }

    #[test]
    fn reads_what_others_wrote() {
        let text = "#!/bin/bash\nexport A='it is' B=2\nif x; then\necho \"unbalanced\nexport C=\"a b\"\nC=3\nunset A\n";
        let found = assigned(text);
        let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, [("A", "it is"), ("B", "2"), ("C", "a b"), ("A", "")]);
        assert!(unset(&[("A;id".to_owned(), String::new())], "x").is_err());
        assert_eq!(unset(&[], "x").unwrap(), "");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn values_come_back_from_shells(value in "(?s)[^\0]{0,30}|['\"\\\\$`!^~=:\n\r ]{0,12}") {
            let text = exports(&[("K".to_owned(), value.clone())], "x").unwrap();
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("env");
            super::super::file::append(&path, text.as_bytes()).unwrap();
            for shell in ["bash", "sh"] {
                let script = ". \"$0\"; printf %s \"$K\"";
                let out = Command::new(shell).args(["-c", script]).arg(&path).output().unwrap();
                prop_assert_eq!(String::from_utf8(out.stdout).unwrap(), value.as_str(), "{}", shell);
                let script = "eval \"$0\"; printf %s \"$K\"";
                let out = Command::new(shell).args(["-c", script, &text]).output().unwrap();
                prop_assert_eq!(String::from_utf8(out.stdout).unwrap(), value.as_str(), "{}", shell);
            }
        }
    }
}
