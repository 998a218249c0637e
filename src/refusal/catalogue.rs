//! The server's texts that are recognized, each with what it means.

use super::{admission, matching, verification};
use crate::rules::{ServerText, refusals};

/// All of them; where several are in a message, the more telling come first.
pub(super) fn entries() -> impl Iterator<Item = &'static ServerText> {
    let shared = [admission::ENTRIES, verification::ENTRIES, matching::ENTRIES];
    shared.into_iter().flatten().chain(refusals())
}
