//! The issuer of the simulated platforms: signs identity tokens and verifies signatures against a JWKS.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde_json::{Map, Value, json};
use ssh_key::public::KeyData;

use super::error::SandboxError;
use super::random::random;
use crate::identity::keys::{KeyKind, KeyPair};
use crate::secret::Jwt;
use crate::text::hex;

/// The algorithms a server accepts of a discovered issuer (zitadel/oidc's default list).
pub(super) const DISCOVERED: [&str; 3] = ["RS256", "ES256", "PS256"];
/// The algorithms accepted with `static_jwks` (Teleport `lib/join/githubactions`).
pub(super) const STATIC: [&str; 3] = ["RS256", "ES256", "EdDSA"];

/// One signing key.
pub(super) struct Issuer {
    key: KeyPair,
    kid: String,
}

impl Issuer {
    /// Generates the key: RSA-2048 for RS256, or P-256 for ES256.
    pub(super) fn new(rs256: bool) -> Result<Self, SandboxError> {
        let kind = if rs256 { KeyKind::Rsa2048 } else { KeyKind::P256 };
        let key = KeyPair::generate(kind).map_err(|e| SandboxError::create("issuer key", e))?;
        Ok(Self { key, kid: hex(&random::<8>()?) })
    }

    /// The name of the algorithm it signs with.
    pub(super) fn algorithm(&self) -> &'static str {
        if self.key.kind() == KeyKind::Rsa2048 { "RS256" } else { "ES256" }
    }

    /// A token with these claims.
    pub(super) fn sign(&self, claims: &Map<String, Value>) -> Result<Jwt, SandboxError> {
        let header = json!({"typ": "JWT", "alg": self.algorithm(), "kid": self.kid}).to_string();
        let payload = Value::Object(claims.clone()).to_string();
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let failed = |e: &dyn std::fmt::Display| SandboxError::create("identity token", e);
        let signature = if self.key.kind() == KeyKind::Rsa2048 {
            URL_SAFE_NO_PAD.encode(self.key.sign(input.as_bytes()).map_err(|e| failed(&e))?)
        } else {
            let key = EncodingKey::from_ec_der(self.key.private().expose());
            let signer =
                (DEFAULT_PROVIDER.signer_factory)(&Algorithm::ES256, &key).map_err(|e| failed(&e))?;
            URL_SAFE_NO_PAD.encode(signer.try_sign(input.as_bytes()).map_err(|e| failed(&e))?)
        };
        Jwt::parse(&format!("{input}.{signature}")).map_err(|e| failed(&e))
    }

    /// Its public key, a JWKS document.
    pub(super) fn jwks(&self) -> Value {
        let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = json!({"use": "sig", "alg": self.algorithm(), "kid": self.kid});
        let more = match self.key.public_ssh() {
            KeyData::Ecdsa(key) => {
                let (x, y) =
                    key.as_sec1_bytes().get(1..).unwrap_or_default().split_at_checked(32).unwrap_or_default();
                json!({"kty": "EC", "crv": "P-256", "x": b64(x), "y": b64(y)})
            }
            KeyData::Rsa(key) => json!({
                "kty": "RSA",
                "n": b64(key.n.as_positive_bytes().unwrap_or_default()),
                "e": b64(key.e.as_positive_bytes().unwrap_or_default()),
            }),
            _ => Value::Null,
        };
        if let (Value::Object(jwk), Value::Object(more)) = (&mut jwk, more) {
            jwk.extend(more);
        }
        json!({"keys": [jwk]})
    }

    /// The document of `/.well-known/openid-configuration`; `url` is where the keys are served.
    pub(super) fn discovery(&self, url: &str) -> Value {
        json!({
            "issuer": url,
            "jwks_uri": format!("{url}/jwks"),
            "id_token_signing_alg_values_supported": [self.algorithm()],
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
        })
    }
}

/// A compact JWS taken apart, nothing verified.
pub(super) struct Parts<'a> {
    /// `alg` of the header.
    pub(super) alg: String,
    kid: Option<String>,
    input: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    /// `None`: not three parts, or no readable header.
    pub(super) fn parse(jwt: &'a str) -> Option<Self> {
        let (input, signature) = jwt.rsplit_once('.')?;
        let (header, payload) = input.split_once('.')?;
        if payload.contains('.') {
            return None;
        }
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        Some(Self {
            alg: header.get("alg")?.as_str()?.to_owned(),
            kid: header.get("kid").and_then(Value::as_str).map(str::to_owned),
            input,
            signature,
        })
    }

    /// Whether a key of this JWKS (the one named by `kid`; any, if the token names none) made the signature.
    pub(super) fn is_signed_by(&self, jwks: &str) -> bool {
        let algorithm = match self.alg.as_str() {
            "RS256" => Algorithm::RS256,
            "PS256" => Algorithm::PS256,
            "ES256" => Algorithm::ES256,
            "EdDSA" => Algorithm::EdDSA,
            _ => return false,
        };
        let Ok(set) = serde_json::from_str::<JwkSet>(jwks) else { return false };
        let named = |key: &&Jwk| self.kid.is_none() || key.common.key_id == self.kid;
        let Ok(signature) = URL_SAFE_NO_PAD.decode(self.signature) else { return false };
        set.keys.iter().filter(named).filter_map(|key| DecodingKey::from_jwk(key).ok()).any(|key| {
            (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &key)
                .is_ok_and(|verifier| verifier.verify(self.input.as_bytes(), &signature).is_ok())
        })
    }
}
