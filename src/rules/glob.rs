//! Teleport's globs: `*` is any run of characters (`/` included), `?` one character, neither a line break; the
//! whole text must match, in its case (Teleport `lib/join/joinutils/utils.go`).

/// Whether the text has a character that is special in a glob.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether all of `text` matches.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    // No wildcard crosses a line break, so lines match one by one.
    let (patterns, lines) = (pattern.split('\n'), text.split('\n'));
    patterns.clone().count() == lines.clone().count() && patterns.zip(lines).all(|(p, t)| line(p, t))
}

/// The usual walk with one point to go back to: the last `*` can always take up the slack.
fn line(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let (rest_pattern, rest_text) = (pattern.clone(), text.clone());
        let step = match (pattern.next(), text.next()) {
            (Some('*'), _) => {
                retry = Some((pattern.clone(), rest_text.clone()));
                text = rest_text;
                true
            }
            (None, None) => return true,
            (Some('?'), Some(_)) => true,
            (Some(want), Some(got)) => want == got,
            (None, Some(_)) | (Some(_), None) => false,
        };
        if step {
            continue;
        }
        drop(rest_pattern);
        let Some((after_star, from)) = &mut retry else { return false };
        // Let the star take one character more.
        if from.next().is_none() {
            return false;
        }
        pattern = after_star.clone();
        text = from.clone();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition itself, slow.
    fn reference(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => {
                reference(rest, text)
                    || text.split_first().is_some_and(|(c, after)| *c != '\n' && reference(pattern, after))
            }
            (Some(('?', rest)), Some((c, after))) => *c != '\n' && reference(rest, after),
            (Some((want, rest)), Some((got, after))) => want == got && reference(rest, after),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    #[test]
    fn patterns_have_a_wildcard() {
        assert!(is_pattern("a?") && is_pattern("a*") && !is_pattern("a.[b]"));
    }

    #[test]
    fn the_documented_sentences() {
        for (pattern, text, want) in [
            ("refs/heads/*", "refs/heads/a/b", true),
            ("refs/heads/*", "refs/heads/", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a?c", "a\nc", false),
            ("a*c", "a\nc", false),
            ("main", "main2", false),
            ("*main", "domain", true),
            ("Main", "main", false),
            ("a.c", "abc", false),
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
        ] {
            assert_eq!(matches(pattern, text), want, "{pattern:?} {text:?}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab*?\n]{0,9}", text in "[ab\n]{0,12}") {
            let slow = reference(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>());
            prop_assert_eq!(matches(&pattern, &text), slow);
        }
    }
}
