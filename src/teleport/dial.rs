//! How to reach the services behind a proxy's one port: by ALPN (TLS routing), or, through a load balancer that
//! terminates TLS, by upgrading a connection. What worked once is used for the rest of the run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::ClusterError;
use super::error::ConnectionError;
use super::grpc::Channel;
use super::parked::{Held, Open, Opened, Parked, Place};
use super::upgrade::upgrade;
use crate::net::held::Hello;
use crate::net::tls::{ClientIdentity, TlsSpec, TlsStream, Trust};
use crate::net::{Deadline, HostPort, NetError, Network, Stream};
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
    /// A server that is none of Teleport's own: the handshake at the proxy, and in a connection that was upgraded there.
    Behind {
        /// Where ALPN reaches the proxy.
        direct: Box<TlsSpec>,
        /// Where something before the proxy terminates TLS.
        upgraded: Box<TlsSpec>,
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
            Self::Behind { .. } => "the proxy",
            Self::ProxySsh { .. } => "the proxy's ssh service",
        }
    }

    /// What is offered in ALPN. The join service's protocol is offered alone: proxies (13.1 and 15 tried) agree on it, what speaks
    /// HTTP/2 before them does not, so the handshake alone tells the two apart. The proxy refuses the others without `h2`
    /// behind them (`no_application_protocol`), and agrees on that.
    fn alpn(&self, endpoint: &Endpoint) -> Vec<Vec<u8>> {
        let own = match (self, endpoint) {
            (Self::Behind { direct, .. }, _) => return direct.alpn.clone(),
            (_, Endpoint::Auth { .. }) => return vec![H2.to_vec()],
            (Self::ProxyGrpc, _) => return vec![ALPN_PROXY_GRPC.into()],
            (Self::Auth { cluster, .. }, _) => alpn_auth(cluster),
            (Self::ProxySsh { .. }, _) => ALPN_PROXY_SSH_GRPC.to_owned(),
        };
        vec![own.into_bytes(), H2.to_vec()]
    }

    fn spec(&self, endpoint: &Endpoint, is_upgraded: bool) -> TlsSpec {
        let (server_name, trust, client) = match (self, endpoint) {
            (Self::Behind { upgraded, .. }, _) if is_upgraded => return *upgraded.clone(),
            (Self::Behind { direct, .. }, _) => return *direct.clone(),
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
    parked: Arc<Parked>,
}

impl Dialer {
    /// Nothing is opened yet.
    pub fn new(network: Network, endpoint: Endpoint) -> Self {
        let route = match endpoint {
            Endpoint::Proxy(_) => Route::Unknown,
            Endpoint::Auth { .. } => Route::Direct,
        };
        let parked = Arc::new(Parked::new(network.clone(), endpoint.address().clone()));
        Self { network, endpoint, route: Arc::new(AtomicU8::new(route as u8)), parked }
    }

    /// What the connections so far have shown.
    pub(super) fn route(&self) -> Route {
        match self.route.load(Ordering::Relaxed) {
            1 => Route::Direct,
            2 => Route::Upgraded,
            _ => Route::Unknown,
        }
    }

    /// Opens so many connections for the auth service, which [`Dialer::connect`] takes later.
    pub fn open(&self, connections: usize) {
        self.parked.open(connections, self.route() == Route::Upgraded);
    }

    /// The auth service of that cluster is needed a round trip from now; whether its name is a guess.
    pub(super) fn park(&self, cluster: &str, is_guess: bool) {
        if self.route() != Route::Unknown {
            self.parked.hello(&self.hello(cluster), is_guess);
        }
    }

    /// What an identity's handshake with the auth service begins with, whoever it is.
    fn hello(&self, cluster: &str) -> Hello {
        let alpn = match self.endpoint {
            Endpoint::Proxy(_) => vec![alpn_auth(cluster).into_bytes(), H2.to_vec()],
            Endpoint::Auth { .. } => vec![H2.to_vec()],
        };
        let server_name = CLUSTER_SERVER_NAME.to_owned();
        Hello { peer: self.endpoint.address().to_string(), server_name, alpn }
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

    /// A gRPC connection to a service. The first connection doubles as the probe: when its ALPN is lost on the way (another protocol agreed,
    /// another certificate, no handshake at all), something before the proxy terminates TLS, and this and all later connections are upgraded.
    pub async fn connect(&self, service: &Service) -> Result<Channel, ClusterError> {
        let place = match service {
            Service::Auth { cluster, .. } => {
                self.parked.take(&self.hello(cluster), self.route() != Route::Unknown)
            }
            _ => None,
        };
        let stream = match place {
            Some(Place::Held(held)) => match self.finish(held, service).await {
                Ok(Some(stream)) => stream,
                Ok(None) => self.dial(None, service).await?,
                Err(error) => return Err(unreachable(service, error)),
            },
            Some(Place::Open(open)) => self.dial(Some(open), service).await?,
            None => self.dial(None, service).await?,
        };
        Channel::over(stream, &self.endpoint.address().to_string(), self.network.deadline()).await
    }

    /// A handshake that was begun ahead. `None`: it is gone, and another is to be dialled.
    async fn finish(&self, held: Held, service: &Service) -> Result<Option<Stream>, NetError> {
        let spec = service.spec(&self.endpoint, false);
        let finished = match held.taken().await {
            Some(held) => held.finish(&self.network, &spec).await,
            None => Err(NetError::Closed { peer: spec.peer.clone(), during: String::new() }),
        };
        match finished {
            Ok(tls) => agreed(tls, &spec).map(Some),
            Err(NetError::Closed { peer, .. }) => {
                self.network.log().detail(format!("{peer} closed a connection that was opened ahead"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The same under another deadline; what was learnt of the route stays.
    pub(super) fn under(&self, deadline: Deadline) -> Self {
        Self { network: self.network.under(deadline), ..self.clone() }
    }

    /// Bytes to and from a service, over what is open already if there is something.
    pub(super) async fn dial(&self, open: Option<Open>, service: &Service) -> Result<Stream, ClusterError> {
        match self.route() {
            Route::Direct => self.direct(open, service).await.map_err(|e| unreachable(service, e)),
            Route::Upgraded => self.upgraded(open, service).await,
            Route::Unknown => match self.direct(open, service).await {
                Ok(stream) => {
                    self.found(Route::Direct);
                    Ok(stream)
                }
                Err(error) if may_be_a_balancer(&error) => {
                    let log = self.network.log();
                    let service_name = service.name();
                    log.detail(format!(
                        "{service_name} is not reached by ALPN ({error}): upgrading a connection"
                    ));
                    self.parked.upgrade();
                    let upgraded = self.upgraded(self.parked.spare(), service).await;
                    let stream = upgraded.map_err(|upgrade| match upgrade {
                        ClusterError::Connection(ConnectionError::NotTeleport { peer, found }) => {
                            let direct = error.to_string();
                            ConnectionError::NoRoute { peer, direct, upgrade: found }.into()
                        }
                        other => other,
                    })?;
                    self.found(Route::Upgraded);
                    Ok(stream)
                }
                Err(error) => Err(unreachable(service, error)),
            },
        }
    }

    async fn direct(&self, open: Option<Open>, service: &Service) -> Result<Stream, NetError> {
        let spec = service.spec(&self.endpoint, false);
        let tcp = async || self.network.tcp(self.endpoint.address()).await;
        let ahead = match open {
            Some(open) => open.opened().await,
            None => None,
        };
        let tls = match ahead {
            Some(Ok(Opened::Tcp(stream))) => match self.network.tls(stream, &spec).await {
                // What was opened long before it was needed may have been closed as idle.
                Err(NetError::Closed { .. }) => self.network.tls(tcp().await?, &spec).await?,
                other => other?,
            },
            _ => self.network.tls(tcp().await?, &spec).await?,
        };
        agreed(tls, &spec)
    }

    async fn upgraded(&self, open: Option<Open>, service: &Service) -> Result<Stream, ClusterError> {
        let address = self.endpoint.address();
        let fresh = async || {
            let tcp = self.network.tcp(address).await.map_err(|e| unreachable(service, e))?;
            upgrade(&self.network, tcp, address).await
        };
        let ahead = match open {
            Some(open) => open.opened().await,
            None => None,
        };
        let tunnel = match ahead {
            Some(Ok(Opened::Tunnel(tunnel))) => tunnel,
            Some(Err(error)) if !error.is_transient() => return Err(error),
            _ => fresh().await?,
        };
        let mut spec = service.spec(&self.endpoint, true);
        if matches!(service, Service::ProxyGrpc) {
            // In here the proxy shows a certificate of the cluster's host CA, which nobody knows before the join. The TLS around it is
            // verified, and whoever terminates that is trusted as the proxy's own web certificate is elsewhere.
            spec.trust = Trust::Blindly;
        }
        let tls = self.network.tls(tunnel, &spec).await;
        tls.map(|tls| tls.stream).map_err(|e| unreachable(service, e))
    }
}

/// The stream, where a protocol that was offered is agreed on.
fn agreed(tls: TlsStream, spec: &TlsSpec) -> Result<Stream, NetError> {
    let TlsStream { stream, alpn, .. } = tls;
    if alpn.as_ref().is_some_and(|agreed| spec.alpn.contains(agreed)) {
        return Ok(stream);
    }
    let agreed = alpn.map_or("none".into(), |a| safe(&String::from_utf8_lossy(&a), 100));
    Err(NetError::Tls { peer: spec.peer.clone(), reason: format!("the protocol agreed on is {agreed}") })
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
