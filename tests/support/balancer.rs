//! A load balancer that terminates TLS in front of a cluster: it knows HTTP, and none of Teleport's protocols.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio_rustls::{LazyConfigAcceptor, TlsConnector};

use super::background::Background;
use super::web_certificate::{WebCertificate, web_client};

/// What it does to a client that offers other protocols than `http/1.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The alert `no_application_protocol`.
    Alert,
    /// Closes without a word.
    Closes,
    /// Agrees on `h2` where that is offered, on nothing else, and keeps every call waiting, as those of the clouds do with
    /// gRPC that nobody behind them expects.
    Http2,
    /// Agrees on `h2` and answers an HTML page, status 404.
    Html,
    /// Agrees on no protocol.
    NoAlpn,
    /// Resets the connection.
    Resets,
}

pub struct Balancer {
    pub ca_pem: String,
    background: Background,
    counts: Arc<Counts>,
    detour: Arc<Mutex<Option<Detour>>>,
}

/// Where web connections go instead, from the one of that number on, counted from 0.
struct Detour {
    from: usize,
    target: SocketAddr,
    back: TlsConnector,
}

#[derive(Default)]
struct Counts {
    web: AtomicUsize,
    other: AtomicUsize,
    waiting: AtomicUsize,
}

impl Balancer {
    /// In front of the cluster at `target`, whose web certificate is of that CA.
    pub fn start(target: SocketAddr, target_ca_pem: &str, unknown: Unknown) -> Self {
        let certificate = WebCertificate::new("DNS:localhost,IP:127.0.0.1");
        let counts = Arc::new(Counts::default());
        let detour = Arc::<Mutex<Option<Detour>>>::default();
        let front = Arc::new(Front {
            target,
            unknown,
            web: certificate.server(&["http/1.1"]),
            without_alpn: certificate.server(&[]),
            other: certificate.server(match unknown {
                Unknown::NoAlpn => &[],
                Unknown::Http2 => &["h2"],
                Unknown::Html => &["h2", "http/1.1"],
                _ => &["http/1.1"],
            }),
            back: TlsConnector::from(web_client(target_ca_pem)),
            counts: Arc::clone(&counts),
            detour: Arc::clone(&detour),
        });
        let background = Background::serve(move |tcp| {
            let front = Arc::clone(&front);
            async move { front.connection(tcp).await }
        });
        Self { ca_pem: certificate.ca_pem, background, counts, detour }
    }

    /// Leads web connections to another cluster, from the one of that number on, counted from 0.
    pub fn detour(&self, from: usize, target: SocketAddr, target_ca_pem: &str) {
        let back = TlsConnector::from(web_client(target_ca_pem));
        *self.detour.lock().unwrap() = Some(Detour { from, target, back });
    }

    pub fn address(&self) -> SocketAddr {
        self.background.address
    }

    /// Calls that were sent over `h2` and wait for an answer that never comes.
    pub fn waiting(&self) -> usize {
        self.counts.waiting.load(Ordering::SeqCst)
    }

    /// Connections that offered `http/1.1` alone, and all others.
    pub fn connections(&self) -> (usize, usize) {
        (self.counts.web.load(Ordering::SeqCst), self.counts.other.load(Ordering::SeqCst))
    }
}

struct Front {
    without_alpn: Arc<ServerConfig>,
    target: SocketAddr,
    unknown: Unknown,
    web: Arc<ServerConfig>,
    other: Arc<ServerConfig>,
    back: TlsConnector,
    counts: Arc<Counts>,
    detour: Arc<Mutex<Option<Detour>>>,
}

impl Front {
    async fn connection(&self, mut tcp: TcpStream) {
        let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), &mut tcp);
        let Ok(start) = start.await else { return };
        let offered: Vec<_> = start.client_hello().alpn().into_iter().flatten().map(<[u8]>::to_vec).collect();
        if offered == [b"http/1.1"] {
            let number = self.counts.web.fetch_add(1, Ordering::SeqCst);
            let Ok(mut client) = start.into_stream(Arc::clone(&self.web)).await else { return };
            let (target, back) = match &*self.detour.lock().unwrap() {
                Some(detour) if number >= detour.from => (detour.target, detour.back.clone()),
                _ => (self.target, self.back.clone()),
            };
            let tcp = TcpStream::connect(target).await.unwrap();
            tcp.set_nodelay(true).unwrap();
            let Ok(mut server) = back.connect(target.ip().into(), tcp).await else { return };
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            return;
        }
        self.counts.other.fetch_add(1, Ordering::SeqCst);
        match self.unknown {
            Unknown::Closes => {}
            Unknown::Resets => {
                drop(start);
                tcp.set_zero_linger().unwrap();
            }
            Unknown::Http2 => {
                let config =
                    if offered.iter().any(|p| p == b"h2") { &self.other } else { &self.without_alpn };
                let Ok(client) = start.into_stream(Arc::clone(config)).await else { return };
                let counts = Arc::clone(&self.counts);
                let keep = service_fn(move |_| {
                    counts.waiting.fetch_add(1, Ordering::SeqCst);
                    std::future::pending::<Result<http::Response<Full<bytes::Bytes>>, Infallible>>()
                });
                let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let _ = http.serve_connection(TokioIo::new(client), keep).await;
            }
            Unknown::Alert | Unknown::Html | Unknown::NoAlpn => {
                let Ok(client) = start.into_stream(Arc::clone(&self.other)).await else { return };
                let page = service_fn(|_| async {
                    let mut page = http::Response::new(Full::from("<html><body>no such page</body></html>"));
                    *page.status_mut() = http::StatusCode::NOT_FOUND;
                    page.headers_mut().insert("content-type", "text/html".parse().unwrap());
                    Ok::<http::Response<Full<bytes::Bytes>>, Infallible>(page)
                });
                let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let _ = http.serve_connection(TokioIo::new(client), page).await;
            }
        }
    }
}
