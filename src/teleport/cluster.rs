//! One cluster: what its ping said and the connections to it, opened before they are needed.

use std::time::Duration;

use tokio::sync::Mutex;
use tonic::Code;

use super::auth_service::AuthService;
use super::dial::{Dialer, Early, Entry, Path, Service};
use super::grpc::Channel;
use super::join_service::{self, Begun, Session};
use super::ping::{self, Ping};
use super::{ClusterError, host_credentials};
use crate::env;
use crate::net::http::Connection;
use crate::net::tls::ClientIdentity;
use crate::net::{HostPort, NetError, Network, retry};

/// A cluster, entered through its proxy or at its auth service.
pub struct Cluster {
    network: Network,
    entry: Entry,
    dialer: Dialer,
    early: Mutex<Vec<Early>>,
}

/// All that could be done before the identity token is there.
pub struct Ready {
    /// What the proxy says of the cluster; `None` at an auth service, which tells only those who have joined.
    pub ping: Option<Ping>,
    /// How the join goes on.
    pub way: Way,
    web: Option<Connection>,
}

/// How long a server may take to say which method it wants before the other way to join is taken.
const BEGIN_LIMIT: Duration = Duration::from_secs(8);

/// How often the ping is tried when no answer comes.
const TRIES: u32 = 4;

/// The two ways to join, or none.
pub enum Way {
    /// The stream of servers since about 18; the server has named its method.
    Stream(Box<Session>),
    /// The POST all servers take.
    Post,
    /// The server says no before it has seen the identity token. Kept until that is there, as its claims explain the refusal.
    Refused(ClusterError),
}

impl Cluster {
    /// Nothing is sent yet.
    pub fn new(network: Network, entry: Entry) -> Self {
        let dialer = Dialer::new(network.clone(), entry.clone());
        Self { network, entry, dialer, early: Mutex::default() }
    }

    /// The address the user gave.
    pub fn address(&self) -> &HostPort {
        self.entry.address()
    }

    /// The network it is reached over.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Pings, begins to join, and opens `ahead` connections for what follows, all at once.
    pub async fn prepare(&self, token: &str, ahead: usize) -> Result<Ready, ClusterError> {
        *self.early.lock().await = (0..ahead).map(|_| self.dialer.early()).collect();
        let log = self.network.log();
        let ping = retry(
            self.network.deadline(),
            log,
            "asking the proxy",
            TRIES,
            |_| self.ping(),
            ClusterError::is_transient,
        );
        if let Entry::Auth { address, .. } = &self.entry {
            let begin = |_| self.begin_once(token);
            let deadline = self.network.deadline();
            return match retry(deadline, log, "joining", TRIES, begin, ClusterError::is_transient).await {
                Ok(Begun::Session(session)) => Ok(Ready { ping: None, way: Way::Stream(session), web: None }),
                Ok(Begun::NotServed) => Err(ClusterError::OldAuth { peer: address.to_string() }),
                Err(error @ ClusterError::Refused { .. }) => {
                    Ok(Ready { ping: None, way: Way::Refused(error), web: None })
                }
                Err(error) => Err(error),
            };
        }
        // A page that is not Teleport's ends it at once, whatever the join is waiting for.
        let begin = async { Ok(self.begin(token).await) };
        let ((web, ping), begun) = tokio::try_join!(ping, begin)?;
        let way = match begun {
            Ok(Begun::Session(session)) => Way::Stream(session),
            Ok(Begun::NotServed) => {
                self.network.log().detail("the server has no join stream: joining by HTTPS POST");
                Way::Post
            }
            Err(error) if !is_answer(&error) => {
                let why = in_full(&error);
                self.network.log().detail(format!("the join stream failed ({why}): joining by HTTPS POST"));
                Way::Post
            }
            Err(error @ ClusterError::Refused { .. }) => Way::Refused(error),
            Err(error) => return Err(error),
        };
        Ok(Ready { ping: Some(ping), way, web: Some(web) })
    }

