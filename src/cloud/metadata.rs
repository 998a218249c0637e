//! The metadata services of machines and containers: plain HTTP to this machine or its link, never through an HTTP proxy, redirects
//! not followed, bounded answers, given up within a second when nothing answers.

use std::time::Duration;

use http::Method;
use http::header::{HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use crate::error::{Exit, StageError};
use crate::net::http::Answer;
use crate::net::web_client::Request;
use crate::net::{NetError, Network, retry};
use crate::text::safe;

/// How long a service may stay silent before it counts as not there.
const SILENCE: Duration = Duration::from_secs(1);
/// How long it may take once it has answered a question.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a service that is busy is asked.
const ATTEMPTS: u32 = 3;
/// How often one that may not have started yet: for some seconds.
const ATTEMPTS_TO_START: u32 = 6;
/// Statuses that pass.
const BUSY: &[u16] = &[429, 500, 502, 503, 504];
/// The longest part of an answer that an error shows, in characters.
const SHOWN: usize = 200;

/// One metadata service.
#[derive(Clone)]
pub struct Metadata {
    network: Network,
    base: String,
    limit: Duration,
    /// Statuses that pass beside those that pass everywhere.
    passing: &'static [u16],
    may_be_starting: bool,
}

/// Why a metadata service gave nothing. No variant has a header or the body of a good answer.
#[derive(Debug, Clone, Error)]
#[allow(missing_docs)]
pub enum MetadataError {
    /// An answer, but not in the documented form.
    #[error("unexpected answer from the metadata service at {address}")]
    Form { address: String, path: String, problem: String },
    /// Nothing answers there: it is another kind of machine, or what stands between lets nothing through.
    #[error("no metadata service answers at {address}")]
    Silent {
        address: String,
        #[source]
        source: NetError,
    },
    /// An answer that says no; `detail` is empty where it gave no reason.
    #[error("the metadata service at {address} refused")]
    Status { address: String, path: String, status: u16, detail: String },
}

impl MetadataError {
    /// Nothing answers there, for all that the run's own deadline allows to say.
    pub fn is_silent(&self) -> bool {
        matches!(self, Self::Silent { source, .. } if !matches!(source, NetError::Deadline { .. }))
    }

    /// The status of an answer that says no.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl StageError for MetadataError {
    fn exit(&self) -> Exit {
        match self {
            // The run's own time is over, or the service's is to come.
            Self::Silent { source: NetError::Deadline { .. }, .. }
            | Self::Status { status: 410 | 429 | 500.., .. } => Exit::Network,
            _ => Exit::NoIdentity,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Form { path, problem, .. } => vec![format!("`{path}`: {problem}")],
            Self::Silent { source, .. } => source.chain(),
            Self::Status { path, status, detail, .. } if detail.is_empty() => {
                vec![format!("`{path}`: HTTP {status}")]
            }
            Self::Status { path, status, detail, .. } => vec![format!("`{path}`: HTTP {status}: {detail}")],
        }
    }
}

impl Metadata {
    /// The service at that address: `http://169.254.169.254`, without a path. Anything else than `http://` to this machine or
    /// its link is an error of the first question.
    pub fn at(network: &Network, base: &str) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { network: network.clone(), base, limit: SILENCE, passing: &[], may_be_starting: false }
    }

    /// For questions after the first: the service is there, and gets more time.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.limit = PATIENCE;
        self
    }

    /// These statuses pass too: the question is asked again.
    #[must_use]
    pub fn passing(mut self, statuses: &'static [u16]) -> Self {
        self.passing = statuses;
        self
    }

    /// The service may not listen yet: a refused connection is tried again.
    #[must_use]
    pub fn starting(mut self, may_be: bool) -> Self {
        self.may_be_starting = may_be;
        self
    }

    /// The address in errors: no more than scheme, host and port.
    pub fn address(&self) -> &str {
        &self.base
    }

    /// `GET` of a text; every status but 200 is an error. `path` begins with a slash and may have a query, which no error shows.
    pub async fn text(
        &self,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Result<String, MetadataError> {
        self.ask(Method::GET, path, headers).await
    }

    /// `GET` of JSON.
    pub async fn json<T: DeserializeOwned>(
        &self,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Result<T, MetadataError> {
        let text = self.text(path, headers).await?;
        // serde's own words may repeat a value.
        serde_json::from_str(&text).map_err(|e| {
            let missing = e
                .to_string()
                .strip_prefix("missing field `")
                .and_then(|rest| rest.split_once('`').map(|(field, _)| format!("it has no `{field}`")));
            self.form(path, missing.unwrap_or_else(|| "it is not the JSON that is documented".to_owned()))
        })
    }

    /// Any method, without a body; every status but 200 is an error. A service that is busy is asked again.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Result<String, MetadataError> {
        let (deadline, log) = (self.network.deadline(), self.network.log());
        let what = format!("asking {}", self.base);
        let passes = |error: &MetadataError| match error {
            MetadataError::Status { status, .. } => BUSY.contains(status) || self.passing.contains(status),
            MetadataError::Silent { source: NetError::Connect { refused: true, .. }, .. } => {
                self.may_be_starting
            }
            _ => false,
        };
        let attempts = if self.may_be_starting { ATTEMPTS_TO_START } else { ATTEMPTS };
        let attempt = |_| self.once(method.clone(), path, headers);
        let answer = retry(deadline, log, &what, attempts, attempt, passes).await?;
        String::from_utf8(answer.body).map_err(|_| self.form(path, "it is not text".to_owned()))
    }

    async fn once(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Result<Answer, MetadataError> {
        let url = format!("{}{path}", self.base);
        let request = Request { method, url: &url, headers: headers.to_vec(), body: Vec::new() };
        let answer = self.network.metadata_client().send(request, self.limit).await;
        let answer = answer.map_err(|source| MetadataError::Silent { address: self.base.clone(), source })?;
        if answer.status == 200 {
            return Ok(answer);
        }
        let detail = match answer.status {
            300..=399 => "a redirect, which is not followed".to_owned(),
            _ => said(&answer.body),
        };
        let (address, path) = (self.base.clone(), bare(path).to_owned());
        Err(MetadataError::Status { address, path, status: answer.status, detail })
    }

    fn form(&self, path: &str, problem: String) -> MetadataError {
        MetadataError::Form { address: self.base.clone(), path: bare(path).to_owned(), problem }
    }
}

impl std::fmt::Debug for Metadata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metadata").field("base", &self.base).finish_non_exhaustive()
    }
}

/// The vendor's words in a refusal, without the JSON around them; nothing where there are none.
fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..4096).unwrap_or(body));
    let json = serde_json::from_slice::<Value>(body).ok();
    let words = json.as_ref().and_then(|body| {
        let own = ["error_description", "message"].iter().find_map(|name| body.get(name)?.as_str());
        let error = || body.get("error")?.get("message").or(body.get("error"))?.as_str();
        own.or_else(error)
    });
    match words {
        Some(words) => safe(words, SHOWN),
        None if text.trim_start().starts_with('<') => "an HTML page".to_owned(),
        None => safe(&text, SHOWN),
    }
}

/// Without its query.
fn bare(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}

#[cfg(test)]
mod tests;
