//! Values that must never be printed: redacted `Debug`, no `Display`, one `expose`.

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use zeroize::Zeroizing;

/// No identity token in the field is near this; a longer text is something else.
const MAX_JWT: usize = 64 * 1024;

/// An identity token: three base64url parts, not verified by us.
#[derive(Clone)]
pub struct Jwt(SecretString);

impl Jwt {
    /// Takes a text that looks like a compact JWS; surrounding white space is dropped.
    pub fn parse(text: &str) -> Result<Self, NotAJwt> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NotAJwt::Empty);
        }
        if text.bytes().all(|b| b == b'*') || text == "[MASKED]" {
            return Err(NotAJwt::Masked);
        }
        if text.len() > MAX_JWT {
            return Err(NotAJwt::TooLong);
        }
        let parts: Vec<&str> = text.split('.').collect();
        if parts.len() != 3 {
            return Err(NotAJwt::Parts(parts.len()));
        }
        let base64url =
            |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !parts.iter().all(|p| base64url(p)) {
            return Err(NotAJwt::Characters);
        }
        Ok(Self(SecretString::from(text)))
    }

    /// The token itself. Only for the request that proves the job, and for decoding its claims.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for Jwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Jwt(redacted)")
    }
}

/// Why a text is not an identity token. Never carries the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotAJwt {
    /// It has characters outside base64url.
    #[error("it has characters that a JWT cannot have (is it quoted or truncated?)")]
    Characters,
    /// Nothing but white space.
    #[error("it is empty")]
    Empty,
    /// `***`: the log's mask was stored in place of the value.
    #[error("it is masked: the value is `***`, not the token")]
    Masked,
    /// Not three parts.
    #[error("it is not a JWT: a JWT has 3 parts separated by dots, this has {0}")]
    Parts(usize),
    /// Above 64 KiB.
    #[error("it is longer than 64 KiB, and no identity token is")]
    TooLong,
}

/// A private key as PKCS#8 DER, wiped when dropped.
#[derive(Clone)]
pub struct PrivateKey(Zeroizing<Vec<u8>>);

impl PrivateKey {
    /// Takes PKCS#8 DER.
    pub fn from_pkcs8(der: Vec<u8>) -> Self {
        Self(Zeroizing::new(der))
    }

    /// The PKCS#8 DER bytes. Only for signing and for the files we were asked to write.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_apart_what_is_not_a_jwt() {
        for (text, want) in [
            ("", NotAJwt::Empty),
            (" \n", NotAJwt::Empty),
            ("***", NotAJwt::Masked),
            ("a.b", NotAJwt::Parts(2)),
            ("a.b.c.d", NotAJwt::Parts(4)),
            ("\"a.b.c\"", NotAJwt::Characters),
            ("a..c", NotAJwt::Characters),
        ] {
            assert_eq!(Jwt::parse(text).err(), Some(want), "{text:?}");
        }
        assert_eq!(Jwt::parse(&"a".repeat(MAX_JWT + 1)).err(), Some(NotAJwt::TooLong));
    }

    #[test]
    fn keeps_the_token_out_of_debug() {
        let jwt = Jwt::parse(" aaa.bbb.ccc\n").unwrap();
        assert_eq!(jwt.expose(), "aaa.bbb.ccc");
        assert_eq!(format!("{jwt:?}"), "Jwt(redacted)");
        assert_eq!(format!("{:?}", PrivateKey::from_pkcs8(vec![1, 2])), "PrivateKey(redacted)");
    }
}
