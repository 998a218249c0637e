//! A token that was found.

use crate::secret::Jwt;

/// A token and where it was, for people.
pub(super) struct Found {
    pub(super) jwt: Jwt,
    pub(super) place: String,
    /// Minted for this run: it cannot be stale.
    pub(super) is_new: bool,
}
