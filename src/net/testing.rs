//! For tests: a CA made with `openssl`, TLS and plain servers on loopback, an HTTP proxy.

use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::tls::provider;
use super::{Deadline, HostPort, Network, Options, Stream};
use crate::env::Env;
use crate::log::Log;

/// Certificates valid now.
pub(super) const VALID: (&str, &str) = ("20200101000000Z", "20490101000000Z");

/// A CA in a folder of its own.
pub(super) struct Pki {
    folder: tempfile::TempDir,
}

impl Pki {
    pub(super) fn new() -> Self {
        Self::named("Test Root")
    }

    pub(super) fn named(name: &str) -> Self {
        let pki = Self { folder: tempfile::tempdir().unwrap() };
        pki.write("index", "");
        pki.write(
            "ca.cnf",
            &format!(
                "[req]\ndistinguished_name=dn\nprompt=no\nx509_extensions=x\n[dn]\nCN={name}\n\
                 [x]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n"
            ),
        );
        pki.openssl("req -x509 -config ca.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2");
        pki
    }

    /// No CA, only a server certificate that is its own.
    pub(super) fn self_signed(san: &str, days: i32) -> Self {
        let pki = Self { folder: tempfile::tempdir().unwrap() };
        let text = "[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=self\n[x]\nbasicConstraints=critical,CA:TRUE\n";
        pki.write("ca.cnf", &format!("{text}subjectAltName={san}\n"));
        pki.openssl("req -new -config ca.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.csr");
        pki.openssl(&format!(
            "x509 -req -in ca.csr -signkey ca.key -days {days} -extfile ca.cnf -extensions x -out ca.pem"
        ));
        pki
    }

