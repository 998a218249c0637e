//! GitHub's command files: `K<<DELIMITER`, the value's lines, `DELIMITER`; and the step summary.
//!
//! docs.github.com, "Workflow commands", "Multiline strings"; the delimiter is named as in actions/toolkit
//! `file-command.ts`, random so that no value can end its own block and begin another variable.

use aws_lc_rs::rand;

use super::error::{ExportError, refused};
use super::name::{is_output, is_posix};

/// The summary of one step may have 1 MiB; a longer one is not shown at all.
const MAX_SUMMARY: u64 = 1024 * 1024;
const CUT: &str = "\n_cut_\n";

/// For the environment of later steps. The runner refuses `NODE_OPTIONS` there and ignores its own names.
pub(super) fn variables(pairs: &[(String, String)], file: &str) -> Result<String, ExportError> {
    let place = &format!("`{file}`");
    for (name, _) in pairs {
        let upper = name.to_ascii_uppercase();
        if upper == "NODE_OPTIONS" || upper.starts_with("GITHUB_") || upper.starts_with("RUNNER_") {
            return Err(refused(name, place, "GitHub does not let a step set this variable"));
        }
        if !is_posix(name) {
            return Err(refused(name, place, "it is not a valid variable name"));
        }
    }
    blocks(pairs, place)
}

/// For the outputs of the step.
pub(super) fn outputs(pairs: &[(String, String)], file: &str) -> Result<String, ExportError> {
    blocks(pairs, &format!("`{file}`"))
}

/// What of `text` still fits after `length` bytes, ending with a newline.
pub(super) fn summary(text: &str, length: u64) -> String {
    // One byte for a newline before it, one for the newline after it.
    let room = usize::try_from(MAX_SUMMARY.saturating_sub(length).saturating_sub(2)).unwrap_or(0);
    if text.len() <= room {
        return format!("{}\n", text.strip_suffix('\n').unwrap_or(text));
    }
    let Some(room) = room.checked_sub(CUT.len()) else { return String::new() };
    let end = (0..=room).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let end = text[..end].rfind('\n').unwrap_or(end);
    format!("{}\n{CUT}", &text[..end])
}

fn blocks(pairs: &[(String, String)], place: &str) -> Result<String, ExportError> {
    let mut out = String::new();
    for (name, value) in pairs {
        if !is_output(name) {
            return Err(refused(name, place, "it is not a valid name of a variable or an output"));
        }
        if value.contains('\0') {
            return Err(refused(name, place, "it contains a NUL byte"));
        }
        let delimiter = delimiter().ok_or_else(|| refused(name, place, "the system has no random bytes"))?;
        out.push_str(
            &block(name, value, &delimiter)
                .ok_or_else(|| refused(name, place, "it contains the delimiter"))?,
        );
    }
    Ok(out)
}

