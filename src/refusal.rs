//! Why was the job refused? The server's words and the job's own claims → likely causes, each with a hint.

pub mod access_requests;
mod admission;
mod catalogue;
mod matching;
mod traps;
mod verification;

use crate::claims::UnverifiedClaims;
use crate::rules::message::{SHOWN, contains};
use crate::rules::{Meaning, ServerText, find_claim, public_claim, rule_claims, show_claim};
use crate::teleport::JoinMethod;
use crate::text::safe;

pub use crate::rules::{Cause, Context};
pub use matching::{compare, resource};

/// The likely causes, the likeliest first. `message` is the server's text with whatever prefixes it came in. There
/// is always at least one.
pub fn causes(message: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let (prefixes, telling): (Vec<&ServerText>, Vec<&ServerText>) =
        catalogue::entries().filter(|entry| contains(message, entry.text)).partition(|entry| entry.is_prefix);
    let mut found: Vec<Cause> = Vec::new();
    for entry in if telling.is_empty() { prefixes } else { telling } {
        let causes = match entry.meaning {
            Meaning::NoRule => matching::no_rule(ctx),
            Meaning::Causes(causes) => causes(message, ctx),
        };
        for cause in causes {
            if found.iter().all(|known| known.title != cause.title) {
                found.push(cause);
            }
        }
    }
    if found.is_empty() {
        found.push(Cause::new(
            "a reason that jobpass does not know",
            format!("the server says: {}", safe(message, SHOWN)),
            "ask the cluster's administrator for the failed `bot.join` event of this time in the audit log",
        ));
    }
    found
}

/// What a server's words are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// There is no such join token.
    NoToken,
    /// The join token has no rule for this job.
    NoRule,
    /// The identity token was not accepted; no rule was looked at.
    Identity,
    /// Something else.
    Other,
}

impl Subject {
    /// By the texts in the server's message.
    pub fn of(message: &str) -> Self {
        let says = |entry: &ServerText| contains(message, entry.text);
        if catalogue::entries().any(|entry| matches!(entry.meaning, Meaning::NoRule) && says(entry)) {
            Self::NoRule
        } else if admission::MISSING.iter().any(|text| contains(message, text)) {
            Self::NoToken
        } else if verification::ENTRIES.iter().any(says) {
            Self::Identity
        } else {
            Self::Other
        }
    }
}

/// What this job says of itself, as far as the method's rules can look at it and it is not about a person: names and
/// values, safe to show, each at most 200 characters. The issuer and the audience come first.
pub fn job_says(method: JoinMethod, claims: &UnverifiedClaims) -> Vec<(String, String)> {
    let line = |name: &str| {
        let value = safe(&show_claim(&public_claim(name, find_claim(claims, name)?)?), SHOWN);
        Some((safe(name, SHOWN), if value.is_empty() { "(empty)".to_owned() } else { value }))
    };
    let wanted = rule_claims(method);
    let mut lines: Vec<_> = ["iss", "aud"].into_iter().filter_map(line).collect();
    if wanted.is_empty() {
        let plumbing = ["iss", "aud", "exp", "iat", "nbf", "jti"];
        lines.extend(
            claims.iter().map(|(name, _)| name).filter(|n| !plumbing.contains(n)).take(40).filter_map(line),
        );
    } else {
        lines.extend(wanted.into_iter().filter_map(line));
    }
    lines
}

#[cfg(test)]
mod tests;
