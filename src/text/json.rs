//! JSON for standard output, which may be a CI job's log.

use std::fmt::Write as _;

use serde::Serialize;

use super::is_shown;

/// `value` on several lines, with a newline at the end. Control and direction characters are escaped, and so is what
/// GitHub's runner would read as a command (`##[`): to a parser it is the same.
pub fn pretty(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default().replace("##[", "##\\u005b");
    let mut out = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if c == '\n' || is_shown(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_line_is_a_command() {
        let text = pretty(&["a##[set-output name=x]\u{202e}\u{9b}\n::error::", "\u{7f}"]);
        assert_eq!(
            text,
            "[\n  \"a##\\u005bset-output name=x]\\u202e\\u009b\\n::error::\",\n  \"\\u007f\"\n]\n"
        );
    }

    proptest! {
        #[test]
        fn a_parser_reads_what_was_meant(texts in proptest::collection::vec("(##\\[|\\\\|.|\u{feff}){0,9}", 0..4)) {
            let text = pretty(&texts);
            let is_safe = !text.contains("##[") && !text.contains('\u{feff}');
            prop_assert!(is_safe);
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), texts);
        }
    }
}
