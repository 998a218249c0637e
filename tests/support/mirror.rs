//! A web server with the files of a release, which keeps to HTTP/1.1 except where a test wants otherwise.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use super::background::Background;
use super::web_certificate::WebCertificate;

/// What a path gives.
#[derive(Clone)]
pub enum Served {
    /// Status and body.
    Page(u16, Vec<u8>),
    /// Half of the body whose length was announced.
    Half(Vec<u8>),
    /// Half of a body of unknown length.
    HalfUnannounced(Vec<u8>),
    /// Another address.
    Redirect(String),
    /// Nothing, for as long as the client waits.
    Silence,
}

pub struct Mirror {
    background: Background,
    scheme: &'static str,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Mirror {
    /// Over TLS with a certificate, plain without.
    pub fn start(certificate: Option<&WebCertificate>, files: BTreeMap<String, Served>) -> Self {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let tls = certificate.map(|c| TlsAcceptor::from(c.server(&["http/1.1"])));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (keep, files) = (Arc::clone(&asked), Arc::new(files));
        let background = Background::serve(move |tcp| {
            let (keep, files, tls) = (Arc::clone(&keep), Arc::clone(&files), tls.clone());
            async move {
                match tls {
                    None => connection(tcp, &files, &keep).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(tcp).await {
                            connection(stream, &files, &keep).await;
                        }
                    }
                }
            }
        });
        Self { background, scheme, asked }
    }

    pub fn address(&self) -> SocketAddr {
        self.background.address
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address())
    }

    /// The heads of the requests, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn connection(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    files: &BTreeMap<String, Served>,
    asked: &Mutex<Vec<String>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16_384 {
        let Ok(byte) = client.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
    asked.lock().unwrap().push(head.clone());
    let missing = Served::Page(404, b"<html>not here</html>".to_vec());
    let page = |status: u16, more: &str, length: usize| {
        format!("HTTP/1.1 {status} X\r\nConnection: close\r\n{more}Content-Length: {length}\r\n\r\n")
            .into_bytes()
    };
    let asks_for_password =
        head.contains("/private/") && !head.to_lowercase().contains("authorization: basic");
    let answer = match files.get(path.trim_start_matches("private/")).unwrap_or(&missing) {
        _ if asks_for_password => page(401, "WWW-Authenticate: Basic realm=\"mirror\"\r\n", 0),
        Served::Page(status, body) => [page(*status, "", body.len()), body.clone()].concat(),
        Served::Half(body) => [&page(200, "", body.len())[..], &body[..body.len() / 2]].concat(),
        Served::HalfUnannounced(body) => {
            [b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n", &body[..body.len() / 2]].concat()
        }
        Served::Redirect(to) => page(302, &format!("Location: {to}\r\n"), 0),
        Served::Silence => {
            // Until the client goes.
            let _ = client.read_u8().await;
            asked.lock().unwrap().push("gone".to_owned());
            return;
        }
    };
    let _ = client.write_all(&answer).await;
    let _ = client.shutdown().await;
}
