//! How to reach the services behind a proxy's one port: by ALPN (TLS routing), or through a balancer that ends TLS by
//! upgrading a connection. What worked once is used for the rest of the run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::task::JoinHandle;

use super::ClusterError;
use super::grpc::Channel;
use super::upgrade::upgrade;
use crate::net::tls::{ClientIdentity, TlsSpec, TlsStream, Trust};
use crate::net::{HostPort, NetError, Network, Stream};
use crate::span::hex;

/// Public gRPC of the proxy (join service), Teleport `api/utils/../constants`: `teleport-proxy-grpc`.
pub const ALPN_PROXY_GRPC: &str = "teleport-proxy-grpc";
/// gRPC of the proxy for ssh under mutual TLS.
pub const ALPN_PROXY_SSH_GRPC: &str = "teleport-proxy-ssh-grpc";
/// The name the cluster's own TLS servers carry in their certificates.
pub const CLUSTER_SERVER_NAME: &str = "teleport.cluster.local";
/// HTTP/2, as gRPC offers it.
pub(super) const H2: &[u8] = b"h2";

/// The protocol that reaches the auth service of a cluster: `teleport-auth@HEX.teleport.cluster.local`.
pub fn alpn_auth(cluster: &str) -> String {
    let hex = hex(cluster.as_bytes());
    format!("teleport-auth@{hex}.{CLUSTER_SERVER_NAME}")
}

/// A service behind the proxy.
#[derive(Clone)]
pub enum Service {
    /// The proxy's own gRPC, under its web certificate.
    ProxyGrpc,
    /// The auth service of that cluster, under the cluster's host CA, for that client.
    Auth {
        /// Name of the cluster.
        cluster: String,
        /// CAs to trust, DER.
        authorities: Vec<Vec<u8>>,
        /// Whom we are.
        client: ClientIdentity,
    },
    /// ssh through the proxy.
    ProxySsh {
        /// CAs to trust, DER.
        authorities: Vec<Vec<u8>>,
        /// Whom we are.
        client: ClientIdentity,
    },
}

impl Service {
    fn name(&self) -> &'static str {
        match self {
            Self::ProxyGrpc => "the proxy's join service",
            Self::Auth { .. } => "the auth service",
            Self::ProxySsh { .. } => "the proxy's ssh service",
        }
    }

    /// What is offered, ours first. `h2` must follow: the proxy agrees on it for the auth service, and refuses a list without it.
    fn alpn(&self, entry: &Entry) -> Vec<Vec<u8>> {
        match entry {
            Entry::Proxy(_) => vec![self.own_alpn().into_bytes(), H2.to_vec()],
            Entry::Auth { .. } => vec![H2.to_vec()],
        }
    }

    fn own_alpn(&self) -> String {
        match self {
            Self::ProxyGrpc => ALPN_PROXY_GRPC.to_owned(),
            Self::Auth { cluster, .. } => alpn_auth(cluster),
            Self::ProxySsh { .. } => ALPN_PROXY_SSH_GRPC.to_owned(),
        }
    }

    fn spec(&self, entry: &Entry) -> TlsSpec {
        let (server_name, trust, client) = match (self, entry) {
            (Self::ProxyGrpc, Entry::Proxy(proxy)) => (proxy.host.clone(), Trust::Web, None),
            (Self::ProxyGrpc, Entry::Auth { trust, .. }) => {
                (CLUSTER_SERVER_NAME.to_owned(), trust.clone(), None)
            }
            (Self::Auth { authorities, client, .. } | Self::ProxySsh { authorities, client }, _) => {
                (CLUSTER_SERVER_NAME.to_owned(), Trust::Only(authorities.clone()), Some(client.clone()))
            }
        };
        TlsSpec { peer: entry.address().to_string(), server_name, alpn: self.alpn(entry), trust, client }
    }
}

/// A TCP connection under way, begun before it is needed.
pub struct Early(JoinHandle<Result<Stream, NetError>>);

impl Drop for Early {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The way to the proxy's services that was seen to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Path {
    /// Nothing is known yet.
    Unknown = 0,
    /// ALPN reaches the proxy.
    Direct = 1,
    /// Something before the proxy ends TLS.
    Upgrade = 2,
}

/// Where a cluster is entered.
#[derive(Clone)]
pub enum Entry {
    /// The proxy's web address: everything is behind its one port.
    Proxy(HostPort),
    /// The auth service itself, where its port is reachable: no web page, no ssh.
    Auth {
        /// Usually port 3025.
        address: HostPort,
        /// How it is known before the join gives the cluster's CAs.
        trust: Trust,
    },
}

impl Entry {
    /// The address all connections go to.
    pub fn address(&self) -> &HostPort {
        match self {
            Self::Proxy(address) | Self::Auth { address, .. } => address,
        }
    }
}

/// Opens connections to one cluster.
#[derive(Clone)]
pub struct Dialer {
    network: Network,
    entry: Entry,
    path: Arc<AtomicU8>,
}

impl Dialer {
    /// Nothing is opened yet.
    pub fn new(network: Network, entry: Entry) -> Self {
        let path = match entry {
            Entry::Proxy(_) => Path::Unknown,
            Entry::Auth { .. } => Path::Direct,
        };
        Self { network, entry, path: Arc::new(AtomicU8::new(path as u8)) }
    }

