//! What both ways to join send to convince the server.

use crate::secret::Jwt;

/// The proof as it goes over the wire.
#[derive(Clone, Copy)]
pub enum Answer<'a> {
    /// An identity token: all methods without a challenge.
    IdToken(&'a Jwt),
}
