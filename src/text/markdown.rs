//! Foreign text in Markdown pages: nothing in it is Markdown, HTML or an end of the block that it is in.

/// `text` as mere text on one line, in a paragraph, a list or a table's cell (GitHub Flavored Markdown 0.29, "Backslash
/// escapes": all ASCII punctuation; a `|` needs one in a cell, too). HTML's own characters become entities, as pages
/// are read by more than one program.
pub fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut out = String::with_capacity(text.len() + 16);
    for c in words.join(" ").chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A list's number, and the start of what GitHub makes a link.
            '.' if out.bytes().all(|b| b.is_ascii_digit()) || out.to_ascii_lowercase().ends_with("www") => {
                out.push_str("\\.");
            }
            // Words and numbers stay readable in the source; alone they mean nothing within a line.
            '-' | '.' | ',' | ';' | '/' | '\'' | '"' | '?' | '%' if !out.is_empty() => out.push(c),
            c if c.is_ascii_punctuation() => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// `text` as a block of code that nothing in it can close: its fence is longer than any run of back-ticks inside.
pub fn code(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_in_plain_text_is_markdown_or_html() {
        for (text, want) in [
            ("refs/heads/main", "refs/heads/main"),
            ("acme/my-app 1.2", "acme/my-app 1.2"),
            ("a|b", r"a\|b"),
            (r"a\|b", r"a\\\|b"),
            ("`x` *y* _z_ ~s~", r"\`x\` \*y\* \_z\_ \~s\~"),
            ("[t](javascript:x)", r"\[t\]\(javascript\:x\)"),
            ("![i](https://evil/x.png)", r"\!\[i\]\(https\://evil/x.png\)"),
            ("<img src=x> & &lt;", r"&lt;img src\=x&gt; &amp; &amp;lt;"),
            ("a\r\n\n# b\n- c", r"a \# b - c"),
            ("- item", r"\- item"),
            ("12. item 1.2", r"12\. item 1.2"),
            ("www.evil.example", r"www\.evil.example"),
            ("@team #7", r"\@team \#7"),
        ] {
            assert_eq!(plain(text), want);
        }
    }

    proptest! {
        #[test]
        fn no_cell_ends_early(text in "[|\\\\`<&\\[*_\n a]{0,24}") {
            let cell = plain(&text);
            let mut escaped = false;
            for c in cell.chars() {
                prop_assert!(escaped || !"|`<[*_\n".contains(c), "{cell:?}");
                escaped = c == '\\' && !escaped;
            }
            prop_assert!(!escaped, "{cell:?} would escape what follows it");
        }

        #[test]
        fn no_code_ends_early(text in "[`~a\n ]{0,40}") {
            let code = code("yaml", &text);
            let fence = code.split("yaml").next().unwrap();
            let inside = code.strip_prefix(fence).and_then(|c| c.strip_suffix(&format!("\n{fence}\n"))).unwrap();
            prop_assert!(fence.len() >= 3 && !inside.contains(fence), "{code}");
        }
    }
}
