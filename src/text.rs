//! Foreign text made safe to show, and text for people: lines, durations, bytes, clocks.
//!
//! Foreign is whatever a server, a job, a file or a child process says. What [`safe`] and [`safe_lines`] return has no
//! control and no direction characters, nothing that a CI system's log reads as a command, nothing that looks like an
//! identity token, and a bounded length. Every sink takes foreign text through one of them.

pub mod fold;
pub mod json;
pub mod markdown;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;

/// The longest line of foreign text that is shown, in characters.
const LONGEST_LINE: usize = 2_000;

/// No name of Teleport's is near this; in characters.
const LONGEST_NAME: usize = 256;

/// `text` as one line of at most `max` characters: runs of white space become one space, what does not fit becomes `…`.
pub fn safe(text: &str, max: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let shown: String = words.join(" ").chars().filter(|c| is_shown(*c)).collect();
    let text = without_commands(&without_tokens(&shown));
    if text.chars().count() <= max {
        return text;
    }
    let mut cut: String = text.chars().take(max.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// The lines of `text`, each made safe; tabs and runs of spaces stay. A longer line than 2,000 characters is cut.
pub fn safe_lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(|line| {
        let shown = line.chars().filter(|c| *c == '\t' || is_shown(*c)).take(LONGEST_LINE);
        without_commands(&without_tokens(&shown.collect::<String>()))
    })
}

/// A line that a log which reads `::command::` or `##[command]` (GitHub's runner, `ActionCommand.cs`), `##vso[command]`
/// (Azure Pipelines) or `##teamcity[message]` takes as mere text. The first form counts at a line's start only, the
/// others anywhere.
pub fn without_commands(line: &str) -> String {
    let mut apart = String::with_capacity(line.len());
    for c in line.chars() {
        if (c == '[' || c.is_ascii_alphabetic()) && apart.ends_with("##") {
            apart.push(' ');
        }
        apart.push(c);
    }
    let line = apart;
    let start = line.len() - line.trim_start().len();
    match line.get(start..) {
        Some(rest) if rest.starts_with("::") => {
            format!("{}: :{}", &line[..start], rest.trim_start_matches(':'))
        }
        _ => line,
    }
}

/// Whether this can be the name of a user, role, login or cluster: it reads the same when it is made safe.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && safe(text, LONGEST_NAME) == text
}

/// Whether this text is rather a token itself than the name of its place, as when `$TOKEN` was written for `TOKEN`.
pub fn looks_like_token(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    (text.contains("eyJ") && text.len() >= 20) || (parts.len() >= 3 && parts.iter().all(|p| p.len() >= 10))
}

/// The names that a misspelt one may stand for, the nearest first.
pub fn close_names<'a>(name: &str, known: &'a [String]) -> Vec<&'a str> {
    let fold = |text: &str| text.chars().take(LONGEST_NAME).collect::<String>().to_lowercase();
    let name = fold(name);
    let mut near: Vec<(usize, &str)> = known
        .iter()
        .map(|candidate| (strsim::osa_distance(&name, &fold(candidate)), candidate.as_str()))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .collect();
    near.sort_unstable();
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

/// The system's words, lower case, without its number or the name of a temporary file.
pub fn io_reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at path \"").next().unwrap_or_default();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map(|c| c.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// `1h30m`, `59m`, `45s`: two units at most; what has passed is `0s`.
pub fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    // Teleport's dates are whole seconds, ours are not: 59m59.8s is an hour to people.
    let seconds = if duration.subsec_millis() >= 500 { seconds.saturating_add(1) } else { seconds };
    // From ten minutes on nobody counts seconds.
    let seconds = if seconds < 600 { seconds } else { seconds.saturating_add(30) / 60 * 60 };
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes, rest) {
        (0, 0, s) => format!("{s}s"),
        (0, m, 0) => format!("{m}m"),
        (0, m, s) => format!("{m}m{s}s"),
        (h, 0, _) => format!("{h}h"),
        (h, m, _) => format!("{h}h{m}m"),
    }
}

/// How this machine's clock stands to the cluster's. `skew` is the cluster's time minus ours, in seconds; up to
/// `tolerance` they agree.
pub fn clocks(skew: i64, tolerance: i64) -> String {
    if skew.abs() <= tolerance {
        return "this machine's clock and the cluster's agree".to_owned();
    }
    let side = if skew > 0 { "behind" } else { "ahead of" };
    format!(
        "this machine's clock is {} {side} the cluster's",
        duration(SignedDuration::from_secs(skew.abs()))
    )
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Direction marks and invisible characters can make a line read as another one.
fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn without_tokens(text: &str) -> String {
    let part_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let run = rest.find(|c| !part_of_token(c)).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(run);
        out.push_str(if looks_like_jwt(word) { "[token]" } else { word });
        let gap = tail.find(part_of_token).unwrap_or(tail.len());
        let (between, tail) = tail.split_at(gap);
        out.push_str(between);
        rest = tail;
    }
    out
}

