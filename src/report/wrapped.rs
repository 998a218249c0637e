//! Text for people in lines of at most 100 columns.

use crate::text::without_commands;

/// The widest line.
pub const COLUMNS: usize = 100;

/// `text` folded at white space, the first line beginning after `indent` columns that are there already, the others
/// indented as far. A word that is longer than a line stays whole, as it is mostly a path to be copied, and so does what
/// stands between back-ticks. No line but the first
/// can be read as a command by a CI system's log. Ends without a newline.
pub fn wrapped(text: &str, indent: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in words(text) {
        let wide = indent + line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && wide > COLUMNS {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.push(line);
    let margin = format!("\n{}", " ".repeat(indent));
    let safe = |(n, line): (usize, String)| if n == 0 { line } else { without_commands(&line) };
    lines.into_iter().enumerate().map(safe).collect::<Vec<_>>().join(&margin)
}

/// Words at white space outside of back-ticks; a back-tick without a partner is a character like others.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    // Where the words of a span that is open begin.
    let mut open: Option<usize> = None;
    for word in text.split_whitespace() {
        words.push(word.to_owned());
        if word.matches('`').count() % 2 == 1 {
            match open.take() {
                None => open = Some(words.len() - 1),
                Some(begin) => {
                    let span = words.split_off(begin).join(" ");
                    words.push(span);
                }
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_at_white_space() {
        let text = "word ".repeat(40) + &"x".repeat(120);
        let folded = wrapped(&text, 10);
        let lines: Vec<&str> = folded.lines().collect();
        assert_eq!(lines.len(), 4, "{folded}");
        assert!(lines[0].len() <= 90 && lines[1].len() <= 100 && lines[1].starts_with("          word"));
        assert_eq!(lines[3].trim_start().len(), 120);
        assert_eq!(wrapped("", 4), "");
    }

    #[test]
    fn keeps_what_is_to_be_copied_in_one_piece() {
        let text = format!("{} `a b c`, and `d e` f `g h i", "y".repeat(92));
        let folded = wrapped(&text, 0);
        assert!(folded.ends_with("\n`a b c`, and `d e` f `g h i"), "{folded}");
        assert_eq!(words("a `b  c`d` e` `f"), ["a", "`b c`d` e`", "`f"]);
    }

    #[test]
    fn gives_a_log_no_commands() {
        let folded = wrapped(&format!("{} ::error::x", "y".repeat(95)), 5);
        assert!(folded.lines().all(|l| !l.trim_start().starts_with("::")), "{folded}");
    }
}
