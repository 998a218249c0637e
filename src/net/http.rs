//! HTTP/1.1 on connections of our own dialer: no redirects, bounded answers. For the cluster, where round trips count.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST, HeaderName, HeaderValue, USER_AGENT};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::address::invalid_address;
use super::tls::TlsSpec;
use super::{Deadline, HostPort, NetError, Network, Stream};
use crate::text::safe;

/// What came back, redirects included.
#[derive(Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, without trailers.
    pub headers: http::HeaderMap,
    /// The body, at most `LIMIT` bytes.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Answer {
    /// Without body and headers: either may be a token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The largest body read: 1 MiB.
pub const LIMIT: usize = 1024 * 1024;

/// Our `User-Agent`.
pub(super) const AGENT: &str = concat!("jobpass/", env!("CARGO_PKG_VERSION"));

/// How long one exchange may take.
const ATTEMPT: Duration = Duration::from_secs(15);

/// The largest head of an answer: 64 KiB.
const MAX_HEAD: usize = 64 * 1024;

/// A connection to one web server, kept for several requests.
pub struct Connection {
    peer: String,
    host: String,
    deadline: Deadline,
    /// `None` once an exchange failed: what comes next on the wire is unknown then.
    sender: Option<http1::SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// TCP, TLS (web roots, ALPN `http/1.1`, SNI the target's host) and the HTTP/1.1 handshake.
    pub async fn open(network: &Network, target: &HostPort) -> Result<Self, NetError> {
        let stream = network.tcp(target).await?;
        let stream = network.tls(stream, &TlsSpec::web(target)).await?.stream;
        Self::over(network, stream, target).await
    }

    /// Speaks HTTP/1.1 over a stream that is already there; `target` is for errors and the `host` header.
    pub async fn over(network: &Network, stream: Stream, target: &HostPort) -> Result<Self, NetError> {
        let peer = target.to_string();
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|e| failure(&peer, &e))?;
        // Ends when the sender is dropped or the peer closes.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(Self { peer, host: host_header(target), deadline: network.deadline(), sender: Some(sender) })
    }

    /// One exchange within 15 s; `path` begins with `/`. After an error, and when the server closed the connection in the
    /// meantime (`NetError::Closed`), a new connection is needed.
    pub async fn send(
        &mut self,
        method: http::Method,
        path: &str,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Vec<u8>,
    ) -> Result<Answer, NetError> {
        let peer = self.peer.clone();
        let deadline = self.deadline;
        let doing = format!("waiting for the answer to `{}`", path.split('?').next().unwrap_or_default());
        let exchange = self.exchange(method, path, headers, body);
        deadline.try_within(ATTEMPT, &peer, &doing, exchange).await?
    }

    async fn exchange(
        &mut self,
        method: http::Method,
        path: &str,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Vec<u8>,
    ) -> Result<Answer, NetError> {
        // Put back only after a whole exchange, also when this future is dropped half-way.
        let Some(mut sender) = self.sender.take() else {
            return Err(NetError::Closed {
                peer: self.peer.clone(),
                during: " before the request".to_owned(),
            });
        };
        let request = self.request(method, path, headers, body)?;
        sender.ready().await.map_err(|e| failure(&self.peer, &e))?;
        let answer = sender.send_request(request).await.map_err(|e| failure(&self.peer, &e))?;
        let (head, body) = answer.into_parts();
        let body = match Limited::new(body, LIMIT).collect().await {
            Ok(body) => body.to_bytes().to_vec(),
            Err(e) if e.is::<LengthLimitError>() => {
                return Err(NetError::TooLarge { peer: self.peer.clone(), limit: LIMIT });
            }
            Err(e) => match e.downcast_ref::<hyper::Error>() {
                Some(e) => return Err(failure(&self.peer, e)),
                None => return Err(NetError::Http { peer: self.peer.clone(), reason: e.to_string() }),
            },
        };
        self.sender = Some(sender);
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }

    fn request(
        &self,
        method: http::Method,
        path: &str,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Vec<u8>,
    ) -> Result<http::Request<Full<Bytes>>, NetError> {
        let not_a_path = || invalid_address(path, "it is not the path of a URL");
        let mut request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.host)
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| not_a_path())?;
        if !path.starts_with('/') {
            return Err(not_a_path());
        }
        for (name, value) in headers {
            request.headers_mut().insert(name, value);
        }
        Ok(request)
    }
}

/// `host`, or `host:port` where the port is not 443.
fn host_header(target: &HostPort) -> String {
    let full = target.to_string();
    match full.strip_suffix(":443") {
        Some(host) if target.port == 443 => host.to_owned(),
        _ => full,
    }
}

