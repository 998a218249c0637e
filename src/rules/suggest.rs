//! A `kind: token` that would have admitted this job, ready to paste: one narrow, one wide.

use std::fmt::Write as _;

use super::proposal::{Item, Line};
use super::registry::facts;
use crate::claims::UnverifiedClaims;
use crate::teleport::JoinMethod;

/// Two complete documents for `tctl create`, and the one rule of each for `tctl edit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// As much as this job's claims pin down: this branch, this environment, ….
    pub narrow: String,
    /// The project or repository as a whole.
    pub wide: String,
    /// The list that rules are in: `spec.github.allow`.
    pub list: String,
    /// The rule of the narrow document, as an item of that list.
    pub narrow_rule: String,
    /// The rule of the wide one.
    pub wide_rule: String,
}

/// Writes rules for the job that has these claims; `None`: they are not those of such a job. The claims are
/// anyone's text: all are quoted.
pub fn suggest(
    method: JoinMethod,
    claims: &UnverifiedClaims,
    token_name: &str,
    bot_name: &str,
) -> Option<Suggestion> {
    let found = (facts(method).propose)(claims)?;
    let document = |rule: &[Line]| document(method, token_name, bot_name, &found.options, rule);
    let section = facts(method).section.map(|name| format!("{name}.")).unwrap_or_default();
    Some(Suggestion {
        narrow: document(&found.narrow),
        wide: document(&found.wide),
        list: format!("spec.{section}allow"),
        narrow_rule: item(&found.narrow, ""),
        wide_rule: item(&found.wide, ""),
    })
}

fn document(method: JoinMethod, token: &str, bot: &str, options: &[Line], rule: &[Line]) -> String {
    let or = |name: &str, other: &str| quote(if name.is_empty() { other } else { name });
    let mut out = format!(
        "kind: token\nversion: v2\nmetadata:\n  name: {}\nspec:\n  roles: [Bot]\n  bot_name: {}\n  join_method: {method}\n",
        or(token, "my-token"),
        or(bot, "my-bot"),
    );
    let indent = match facts(method).section {
        None => "  ",
        Some(section) => {
            let _ = writeln!(out, "  {section}:");
            "    "
        }
    };
    for (name, value) in options {
        let _ = writeln!(out, "{indent}{name}: {value}");
    }
    let _ = writeln!(out, "{indent}allow:");
    out + &item(rule, indent)
}

/// A rule as an item of a list.
fn item(rule: &[Line], indent: &str) -> String {
    let mut out = String::new();
    for (index, (name, value)) in rule.iter().enumerate() {
        let dash = if index == 0 { "- " } else { "  " };
        let _ = writeln!(out, "{indent}{dash}{name}: {value}");
    }
    out
}

impl std::fmt::Display for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&quote(text)),
            Self::Texts(text) => write!(f, "[{}]", quote(text)),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Section(name, text) => write!(f, "{{{name}: {}}}", quote(text)),
        }
    }
}

/// A YAML scalar that is this string for every reader: plain where it cannot be anything else,
/// otherwise in double quotes with all that is not printable escaped.
fn quote(text: &str) -> String {
    let plain_byte = |b: u8| b.is_ascii_alphanumeric() || b"-_./@".contains(&b);
    let word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"];
    let plain = text.bytes().all(plain_byte)
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.starts_with("---")
        && !word.iter().any(|w| text.eq_ignore_ascii_case(w));
    if plain {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c if (c as u32) < 0x1_0000 && !c.is_alphanumeric() => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c if !c.is_alphanumeric() => {
                let _ = write!(out, "\\U{:08X}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
