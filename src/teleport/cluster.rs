//! One cluster and the connections to it, opened before they are needed.

use std::time::Duration;

use tokio::sync::Mutex;

use super::ClusterError;
use super::auth_service::AuthService;
use super::dial::{Dialer, Endpoint, PendingConnection, Route, Service};
use super::error::ConnectionError;
use super::grpc::Channel;
use super::join::{self, JoinAttempt, JoinChannel, Link};
use super::join_service::Session;
use super::ping::{self, Ping};
use crate::env;
use crate::net::http::Connection;
use crate::net::tls::ClientIdentity;
use crate::net::{Deadline, HostPort, Network};

/// A cluster, entered through its proxy or at its auth service.
pub struct Cluster {
    network: Network,
    endpoint: Endpoint,
    dialer: Dialer,
    pending: Mutex<Vec<PendingConnection>>,
}

/// How long a server may take to name the join method before an older way is taken.
const BEGIN_LIMIT: Duration = Duration::from_secs(8);

impl Cluster {
    /// Nothing is sent yet.
    pub fn new(network: Network, endpoint: Endpoint) -> Self {
        let dialer = Dialer::new(network.clone(), endpoint.clone());
        Self { network, endpoint, dialer, pending: Mutex::default() }
    }

    /// The same cluster under another deadline. Connections that are open keep theirs.
    #[must_use]
    pub fn under(self, deadline: Deadline) -> Self {
        let network = self.network.under(deadline);
        Self { dialer: self.dialer.over(network.clone()), network, ..self }
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

    /// Does all of a join that needs no proof, everything at once: pings, begins the join stream, and starts `connections` TCP
    /// connections for what follows. One attempt: an error is the caller's to retry.
    pub async fn begin_join(&self, token: &str, connections: usize) -> Result<JoinAttempt, ClusterError> {
        *self.pending.lock().await = (0..connections).map(|_| self.dialer.start()).collect();
        let ((grpc, begun), ping, web) = match self.endpoint {
            Endpoint::Auth { .. } => (self.begin_stream(token).await, None, None),
            Endpoint::Proxy(_) => {
                let begin = async { Ok(self.begin_stream(token).await) };
                // A page that is not Teleport's ends it at once, whatever the stream is waiting for.
                let ((web, ping), begun) = tokio::try_join!(self.ping(), begin)?;
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

    /// The stream, and the connection below it once there is one.
    async fn begin_stream(&self, token: &str) -> (Option<Channel>, Result<Box<Session>, ClusterError>) {
        let channel = match self.dialer.connect(None, &Service::ProxyGrpc).await {
            Ok(channel) => channel,
            Err(error) => return (None, Err(error)),
        };
        let (deadline, peer) = (self.network.deadline(), self.address().to_string());
        let begun = Session::begin(&channel, token);
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
        let pending = self.pending.lock().await.pop();
        let service =
            Service::Auth { cluster: cluster.to_owned(), authorities: authorities.to_vec(), client };
        self.dialer.connect(pending, &service).await.map(AuthService::new)
    }

    /// The proxy's ssh service under an issued identity.
    pub async fn ssh(
        &self,
        authorities: &[Vec<u8>],
        client: ClientIdentity,
    ) -> Result<Channel, ClusterError> {
        let service = Service::ProxySsh { authorities: authorities.to_vec(), client };
        self.dialer.connect(None, &service).await
    }
}
