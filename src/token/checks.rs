//! What can be told of a token before it is sent: its audience and its end. Nothing here is verified.

use jiff::{SignedDuration, Timestamp};

use super::error::TokenError;
use super::found::Found;
use crate::claims::UnverifiedClaims;
use crate::text::safe;

/// This machine's clock may be ahead; what ended within this is left to the server.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// Why a token is not for any of `wanted`; `None`: it is, or nothing is wanted.
pub fn audience_problem(claims: &UnverifiedClaims, wanted: &[String]) -> Option<String> {
    let found = claims.audiences();
    if wanted.is_empty() || wanted.iter().any(|w| found.contains(&w.as_str())) {
        return None;
    }
    let list =
        |names: &[&str]| names.iter().map(|n| format!("`{}`", safe(n, 100))).collect::<Vec<_>>().join(", ");
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let bare = found.iter().any(|f| wanted.contains(&bare_name(f)));
    Some(format!(
        "its audience is {}, not {}{}",
        if found.is_empty() { "missing".to_owned() } else { list(&found) },
        list(&wanted),
        if bare { " (write the bare name, without scheme, port or path)" } else { "" }
    ))
}

/// The token's `exp` if that is past at `now`.
pub fn expired_since(claims: &UnverifiedClaims, now: Timestamp) -> Option<Timestamp> {
    claims.expires().filter(|exp| *exp <= now)
}

/// Whether the token's time is over at `now`, as far as it can be read.
pub(super) fn has_expired(found: &Found, now: Timestamp) -> bool {
    claims(found).is_ok_and(|claims| not_expired(found, &claims, now, Vec::new()).is_err())
}

/// The claims; what cannot be decoded is no identity token.
pub(super) fn claims(found: &Found) -> Result<UnverifiedClaims, TokenError> {
    UnverifiedClaims::decode(&found.jwt)
        .map_err(|problem| TokenError::Source { place: found.place.clone(), reason: problem.to_string() })
}

pub(super) fn not_expired(
    found: &Found,
    claims: &UnverifiedClaims,
    now: Timestamp,
    hints: Vec<String>,
) -> Result<(), TokenError> {
    match now.checked_sub(LEEWAY).ok().and_then(|then| expired_since(claims, then)) {
        Some(since) => Err(TokenError::Expired { place: found.place.clone(), since, hints }),
        None => Ok(()),
    }
}

/// `https://name:443/path` → `name`.
fn bare_name(audience: &str) -> &str {
    let rest = audience.split_once("://").map_or(audience, |(_, rest)| rest);
    rest.split([':', '/']).next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(json: &str) -> UnverifiedClaims {
        UnverifiedClaims::from_json(json.as_bytes()).unwrap()
    }

    #[test]
    fn compares_audiences() {
        let one = ["c.example.com".to_owned()];
        for (json, wanted, want) in [
            (r#"{"aud":"c.example.com"}"#, &one[..], None),
            (r#"{"aud":["x","c.example.com"]}"#, &one, None),
            (r#"{"aud":"x"}"#, &[], None),
            (r#"{"aud":"x"}"#, &one, Some("its audience is `x`, not `c.example.com`")),
            (r#"{"aud":["x","y\n"]}"#, &one, Some("its audience is `x`, `y`, not `c.example.com`")),
            ("{}", &one, Some("its audience is missing, not `c.example.com`")),
            (
                r#"{"aud":"https://c.example.com:443/"}"#,
                &one,
                Some(
                    "its audience is `https://c.example.com:443/`, not `c.example.com` \
                     (write the bare name, without scheme, port or path)",
                ),
            ),
        ] {
            assert_eq!(audience_problem(&claims(json), wanted).as_deref(), want, "{json}");
        }
    }

    #[test]
    fn knows_when_a_token_has_expired() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let token = claims(r#"{"exp":1000}"#);
        assert_eq!(expired_since(&token, at(999)), None);
        assert_eq!(expired_since(&token, at(1000)), Some(at(1000)));
        assert_eq!(expired_since(&claims("{}"), at(1000)), None);
        let found = Found {
            jwt: crate::secret::Jwt::parse("a.b.c").unwrap(),
            place: "`X`".to_owned(),
            is_new: false,
        };
        assert!(not_expired(&found, &token, at(1059), Vec::new()).is_ok());
        let over = not_expired(&found, &token, at(1060), Vec::new()).unwrap_err();
        assert!(matches!(over, TokenError::Expired { since, .. } if since == at(1000)));
    }
}