    /// Another certificate for the CA's key, with these extensions, signed by itself or by another CA.
    pub(super) fn reissue(
        &self,
        by: Option<&Pki>,
        extensions: &str,
    ) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let config = format!("[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=self\n[x]\n{extensions}");
        self.write("again.cnf", &config);
        self.openssl("req -new -config again.cnf -key ca.key -out again.csr");
        let signer = by.map_or("-signkey ca.key".to_owned(), |other| {
            format!("-CA {} -CAkey {}", other.path("ca.pem").display(), other.path("ca.key").display())
        });
        self.openssl(&format!(
            "x509 -req -in again.csr {signer} -days 2 -extfile again.cnf -extensions x -out again.pem"
        ));
        let certificate = CertificateDer::from_pem_file(self.path("again.pem")).unwrap();
        (vec![certificate], PrivateKeyDer::from_pem_file(self.path("ca.key")).unwrap())
    }

    /// Makes what `reissue` returned the CA that `network` trusts.
    pub(super) fn keep_as_ca(&self) {
        std::fs::copy(self.path("again.pem"), self.path("ca.pem")).unwrap();
    }

    pub(super) fn self_server(&self) -> ServerConfig {
        let key = PrivateKeyDer::from_pem_file(self.path("ca.key")).unwrap();
        self.server_of((vec![CertificateDer::from(self.ca_der())], key), false)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::File::create(self.path(name)).unwrap().write_all(text.as_bytes()).unwrap();
        self.path(name)
    }

    pub(super) fn ca_file(&self) -> PathBuf {
        self.path("ca.pem")
    }

    pub(super) fn ca_der(&self) -> Vec<u8> {
        CertificateDer::from_pem_file(self.ca_file()).unwrap().to_vec()
    }

    /// As `openssl` computes it.
    pub(super) fn pin(&self) -> [u8; 32] {
        self.openssl("x509 -in ca.pem -noout -pubkey -out ca.pub");
        self.openssl("pkey -pubin -in ca.pub -outform DER -out ca.pub.der");
        self.openssl("dgst -sha256 -binary -out ca.pin ca.pub.der");
        std::fs::read(self.path("ca.pin")).unwrap().try_into().unwrap()
    }

    /// A leaf with this `subjectAltName` and these dates, the CA behind it, and its key.
    pub(super) fn leaf(
        &self,
        san: &str,
        (from, until): (&str, &str),
    ) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        self.write(
            "leaf.cnf",
            &format!(
                "[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=leaf\n[x]\nbasicConstraints=CA:FALSE\n\
                 subjectAltName={san}\n[ca]\ndefault_ca=c\n[c]\ndatabase=index\nnew_certs_dir=.\nrand_serial=yes\n\
                 unique_subject=no\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
            ),
        );
        self.openssl("req -new -config leaf.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -out leaf.csr");
        self.openssl(&format!(
            "ca -batch -config leaf.cnf -cert ca.pem -keyfile ca.key -in leaf.csr -out leaf.pem -notext \
             -extensions x -startdate {from} -enddate {until}"
        ));
        let leaf = CertificateDer::from_pem_file(self.path("leaf.pem")).unwrap();
        let chain = vec![leaf, CertificateDer::from(self.ca_der())];
        (chain, PrivateKeyDer::from_pem_file(self.path("leaf.key")).unwrap())
    }

    /// A server whose certificate names localhost and 127.0.0.1.
    pub(super) fn server(&self) -> ServerConfig {
        self.server_of(self.leaf("DNS:localhost,IP:127.0.0.1", VALID), false)
    }

    pub(super) fn server_of(
        &self,
        (chain, key): (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>),
        wants_client: bool,
    ) -> ServerConfig {
        let builder =
            ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
        let builder = if wants_client {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from(self.ca_der())).unwrap();
            let verifier =
                rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
                    .build();
            builder.with_client_cert_verifier(verifier.unwrap())
        } else {
            builder.with_no_client_auth()
        };
        builder.with_single_cert(chain, key).unwrap()
    }

    /// A network that trusts this CA everywhere, among these variables.
    pub(super) fn network(&self, vars: &[(&str, &str)]) -> Network {
        self.network_with(vars, Log::silent())
    }

    pub(super) fn network_with(&self, vars: &[(&str, &str)], log: Log) -> Network {
        let file = self.ca_file();
        network(&[vars, &[("SSL_CERT_FILE", file.to_str().unwrap())]].concat(), None, log).unwrap()
    }

    fn openssl(&self, arguments: &str) {
        let done =
            Command::new("openssl").args(arguments.split_whitespace()).current_dir(&self.folder).output();
        let done = done.unwrap();
        assert!(done.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

pub(super) fn network(
    vars: &[(&str, &str)],
    ca_file: Option<&Path>,
    log: Log,
) -> Result<Network, super::NetError> {
    let options = Options { ca_file: ca_file.map(Path::to_owned), ca_pem: None };
    let env = Env::new(vars.iter().copied(), "/");
    Network::new(&env, &options, Deadline::after(Duration::from_secs(60)), log)
}

/// Answers with the request's method, path and these headers, `-` for each that is missing, and status 418.
pub(super) fn echo(
    headers: &[http::HeaderName],
) -> impl Fn(http::Request<hyper::body::Incoming>) -> http::Response<Full<Bytes>> + Clone + Send + Sync + 'static
{
    let headers = headers.to_vec();
    move |request| {
        let path = request.uri().path_and_query().map_or("", |p| p.as_str());
        let mut words = vec![request.method().as_str(), path];
        words.extend(
            headers.iter().map(|name| request.headers().get(name).map_or("-", |v| v.to_str().unwrap())),
        );
        http::Response::builder().status(418).body(Full::from(words.join(" "))).unwrap()
    }
}

/// A log and its lines.
pub(super) fn collected() -> (Log, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    (Log::new(move |_, line| sink.lock().unwrap().push(line.to_owned())), lines)
}

/// A server on a free loopback port; it ends with its owner.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Hands each connection to `handle`, after a TLS handshake if so configured.
    pub(super) async fn start<F, H>(tls: Option<ServerConfig>, handle: H) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
        H: Fn(Stream) -> F + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
        let (handle, accepted) = (Arc::new(handle), Arc::new(AtomicUsize::new(0)));
        let count = accepted.clone();
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (acceptor, handle) = (acceptor.clone(), handle.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => handle(Box::new(tcp)).await,
                        Some(acceptor) => {
                            if let Ok(tls) = acceptor.accept(tcp).await {
                                handle(Box::new(tls)).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, accepted, task }
    }

    /// Answers HTTP/1.1 requests.
    pub(super) async fn http(
        tls: Option<ServerConfig>,
        answer: impl Fn(http::Request<hyper::body::Incoming>) -> http::Response<Full<Bytes>>
        + Clone
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self::start(tls, move |stream| {
            let answer = answer.clone();
            async move {
                let service = service_fn(move |request| {
                    let answer = answer(request);
                    async move { Ok::<_, std::convert::Infallible>(answer) }
                });
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            }
        })
        .await
    }

    /// Sends these bytes once something was heard, then closes.
    pub(super) async fn saying(tls: Option<ServerConfig>, bytes: &'static [u8]) -> Self {
        Self::start(tls, move |mut stream| async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(bytes).await;
            let _ = stream.shutdown().await;
        })
        .await
    }

    /// A CONNECT proxy: keeps the heads it is sent, answers with this status line, and leads every target to `upstream`.
    pub(super) async fn proxy(
        tls: Option<ServerConfig>,
        status: &'static str,
        upstream: SocketAddr,
    ) -> (Self, Arc<Mutex<Vec<String>>>) {
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = heads.clone();
        let server = Self::start(tls, move |mut stream| {
            let heads = kept.clone();
            async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                heads.lock().unwrap().push(String::from_utf8(head).unwrap());
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
                if status.starts_with('2') {
                    let mut target = TcpStream::connect(upstream).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut target).await;
                }
            }
        });
        (server.await, heads)
    }

    pub(super) fn target(&self) -> HostPort {
        HostPort { host: "127.0.0.1".to_owned(), port: self.address.port() }
    }

    /// Connections so far.
    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