fn block(name: &str, value: &str, delimiter: &str) -> Option<String> {
    let free = !name.contains(delimiter) && !value.contains(delimiter);
    free.then(|| format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"))
}

/// 128 random bits.
fn delimiter() -> Option<String> {
    let mut bytes = [0u8; 16];
    rand::fill(&mut bytes).ok()?;
    Some(format!("ghadelimiter_{:032x}", u128::from_be_bytes(bytes)))
}

/// What a command file assigns, in its order: blocks, and `K=V` lines. A block without an end is none, as for the runner.
pub(super) fn assigned(text: &str) -> Vec<(String, String)> {
    let mut lines = text.split('\n');
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.split_once("<<"), line.split_once('=')) {
            // What comes first decides.
            (Some((name, delimiter)), other) if other.is_none_or(|(key, _)| name.len() < key.len()) => {
                let mut value = Vec::new();
                let ends = lines.by_ref().any(|line| {
                    let is_end = line.strip_suffix('\r').unwrap_or(line) == delimiter;
                    if !is_end {
                        value.push(line);
                    }
                    is_end
                });
                if ends {
                    found.push((name.to_owned(), value.join("\n")));
                }
            }
            (_, Some((name, value))) => found.push((name.to_owned(), value.to_owned())),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_the_runner_would_not_take() {
        for (name, value) in [
            ("NODE_OPTIONS", "x"),
            ("node_options", "x"),
            ("GITHUB_TOKEN", "x"),
            ("RUNNER_TEMP", "x"),
            ("A B", "x"),
            ("A-B", "x"),
            ("A\nB", "x"),
            ("A<<B", "x"),
            ("A=B", "x"),
            ("1A", "x"),
            ("", "x"),
            ("A", "nul\0"),
        ] {
            let error = variables(&[(name.to_owned(), value.to_owned())], "GITHUB_ENV").unwrap_err();
            assert!(matches!(error, ExportError::Value { .. }), "{name}");
            assert!(!error.to_string().contains(['\n', '\0']));
        }
        assert!(outputs(&[("identity-file".to_owned(), "/d".to_owned())], "GITHUB_OUTPUT").is_ok());
        for (name, is_good) in
            [("_file", true), ("a_1", true), ("two words", false), ("1a", false), ("-a", false)]
        {
            let found = outputs(&[(name.to_owned(), "/d".to_owned())], "GITHUB_OUTPUT");
            assert_eq!(found.is_ok(), is_good, "{name}");
        }
        assert_eq!(block("A", "x\nghadelimiter_1\nB<<y", "ghadelimiter_1"), None);
        assert_ne!(delimiter(), delimiter());
    }

    #[test]
    fn reads_what_others_wrote() {
        for (text, want) in [
            ("", &[][..]),
            ("A=1\n\nB<<E\nx=1\n\ny\nE\nA=2", &[("A", "1"), ("B", "x=1\n\ny"), ("A", "2")]),
            ("A=x<<E\nB=2\n", &[("A", "x<<E"), ("B", "2")]),
            ("A<<=\nx\n=\nB=2\n", &[("A", "x"), ("B", "2")]),
            ("A<<E\r\nx\r\nE\r\nB=2\r\n", &[("A", "x\r"), ("B", "2")]),
            ("A<<E\nno end\nB=2\n", &[]),
            ("no assignment\nB=\n", &[("B", "")]),
        ] {
            let found = assigned(text);
            let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(found, want, "{text:?}");
        }
    }

    #[test]
    fn a_summary_is_cut_at_a_line_to_fit() {
        assert_eq!(summary("a\n", 0), "a\n");
        let long = "é line\n".repeat(200_000);
        for there in [0, 1_000_000, 1_048_573, 1_048_576, 1_048_577] {
            let text = summary(&long, there);
            assert!(text.is_empty() || there + 1 + text.len() as u64 <= 1_048_576, "{there}");
            assert!(text.is_empty() || text.ends_with("é line\n\n_cut_\n"), "{there}");
        }
        assert!(summary(&long, 0).len() > 1_048_500, "no more is cut than must be");
    }

    proptest! {
        #[test]
        fn values_come_back(values in proptest::collection::vec("(?s)[^\0]{0,40}", 0..4)) {
            let pairs: Vec<_> = values.into_iter().enumerate().map(|(i, v)| (format!("K_{i}"), v)).collect();
            prop_assert_eq!(assigned(&variables(&pairs, "GITHUB_ENV").unwrap()), pairs);
        }
    }

    #[test]
    fn values_come_back_under_fire() {
        let values = [
            "one\ntwo\r\n",
            "x<<ghadelimiter_00000000000000000000000000000000\n",
            "<<EOF\nEOF\n",
            "::set-env name=a::b",
        ];
        crate::under_fire::parser("GitHub's command files", values).slow(4).text(|text| {
            let pairs = [("A".to_owned(), text.to_owned()), ("B".to_owned(), "last".to_owned())];
            match variables(&pairs, "GITHUB_ENV") {
                Ok(file) => assert_eq!(assigned(&file), pairs),
                Err(_) => assert!(text.contains('\0')),
            }
        });
    }
}
