//! A plain HTTP/1.1 client over our own connections: no redirects, bounded answers.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST, HeaderName, HeaderValue, USER_AGENT};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::address::not;
use super::tls::TlsSpec;
use super::{Deadline, HostPort, NetError, Network, Stream};

/// What to ask. The URL must be `https://` (or `http://` to a loopback address, for tests and the sandbox's like).
pub struct Request<'a> {
    /// `GET` or `POST`.
    pub method: http::Method,
    /// Absolute URL, query included.
    pub url: &'a str,
    /// Extra headers. Values may be secret: they are never printed.
    pub headers: Vec<(http::HeaderName, http::HeaderValue)>,
    /// Body of a POST.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// All headers.
    pub headers: http::HeaderMap,
    /// The body, at most `LIMIT` bytes.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Answer {
    /// No body and no header: either may be a token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The largest body read: 1 MiB.
pub const LIMIT: usize = 1024 * 1024;

/// How we call ourselves.
pub(super) const AGENT: &str = concat!("jobpass/", env!("CARGO_PKG_VERSION"));

/// How long one exchange may take, unless told otherwise.
const TRY: Duration = Duration::from_secs(15);

/// The largest head of an answer: 64 KiB.
const MAX_HEAD: usize = 64 * 1024;

/// One request on a connection of its own, within 15 s.
pub async fn send(network: &Network, request: Request<'_>) -> Result<Answer, NetError> {
    send_limited(network, request, TRY).await
}

/// The same within `limit`, connecting included, and the run's deadline.
pub async fn send_limited(
    network: &Network,
    request: Request<'_>,
    limit: Duration,
) -> Result<Answer, NetError> {
    let url = Url::parse(request.url)?;
    let peer = url.target.to_string();
    let exchange = async {
        let mut connection = if url.tls {
            Connection::open(network, &url.target).await?
        } else {
            let stream = network.tcp_direct(&url.target).await?;
            Connection::new(network, stream, peer.clone(), host_header(&url.target, 80)).await?
        };
        connection.exchange(request.method, &url.path, request.headers, request.body).await
    };
    network.deadline().try_within(limit, &peer, "waiting for its answer", exchange).await?
}

/// A kept connection to one web server for several requests, opened before it is needed.
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
        let peer = target.to_string();
        let stream = network.tcp(target).await?;
        let stream = network.tls(stream, &TlsSpec::web(target)).await?.stream;
        Self::new(network, stream, peer, host_header(target, 443)).await
    }

    /// Speaks HTTP/1.1 over a stream that is already there. `peer` is `HOST:PORT`, for errors and the `host` header.
    pub async fn over(network: &Network, stream: Stream, peer: String) -> Result<Self, NetError> {
        let host =
            HostPort::parse(&peer, 443).map_or_else(|_| peer.clone(), |target| host_header(&target, 443));
        Self::new(network, stream, peer, host).await
    }

    /// One exchange within 15 s; `path` begins with `/`. `host` header is the target's. After an error, and when the server
    /// closed the connection meanwhile (`NetError::Closed`), a new connection is needed.
    pub async fn send(
        &mut self,
        method: http::Method,
        path: &str,
        headers: Vec<(http::HeaderName, http::HeaderValue)>,
        body: Vec<u8>,
    ) -> Result<Answer, NetError> {
        let peer = self.peer.clone();
        let deadline = self.deadline;
        let exchange = self.exchange(method, path, headers, body);
        deadline.try_within(TRY, &peer, "waiting for its answer", exchange).await?
    }

    async fn new(network: &Network, stream: Stream, peer: String, host: String) -> Result<Self, NetError> {
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|e| broken(&peer, &e))?;
        // Ends when the sender is dropped or the peer closes.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(Self { peer, host, deadline: network.deadline(), sender: Some(sender) })
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
        sender.ready().await.map_err(|e| broken(&self.peer, &e))?;
        let answer = sender.send_request(request).await.map_err(|e| broken(&self.peer, &e))?;
        let (head, body) = answer.into_parts();
        let body = match Limited::new(body, LIMIT).collect().await {
            Ok(body) => body.to_bytes().to_vec(),
            Err(e) if e.is::<LengthLimitError>() => {
                return Err(NetError::TooLarge { peer: self.peer.clone(), limit: LIMIT });
            }
            Err(e) => match e.downcast_ref::<hyper::Error>() {
                Some(e) => return Err(broken(&self.peer, e)),
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
        let no_path = || not(path, "it is no path of a URL");
        let mut request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.host)
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| no_path())?;
        if !path.starts_with('/') {
            return Err(no_path());
        }
        for (name, value) in headers {
            request.headers_mut().insert(name, value);
        }
        Ok(request)
    }
}

