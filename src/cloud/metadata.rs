//! The metadata services of machines and containers: plain HTTP to this machine or its link, never through an HTTP proxy, redirects
//! not followed, bounded answers, given up within a second when nothing answers.

use std::time::Duration;

use http::Method;
use http::header::{HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
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
/// The longest part of an answer that an error shows, in characters.
const SHOWN: usize = 200;

/// One metadata service.
#[derive(Clone)]
pub struct Metadata {
    network: Network,
    base: String,
    limit: Duration,
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
            // The run's own time is over.
            Self::Silent { source: NetError::Deadline { .. }, .. } => Exit::Network,
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
        Self { network: network.clone(), base: base.trim_end_matches('/').to_owned(), limit: SILENCE }
    }

    /// For questions after the first: the service is there, and gets more time.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.limit = PATIENCE;
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
        let busy = |error: &MetadataError| matches!(error.status(), Some(429 | 500 | 502..=504));
        let attempt = |_| self.once(method.clone(), path, headers);
        let answer = retry(deadline, log, &what, ATTEMPTS, attempt, busy).await?;
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
            _ => safe(&String::from_utf8_lossy(&answer.body), SHOWN),
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

/// Without its query.
fn bare(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Instant;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::env::Env;
    use crate::log::Log;
    use crate::net::{Deadline, Options};

    /// Answers each connection with the next text (nothing at all for an empty one), and keeps what was asked.
    async fn service(answers: &[&str]) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (keep, answers) = (asked.clone(), answers.iter().map(ToString::to_string).collect::<Vec<_>>());
        tokio::spawn(async move {
            let mut held = Vec::new();
            for answer in answers.iter().chain(std::iter::repeat(answers.last().unwrap())) {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut bytes = vec![0; 4096];
                let n = socket.read(&mut bytes).await.unwrap_or(0);
                keep.lock().unwrap().push(String::from_utf8_lossy(&bytes[..n]).to_lowercase());
                let _ = socket.write_all(answer.as_bytes()).await;
                if answer.is_empty() {
                    held.push(socket);
                }
            }
        });
        (base, asked)
    }

    fn http(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    }

    fn network(variables: &[(&str, &str)]) -> Network {
        let env = Env::new(variables.iter().copied(), "/");
        Network::new(&env, &Options::default(), Deadline::after(Duration::from_secs(60)), Log::silent())
            .unwrap()
    }

    #[tokio::test]
    async fn answers_come_past_every_proxy() {
        // Nothing listens there: who used it would fail.
        let proxies = [("http_proxy", "http://127.0.0.1:9"), ("ALL_PROXY", "http://127.0.0.1:9")];
        let (base, asked) = service(&[&http("200 OK", "{\"a\":1}")]).await;
        let metadata = Metadata::at(&network(&proxies), &format!("{base}/"));
        let header = (HeaderName::from_static("metadata"), HeaderValue::from_static("True"));
        let value: serde_json::Value = metadata.json("/x?q=1", &[header]).await.unwrap();
        assert_eq!(value["a"], 1);
        let asked = asked.lock().unwrap();
        assert!(
            asked[0].starts_with("get /x?q=1 http/1.1") && asked[0].contains("metadata: true"),
            "{asked:?}"
        );
    }

    #[tokio::test]
    async fn what_is_no_answer_is_told() {
        for (answer, path, cause) in [
            (
                http("404 Not Found", "no such\r\n\u{1b}[2Jthing"),
                "/x?secret=1",
                "`/x`: HTTP 404: no such [2Jthing",
            ),
            (http("401 Unauthorized", ""), "/x", "`/x`: HTTP 401"),
            (
                "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n".to_owned(),
                "/x",
                "`/x`: HTTP 302: a redirect, which is not followed",
            ),
            (http("200 OK", "s3cr3t"), "/x", "`/x`: it is not the JSON that is documented"),
            (http("200 OK", "{\"Code\":\"s3cr3t\"}"), "/x", "`/x`: it has no `token`"),
        ] {
            #[derive(Debug, serde::Deserialize)]
            struct Wanted {
                #[allow(dead_code)]
                token: String,
            }
            let (base, _) = service(&[&answer]).await;
            let error = Metadata::at(&network(&[]), &base).json::<Wanted>(path, &[]).await.unwrap_err();
            assert_eq!(error.causes(), [cause]);
            assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
            assert_eq!(error.exit(), Exit::NoIdentity);
        }
    }

    #[tokio::test]
    async fn a_busy_service_is_asked_again() {
        let (busy, good) = (http("503 Service Unavailable", ""), http("200 OK", "fine"));
        let (base, asked) = service(&[&busy, &good]).await;
        assert_eq!(Metadata::at(&network(&[]), &base).text("/x", &[]).await.unwrap(), "fine");
        assert_eq!(asked.lock().unwrap().len(), 2);
        let (base, asked) = service(&[&busy]).await;
        let error = Metadata::at(&network(&[]), &base).text("/x", &[]).await.unwrap_err();
        assert_eq!((error.status(), asked.lock().unwrap().len()), (Some(503), 3));
    }

    #[tokio::test]
    async fn silence_is_borne_for_a_second() {
        let (base, asked) = service(&[""]).await;
        let begin = Instant::now();
        let error = Metadata::at(&network(&[]), &base).text("/x", &[]).await.unwrap_err();
        assert!(matches!(error, MetadataError::Silent { .. }), "{error:?}");
        assert!(begin.elapsed() >= Duration::from_millis(900), "it is borne");
        assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
        assert_eq!(asked.lock().unwrap().len(), 1, "and not a second time");
    }

    #[tokio::test]
    async fn only_this_machine_and_its_link_are_asked() {
        for base in ["http://192.0.2.1", "https://127.0.0.1", "http://metadata.example", "ftp://127.0.0.1"] {
            let error = Metadata::at(&network(&[]), base).text("/x", &[]).await.unwrap_err();
            let MetadataError::Silent { source: NetError::Address { .. }, .. } = error else {
                panic!("{base}: {error:?}")
            };
        }
    }
}
