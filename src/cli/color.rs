//! Colors on standard error.

use clap::ValueEnum;
use clap::builder::styling::{AnsiColor, Style};

use crate::env::Env;

/// `--color`: `auto` is on for a terminal, unless `NO_COLOR` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
#[allow(missing_docs)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// The words that begin the lines of messages, and how they look.
const LABELS: [(&str, Style); 6] = [
    ("error:", AnsiColor::Red.on_default().bold()),
    ("warning:", AnsiColor::Yellow.on_default().bold()),
    ("hint:", AnsiColor::Cyan.on_default().bold()),
    ("likely cause:", AnsiColor::Red.on_default()),
    ("next:", AnsiColor::Cyan.on_default().bold()),
    ("  caused by:", AnsiColor::Red.on_default()),
];

impl Color {
    /// Whether text is to have colors (no-color.org; `dumb` as terminfo has it).
    pub fn is_on(self, env: &Env, is_terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => env.var("NO_COLOR").is_none() && !env.is("TERM", "dumb") && is_terminal,
        }
    }
}

/// Colors the words that begin the lines of a message.
pub fn paint(text: &str) -> String {
    let line = |line: &str| {
        let found = LABELS.iter().find_map(|(label, style)| Some((label, style, line.strip_prefix(label)?)));
        found.map_or_else(|| line.to_owned(), |(label, style, rest)| format!("{style}{label}{style:#}{rest}"))
    };
    text.split_inclusive('\n').map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_for_terminals() {
        let plain = Env::new([("TERM", "xterm")], "/");
        let no_color = Env::new([("NO_COLOR", "1")], "/");
        for (color, env, terminal, want) in [
            (Color::Auto, &plain, true, true),
            (Color::Auto, &plain, false, false),
            (Color::Auto, &no_color, true, false),
            (Color::Auto, &Env::new([("TERM", "dumb")], "/"), true, false),
            (Color::Auto, &Env::new([("NO_COLOR", "")], "/"), true, true),
            (Color::Always, &no_color, false, true),
            (Color::Never, &plain, true, false),
        ] {
            assert_eq!(color.is_on(env, terminal), want, "{color:?} {env:?} {terminal}");
        }
    }

    #[test]
    fn labels_are_painted_at_the_start_of_lines_only() {
        assert_eq!(
            paint("error: a hint: b\nhint: c\n"),
            "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m a hint: b\n\u{1b}[1m\u{1b}[36mhint:\u{1b}[0m c\n"
        );
        assert_eq!(paint("\u{1b}[0Ksection_start:1:x\n"), "\u{1b}[0Ksection_start:1:x\n");
    }
}
