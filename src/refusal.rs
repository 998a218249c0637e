//! Why was the job refused? The server's words and the job's own claims → likely causes, each with its cure.

mod admission;
mod catalogue;
mod matching;
mod traps;
mod verification;

use jiff::Timestamp;

use crate::claims::UnverifiedClaims;
use crate::platform::Platform;
use crate::rules::{self, ServerVersion, find_claim, show_claim};
use crate::teleport::JoinMethod;

/// The longest value of a claim or of the server's that is shown, in characters.
const SHOWN: usize = 200;

/// What is known about the join that was refused. All but the time may be missing.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The join method used.
    pub method: Option<JoinMethod>,
    /// The claims of the token that was shown.
    pub claims: Option<&'a UnverifiedClaims>,
    /// The time of the refusal.
    pub now: Timestamp,
    /// The server's clock minus ours, in seconds.
    pub clock_skew: Option<i64>,
    /// The audience that was asked for.
    pub audience_sent: Option<&'a str>,
    /// The CI system.
    pub platform: Option<Platform>,
    /// The cluster's version.
    pub server_version: Option<ServerVersion>,
    /// The cluster's name.
    pub cluster: Option<&'a str>,
    /// The name of the join token.
    pub token_name: Option<&'a str>,
}

impl<'a> Context<'a> {
    /// Nothing is known but the time.
    pub fn at(now: Timestamp) -> Self {
        Self {
            method: None,
            claims: None,
            now,
            clock_skew: None,
            audience_sent: None,
            platform: None,
            server_version: None,
            cluster: None,
            token_name: None,
        }
    }

    /// A claim as text, cleaned; empty where it is absent.
    fn claim(&self, name: &str) -> String {
        self.claims.and_then(|c| find_claim(c, name)).map(|v| clean(&show_claim(v))).unwrap_or_default()
    }

    /// The audiences the token has, or else the one asked for.
    fn audiences(&self) -> Vec<&'a str> {
        let has = self.claims.map(UnverifiedClaims::audiences).unwrap_or_default();
        if has.is_empty() { self.audience_sent.into_iter().collect() } else { has }
    }

    fn is(&self, method: JoinMethod) -> bool {
        self.method == Some(method)
    }
}

/// One thing that may be behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// In a few words, lowercase.
    pub title: String,
    /// What is seen, with values; lowercase, no full stop.
    pub detail: String,
    /// What to do, as one imperative sentence.
    pub cure: String,
}

impl Cause {
    fn new(title: impl Into<String>, detail: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { title: title.into(), detail: detail.into(), cure: cure.into() }
    }
}

/// The likely causes, the likeliest first. `message` is the server's text with whatever prefixes it came in. There
/// is always at least one.
pub fn causes(message: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let mut found: Vec<Cause> = Vec::new();
    for entry in catalogue::entries().filter(|entry| contains(message, entry.text)) {
        for cause in (entry.explain)(message, ctx) {
            if found.iter().all(|known| known.title != cause.title) {
                found.push(cause);
            }
        }
    }
    if found.is_empty() {
        found.push(Cause::new(
            "a reason jobpass does not know",
            format!("the server said: {}", clean(message)),
            "Ask who runs the cluster for the failed `bot.join` event of this time in the audit log.",
        ));
    }
    found
}

/// What this job said of itself, as far as the method's rules can look at it: names and values, fit for a
/// terminal, each at most 200 characters. The issuer and the audience come first.
pub fn job_says(method: JoinMethod, claims: &UnverifiedClaims) -> Vec<(String, String)> {
    let line = |name: &str| {
        let value = clean(&show_claim(find_claim(claims, name)?));
        Some((clean(name), if value.is_empty() { "(empty)".to_owned() } else { value }))
    };
    let wanted = rules::rule_claims(method);
    let mut lines: Vec<_> = ["iss", "aud"].into_iter().filter_map(line).collect();
    if wanted.is_empty() {
        let plumbing = ["iss", "aud", "exp", "iat", "nbf", "jti"];
        lines.extend(
            claims.iter().map(|(name, _)| name).filter(|n| !plumbing.contains(n)).take(40).filter_map(line),
        );
    } else {
        lines.extend(wanted.iter().copied().filter_map(line));
    }
    lines
}

/// Whether the parts of `text`, which stand between its `…`, all occur in this order.
fn contains(message: &str, text: &str) -> bool {
    let mut rest = message;
    text.split('…').map(str::trim).filter(|part| !part.is_empty()).all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

/// What stands between two markers, without the quotes around it, cleaned.
fn between(message: &str, before: &str, after: &str) -> Option<String> {
    let rest = message.split_once(before)?.1.trim_start();
    let value = if after.is_empty() { rest } else { rest.split_once(after).map_or(rest, |(value, _)| value) };
    let value = clean(value.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\\'));
    (!value.is_empty()).then_some(value)
}

/// Text of anyone's, fit for a terminal: no control characters, none that turn the writing direction, at most 200 characters.
pub(crate) fn clean(text: &str) -> String {
    let harmless = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut out: String = text.chars().filter(harmless).take(SHOWN).collect();
    if text.chars().filter(harmless).nth(SHOWN).is_some() {
        out.pop();
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests;
