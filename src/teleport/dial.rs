//! How to reach the services behind a proxy's one port: by ALPN (TLS routing), or, through a load balancer that
//! terminates TLS, by upgrading a connection. What worked once is used for the rest of the run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::task::JoinHandle;

use super::ClusterError;
use super::error::ConnectionError;
use super::grpc::Channel;
use super::upgrade::upgrade;
use crate::net::tls::{ClientIdentity, TlsSpec, TlsStream, Trust};
use crate::net::{HostPort, NetError, Network, Stream};
use crate::text::{hex, safe};

/// Public gRPC of the proxy: the join service (gravitational/teleport `lib/srv/alpnproxy/common/protocols.go`).
pub const ALPN_PROXY_GRPC: &str = "teleport-proxy-grpc";
/// gRPC of the proxy for ssh under mutual TLS (same file).
pub const ALPN_PROXY_SSH_GRPC: &str = "teleport-proxy-ssh-grpc";
/// The name in the certificates of the cluster's own TLS servers.
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
        /// The root cluster's name.
        cluster: String,
        /// CAs to trust, DER.
        authorities: Vec<Vec<u8>>,
        /// The client's certificate and key.
        client: ClientIdentity,
    },
    /// ssh through the proxy, for that client.
    ProxySsh {
        /// CAs to trust, DER.
        authorities: Vec<Vec<u8>>,
        /// The client's certificate and key.
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

    /// What is offered in ALPN. The join service's protocol is offered alone: proxies (13.1 and 15 tried) agree on it, what speaks
    /// HTTP/2 before them does not, so the handshake alone tells the two apart. The proxy refuses the others without `h2`
    /// behind them (`no_application_protocol`), and agrees on that.
    fn alpn(&self, endpoint: &Endpoint) -> Vec<Vec<u8>> {
        match endpoint {
            Endpoint::Proxy(_) if matches!(self, Self::ProxyGrpc) => vec![self.own_alpn().into_bytes()],
            Endpoint::Proxy(_) => vec![self.own_alpn().into_bytes(), H2.to_vec()],
            Endpoint::Auth { .. } => vec![H2.to_vec()],
        }
    }

    fn own_alpn(&self) -> String {
        match self {
            Self::ProxyGrpc => ALPN_PROXY_GRPC.to_owned(),
            Self::Auth { cluster, .. } => alpn_auth(cluster),
            Self::ProxySsh { .. } => ALPN_PROXY_SSH_GRPC.to_owned(),
        }
    }

    fn spec(&self, endpoint: &Endpoint) -> TlsSpec {
        let (server_name, trust, client) = match (self, endpoint) {
            (Self::ProxyGrpc, Endpoint::Proxy(proxy)) => (proxy.host.clone(), Trust::Web, None),
            (Self::ProxyGrpc, Endpoint::Auth { trust, .. }) => {
                (CLUSTER_SERVER_NAME.to_owned(), trust.clone(), None)
            }
            (Self::Auth { authorities, client, .. } | Self::ProxySsh { authorities, client }, _) => {
                (CLUSTER_SERVER_NAME.to_owned(), Trust::Only(authorities.clone()), Some(client.clone()))
            }
        };
        TlsSpec {
            peer: endpoint.address().to_string(),
            server_name,
            alpn: self.alpn(endpoint),
            trust,
            client,
        }
    }
}

/// A TCP connection that is being established before it is needed.
pub struct PendingConnection(JoinHandle<Result<Stream, NetError>>);

impl Drop for PendingConnection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The route to the services behind the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Route {
    /// Not known yet.
    Unknown = 0,
    /// ALPN reaches the proxy.
    Direct = 1,
    /// Something before the proxy terminates TLS: through upgraded connections.
    Upgraded = 2,
}

/// Where a cluster is entered.
#[derive(Clone)]
pub enum Endpoint {
    /// The proxy's web address: everything is behind its one port.
    Proxy(HostPort),
    /// The auth service itself, where its port is reachable: no web page, no ssh.
    Auth {
        /// Usually port 3025.
        address: HostPort,
        /// How it is verified before the join gives the cluster's CAs.
        trust: Trust,
    },
}

impl Endpoint {
    /// Whether it is a proxy, which has a web page.
    pub fn is_proxy(&self) -> bool {
        matches!(self, Self::Proxy(_))
    }

    /// The address of all connections.
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
    endpoint: Endpoint,
    route: Arc<AtomicU8>,
}

impl Dialer {
    /// Nothing is opened yet.
    pub fn new(network: Network, endpoint: Endpoint) -> Self {
        let route = match endpoint {
            Endpoint::Proxy(_) => Route::Unknown,
            Endpoint::Auth { .. } => Route::Direct,
        };
        Self { network, endpoint, route: Arc::new(AtomicU8::new(route as u8)) }
    }

    /// The same over that network; what was learnt of the route stays.
    pub(super) fn over(&self, network: Network) -> Self {
        Self { network, ..self.clone() }
    }

