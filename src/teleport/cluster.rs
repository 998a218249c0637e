//! One cluster and the connections to it, opened before they are needed.

use std::sync::OnceLock;
use std::time::Duration;

use super::ClusterError;
use super::auth_service::AuthService;
use super::dial::{Dialer, Endpoint, Route, Service};
use super::error::ConnectionError;
use super::grpc::Channel;
use super::join::{self, JoinAttempt, JoinChannel, Link};
use super::join_service::{Opening, Session};
use super::ping::{self, Ping};
use crate::env;
use crate::net::http::Connection;
use crate::net::tls::ClientIdentity;
use crate::net::{Deadline, HostPort, Network, Stream};
use crate::text::is_name;

/// A cluster, entered through its proxy or at its auth service.
pub struct Cluster {
    network: Network,
    endpoint: Endpoint,
    dialer: Dialer,
}

/// How long a server may take to name the join method before an older way is taken.
const BEGIN_LIMIT: Duration = Duration::from_secs(8);

impl Cluster {
    /// Nothing is sent yet.
    pub fn new(network: Network, endpoint: Endpoint) -> Self {
        let dialer = Dialer::new(network.clone(), endpoint.clone());
        Self { network, endpoint, dialer }
    }

    /// The same cluster under another deadline. Connections that are open keep theirs.
    #[must_use]
    pub fn under(self, deadline: Deadline) -> Self {
        Self { network: self.network.under(deadline), dialer: self.dialer.under(deadline), ..self }
    }

    /// The address that the user gave.
    pub fn address(&self) -> &HostPort {
        self.endpoint.address()
    }

    /// The network over which it is reached.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Where it is entered.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether something before the proxy terminates TLS, as far as the connections so far have shown.
    pub fn is_behind_a_balancer(&self) -> bool {
        self.dialer.route() == Route::Upgraded
    }

    /// Begins a join, everything at once: pings, begins the join stream, and opens `connections` for what follows. `opening` is awaited while the
    /// stream begins: what it gives goes out without waiting for the server's word on the method. One attempt: an error is the
    /// caller's to retry.
    pub async fn begin_join(
        &self,
        token: &str,
        connections: usize,
        opening: impl Future<Output = Option<Opening>>,
    ) -> Result<JoinAttempt, ClusterError> {
        let ((grpc, begun), ping, web) = match self.endpoint {
            Endpoint::Auth { .. } => {
                // One more, as the auth service answers a ping only under an identity.
                self.dialer.open(connections + 1);
                (self.begin_stream(token, opening, || self.dialer.park("", false)).await, None, None)
            }
            Endpoint::Proxy(_) => {
                self.dialer.open(connections);
                let named = OnceLock::new();
                let opened = || {
                    let known = named.get().map(String::as_str);
                    if let Some(name) = known.or(self.likely_name()) {
                        self.dialer.park(name, known.is_none());
                    }
                };
                let begin = async { Ok(self.begin_stream(token, opening, opened).await) };
                let ping = async {
                    let (web, ping) = self.ping().await?;
                    let _ = named.set(ping.cluster_name.clone());
                    Ok::<_, ClusterError>((web, ping))
                };
                // A page that is not Teleport's ends it at once, whatever the stream is waiting for.
                let ((web, ping), begun) = tokio::try_join!(ping, begin)?;
                (begun, Some(ping), Some(web))
            }
        };
        let channel = match begun {
            Ok(session) => JoinChannel::Stream(session),
            Err(error) if join::is_final(&error) => JoinChannel::Refused(error),
            Err(error) if join::is_hopeless(&error) => return Err(error),
            // There is no other way at an auth service that was not reached.
            Err(error @ ClusterError::Connection(_)) if web.is_none() => return Err(error),
            Err(error) => JoinChannel::Older(error),
        };
        let link = Link {
            network: self.network.clone(),
            address: self.address().clone(),
            dialer: self.dialer.clone(),
            grpc,
            token: token.to_owned(),
            cluster: ping.as_ref().map(|ping| ping.cluster_name.clone()).unwrap_or_default(),
        };
        Ok(JoinAttempt { ping, link, channel, web })
    }

    async fn ping(&self) -> Result<(Connection, Ping), ClusterError> {
        let mut web = Connection::open(&self.network, self.address()).await?;
        let peer = self.address().to_string();
        let ping = ping::ping(&mut web, &peer, env::now).await?;
        if !ping.tls_routing {
            return Err(ConnectionError::NoTlsRouting { peer }.into());
        }
        Ok((web, ping))
    }

    /// Pings, and finds the route to the services behind the proxy: what a join does by the way.
    pub async fn reach(&self) -> Result<Ping, ClusterError> {
        let (ping, found) = tokio::join!(self.ping(), self.dialer.dial(None, &Service::ProxyGrpc));
        let (_, ping) = ping?;
        found.map(|_| ping)
    }

    /// What the cluster is called before it has said so: most have the name of their proxy's host. A guess that is wrong costs a connection.
    fn likely_name(&self) -> Option<&str> {
        let address = self.address();
        Some(address.host.as_str()).filter(|host| address.ip().is_none() && is_name(host))
    }

    /// The stream, and the connection below it once there is one. `opened` is told when the proof goes out.
    async fn begin_stream(
        &self,
        token: &str,
        opening: impl Future<Output = Option<Opening>>,
        opened: impl Fn(),
    ) -> (Option<Channel>, Result<Box<Session>, ClusterError>) {
        let channel = match self.dialer.connect(&Service::ProxyGrpc).await {
            Ok(channel) => channel,
            Err(error) => return (None, Err(error)),
        };
        let (deadline, peer) = (self.network.deadline(), self.address().to_string());
        let begun = Session::begin(&channel, token, opening, opened);
        let begun = deadline.try_within(BEGIN_LIMIT, &peer, "waiting for the join service", begun).await;
        (Some(channel), begun.map_err(ClusterError::from).flatten().map(Box::new))
    }

    /// The auth service of `cluster` under that identity.
    pub async fn auth(
        &self,
        cluster: &str,
        authorities: &[Vec<u8>],
        client: ClientIdentity,
    ) -> Result<AuthService, ClusterError> {
        let service =
            Service::Auth { cluster: cluster.to_owned(), authorities: authorities.to_vec(), client };
        self.dialer.connect(&service).await.map(AuthService::new)
    }

    /// Bytes to and from a server behind the proxy, within that deadline.
    pub async fn open(&self, service: &Service, deadline: Deadline) -> Result<Stream, ClusterError> {
        self.dialer.under(deadline).dial(None, service).await
    }

    /// The proxy's ssh service under an issued identity.
    pub async fn ssh(
        &self,
        authorities: &[Vec<u8>],
        client: ClientIdentity,
    ) -> Result<Channel, ClusterError> {
        let service = Service::ProxySsh { authorities: authorities.to_vec(), client };
        self.dialer.connect(&service).await
    }
}
