//! GitHub's token endpoint: a GET with a bearer, the audience in the query, the token in the field `value`.
//!
//! As actions/toolkit `packages/core/src/oidc-utils.ts` and Teleport's `lib/githubactions/token_source.go`
//! ask; Forgejo's is alike, but its URL may have no query yet.

use std::time::Duration;

use http::HeaderValue;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use thiserror::Error;

use super::error::TokenError;
use super::variable;
use crate::error::{Exit, StageError};
use crate::net::http::Answer;
use crate::net::retry::{Retry, retry, retry_after};
use crate::net::web_client::Request;
use crate::net::{NetError, Network};
use crate::secret::Jwt;
use crate::text::safe;

/// How long one attempt may take.
const LIMIT: Duration = Duration::from_secs(10);
const ATTEMPTS: u32 = 5;
/// All but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) struct Endpoint<'a> {
    pub(super) platform: &'static str,
    pub(super) url: &'a str,
    pub(super) bearer: &'a SecretString,
}

/// Why one attempt failed; the text is shown with each retry.
#[derive(Debug, Error)]
enum Failure {
    #[error(transparent)]
    Net(NetError),
    #[error("HTTP {status}")]
    Status { status: u16, detail: String, decision: Retry },
}

impl StageError for Failure {
    fn exit(&self) -> Exit {
        Exit::Network
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Net(error) => error.causes(),
            Self::Status { detail, .. } => {
                Some(detail.clone()).filter(|d| !d.is_empty()).into_iter().collect()
            }
        }
    }
}

impl Endpoint<'_> {
    /// Asks for a new token for the audience.
    pub(super) async fn ask(&self, network: &Network, audience: &str) -> Result<Jwt, TokenError> {
        let url = with_audience(self.url, audience);
        let mut bearer =
            HeaderValue::try_from(format!("Bearer {}", self.bearer.expose_secret())).map_err(|_| {
                TokenError::Source {
                    place: "`ACTIONS_ID_TOKEN_REQUEST_TOKEN`".to_owned(),
                    reason: "it contains characters that no HTTP header can carry".to_owned(),
                }
            })?;
        bearer.set_sensitive(true);
        let doing = format!("asking {} for an identity token", self.platform);
        let answer = retry(
            network.deadline(),
            network.log(),
            &doing,
            ATTEMPTS,
            |_| self.attempt(network, &url, &bearer),
            |failure: &Failure| match failure {
                Failure::Net(error) => Retry::from(error.is_transient()),
                Failure::Status { decision, .. } => *decision,
            },
        )
        .await
        .map_err(|failure| match failure {
            Failure::Net(source) => TokenError::Endpoint { platform: self.platform, source },
            Failure::Status { status, detail, .. } => {
                TokenError::Refused { platform: self.platform, status, detail }
            }
        })?;
        self.read(&answer)
    }

    async fn attempt(&self, network: &Network, url: &str, bearer: &HeaderValue) -> Result<Answer, Failure> {
        let headers = vec![
            (AUTHORIZATION, bearer.clone()),
            (ACCEPT, HeaderValue::from_static("application/json; api-version=2.0")),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ];
        let request = Request { method: http::Method::GET, url, headers, body: Vec::new() };
        let answer = network.web_client().send(request, LIMIT).await.map_err(Failure::Net)?;
        if (200..400).contains(&answer.status) {
            return Ok(answer); // a redirect is not a refusal, but an answer of an unknown form
        }
        let detail = self.detail(&answer);
        let decision = match answer.status {
            429 | 500 | 502 | 503 | 504 => retry_after(&answer.headers).map_or(Retry::Soon, Retry::After),
            // The service may know the job a little later than the runner does.
            403 if detail.to_ascii_lowercase().contains("pending") => Retry::Soon,
            _ => Retry::Never,
        };
        Err(Failure::Status { status: answer.status, detail, decision })
    }

    fn read(&self, answer: &Answer) -> Result<Jwt, TokenError> {
        let form = |detail: &str| TokenError::Form { platform: self.platform, detail: detail.to_owned() };
        if answer.status >= 300 {
            return Err(form(&format!("HTTP {}, a redirect, which is not followed", answer.status)));
        }
        let value: Value = serde_json::from_slice(&answer.body)
            .map_err(|_| form(if is_html(answer) { "an HTML page" } else { "it is not JSON" }))?;
        let token = match value.get("value") {
            Some(Value::String(token)) if !token.is_empty() => token,
            Some(Value::String(_)) => return Err(form("its field `value` is empty")),
            Some(_) => return Err(form("its field `value` is not a string")),
            None => return Err(form("it has no field `value`")),
        };
        variable::parse(token, format!("the answer of {}", self.platform)).map(|found| found.jwt)
    }

    /// The message of a refusal, or nothing.
    fn detail(&self, answer: &Answer) -> String {
        let text = match serde_json::from_slice::<Value>(&answer.body) {
            Ok(body) => ["message", "errorMessage", "error_description", "error"]
                .iter()
                .find_map(|name| body.get(name)?.as_str().map(str::to_owned))
                .unwrap_or_else(|| body.to_string()),
            Err(_) if is_html(answer) => "an HTML page".to_owned(),
            Err(_) => String::from_utf8_lossy(answer.body.get(..4096).unwrap_or(&answer.body)).into_owned(),
        };
        safe(&text.replace(self.bearer.expose_secret(), "[token]"), 200)
    }
}

fn with_audience(url: &str, audience: &str) -> String {
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}audience={}", utf8_percent_encode(audience, ENCODED))
}

fn is_html(answer: &Answer) -> bool {
    let kind = answer.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    kind.contains("html") || answer.body.trim_ascii_start().starts_with(b"<")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audience_is_encoded_into_the_query() {
        for (url, audience, want) in [
            ("https://x/t?a=b", "teleport.cluster.local", "https://x/t?a=b&audience=teleport.cluster.local"),
            ("https://x/t", "a/b c&d=é", "https://x/t?audience=a%2Fb%20c%26d%3D%C3%A9"),
        ] {
            assert_eq!(with_audience(url, audience), want);
        }
    }
}