    /// What is known of the way.
    pub fn path(&self) -> Path {
        match self.path.load(Ordering::Relaxed) {
            1 => Path::Direct,
            2 => Path::Upgrade,
            _ => Path::Unknown,
        }
    }

    /// Begins a TCP connection now.
    pub fn early(&self) -> Early {
        let (network, address) = (self.network.clone(), self.entry.address().clone());
        Early(tokio::spawn(async move { network.tcp(&address).await }))
    }

    /// Goes on as if this way worked.
    pub fn assume(&self, path: Path) {
        self.path.store(path as u8, Ordering::Relaxed);
    }

    /// Remembers what was seen to work.
    pub fn found(&self, path: Path) {
        self.assume(path);
        let way = match path {
            Path::Unknown => return,
            Path::Direct => "by ALPN (TLS routing)",
            Path::Upgrade => "by connection upgrades: something before the proxy ends TLS",
        };
        self.network.log().detail(format!("{}: its services are reached {way}", self.entry.address()));
    }

    /// A gRPC connection to a service, over `early` if there is one. The first connection doubles as the probe: when its ALPN is lost on the way (another
    /// protocol agreed, another certificate, no handshake at all), something before the proxy ends TLS, and the rest goes through an upgrade.
    pub async fn connect(&self, early: Option<Early>, service: &Service) -> Result<Channel, ClusterError> {
        let stream = match self.path() {
            Path::Direct => self.direct(early, service).await.map_err(|e| self.failed(service, e))?,
            Path::Upgrade => self.upgraded(early, service).await?,
            Path::Unknown => match self.direct(early, service).await {
                Ok(stream) => {
                    // The proxy's own service may agree on a plain `h2`, as any web server would: only an answer tells.
                    if !matches!(service, Service::ProxyGrpc) {
                        self.found(Path::Direct);
                    }
                    stream
                }
                Err(error) if may_be_a_balancer(&error) => {
                    let why = format!(
                        "{} is not reached by ALPN ({error}): upgrading a connection",
                        service.name()
                    );
                    self.network.log().detail(why);
                    match self.upgraded(None, service).await {
                        Ok(stream) => {
                            self.found(Path::Upgrade);
                            stream
                        }
                        Err(ClusterError::NotTeleport { peer, found }) => {
                            let direct = error.to_string();
                            return Err(ClusterError::NoWay { peer, direct, upgrade: found });
                        }
                        Err(other) => return Err(other),
                    }
                }
                Err(error) => return Err(self.failed(service, error)),
            },
        };
        Channel::over(stream, &self.entry.address().to_string(), self.network.deadline()).await
    }

    async fn direct(&self, early: Option<Early>, service: &Service) -> Result<Stream, NetError> {
        let waited = early.is_some();
        let spec = service.spec(&self.entry);
        let tls = match self.network.tls(self.tcp(early).await?, &spec).await {
            // What was opened long before it was needed may have been closed as idle.
            Err(NetError::Closed { .. }) if waited => self.network.tls(self.tcp(None).await?, &spec).await?,
            other => other?,
        };
        let TlsStream { stream, alpn, .. } = tls;
        // A server that prefers `h2` in a list still routes by what was offered beside it.
        if alpn.as_deref() == Some(H2) || alpn.as_deref() == Some(service.own_alpn().as_bytes()) {
            return Ok(stream);
        }
        let agreed = alpn.map_or("none".into(), |a| super::fault::plain(&String::from_utf8_lossy(&a)));
        Err(NetError::Tls {
            peer: self.entry.address().to_string(),
            reason: format!("the protocol agreed on is {agreed}"),
        })
    }

    async fn upgraded(&self, early: Option<Early>, service: &Service) -> Result<Stream, ClusterError> {
        let tcp = self.tcp(early).await.map_err(|e| self.failed(service, e))?;
        let tunnel = upgrade(&self.network, tcp, self.entry.address()).await?;
        let mut spec = service.spec(&self.entry);
        if matches!(service, Service::ProxyGrpc) {
            // In here the proxy shows a certificate of the cluster's host CA, which nobody knows before the join. The TLS around it is verified,
            // and whoever ends that is trusted as the proxy's own web certificate is elsewhere.
            spec.trust = Trust::Blindly;
        }
        let tls = self.network.tls(tunnel, &spec).await;
        tls.map(|tls| tls.stream).map_err(|e| self.failed(service, e))
    }

    fn failed(&self, service: &Service, source: NetError) -> ClusterError {
        ClusterError::Net {
            doing: format!("reaching {} at {}", service.name(), self.entry.address()),
            source,
        }
    }

    async fn tcp(&self, early: Option<Early>) -> Result<Stream, NetError> {
        if let Some(mut early) = early
            && let Ok(result) = (&mut early.0).await
        {
            return result;
        }
        self.network.tcp(self.entry.address()).await
    }
}

/// EOF, reset, missing ALPN and a foreign certificate on the first connection all mean: try the upgrade.
fn may_be_a_balancer(error: &NetError) -> bool {
    matches!(error, NetError::Tls { .. } | NetError::Closed { .. } | NetError::Certificate { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_auth_service_in_hex() {
        assert_eq!(alpn_auth("lab.example"), "teleport-auth@6c61622e6578616d706c65.teleport.cluster.local");
    }
}