/// A JOSE header or a payload: base64url of a JSON object (RFC 7519). Host names of many long labels are none.
fn looks_like_jwt(word: &str) -> bool {
    let is_object = |part: &str| {
        let start = part.get(..4).and_then(|start| URL_SAFE_NO_PAD.decode(start).ok());
        part.len() >= 12
            && start.is_some_and(|s| matches!(s[..], [b'{', b'"' | b' ' | b'\t' | b'\r' | b'\n', _]))
    };
    word.split('.').any(is_object) || (word.len() >= 20 && word.contains("eyJ"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn safe_text_is_one_line_without_tokens_and_commands() {
        for (text, max, want) in [
            (" a\r\n\tb\u{1b}[31mc ", 20, "a b[31mc"),
            ("abcdef", 4, "abc…"),
            ("\u{202e}txt.exe", 20, "txt.exe"),
            ("token=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl!", 80, "token=[token]!"),
            ("cut: eyJzdWIiOiJ4In0", 80, "cut: [token]"),
            ("spaced: eyAiYWxnIjogIlJTMjU2In0.e30.c2ln", 80, "spaced: [token]"),
            ("see token.actions.githubusercontent.com/x", 80, "see token.actions.githubusercontent.com/x"),
            ("deployment-1.production-a.internal-example", 80, "deployment-1.production-a.internal-example"),
            (" ::error::x", 80, ": :error::x"),
            ("a ##[set-output name=x]y", 80, "a ## [set-output name=x]y"),
            ("a ##vso[task.setvariable variable=x]y", 80, "a ## vso[task.setvariable variable=x]y"),
            ("###VSO[task.complete]", 80, "### VSO[task.complete]"),
            ("##teamcity[buildStop comment='x']", 80, "## teamcity[buildStop comment='x']"),
            ("# a ## b ##1", 80, "# a ## b ##1"),
        ] {
            assert_eq!(safe(text, max), want);
        }
    }

    #[test]
    fn names_read_the_same_when_made_safe() {
        for name in ["bot-ci", "sandbox.example", "ubuntu", "-teleport-nologin-1", "Zürich ops", "a@b:c"] {
            assert!(is_name(name), "{name}");
        }
        let long = "a".repeat(257);
        for text in [
            "",
            " a",
            "a\nb",
            "a\u{1b}[0m",
            "a\u{202e}b",
            "::error::x",
            "a##[b]",
            "eyJhbGciOiJSUzI1NiJ9",
            &long,
        ] {
            assert!(!is_name(text), "{text}");
        }
    }

    #[test]
    fn durations_have_two_units_at_most() {
        for (seconds, want) in [
            (-5, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (61, "1m1s"),
            (3_600, "1h"),
            (3_661, "1h1m"),
            (599, "9m59s"),
            (3_599, "1h"),
            (86_400, "24h"),
        ] {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), want);
        }
        assert_eq!(duration(SignedDuration::from_millis(3_599_700)), "1h");
        // What a flag may say.
        assert!(duration(SignedDuration::MAX).ends_with('h') || duration(SignedDuration::MAX).ends_with('m'));
    }

    #[test]
    fn clocks_are_compared() {
        for (skew, want) in [
            (1, "this machine's clock and the cluster's agree"),
            (-1, "this machine's clock and the cluster's agree"),
            (90, "this machine's clock is 1m30s behind the cluster's"),
            (-5, "this machine's clock is 5s ahead of the cluster's"),
        ] {
            assert_eq!(clocks(skew, 1), want);
        }
    }

    proptest! {
        #[test]
        fn safe_text_is_bounded_and_keeps_no_control_characters(text in any::<String>(), max in 1usize..300) {
            let shown = safe(&text, max);
            prop_assert!(shown.chars().count() <= max);
            prop_assert!(!shown.contains(char::is_control));
        }

        #[test]
        fn no_safe_line_is_a_command(text in "[ \t:#\\[a\n]{0,16}") {
            for line in safe_lines(&text).chain([safe(&text, 80), without_commands(&text.replace('\n', ""))]) {
                prop_assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{line:?}");
                prop_assert!(!line.contains("##vso") && !line.contains("##teamcity"), "{line:?}");
            }
        }
    }
}
