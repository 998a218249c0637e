//! What an identity token says of its job, decoded and *not* verified: for showing and comparing only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::secret::Jwt;

/// Claims that are not verified. Good for explaining a refusal and for guessing the platform, never for a decision
/// about trust (the sandbox verifies the signature first).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnverifiedClaims(Map<String, Value>);

impl UnverifiedClaims {
    /// Decodes the payload of a compact JWS (base64url without padding, RFC 7515).
    pub fn decode(jwt: &Jwt) -> Result<Self, ClaimsError> {
        let payload = jwt.expose().split('.').nth(1).unwrap_or_default();
        let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).map_err(|_| ClaimsError::Base64)?;
        Self::from_json(&bytes)
    }

    /// Takes claims that are not in a token.
    pub fn new(claims: impl IntoIterator<Item = (String, Value)>) -> Self {
        Self(claims.into_iter().collect())
    }

    /// Takes a JSON object.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ClaimsError> {
        match serde_json::from_slice(bytes).map_err(|_| ClaimsError::Json)? {
            Value::Object(map) => Ok(Self(map)),
            _ => Err(ClaimsError::NotAnObject),
        }
    }

    /// A claim by its own name (names contain dots and slashes: `oidc.circleci.com/project-id`).
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A claim that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// `iss`.
    pub fn issuer(&self) -> Option<&str> {
        self.text("iss")
    }

    /// `sub`.
    pub fn subject(&self) -> Option<&str> {
        self.text("sub")
    }

    /// `aud`, a string or a list of strings (RFC 7519, 4.1.3).
    pub fn audiences(&self) -> Vec<&str> {
        match self.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// `exp`, to the second.
    pub fn expires(&self) -> Option<Timestamp> {
        self.time("exp")
    }

    /// `iat`, to the second.
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.time("iat")
    }

    /// `nbf`, to the second.
    pub fn not_before(&self) -> Option<Timestamp> {
        self.time("nbf")
    }

    /// All claims in the token's own order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v))
    }

    #[allow(clippy::cast_possible_truncation)] // a date beyond i64 is refused by `from_second`
    fn time(&self, name: &str) -> Option<Timestamp> {
        let value = self.get(name)?;
        let seconds = value.as_i64().or_else(|| value.as_f64().map(|f| f as i64))?;
        Timestamp::from_second(seconds).ok()
    }
}

/// Why the claims could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ClaimsError {
    /// The payload is not base64url.
    #[error("the token's payload is not base64url")]
    Base64,
    /// The payload is not JSON.
    #[error("the token's payload is not JSON")]
    Json,
    /// JSON, but not an object.
    #[error("the token's payload is not a JSON object")]
    NotAnObject,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_base64url_that_standard_base64_would_refuse() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"sub":"??>>","aud":["a","b"],"exp":1795237031}"#);
        assert!(payload.contains('-') || payload.contains('_'));
        let claims = UnverifiedClaims::decode(&Jwt::parse(&format!("e30.{payload}.c2ln")).unwrap()).unwrap();
        assert_eq!(claims.subject(), Some("??>>"));
        assert_eq!(claims.audiences(), ["a", "b"]);
        assert_eq!(claims.expires().unwrap().as_second(), 1_795_237_031);
    }

    #[test]
    fn says_what_is_wrong() {
        for (payload, want) in
            [("A", ClaimsError::Base64), ("aGk", ClaimsError::Json), ("W10", ClaimsError::NotAnObject)]
        {
            let jwt = Jwt::parse(&format!("e30.{payload}.c2ln")).unwrap();
            assert_eq!(UnverifiedClaims::decode(&jwt), Err(want), "{payload}");
        }
    }
}
