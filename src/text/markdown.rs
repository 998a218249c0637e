//! Foreign text in Markdown (GitHub's step summaries; `CommonMark` 0.31, "Entity and numeric character references").

use std::fmt::Write as _;

use super::safe;

/// The longest text that is shown, in characters.
const LONGEST: usize = 2_000;

/// `text` on one line, in which nothing is read as Markdown, HTML, a link or a mention.
pub fn plain(text: &str) -> String {
    let is_plain = |c: char| !c.is_ascii_punctuation() || matches!(c, '-' | ',' | '.' | '/');
    safe(text, LONGEST).chars().fold(String::new(), |mut out, c| {
        let _ = if is_plain(c) { out.write_char(c) } else { write!(out, "&#{};", c as u32) };
        out
    })
}

/// The same in the font of code.
pub fn code(text: &str) -> String {
    format!("<code>{}</code>", plain(text))
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
    }
}