/// The parts of a URL we may ask.
struct Url {
    tls: bool,
    target: HostPort,
    /// With the query.
    path: String,
}

impl Url {
    fn parse(url: &str) -> Result<Self, NetError> {
        let uri: http::Uri = url.parse().map_err(|_| not(url, "it is no URL"))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(not(url, "it does not begin with `https://`")),
        };
        let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        let target = HostPort::parse(authority, if tls { 443 } else { 80 })?;
        if !tls && !target.is_loopback() {
            return Err(not(url, "without TLS only this machine itself is asked"));
        }
        let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        // `https://host?query` has no path.
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { tls, target, path })
    }
}

/// `host`, or `host:port` where the port is not the scheme's own.
fn host_header(target: &HostPort, own: u16) -> String {
    let full = target.to_string();
    match full.strip_suffix(&format!(":{own}")) {
        Some(host) if target.port == own => host.to_owned(),
        _ => full,
    }
}

/// What hyper's error means: an end in the middle, or something that is not HTTP.
fn broken(peer: &str, error: &hyper::Error) -> NetError {
    let peer = peer.to_owned();
    if error.is_parse() {
        let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        return NetError::Http {
            peer,
            reason: reason.chars().filter(|c| !c.is_control()).take(200).collect(),
        };
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
    use http_body_util::Full;

    use super::*;
    use crate::net::testing::{Pki, Server};

    fn get(url: &str) -> Request<'_> {
        Request { method: http::Method::GET, url, headers: Vec::new(), body: Vec::new() }
    }

    #[allow(clippy::needless_pass_by_value)] // the form of a handler
    fn echo(request: http::Request<hyper::body::Incoming>) -> http::Response<Full<Bytes>> {
        let header =
            |name| request.headers().get(name).map_or("-", |v: &HeaderValue| v.to_str().unwrap_or("?"));
        let text = [
            request.method().as_str(),
            request.uri().path_and_query().map_or("", |p| p.as_str()),
            header(HOST),
            header(ACCEPT),
            header(USER_AGENT),
            header(http::header::AUTHORIZATION),
            header(http::header::CONTENT_LENGTH),
        ];
        http::Response::builder()
            .status(418)
            .header("x-one", "1")
            .body(Full::from(text.join(" ")))
            .unwrap_or_default()
    }

    #[tokio::test]
    async fn sends_what_was_asked() {
        let pki = Pki::new();
        let server = Server::http(Some(pki.server()), echo).await;
        let port = server.address.port();
        let network = pki.network(&[]);
        let url = format!("https://localhost:{port}?audience=a%2Fb");
        let answer = send(&network, get(&url)).await.unwrap();
        let version = env!("CARGO_PKG_VERSION");
        let want = format!("GET /?audience=a%2Fb localhost:{port} application/json jobpass/{version} - -");
        assert_eq!((answer.status, String::from_utf8(answer.body.clone()).unwrap()), (418, want));
        assert_eq!(answer.headers["x-one"], "1");
        assert!(!format!("{answer:?}").contains("audience"));

        let request = Request {
            method: http::Method::POST,
            url: &format!("https://127.0.0.1:{port}/x"),
            headers: vec![
                (ACCEPT, HeaderValue::from_static("text/plain")),
                (http::header::AUTHORIZATION, HeaderValue::from_static("Bearer b")),
            ],
            body: b"body".to_vec(),
        };
        let answer = send(&network, request).await.unwrap();
        let want = format!("POST /x 127.0.0.1:{port} text/plain jobpass/{version} Bearer b 4");
        assert_eq!(String::from_utf8(answer.body).unwrap(), want);
    }

    #[tokio::test]
    async fn asks_without_tls_on_this_machine_only() {
        let server = Server::http(None, echo).await;
        let network = Pki::new().network(&[("HTTPS_PROXY", "http://127.0.0.1:1")]);
        let url = format!("http://127.0.0.1:{}/p", server.address.port());
        assert_eq!(send(&network, get(&url)).await.unwrap().status, 418);
        for url in [
            "http://example.com/?hunter2",
            "ftp://localhost/",
            "/only/a/path",
            "https://u:hunter2@localhost/",
            "",
        ] {
            let error = send(&network, get(url)).await.unwrap_err();
            assert!(matches!(error, NetError::Address { .. }), "{url}: {error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[tokio::test]
    async fn keeps_a_connection_for_more_than_one_request() {
        let pki = Pki::new();
        let server = Server::http(Some(pki.server()), echo).await;
        let network = pki.network(&[]);
        let mut connection = Connection::open(&network, &server.target()).await.unwrap();
        for path in ["/1", "/2?x=%20"] {
            let answer = connection.send(http::Method::GET, path, Vec::new(), Vec::new()).await.unwrap();
            assert!(String::from_utf8(answer.body).unwrap().contains(path));
        }
        assert_eq!((server.accepted(), network.connections()), (1, 1));
        let error = connection.send(http::Method::GET, "no path", Vec::new(), Vec::new()).await.unwrap_err();
        assert!(matches!(error, NetError::Address { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_connection_the_server_closed_is_told_as_such() {
        let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let server = Server::saying(None, bytes).await;
        let network = Pki::new().network(&[]);
        let stream = network.tcp(&server.target()).await.unwrap();
        let mut connection = Connection::over(&network, stream, server.target().to_string()).await.unwrap();
        assert_eq!(
            connection.send(http::Method::GET, "/", Vec::new(), Vec::new()).await.unwrap().status,
            200
        );
        for _ in 0..2 {
            let error = connection.send(http::Method::GET, "/", Vec::new(), Vec::new()).await.unwrap_err();
            assert!(matches!(error, NetError::Closed { .. }) && error.is_transient(), "{error}");
        }
    }

    #[tokio::test]
    async fn refuses_what_is_not_a_bounded_http_answer() {
        let pki = Pki::new();
        let network = pki.network(&[]);
        let large =
            Server::http(Some(pki.server()), |_| http::Response::new(Full::from(vec![b'x'; LIMIT + 1])))
                .await;
        let whole =
            Server::http(Some(pki.server()), |_| http::Response::new(Full::from(vec![b'x'; LIMIT]))).await;
        let ssh = Server::saying(Some(pki.server()), b"SSH-2.0-OpenSSH_9.2\r\n").await;
        let cut =
            Server::saying(Some(pki.server()), b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc").await;
        let silent = Server::saying(Some(pki.server()), b"").await;
        let error = async |server: &Server| {
            send(&network, get(&format!("https://{}", server.target()))).await.unwrap_err()
        };
        assert!(matches!(error(&large).await, NetError::TooLarge { limit: LIMIT, .. }));
        assert!(matches!(error(&ssh).await, NetError::Http { .. }));
        assert!(matches!(error(&cut).await, NetError::Closed { .. }));
        assert!(matches!(error(&silent).await, NetError::Closed { .. }));
        assert_eq!(
            send(&network, get(&format!("https://{}", whole.target()))).await.unwrap().body.len(),
            LIMIT
        );
    }

    #[tokio::test]
    async fn waits_no_longer_than_its_limit() {
        let server = Server::start(None, |stream| async move {
            let _stream = stream;
            std::future::pending::<()>().await;
        })
        .await;
        let network = Pki::new().network(&[]);
        let url = format!("http://{}/", server.target());
        let error = send_limited(&network, get(&url), Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(error, NetError::Timeout { .. }) && error.is_transient(), "{error}");
        let env = crate::env::Env::of([("", ""); 0], "/");
        let short = Deadline::after(Duration::from_millis(50));
        let network =
            Network::new(&env, &crate::net::Options::default(), short, crate::log::Log::silent()).unwrap();
        let error = send(&network, get(&url)).await.unwrap_err();
        assert!(matches!(error, NetError::Deadline { .. }) && !error.is_transient(), "{error}");
        assert!(error.hint().unwrap().contains("--timeout"));
    }
}
