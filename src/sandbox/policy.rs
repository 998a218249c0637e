//! Whether an identity token may use a join token: signature, issuer, audience, dates, then the rules.
//!
//! The texts are those of the libraries servers verify with: coreos/go-oidc before version 17 (recorded), zitadel/oidc after.

use jiff::Timestamp;

use super::cluster::Cluster;
use super::issuer::{DISCOVERED, Parts, STATIC};
use super::refusal::{Kind, Refusal};
use crate::claims::UnverifiedClaims;
use crate::rules::ProvisionToken;
use crate::secret::Jwt;
use crate::teleport::JoinMethod;

/// Clock leeway with `static_jwks`, seconds; none otherwise.
const STATIC_LEEWAY: i64 = 10;

/// Verifies `id_token` and compares its claims with the token's rules.
pub(super) fn admit(cluster: &Cluster, token: &ProvisionToken, id_token: &str) -> Result<(), Refusal> {
    judge(cluster, token, &verified(cluster, token, id_token)?)
}

/// The claims of a token that is verified, but not compared with any rule.
pub(super) fn verified(
    cluster: &Cluster,
    token: &ProvisionToken,
    id_token: &str,
) -> Result<UnverifiedClaims, Refusal> {
    verify(cluster, token, id_token).map_err(|flaw| Refusal::new(Kind::Unverified, flaw.text(cluster, token)))
}

/// Compares what was verified with the token's rules.
pub(super) fn judge(
    cluster: &Cluster,
    token: &ProvisionToken,
    claims: &UnverifiedClaims,
) -> Result<(), Refusal> {
    let verdict = token.evaluate(claims, cluster.version);
    if verdict.matched().is_some() {
        return Ok(());
    }
    Err(Refusal::denied(verdict.blocked.unwrap_or(verdict.refusal)))
}

/// What is wrong with an identity token.
enum Flaw {
    Algorithm,
    Audience { want: String, got: Vec<String> },
    AuthorizedParty,
    AuthorizedPartyMissing,
    Expired(Option<Timestamp>),
    Future,
    Issuer { want: String, got: String },
    Malformed,
    Signature,
    Subject,
}

fn verify(cluster: &Cluster, token: &ProvisionToken, id_token: &str) -> Result<UnverifiedClaims, Flaw> {
    let jwt = Jwt::parse(id_token).map_err(|_| Flaw::Malformed)?;
    let parts = Parts::parse(jwt.expose()).ok_or(Flaw::Malformed)?;
    let claims = UnverifiedClaims::decode(&jwt).map_err(|_| Flaw::Malformed)?;
    let static_jwks = token.static_jwks();
    if claims.subject().is_none_or(str::is_empty) {
        return Err(Flaw::Subject);
    }
    if let Some(want) = token.expected_issuer() {
        let got = claims.issuer().unwrap_or_default();
        if got != want {
            return Err(Flaw::Issuer { want, got: got.to_owned() });
        }
    }
    audience(cluster, token, &claims)?;
    let algorithms = if static_jwks.is_some() { STATIC } else { DISCOVERED };
    if !algorithms.contains(&parts.alg.as_str()) {
        return Err(Flaw::Algorithm);
    }
    let own = cluster.issuer.jwks().to_string();
    if !parts.is_signed_by(static_jwks.unwrap_or(&own)) {
        return Err(Flaw::Signature);
    }
    dates(&claims, if static_jwks.is_some() { STATIC_LEEWAY } else { 0 })?;
    Ok(claims)
}

fn audience(cluster: &Cluster, token: &ProvisionToken, claims: &UnverifiedClaims) -> Result<(), Flaw> {
    let want = token.expected_audience(Some(&cluster.options.cluster)).known();
    let got = claims.audiences();
    if let Some(want) = want.clone().filter(|want| !got.contains(&want.as_str())) {
        return Err(Flaw::Audience { want, got: got.into_iter().map(str::to_owned).collect() });
    }
    if !cluster.is_modern() {
        return Ok(());
    }
    let azp = claims.text("azp").filter(|azp| !azp.is_empty());
    match azp {
        None if got.len() > 1 => Err(Flaw::AuthorizedPartyMissing),
        Some(_) if token.ignores_authorized_party() => Ok(()),
        Some(azp) if want.is_some_and(|want| want != azp) => Err(Flaw::AuthorizedParty),
        _ => Ok(()),
    }
}

fn dates(claims: &UnverifiedClaims, leeway: i64) -> Result<(), Flaw> {
    let now = crate::env::now().as_second();
    let expires = claims.expires();
    if expires.is_none_or(|end| end.as_second() + leeway <= now) {
        return Err(Flaw::Expired(expires));
    }
    let issued = claims.issued_at().ok_or(Flaw::Future)?;
    let begins = claims.not_before().unwrap_or(issued);
    if issued.as_second() > now + leeway || begins.as_second() > now + leeway {
        return Err(Flaw::Future);
    }
    Ok(())
}

impl Flaw {
    fn text(&self, cluster: &Cluster, token: &ProvisionToken) -> String {
        if token.method == JoinMethod::Kubernetes {
            let kind = token.spec.get("type").and_then(serde_json::Value::as_str).unwrap_or("in_cluster");
            format!("reviewing kubernetes token with {kind}: {}", self.modern_text())
        } else if cluster.is_modern() {
            let path = if token.static_jwks().is_some() { "static jwks" } else { "oidc" };
            format!("validating with {path}: {}", self.modern_text())
        } else {
            format!("oidc: {}", self.old_text())
        }
    }

    fn old_text(&self) -> String {
        match self {
            Self::Algorithm => "id token signed with unsupported algorithm".to_owned(),
            Self::Audience { want, got } => {
                let got = got.iter().map(|a| format!("{a:?}")).collect::<Vec<_>>().join(" ");
                format!("expected audience {want:?} got [{got}]")
            }
            Self::AuthorizedParty | Self::AuthorizedPartyMissing => {
                "authorized party is not valid".to_owned()
            }
            Self::Expired(end) => {
                let end = end.map_or_else(
                    || "0001-01-01 00:00:00".to_owned(),
                    |end| end.strftime("%Y-%m-%d %H:%M:%S").to_string(),
                );
                format!("token is expired (Token Expiry: {end} +0000 UTC)")
            }
            Self::Future => "current time before the nbf (not before) time".to_owned(),
            Self::Issuer { want, got } => {
                format!("id token issued by a different provider, expected {want:?} got {got:?}")
            }
            Self::Malformed => {
                "malformed jwt: square/go-jose: compact JWS format must have three parts".to_owned()
            }
            Self::Signature => "failed to verify signature: failed to verify id token signature".to_owned(),
            Self::Subject => "subject missing".to_owned(),
        }
    }

    fn modern_text(&self) -> String {
        match self {
            Self::Algorithm => "signature algorithm not supported".to_owned(),
            Self::Audience { want, .. } => {
                format!("audience is not valid: Audience must contain client_id {want:?}")
            }
            Self::AuthorizedParty => "authorized party is not valid".to_owned(),
            Self::AuthorizedPartyMissing => {
                "authorized party is not set. If Token is valid for multiple audiences, \
                                             azp must not be empty"
                    .to_owned()
            }
            Self::Expired(_) => "token has expired".to_owned(),
            Self::Future => "issuedAt of token is in the future".to_owned(),
            Self::Issuer { want, got } => format!("issuer does not match: Expected: {want}, got: {got}"),
            Self::Malformed => "parsing jwt: token contains an invalid number of segments".to_owned(),
            Self::Signature => "invalid signature".to_owned(),
            Self::Subject => "subject missing".to_owned(),
        }
    }
}
