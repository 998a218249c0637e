//! Commands that are printed for people to paste into a shell.

use std::path::Path;

use crate::text::safe_lines;

/// The words as a shell takes them; `None` where the line cannot be shown as it is.
pub(super) fn command_line<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Option<String> {
    let quoted = |word: S| shlex::try_quote(word.as_ref()).ok().map(std::borrow::Cow::into_owned);
    let line = words.into_iter().map(quoted).collect::<Option<Vec<_>>>()?.join(" ");
    safe_lines(&line).eq([line.as_str()]).then_some(line)
}

/// A path as a word.
pub(super) fn word(path: &Path) -> Option<String> {
    path.to_str().map(str::to_owned)
}

/// `NAME=VALUE` of a PostgreSQL connection string (libpq 34.1.1): quotes and backslashes are escaped.
pub(super) fn libpq(name: &str, value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@+".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        return format!("{name}={value}");
    }
    format!("{name}='{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A file for curl's `--cert`, which takes what follows a colon for a password (curl `tool_getparam.c`).
pub(super) fn curl_file(path: &str) -> String {
    path.replace('\\', "\\\\").replace(':', "\\:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_shown_is_no_command() {
        assert_eq!(command_line(["a", "b c", "it's"]).unwrap(), "a 'b c' \"it's\"");
        for bad in ["a\nb", "a\0b", "\u{1b}[1m", "##[error]"] {
            assert_eq!(command_line(["a", bad]), None, "{bad:?}");
        }
    }

    #[test]
    fn values_keep_within_their_quotes() {
        for (value, want) in [
            ("ci", "user=ci"),
            ("", "user=''"),
            ("a b", "user='a b'"),
            ("it's", "user='it\\'s'"),
            ("a\\", "user='a\\\\'"),
        ] {
            assert_eq!(libpq("user", value), want);
        }
        assert_eq!(curl_file("/a:b\\c"), "/a\\:b\\\\c");
    }
}
