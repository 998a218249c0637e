//! What of a machine's identity is in sight.

/// What of it is in sight, found without asking anyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The machine can prove itself this way, as far as this shows.
    pub present: bool,
    /// Something of it is there, but not enough.
    pub is_suspect: bool,
    /// What was seen: `KUBERNETES_TOKEN_PATH is set`, `the firmware says Google Compute Engine`.
    pub why: String,
}
