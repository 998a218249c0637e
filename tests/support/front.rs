//! A balancer in front of a proxy that terminates TLS: it answers ping and, if asked to, passes upgraded connections on.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A running balancer; stops when dropped.
pub struct Front {
    pub address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Front {
    /// `behind`: where upgraded connections go (`None`: to itself). Its clock is `skew` seconds ahead.
    pub fn start(cert: &str, key: &str, behind: Option<SocketAddr>, upgrades: bool, skew: i64) -> Self {
        let chain = vec![CertificateDer::from_pem_file(cert).unwrap()];
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let builder = ServerConfig::builder_with_provider(jobpass::net::tls::provider());
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let mut config = builder.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (started, wait) = mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let own = listener.local_addr().unwrap();
                started.send(own).unwrap();
                let accept = async {
                    while let Ok((tcp, _)) = listener.accept().await {
                        tokio::spawn(serve(acceptor.clone(), tcp, behind.unwrap_or(own), upgrades, skew));
                    }
                };
                tokio::select! { () = accept => {}, _ = stopped => {} }
            });
        });
        Self { address: wait.recv().unwrap(), stop: Some(stop) }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}

async fn serve(acceptor: TlsAcceptor, tcp: TcpStream, behind: SocketAddr, upgrades: bool, skew: i64) {
    let Ok(mut tls) = acceptor.accept(tcp).await else { return };
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match tls.read_u8().await {
                Ok(byte) if head.len() < 16_384 => head.push(byte),
                _ => return,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        if head.starts_with("GET /webapi/connectionupgrade ") && upgrades {
            let switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: alpn\r\nConnection: Upgrade\r\n\r\n";
            tls.write_all(switch).await.unwrap();
            let mut far = TcpStream::connect(behind).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut tls, &mut far).await;
            return;
        }
        let (status, body) = if head.starts_with("GET /webapi/ping ") {
            let page = serde_json::json!({
                "proxy": {"tls_routing_enabled": true}, "server_version": "18.2.0", "cluster_name": "sandbox.example",
            });
            ("200 OK", page.to_string())
        } else {
            ("404 Not Found", String::new())
        };
        let now = jobpass::env::now() + jiff::SignedDuration::from_secs(skew);
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap();
        let answer =
            format!("HTTP/1.1 {status}\r\nDate: {date}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        if tls.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
