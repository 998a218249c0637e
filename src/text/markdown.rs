//! Foreign text in Markdown (GitHub's step summaries; `CommonMark` 0.31, "Entity and numeric character references").

use std::fmt::Write as _;

use super::safe;

/// The longest text that is shown, in characters.
const LONGEST: usize = 2_000;

/// `text` on one line, in which nothing is read as Markdown, HTML, a link or a mention.
pub fn plain(text: &str) -> String {
    let is_plain = |c: char| !c.is_ascii_punctuation() || matches!(c, '-' | ',' | '.' | '/');
    let text = safe(text, LONGEST).chars().fold(String::new(), |mut out, c| {
        let _ = if is_plain(c) { out.write_char(c) } else { write!(out, "&#{};", c as u32) };
        out
    });
    // The one link that needs no other sign (GitHub Flavored Markdown, "Autolinks").
    text.replace("www.", "www&#46;")
}

/// The same in the font of code.
pub fn code(text: &str) -> String {
    format!("<code>{}</code>", plain(text))
}

/// `text` as a block of code that nothing in it can close: its fence is longer than any run of back-ticks inside.
pub fn block(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_read_as_markup() {
        for (text, want) in [
            ("ci-deploy, a.b/c", "ci-deploy, a.b/c"),
            ("a|b", "a&#124;b"),
            ("<img src=x>", "&#60;img src&#61;x&#62;"),
            ("[x](https://y)\n# z", "&#91;x&#93;&#40;https&#58;//y&#41; &#35; z"),
            ("www.evil.example", "www&#46;evil.example"),
            ("`_*~@\\&", "&#96;&#95;&#42;&#126;&#64;&#92;&#38;"),
        ] {
            assert_eq!(plain(text), want);
        }
        assert_eq!(code("</code>"), "<code>&#60;/code&#62;</code>");
    }

    proptest! {
        #[test]
        fn only_entities_and_plain_characters_are_left(text in any::<String>()) {
            let shown = plain(&text);
            for word in shown.split("&#").skip(1) {
                let (number, _) = word.split_once(';').unwrap();
                prop_assert!(number.parse::<u32>().is_ok());
            }
            let rest = shown.replace("&#", "");
            prop_assert!(!rest.contains(['|', '<', '>', '`', '[', '*', '_', '@', '\\', '\n']));
        }

        #[test]
        fn no_block_ends_early(text in "[`~a\n ]{0,40}") {
            let block = block("yaml", &text);
            let fence = block.split("yaml").next().unwrap();
            let inside = block.strip_prefix(fence).and_then(|c| c.strip_suffix(&format!("\n{fence}\n"))).unwrap();
            prop_assert!(fence.len() >= 3 && !inside.contains(fence), "{block}");
        }
    }
}
