//! What a client can see in a token before a server does.

/// Why a server may refuse an identity token, as its claims alone show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong; lower case, no full stop.
    pub problem: String,
    /// An imperative.
    pub hint: String,
    /// No server takes such a token, whatever the join token says.
    pub is_certain: bool,
}
