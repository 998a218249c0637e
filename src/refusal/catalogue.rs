//! The server's words that are recognised, each with what it means. Between the parts of a text, `…` stands for
//! whatever the server puts there; prefixes may stand before it.

use super::{Cause, Context, admission, matching, verification};

/// One text.
pub(super) struct Entry {
    pub(super) text: &'static str,
    pub(super) explain: fn(&str, &Context<'_>) -> Vec<Cause>,
}

/// All of them; where several are in a message, the more telling come first.
pub(super) fn entries() -> impl Iterator<Item = &'static Entry> {
    [admission::ENTRIES, verification::ENTRIES, matching::ENTRIES, verification::PREFIXES]
        .into_iter()
        .flatten()
}
