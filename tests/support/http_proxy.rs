//! An HTTP proxy of a CI network: CONNECT, with or without a password, plain or over TLS. It alone knows the names it is given.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::background::Background;
use super::web_certificate::WebCertificate;

/// Its behaviour.
#[derive(Default)]
pub struct HttpProxyOptions<'a> {
    /// `HOST:PORT` → where that is. All else is answered 502.
    pub names: BTreeMap<String, SocketAddr>,
    /// `USER:PASSWORD`.
    pub credentials: Option<&'a str>,
    /// Speak TLS to the client.
    pub certificate: Option<&'a WebCertificate>,
}

pub struct HttpProxy {
    background: Background,
    asked: Arc<Mutex<Vec<String>>>,
}

impl HttpProxy {
    pub fn start(options: HttpProxyOptions<'_>) -> Self {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let proxy = Arc::new(Proxy {
            names: options.names,
            wanted: options.credentials.map(|c| {
                format!("proxy-authorization: basic {}", base64::engine::general_purpose::STANDARD.encode(c))
            }),
            asked: Arc::clone(&asked),
        });
        let tls = options.certificate.map(|c| TlsAcceptor::from(c.server(&["http/1.1"])));
        let background = Background::serve(move |tcp| {
            let (proxy, tls) = (Arc::clone(&proxy), tls.clone());
            async move {
                match tls {
                    None => proxy.connection(tcp).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(tcp).await {
                            proxy.connection(stream).await;
                        }
                    }
                }
            }
        });
        Self { background, asked }
    }

    pub fn address(&self) -> SocketAddr {
        self.background.address
    }

    /// The targets asked for, in order, whatever the answer was.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

struct Proxy {
    names: BTreeMap<String, SocketAddr>,
    /// A line of the head; the header's name and the scheme in lower case.
    wanted: Option<String>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn connection(&self, mut client: impl AsyncRead + AsyncWrite + Unpin) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && head.len() < 8192 {
            let Ok(byte) = client.read_u8().await else { return };
            if head.is_empty() && byte != b'C' {
                let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
                return;
            }
            head.push(byte);
        }
        let head = String::from_utf8(head).unwrap();
        let target = head.strip_prefix("CONNECT ").and_then(|r| r.split(' ').next()).unwrap_or_default();
        self.asked.lock().unwrap().push(target.to_owned());
        let allowed = self.wanted.as_ref().is_none_or(|wanted| {
            head.lines()
                .filter_map(|l| l.split_once(": Basic ").or_else(|| l.split_once(": basic ")))
                .any(|(name, value)| *wanted == format!("{}: basic {value}", name.to_ascii_lowercase()))
        });
        let no = match (allowed, self.names.get(target)) {
            (false, _) => "407 Proxy Authentication Required\r\nProxy-Authenticate: Basic",
            (true, None) => "502 Bad Gateway",
            (true, Some(address)) => {
                let mut server = TcpStream::connect(address).await.unwrap();
                server.set_nodelay(true).unwrap();
                let _ = client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                return;
            }
        };
        let _ = client.write_all(format!("HTTP/1.1 {no}\r\nContent-Length: 0\r\n\r\n").as_bytes()).await;
    }
}