/// What hyper's error means: an end in the middle, or something that is not HTTP.
pub(super) fn failure(peer: &str, error: &hyper::Error) -> NetError {
    let peer = peer.to_owned();
    if error.is_parse() {
        let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        return NetError::Http { peer, reason: safe(&reason, 200) };
    }
    let io = error.source().and_then(|s| s.downcast_ref::<std::io::Error>());
    let alert = io.and_then(|e| e.get_ref()).and_then(|e| e.downcast_ref::<rustls::Error>());
    if let Some(rustls::Error::AlertReceived(alert)) = alert {
        return NetError::Tls { peer, reason: format!("it sent the alert `{alert:?}`") };
    }
    NetError::Closed { peer, during: " before its answer was complete".to_owned() }
}

#[cfg(test)]
mod tests {
    use http::header::{AUTHORIZATION, CONTENT_LENGTH};

    use super::*;
    use crate::net::testing::{Pki, Server, echo};

    async fn get(network: &Network, target: &HostPort) -> Result<Answer, NetError> {
        Connection::open(network, target).await?.send(http::Method::GET, "/", Vec::new(), Vec::new()).await
    }

    #[tokio::test]
    async fn sends_what_was_asked_on_one_connection() {
        let pki = Pki::new();
        let headers = [HOST, ACCEPT, USER_AGENT, AUTHORIZATION, CONTENT_LENGTH];
        let server = Server::http(Some(pki.server()), echo(&headers)).await;
        let network = pki.network(&[]);
        let mut connection = Connection::open(&network, &server.target()).await.unwrap();
        let answer = connection.send(http::Method::GET, "/1?x=a%2Fb", Vec::new(), Vec::new()).await.unwrap();
        let (target, version) = (server.target(), env!("CARGO_PKG_VERSION"));
        let want = format!("GET /1?x=a%2Fb {target} application/json jobpass/{version} - -");
        assert_eq!((answer.status, String::from_utf8(answer.body.clone()).unwrap()), (418, want));
        assert!(!format!("{answer:?}").contains("x=a"));

        let headers = vec![
            (ACCEPT, HeaderValue::from_static("text/plain")),
            (AUTHORIZATION, HeaderValue::from_static("Bearer b")),
        ];
        let answer = connection.send(http::Method::POST, "/2", headers, b"body".to_vec()).await.unwrap();
        let want = format!("POST /2 {target} text/plain jobpass/{version} Bearer b 4");
        assert_eq!(String::from_utf8(answer.body).unwrap(), want);
        assert_eq!((server.accepted(), network.connections()), (1, 1));
        let error = connection.send(http::Method::GET, "no path", Vec::new(), Vec::new()).await.unwrap_err();
        assert!(matches!(error, NetError::Address { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_connection_that_the_server_closed_is_reported_as_such() {
        let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let server = Server::saying(None, bytes).await;
        let network = Pki::new().network(&[]);
        let stream = network.tcp(&server.target()).await.unwrap();
        let mut connection = Connection::over(&network, stream, &server.target()).await.unwrap();
        let first = connection.send(http::Method::GET, "/", Vec::new(), Vec::new()).await;
        assert_eq!(first.unwrap().status, 200);
        for _ in 0..2 {
            let error = connection.send(http::Method::GET, "/", Vec::new(), Vec::new()).await.unwrap_err();
            assert!(matches!(error, NetError::Closed { .. }) && error.is_transient(), "{error}");
        }
    }

    #[tokio::test]
    async fn refuses_what_is_not_a_bounded_http_answer() {
        let pki = Pki::new();
        let network = pki.network(&[]);
        let of_size = |size| move |_| http::Response::new(Full::from(vec![b'x'; size]));
        let large = Server::http(Some(pki.server()), of_size(LIMIT + 1)).await;
        let whole = Server::http(Some(pki.server()), of_size(LIMIT)).await;
        let head_of_size = |size| {
            move |_| http::Response::builder().header("x", "x".repeat(size)).body(Full::default()).unwrap()
        };
        let long = Server::http(Some(pki.server()), head_of_size(4 * MAX_HEAD)).await;
        let fitting = Server::http(Some(pki.server()), head_of_size(MAX_HEAD / 2)).await;
        let ssh = Server::saying(Some(pki.server()), b"SSH-2.0-OpenSSH_9.2\r\n").await;
        let short =
            Server::saying(Some(pki.server()), b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc").await;
        let silent = Server::saying(Some(pki.server()), b"").await;
        let error = async |server: &Server| get(&network, &server.target()).await.unwrap_err();
        assert!(matches!(error(&large).await, NetError::TooLarge { limit: LIMIT, .. }));
        assert!(matches!(error(&long).await, NetError::Http { .. }));
        assert_eq!(get(&network, &fitting.target()).await.unwrap().status, 200);
        assert!(matches!(error(&ssh).await, NetError::Http { .. }));
        assert!(matches!(error(&short).await, NetError::Closed { .. }));
        assert!(matches!(error(&silent).await, NetError::Closed { .. }));
        assert_eq!(get(&network, &whole.target()).await.unwrap().body.len(), LIMIT);
    }
}
