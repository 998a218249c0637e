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

/// Reads a command file as the runner does.
#[cfg(test)]
pub(super) fn parse(text: &str) -> Vec<(String, String)> {
    let mut lines = text.split('\n');
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let (name, delimiter) = line.split_once("<<").unwrap();
        let value: Vec<&str> = lines.by_ref().take_while(|l| *l != delimiter).collect();
        found.push((name.to_owned(), value.join("\n")));
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
            prop_assert_eq!(parse(&variables(&pairs, "GITHUB_ENV").unwrap()), pairs);
        }
    }
}