    /// What the connections so far have shown.
    pub(super) fn route(&self) -> Route {
        match self.route.load(Ordering::Relaxed) {
            1 => Route::Direct,
            2 => Route::Upgraded,
            _ => Route::Unknown,
        }
    }

    /// Starts a TCP connection now, for a later [`Dialer::connect`].
    pub fn start(&self) -> PendingConnection {
        let (network, address) = (self.network.clone(), self.endpoint.address().clone());
        PendingConnection(tokio::spawn(async move { network.tcp(&address).await }))
    }

    fn found(&self, route: Route) {
        self.route.store(route as u8, Ordering::Relaxed);
        let how = match route {
            Route::Unknown => return,
            Route::Direct => "by ALPN (TLS routing)",
            Route::Upgraded => "by connection upgrades: something before the proxy terminates TLS",
        };
        self.network.log().detail(format!("{}: its services are reached {how}", self.endpoint.address()));
    }

    /// A gRPC connection to a service, over `pending` if there is one. The first connection doubles as the probe: when its ALPN is
    /// lost on the way (another protocol agreed, another certificate, no handshake at all), something before the proxy
    /// terminates TLS, and this and all later connections are upgraded.
    pub async fn connect(
        &self,
        pending: Option<PendingConnection>,
        service: &Service,
    ) -> Result<Channel, ClusterError> {
        let stream = match self.route() {
            Route::Direct => self.direct(pending, service).await.map_err(|e| unreachable(service, e))?,
            Route::Upgraded => self.upgraded(pending, service).await?,
            Route::Unknown => match self.direct(pending, service).await {
                Ok(stream) => {
                    self.found(Route::Direct);
                    stream
                }
                Err(error) if may_be_a_balancer(&error) => {
                    let log = self.network.log();
                    let service_name = service.name();
                    log.detail(format!(
                        "{service_name} is not reached by ALPN ({error}): upgrading a connection"
                    ));
                    let stream = self.upgraded(None, service).await.map_err(|upgrade| match upgrade {
                        ClusterError::Connection(ConnectionError::NotTeleport { peer, found }) => {
                            let direct = error.to_string();
                            ConnectionError::NoRoute { peer, direct, upgrade: found }.into()
                        }
                        other => other,
                    })?;
                    self.found(Route::Upgraded);
                    stream
                }
                Err(error) => return Err(unreachable(service, error)),
            },
        };
        Channel::over(stream, &self.endpoint.address().to_string(), self.network.deadline()).await
    }

    async fn direct(
        &self,
        pending: Option<PendingConnection>,
        service: &Service,
    ) -> Result<Stream, NetError> {
        let waited = pending.is_some();
        let spec = service.spec(&self.endpoint);
        let tls = match self.network.tls(self.tcp(pending).await?, &spec).await {
            // What was opened long before it was needed may have been closed as idle.
            Err(NetError::Closed { .. }) if waited => self.network.tls(self.tcp(None).await?, &spec).await?,
            other => other?,
        };
        let TlsStream { stream, alpn, .. } = tls;
        if alpn.as_ref().is_some_and(|agreed| spec.alpn.contains(agreed)) {
            return Ok(stream);
        }
        let agreed = alpn.map_or("none".into(), |a| safe(&String::from_utf8_lossy(&a), 100));
        Err(NetError::Tls {
            peer: self.endpoint.address().to_string(),
            reason: format!("the protocol agreed on is {agreed}"),
        })
    }

    async fn upgraded(
        &self,
        pending: Option<PendingConnection>,
        service: &Service,
    ) -> Result<Stream, ClusterError> {
        let tcp = self.tcp(pending).await.map_err(|e| unreachable(service, e))?;
        let tunnel = upgrade(&self.network, tcp, self.endpoint.address()).await?;
        let mut spec = service.spec(&self.endpoint);
        if matches!(service, Service::ProxyGrpc) {
            // In here the proxy shows a certificate of the cluster's host CA, which nobody knows before the join. The TLS around it is
            // verified, and whoever terminates that is trusted as the proxy's own web certificate is elsewhere.
            spec.trust = Trust::Blindly;
        }
        let tls = self.network.tls(tunnel, &spec).await;
        tls.map(|tls| tls.stream).map_err(|e| unreachable(service, e))
    }

    async fn tcp(&self, pending: Option<PendingConnection>) -> Result<Stream, NetError> {
        if let Some(mut pending) = pending
            && let Ok(result) = (&mut pending.0).await
        {
            return result;
        }
        self.network.tcp(self.endpoint.address()).await
    }
}

fn unreachable(service: &Service, source: NetError) -> ClusterError {
    ConnectionError::Net { service: Some(service.name()), source }.into()
}

/// EOF, reset, missing ALPN and a foreign certificate on the first connection all mean: try the upgrade.
fn may_be_a_balancer(error: &NetError) -> bool {
    matches!(error, NetError::Tls { .. } | NetError::Closed { .. } | NetError::Certificate { .. })
}

#[cfg(test)]
mod tests;
