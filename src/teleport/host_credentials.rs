//! The join by one HTTPS POST, which all proxies so far serve.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tonic::Code;

use super::ClusterError;
use super::error::ConnectionError;
use super::join_service::{CALL, Joined, SYSTEM_ROLE};
use crate::identity::keys::KeyPair;
use crate::identity::tls::{TlsCertificate, ders_of};
use crate::net::http::{Answer, Connection};
use crate::secret::Jwt;
use crate::text::safe;

/// `POST` here (`lib/web/apiserver.go`, Teleport 13 and later; without `/v1` it works too).
pub const PATH: &str = "/v1/webapi/host/credentials";

/// Teleport's `types.RegisterUsingTokenRequest` as JSON, as far as a bot needs it. The keys are base64 of text. Secret: carries
/// the identity token.
#[derive(Serialize)]
pub struct Request<'a> {
    /// `Bot`.
    pub role: &'static str,
    /// Name of the join token.
    pub token: &'a str,
    /// base64 of PKIX PEM.
    pub public_tls_key: String,
    /// base64 of an `authorized_keys` line.
    pub public_ssh_key: String,
    /// The identity token.
    pub id_token: &'a str,
    /// RFC 3339, UTC, whole seconds.
    pub expires: String,
}

impl<'a> Request<'a> {
    /// The same key serves for both certificates.
    pub fn new(token: &'a str, key: &KeyPair, jwt: &'a Jwt, expires: Timestamp) -> Self {
        let whole = Timestamp::from_second(expires.as_second()).unwrap_or(expires);
        Self {
            role: SYSTEM_ROLE,
            token,
            public_tls_key: STANDARD.encode(key.public_pem()),
            public_ssh_key: STANDARD.encode(key.public_ssh_line()),
            id_token: jwt.expose(),
            expires: whole.to_string(),
        }
    }
}

/// The parts of the answer that are used; `ssh` and `ssh_ca_certs` come too.
#[derive(Deserialize)]
struct Response {
    tls: String,
    tls_ca_certs: Vec<String>,
}

/// Posts and reads the answer.
pub(super) async fn join(mut web: Connection, request: &Request<'_>) -> Result<Joined, ClusterError> {
    let body = serde_json::to_vec(request).map_err(|_| ClusterError::malformed("our own request", "json"))?;
    let headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    read(&web.send(Method::POST, PATH, headers, body).await?)
}

/// Sorts an answer: certificates, a refusal (with Teleport's error body, whatever its status), or no answer of Teleport's at all.
pub fn read(answer: &Answer) -> Result<Joined, ClusterError> {
    let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
    if let Some(message) = json.as_ref().and_then(|j| j.pointer("/error/message")).and_then(Value::as_str) {
        let code = match answer.status {
            400 => Code::InvalidArgument,
            403 => Code::PermissionDenied,
            404 => Code::Unimplemented,
            _ => Code::Unknown,
        };
        return Err(ClusterError::Refused { call: CALL, code, message: safe(message, 2_000) });
    }
    if answer.status != 200 {
        return Err(unanswered(format!("HTTP {} without Teleport's error body", answer.status)));
    }
    let missing = |field: &str| ClusterError::malformed("the join's answer", field);
    let json = json.ok_or_else(|| unanswered("HTTP 200, but not JSON".to_owned()))?;
    let response: Response = serde_json::from_value(json)
        .map_err(|e| missing(e.to_string().split('`').nth(1).unwrap_or("tls")))?;
    let text = |encoded: &str, field: &str| {
        let bytes = STANDARD.decode(encoded).map_err(|_| missing(field))?;
        String::from_utf8(bytes).map_err(|_| missing(field))
    };
    let certificate = TlsCertificate::from_pem(&text(&response.tls, "tls")?).map_err(|_| missing("tls"))?;
    let mut authorities = Vec::new();
    for ca in &response.tls_ca_certs {
        let pem = text(ca, "tls_ca_certs")?;
        authorities.extend(ders_of(&pem).map_err(|_| missing("tls_ca_certs"))?);
    }
    if authorities.is_empty() {
        return Err(missing("tls_ca_certs"));
    }
    Ok(Joined { certificate, authorities })
}

fn unanswered(reason: String) -> ClusterError {
    ConnectionError::Unanswered { call: CALL, reason }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_code_that_its_status_stands_for() {
        for (status, want) in [
            (400, Code::InvalidArgument),
            (403, Code::PermissionDenied),
            (404, Code::Unimplemented),
            (500, Code::Unknown),
        ] {
            let body = br#"{"error":{"message":"no"}}"#.to_vec();
            let answer = Answer { status, headers: http::HeaderMap::new(), body };
            let refused = read(&answer);
            let Err(ClusterError::Refused { code, message, .. }) = &refused else { panic!("{refused:?}") };
            assert_eq!((*code, message.as_str()), (want, "no"), "{status}");
        }
    }
}
