//! Text for people in lines of a width.

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use super::without_commands;

/// The widest line where no terminal says otherwise.
pub const COLUMNS: usize = 100;

/// `text` folded at white space, the first line beginning after `indent` columns that are there already, the others
/// indented as far. A word that is longer than a line stays whole, as it is mostly a path to be copied, and so does
/// what stands between back-ticks. No line but the first, which does not begin a line, can be read as a command by a
/// CI system's log. Ends without a newline.
pub fn fold(text: &str, indent: usize) -> String {
    fold_to(text, indent, COLUMNS)
}

/// The same in lines of `width` columns.
pub fn fold_to(text: &str, indent: usize, width: usize) -> String {
    let margin = " ".repeat(indent);
    let options = Options::new(width)
        .initial_indent(&margin)
        .subsequent_indent(&margin)
        .break_words(false)
        .word_separator(WordSeparator::Custom(words))
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines = textwrap::wrap(&text, options).into_iter().enumerate();
    let safe = lines.map(|(n, line)| if n == 0 { line.into_owned() } else { without_commands(&line) });
    safe.collect::<Vec<_>>().join("\n").trim_start().to_owned()
}

/// Words at spaces outside of back-ticks; a back-tick without a partner is a character like others.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut words = Vec::new();
    let (mut begin, mut from) = (0, 0);
    while let Some(space) = line.get(from..).and_then(|rest| rest.find(' ')).map(|at| from + at) {
        let word = line.get(begin..space).unwrap_or_default();
        from = space + 1;
        let open = word.matches('`').count() % 2 == 1;
        if open && line.get(space..).is_some_and(|rest| rest.contains('`')) {
            continue;
        }
        words.push(Word::from(line.get(begin..from).unwrap_or_default()));
        begin = from;
    }
    words.push(Word::from(line.get(begin..).unwrap_or_default()));
    Box::new(words.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_at_white_space() {
        let text = "word ".repeat(40) + &"x".repeat(120);
        let folded = fold(&text, 10);
        let lines: Vec<&str> = folded.lines().collect();
        assert_eq!(lines.len(), 4, "{folded}");
        assert!(lines[0].len() <= 90 && lines[1].len() <= 100 && lines[1].starts_with("          word"));
        assert_eq!(lines[3].trim_start().len(), 120);
        assert_eq!(fold("", 4), "");
        assert_eq!(fold_to("a b  c", 0, 3), "a b\nc");
    }

    #[test]
    fn keeps_what_is_to_be_copied_in_one_piece() {
        let text = format!("{} `a b c`, and `d e` f `g h i", "y".repeat(92));
        let folded = fold(&text, 0);
        assert!(folded.ends_with("\n`a b c`, and `d e` f `g h i"), "{folded}");
        let found: Vec<String> = words("a `b  c`d` e` `f").map(|w| w.word.to_owned()).collect();
        assert_eq!(found, ["a", "`b  c`d` e`", "`f"]);
    }

    #[test]
    fn gives_a_log_no_commands() {
        let folded = fold(&format!("{} ::error::x", "y".repeat(95)), 5);
        assert!(folded.lines().all(|l| !l.trim_start().starts_with("::")), "{folded}");
    }
}
