//! The server's words, taken apart.

use crate::text::safe;

/// The longest value of a claim or of the server's that is shown, in characters.
pub const SHOWN: usize = 200;

/// Whether the parts of `text` between its `…` all occur in this order.
pub fn contains(message: &str, text: &str) -> bool {
    let mut rest = message;
    text.split('…').map(str::trim).filter(|part| !part.is_empty()).all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

/// The text between two markers, without the quotes around it, made safe; without the second marker, the rest of
/// the text.
pub fn between(message: &str, before: &str, after: &str) -> Option<String> {
    let rest = message.split_once(before)?.1.trim_start();
    let value = if after.is_empty() { rest } else { rest.split_once(after).map_or(rest, |(value, _)| value) };
    let value = safe(value.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\\'), SHOWN);
    (!value.is_empty()).then_some(value)
}
