//! The network: addresses, trust anchors, HTTP proxies, TLS, HTTP, one deadline. Knows nothing of Teleport or platforms.

pub mod address;
pub mod deadline;
mod dial;
pub mod error;
pub mod http;
pub mod proxy;
pub mod retry;
pub mod roots;
#[cfg(test)]
mod testing;
pub mod tls;
mod trust;
pub mod web_client;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};

pub use address::HostPort;
pub use deadline::Deadline;
pub use error::{CertificateFault, NetError};
pub use retry::{Retry, retry};

use crate::env::Env;
use crate::log::Log;

/// Any byte stream: TCP, TLS, a tunnel in either.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}
/// A byte stream, whatever carries it.
pub type Stream = Box<dyn Io>;

/// What the command line says about the network.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--ca-file`: trust only these roots for the cluster's web certificate. All other servers keep the system's.
    pub ca_file: Option<PathBuf>,
    /// Roots (PEM) of a cluster in this process, which plays the CI platform too: the only ones, for every server.
    pub ca_pem: Option<String>,
}

/// Roots, proxies and deadline of this run; clones share them.
#[derive(Clone)]
pub struct Network {
    inner: Arc<Inner>,
}

struct Inner {
    roots: roots::Roots,
    proxies: Arc<proxy::Proxies>,
    deadline: Deadline,
    log: Log,
    connections: AtomicUsize,
    cluster_config: OnceLock<ClientConfig>,
    system_config: OnceLock<ClientConfig>,
}

impl Network {
    /// Reads roots and proxies as options and environment have them. A broken `--ca-file` or proxy variable is an error that names it;
    /// so is a broken `SSL_CERT_FILE` or `SSL_CERT_DIR`, unless `--ca-file` leaves them to servers that may not be asked at all: then
    /// they are loaded on first use, as the system's own roots always are.
    pub fn new(env: &Env, options: &Options, deadline: Deadline, log: Log) -> Result<Self, NetError> {
        let roots = roots::Roots::new(env, options, &log)?;
        let proxies = Arc::new(proxy::Proxies::from_env(env)?);
        let (connections, cluster_config, system_config) =
            (AtomicUsize::new(0), OnceLock::new(), OnceLock::new());
        let inner = Inner { roots, proxies, deadline, log, connections, cluster_config, system_config };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The deadline of the whole run.
    pub fn deadline(&self) -> Deadline {
        self.inner.deadline
    }

    /// The log of this run.
    pub fn log(&self) -> &Log {
        &self.inner.log
    }

    /// Web roots for the cluster: `--ca-file`, else those of [`Network::system_roots_description`].
    pub fn web_roots(&self) -> Result<Arc<RootCertStore>, NetError> {
        Ok(self.cluster_roots()?.store.clone())
    }

    /// How many web roots there are for the cluster and where they come from: `145 of the system`.
    pub fn roots_description(&self) -> Result<String, NetError> {
        Ok(self.cluster_roots()?.description.clone())
    }

    /// The same for all other servers, which are not those of `--ca-file`: `SSL_CERT_FILE`/`_DIR`, else the system's, else the
    /// bundled Mozilla set. `None` when the cluster has the same.
    pub fn system_roots_description(&self) -> Option<Result<String, NetError>> {
        self.inner.roots.are_split().then(|| Ok(self.system_roots()?.description.clone()))
    }

    /// The HTTP proxy that leads to the target, without its credentials: `http://proxy.example.com:3128`.
    pub fn proxy_for(&self, target: &HostPort) -> Option<String> {
        self.inner.proxies.for_target(target).map(ToString::to_string)
    }

    /// The addresses of the target's name, in the order they are tried; within 10 s.
    pub async fn resolve(&self, target: &HostPort) -> Result<Vec<std::net::SocketAddr>, NetError> {
        dial::addresses(self, target, &target.to_string()).await.map(Vec::from)
    }

    /// TCP connections established so far.
    pub fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::Relaxed)
    }

    /// A TCP connection to the target, through the CI network's HTTP proxy where one applies (CONNECT; `https://` proxies too). Else
    /// tries all addresses of the name, IPv6 and IPv4 in turns (RFC 8305).
    pub async fn tcp(&self, target: &HostPort) -> Result<Stream, NetError> {
        let Some(proxy) = self.inner.proxies.for_target(target) else {
            return Ok(Box::new(dial::dial(self, target, &target.to_string()).await?));
        };
        self.log().detail(format!("connecting to {target} through the HTTP proxy {proxy}"));
        proxy.connect(self, target).await
    }

    /// A TLS handshake on a stream. `alpn` may be empty. Returns the stream and the protocol that was agreed.
    pub async fn tls(&self, stream: Stream, spec: &tls::TlsSpec) -> Result<tls::TlsStream, NetError> {
        tls::handshake(self, stream, spec).await
    }

    fn cluster_roots(&self) -> Result<&roots::Loaded, NetError> {
        self.inner.roots.cluster(self.log())
    }

    fn system_roots(&self) -> Result<&roots::Loaded, NetError> {
        self.inner.roots.system(self.log())
    }

    fn count_connection(&self) {
        self.inner.connections.fetch_add(1, Ordering::Relaxed);
    }

    fn proxies(&self) -> Arc<proxy::Proxies> {
        Arc::clone(&self.inner.proxies)
    }

    /// For the cluster's web certificate and no client certificate: built once, so that sessions are resumed.
    fn cluster_config(&self) -> Result<ClientConfig, NetError> {
        let new = || tls::web_config(self.cluster_roots()?, None);
        built_once(&self.inner.cluster_config, new)
    }

    /// The same for all other servers.
    fn system_config(&self) -> Result<ClientConfig, NetError> {
        let new = || tls::web_config(self.system_roots()?, None);
        built_once(&self.inner.system_config, new)
    }
}

fn built_once(
    place: &OnceLock<ClientConfig>,
    new: impl FnOnce() -> Result<ClientConfig, NetError>,
) -> Result<ClientConfig, NetError> {
    if let Some(config) = place.get() {
        return Ok(config.clone());
    }
    let config = new()?;
    Ok(place.get_or_init(|| config).clone())
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Network")
    }
}