    async fn ping(&self) -> Result<(Connection, Ping), ClusterError> {
        let peer = self.address().to_string();
        let opened = Connection::open(&self.network, self.address()).await;
        let mut web =
            opened.map_err(|source| ClusterError::Net { doing: format!("reaching {peer}"), source })?;
        let ping = ping::ping(&mut web, &peer, env::now).await?;
        if !ping.tls_routing {
            return Err(ClusterError::NoTlsRouting { peer });
        }
        Ok((web, ping))
    }

    /// Begins to join by stream. Where something before the proxy ends TLS but speaks HTTP/2 itself, the answer is no gRPC: then once more through an upgrade.
    async fn begin(&self, token: &str) -> Result<Begun, ClusterError> {
        let first = self.begin_once(token).await;
        match &first {
            Ok(_) => {
                if self.dialer.path() == Path::Unknown {
                    self.dialer.found(Path::Direct);
                }
                return first;
            }
            // `NoWay`: an upgrade was tried. Silence is not what something that ends TLS answers with.
            Err(ClusterError::NoWay { .. } | ClusterError::Net { source: NetError::Timeout { .. }, .. }) => {
                return first;
            }
            Err(error) if self.dialer.path() != Path::Unknown || is_answer(error) => return first,
            Err(error) => {
                let why = in_full(error);
                self.network.log().detail(format!("{why}: trying an upgraded connection"));
            }
        }
        self.dialer.assume(Path::Upgrade);
        let second = self.begin_once(token).await;
        match &second {
            Ok(_) => self.dialer.found(Path::Upgrade),
            Err(_) => self.dialer.assume(Path::Unknown),
        }
        second
    }

    async fn begin_once(&self, token: &str) -> Result<Begun, ClusterError> {
        let channel = self.dialer.connect(None, &Service::ProxyGrpc).await?;
        let begun = join_service::begin(&channel, token);
        let (deadline, peer) = (self.network.deadline(), self.address().to_string());
        deadline
            .try_within(BEGIN_LIMIT, &peer, "waiting for the join service", begun)
            .await
            .map_err(|source| ClusterError::Net { doing: "the join".into(), source })?
    }

    /// The auth service of `cluster` under that identity.
    pub async fn auth(
        &self,
        cluster: &str,
        authorities: &[Vec<u8>],
        client: ClientIdentity,
    ) -> Result<AuthService, ClusterError> {
        let early = self.early.lock().await.pop();
        let service =
            Service::Auth { cluster: cluster.to_owned(), authorities: authorities.to_vec(), client };
        self.dialer.connect(early, &service).await.map(AuthService::new)
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

impl Ready {
    /// Joins by POST on the connection of the ping, or on a new one where that was closed meanwhile as idle.
    pub async fn post(
        &mut self,
        cluster: &Cluster,
        request: &host_credentials::Request<'_>,
    ) -> Result<join_service::Joined, ClusterError> {
        if let Some(web) = &mut self.web {
            match host_credentials::join(web, request).await {
                Err(ClusterError::Net { source: NetError::Closed { .. }, .. }) => {}
                other => return other,
            }
        }
        let address = cluster.address();
        let opened = Connection::open(&cluster.network, address).await;
        let mut web =
            opened.map_err(|source| ClusterError::Net { doing: format!("reaching {address}"), source })?;
        host_credentials::join(&mut web, request).await
    }
}

/// With its cause, on one line.
fn in_full(error: &ClusterError) -> String {
    match error {
        ClusterError::Net { doing, source } => format!("{doing}: {source}"),
        other => other.to_string(),
    }
}

/// Whether Teleport itself said it, so that no other way is tried. A web server's 4xx comes out of gRPC as a status without a text of Teleport's.
fn is_answer(error: &ClusterError) -> bool {
    match error {
        ClusterError::Refused { code, .. } => {
            matches!(
                code,
                Code::PermissionDenied | Code::InvalidArgument | Code::NotFound | Code::AlreadyExists
            )
        }
        // Nothing of the cluster's, but nothing another way would mend either.
        ClusterError::Net { source, .. } => {
            matches!(source, NetError::Deadline { .. } | NetError::Roots { .. } | NetError::Address { .. })
        }
        _ => false,
    }
}
