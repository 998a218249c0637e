//! What a method proposes for a job: the section's options and the rules, one narrow, one wide.

use super::claim::text_of;
use crate::claims::UnverifiedClaims;

/// A field and its value.
pub(super) type Line = (&'static str, Item);

pub(super) enum Item {
    Text(String),
    /// A list with this one string.
    Texts(String),
    Flag(bool),
    /// A section with this one field.
    Section(&'static str, String),
}

impl Item {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

#[derive(Default)]
pub(super) struct Proposal {
    pub(super) options: Vec<Line>,
    /// As much as the claims pin down.
    pub(super) narrow: Vec<Line>,
    /// The project or repository as a whole.
    pub(super) wide: Vec<Line>,
}

impl Proposal {
    /// Rules of fields and the claims they are taken from: the wide one needs all of `wide`, the narrow one adds what
    /// is there of `more`.
    pub(super) fn new(
        claims: &UnverifiedClaims,
        options: Vec<Line>,
        wide: &[(&'static str, &str)],
        more: &[(&'static str, &str)],
    ) -> Option<Self> {
        let mut found = Self { options, ..Self::default() };
        for &(field, claim) in wide {
            let value = text_of(claims, claim)?;
            found.wide.push((field, Item::text(value)));
            found.narrow.push((field, Item::text(value)));
        }
        let more =
            more.iter().filter_map(|&(field, claim)| Some((field, Item::text(text_of(claims, claim)?))));
        found.narrow.extend(more);
        Some(found)
    }
}

/// The first audience, if it is not empty.
pub(super) fn first_audience(claims: &UnverifiedClaims) -> Option<&str> {
    claims.audiences().first().copied().filter(|a| !a.is_empty())
}

/// The host of an issuer that has no path.
pub(super) fn issuer_host(claims: &UnverifiedClaims) -> Option<&str> {
    claims.issuer()?.strip_prefix("https://").filter(|host| !host.is_empty() && !host.contains('/'))
}
