//! Why a join may have been refused: the cause, what is known about the refusal, the server's text that names it.

use jiff::Timestamp;

use super::claim::{find_claim, show_claim};
use super::message::SHOWN;
use super::version::ServerVersion;
use crate::claims::UnverifiedClaims;
use crate::teleport::JoinMethod;
use crate::text::safe;

/// One thing that may be behind a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// In a few words, lower case.
    pub title: String,
    /// What is seen, with values; lower case, no full stop.
    pub detail: String,
    /// What to do: an imperative, lower case, no full stop.
    pub hint: String,
    /// Neither the server's text nor the claims show it: it depends on what the rules say.
    pub is_guess: bool,
}

impl Cause {
    /// Something that the server's text or the claims show.
    pub fn new(title: impl Into<String>, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { title: title.into(), detail: detail.into(), hint: hint.into(), is_guess: false }
    }

    /// The same as a guess.
    #[must_use]
    pub fn guess(self) -> Self {
        Self { is_guess: true, ..self }
    }

    /// An edition that lacks the feature. `what` is e.g. `joining from Spacelift`.
    pub fn enterprise(what: &str) -> Self {
        Self::new(
            "the cluster's edition does not have this feature",
            format!("{what} needs Teleport Enterprise"),
            "use a cluster with an Enterprise license, or a `generic_oidc` token (Teleport 18.11 and newer)",
        )
    }
}

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
    /// The CI system, by the name people know.
    pub platform: Option<&'a str>,
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

    /// A claim as text, made safe; empty where it is absent.
    pub fn claim(&self, name: &str) -> String {
        let found = self.claims.and_then(|c| find_claim(c, name));
        found.map(|value| safe(&show_claim(value), SHOWN)).unwrap_or_default()
    }

    /// The audiences the token has, or else the one asked for.
    pub fn audiences(&self) -> Vec<&'a str> {
        let has = self.claims.map(UnverifiedClaims::audiences).unwrap_or_default();
        if has.is_empty() { self.audience_sent.into_iter().collect() } else { has }
    }
}

/// A text of the server that is recognized anywhere in a message; `…` in it means any text.
pub struct ServerText {
    pub(crate) text: &'static str,
    pub(crate) meaning: Meaning,
    /// It only says how far the server got: it counts where nothing more telling is in the message.
    pub(crate) is_prefix: bool,
}

/// What a text of the server's means.
pub enum Meaning {
    /// No rule of the token matches.
    NoRule,
    /// These causes, from the message and what is known.
    Causes(fn(&str, &Context<'_>) -> Vec<Cause>),
}

impl ServerText {
    /// A text with its causes.
    pub const fn new(text: &'static str, causes: fn(&str, &Context<'_>) -> Vec<Cause>) -> Self {
        Self { text, meaning: Meaning::Causes(causes), is_prefix: false }
    }

    /// A text that says that no rule matches.
    pub const fn no_rule(text: &'static str) -> Self {
        Self { text, meaning: Meaning::NoRule, is_prefix: false }
    }

    /// A prefix with its causes.
    pub const fn prefix(text: &'static str, causes: fn(&str, &Context<'_>) -> Vec<Cause>) -> Self {
        Self { text, meaning: Meaning::Causes(causes), is_prefix: true }
    }
}
