//! How a foreign text (a body, a branch name, a child's last words) is shown: one line, printable, no tokens.

/// `text` as one line of at most `max` characters: runs of white space are one space, control and direction
/// characters are dropped, and whatever looks like a token is replaced.
pub fn one_line(text: &str, max: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let clean: String = words.join(" ").chars().filter(|c| is_shown(*c)).collect();
    let clean = without_tokens(&clean);
    if clean.chars().count() <= max {
        return clean;
    }
    let mut cut: String = clean.chars().take(max.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// The lines of `text`, each without control characters but tabs.
pub fn lines(text: &str) -> impl Iterator<Item = String> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.split('\n').map(|line| line.chars().filter(|c| *c == '\t' || is_shown(*c)).collect())
}

/// A line that a log reading `::command::` or `##[command]` (GitHub's runner, `ActionCommand.cs`) takes as
/// mere text.
pub fn without_commands(line: &str) -> String {
    let line = line.replace("##[", "## [");
    let start = line.len() - line.trim_start().len();
    match line.get(start..) {
        Some(rest) if rest.starts_with("::") => {
            format!("{}: :{}", &line[..start], rest.trim_start_matches(':'))
        }
        _ => line,
    }
}

/// Whether this text is rather a token itself than the name of its place, as when `$TOKEN` was written for
/// `TOKEN`.
pub fn looks_like_token(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    (text.contains("eyJ") && text.len() >= 20) || (parts.len() >= 3 && parts.iter().all(|p| p.len() >= 10))
}

/// Direction marks and invisible characters can make a line read as another one.
fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

fn without_tokens(text: &str) -> String {
    let part_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let run = rest.find(|c| !part_of_token(c)).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(run);
        out.push_str(if looks_like_token(word) { "[token]" } else { word });
        let gap = tail.find(part_of_token).unwrap_or(tail.len());
        let (between, tail) = tail.split_at(gap);
        out.push_str(between);
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_one_line_without_tokens() {
        for (text, max, want) in [
            (" a\r\n\tb\u{1b}[31mc ", 20, "a b[31mc"),
            ("abcdef", 4, "abc…"),
            ("\u{202e}txt.exe", 20, "txt.exe"),
            ("token=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl!", 80, "token=[token]!"),
            ("bearer 0123456789.0123456789.0123456789", 80, "bearer [token]"),
            ("see token.actions.githubusercontent.com/x", 80, "see token.actions.githubusercontent.com/x"),
        ] {
            assert_eq!(one_line(text, max), want);
        }
    }

    proptest! {
        #[test]
        fn is_bounded_and_keeps_no_control_characters(text in any::<String>(), max in 1usize..300) {
            let shown = one_line(&text, max);
            prop_assert!(shown.chars().count() <= max.max("[token]".len()));
            prop_assert!(!shown.contains(char::is_control));
        }

        #[test]
        fn no_line_is_a_command(text in "[ \t:#\\[a]{0,12}") {
            let line = without_commands(&text);
            prop_assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{line:?}");
        }
    }
}
