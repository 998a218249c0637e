//! Asking a platform's address for a token, in the way that the platform's [`Protocol`] says.

use std::time::Duration;

use http::HeaderValue;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use thiserror::Error;

use super::error::TokenError;
use super::variable;
use crate::error::{Exit, StageError};
use crate::net::http::Answer;
use crate::net::retry::{Retry, retry, retry_after};
use crate::net::web_client::Request;
use crate::net::{NetError, Network};
use crate::platform::endpoint::{AudienceIn, Endpoint, Protocol};
use crate::secret::Jwt;
use crate::text::safe;

/// How long one attempt may take.
const LIMIT: Duration = Duration::from_secs(10);
const ATTEMPTS: u32 = 5;
/// All but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An address of a platform that is asked for a token.
pub(super) struct Asked<'a> {
    pub(super) platform: &'static str,
    pub(super) endpoint: &'a Endpoint,
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

impl Asked<'_> {
    /// Asks for a new token, for the audience where the platform lets a job choose one.
    pub(super) async fn ask(&self, network: &Network, audience: Option<&str>) -> Result<Jwt, TokenError> {
        let Endpoint { url, secret, protocol } = self.endpoint;
        let (url, body) = match (protocol.audience, audience) {
            (AudienceIn::Nowhere, _) => (url.clone(), Vec::new()),
            (_, None) => return Err(TokenError::AudienceMissing { platform: self.platform }),
            (AudienceIn::Query, Some(audience)) => (with_audience(url, audience), Vec::new()),
            (AudienceIn::Body, Some(audience)) => {
                (url.clone(), json!({ "audience": audience }).to_string().into_bytes())
            }
        };
        let mut authorization =
            HeaderValue::try_from(format!("{}{}", protocol.scheme, secret.expose_secret())).map_err(
                |_| TokenError::Source {
                    place: format!("`{}`", protocol.secret),
                    reason: "it contains characters that no HTTP header can carry".to_owned(),
                },
            )?;
        authorization.set_sensitive(true);
        let doing = format!("asking {} for an identity token", self.platform);
        let answer = retry(
            network.deadline(),
            network.log(),
            &doing,
            ATTEMPTS,
            |_| self.attempt(network, &url, &authorization, &body),
            |failure: &Failure| match failure {
                Failure::Net(error) => Retry::from(error.is_transient()),
                Failure::Status { decision, .. } => *decision,
            },
        )
        .await
        .map_err(|failure| match failure {
            Failure::Net(source) => TokenError::Endpoint { platform: self.platform, source },
            Failure::Status { status, detail, .. } => {
                TokenError::Refused { platform: self.platform, status, detail, protocol }
            }
        })?;
        self.read(&answer)
    }

    async fn attempt(
        &self,
        network: &Network,
        url: &str,
        authorization: &HeaderValue,
        body: &[u8],
    ) -> Result<Answer, Failure> {
        let Protocol { posts, accept, refuses_with, .. } = self.endpoint.protocol;
        let mut headers = vec![
            (AUTHORIZATION, authorization.clone()),
            (ACCEPT, HeaderValue::from_static(accept)),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ];
        if *posts && body.is_empty() {
            // reqwest leaves it out there, and servers may insist on it (RFC 9110, 411).
            headers.push((CONTENT_LENGTH, HeaderValue::from_static("0")));
        }
        let method = if *posts { http::Method::POST } else { http::Method::GET };
        let request = Request { method, url, headers, body: body.to_vec() };
        let answer = network.web_client().send(request, LIMIT).await.map_err(Failure::Net)?;
        if (200..400).contains(&answer.status) && !refuses_with.contains(&answer.status) {
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
        let protocol = self.endpoint.protocol;
        let form =
            |detail: &str| TokenError::Form { platform: self.platform, detail: detail.to_owned(), protocol };
        if answer.status >= 300 {
            return Err(form(&format!("HTTP {}, a redirect, which is not followed", answer.status)));
        }
        let value: Value = serde_json::from_slice(&answer.body)
            .map_err(|_| form(if is_html(answer) { "an HTML page" } else { "it is not JSON" }))?;
        let field = protocol.field;
        let token = match value.get(field) {
            Some(Value::String(token)) if !token.is_empty() => token,
            Some(Value::String(_)) => return Err(form(&format!("its field `{field}` is empty"))),
            Some(_) => return Err(form(&format!("its field `{field}` is not a string"))),
            None => return Err(form(&format!("it has no field `{field}`"))),
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
        let secret = self.endpoint.secret.expose_secret();
        let shown = safe(&text.replace(secret, "[token]"), usize::MAX);
        // Characters that are not shown may have stood between its own.
        safe(&shown.replace(secret, "[token]"), 200)
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

    #[test]
    fn answers_of_platforms_under_fire() {
        let vars = [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x/t?a=b"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "hunter2"),
            ("GITHUB_ACTIONS", "true"),
        ];
        let env = crate::env::Env::new(vars, "/");
        let Some(crate::platform::TokenPlace::Endpoint(endpoint)) =
            crate::platform::Platform::GitHubActions.token_place(&env)
        else {
            panic!("GitHub's address is not found");
        };
        let answers = [
            r#"{"value":"eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2ln","count":1}"#,
            r#"{"message":"it was hunter2","errorMessage":1}"#,
            r#"{"message":"it was hun\u0000ter2, or hun\u200bter2"}"#,
            "<!DOCTYPE html>",
        ];
        crate::under_fire::parser("answers of platforms", answers).memory(200, 256 * 1024).bytes(
            move |bytes| {
                let asked = Asked { platform: "GitHub", endpoint: &endpoint };
                let answer = Answer { status: 200, headers: http::HeaderMap::new(), body: bytes.to_vec() };
                let _ = asked.read(&answer);
                let detail = asked.detail(&answer);
                assert!(detail.chars().count() <= 200 && !detail.contains("hunter2"), "{detail}");
            },
        );
    }
}
