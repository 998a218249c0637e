//! The bot's identity + outputs → one issued identity each: all calls of a step in one flight.

mod certify;
mod error;
mod granted;
mod keys;
mod lookup;

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::try_join_all;
use jiff::Timestamp;

use crate::env::now;
use crate::identity::keys::KeyKind;
use crate::identity::route::Route;
use crate::identity::{Authorities, Authority, Identity};
use crate::join::{BotIdentity, expiry};
use crate::net::retry;
use crate::output::{Kind, KubeClusters, Output};
use crate::teleport::ClusterError;
use crate::teleport::auth_service::{AuthService, AuthorityKind};
use crate::teleport::cluster::Cluster;
use crate::teleport::ping::Ping;
use certify::{Issuer, Wanted};
pub use error::{IssueError, What};
pub use granted::Granted;
use keys::{Choice, Keys};
use lookup::{Lookup, Session};

/// What is to be issued.
#[derive(Debug, Clone)]
pub struct Request {
    /// At least one.
    pub outputs: Vec<Output>,
    /// How long they shall live.
    pub ttl: Duration,
    /// `--key-type`, for both keys; `None`: as the cluster's suite says.
    pub key_kind: Option<KeyKind>,
    /// `--keep-going`: an output that is refused is left out.
    pub keep_going: bool,
    /// An approved access request, in place of roles to impersonate.
    pub granted: Option<Granted>,
}

/// One output, issued.
#[derive(Debug, Clone)]
pub struct Issued {
    /// What was asked for.
    pub output: Output,
    /// The roles that were asked for.
    pub roles: Vec<String>,
    /// Whether they are those of an approved access request.
    pub by_request: bool,
    /// Its credential.
    pub first: Credential,
    /// More of them, where the output is for several kubernetes clusters: one each, by name.
    pub others: Vec<Credential>,
}

/// Keys and certificates for one route.
#[derive(Debug, Clone)]
pub struct Credential {
    /// What they are for, as it was asked.
    pub route: Route,
    /// Keys and certificates.
    pub identity: Identity,
}

impl Issued {
    /// All its credentials.
    pub fn credentials(&self) -> impl Iterator<Item = &Credential> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The earliest end of its certificates.
    pub fn expires(&self) -> Timestamp {
        self.others
            .iter()
            .map(|c| c.identity.valid_until())
            .fold(self.first.identity.valid_until(), Timestamp::min)
    }
}

/// An output that was left out.
#[derive(Debug)]
pub struct Refused {
    /// What was asked for.
    pub output: Output,
    /// Why there is nothing.
    pub error: IssueError,
}

/// All outputs and the CAs they share.
#[derive(Debug)]
pub struct Batch {
    /// In the order asked; at least one.
    pub issued: Vec<Issued>,
    /// Those that were refused, where the others are wanted without them.
    pub refused: Vec<Refused>,
    /// Open connections to the auth service under identities with these roles.
    pub sessions: Vec<(Vec<String>, AuthService)>,
    /// For `known_hosts` and the CA files.
    pub authorities: Authorities,
}

/// How many connections [`issue`] makes beside the bot's own: one for each set of roles under which something is looked up.
pub fn sessions(outputs: &[Output]) -> usize {
    let is_looked_up = |output: &&Output| match &output.kind {
        Kind::Ssh { .. } => false,
        Kind::Kube(kube) => !matches!(kube.clusters, KubeClusters::Named(_)),
        Kind::Database(database) => database.protocol.is_none(),
        Kind::App(_) => true,
    };
    let roles: BTreeSet<_> = outputs.iter().filter(is_looked_up).map(|output| &output.roles).collect();
    roles.len()
}

/// Servers from this major take SSH and TLS keys apart (`UserCertsRequest` 22 and 23).
const SPLIT_KEYS_SINCE: u32 = 17;

/// How often a flight that got no answer is tried.
const ATTEMPTS: u32 = 3;

/// Issues all outputs. Two flights at most where nothing must be looked up: roles and CAs, then certificates; one when every output names its
/// roles. Two more, and a connection for each set of roles, for databases, applications and kubernetes clusters that are not named. What got no
/// answer is tried again, with the same keys.
pub async fn issue(
    cluster: &Cluster,
    bot: &BotIdentity,
    ping: &Ping,
    request: &Request,
) -> Result<Batch, IssueError> {
    let is_split = ping.major >= SPLIT_KEYS_SINCE;
    let choice = Choice { is_split, suite: bot.suite, asked: request.key_kind };
    let keys = keys::generate(choice, &request.outputs).shared();
    let network = cluster.network();
    let expires = expiry(now(), ping.clock_skew, request.ttl);
    let flight = |_| {
        let keys = keys.clone();
        async move {
            let auth = cluster.auth(&bot.cluster, &bot.authorities, bot.client.clone()).await?;
            let granted = request.granted.as_ref();
            let issuer = Issuer { cluster, auth: &auth, bot, is_split, expires, granted };
            flights(issuer, request, async { Ok(keys.await?) }).await
        }
    };
    retry(
        network.deadline(),
        network.log(),
        "issuing the certificates",
        ATTEMPTS,
        flight,
        IssueError::is_transient,
    )
    .await
}

/// `keys` are needed for certificates alone, and may still be made when the first flight goes out.
async fn flights(
    issuer: Issuer<'_>,
    request: &Request,
    keys: impl Future<Output = Result<Vec<Keys>, IssueError>>,
) -> Result<Batch, IssueError> {
    let authorities = async { Ok(authorities(issuer.auth, issuer.bot).await?) };
    if let Some(granted) = &request.granted {
        let issued = async { outputs(issuer, request, &keys.await?, &granted.roles).await };
        let (issued, authorities) = tokio::join!(issued, authorities);
        return batch(issued, authorities?);
    }
    if request.outputs.iter().any(|o| o.roles.is_none()) {
        let roles = default_roles(issuer.auth, issuer.bot);
        let (roles, authorities, keys) = tokio::try_join!(roles, authorities, keys)?;
        let issued = outputs(issuer, request, &keys, &roles).await;
        return batch(issued, authorities);
    }
    let issued = async { outputs(issuer, request, &keys.await?, &[]).await };
    let (issued, authorities) = tokio::join!(issued, authorities);
    batch(issued, authorities?)
}

/// What was issued, what was not, and the sessions that are open.
type Outputs = (Vec<Issued>, Vec<Refused>, Vec<Session>);

fn batch(outputs: Result<Outputs, IssueError>, authorities: Authorities) -> Result<Batch, IssueError> {
    let leaves: Vec<String> = authorities.host.iter().skip(1).map(|ca| ca.cluster.clone()).collect();
    let explained = |error| match error {
        IssueError::UnknownLeaf { output, leaf, .. } => {
            IssueError::UnknownLeaf { output, leaf, known: leaves.clone() }
        }
        other => other,
    };
    let (issued, mut refused, sessions) = outputs.map_err(explained)?;
    for refused in &mut refused {
        if let IssueError::UnknownLeaf { known, .. } = &mut refused.error {
            known.clone_from(&leaves);
        }
    }
    if issued.is_empty() && !refused.is_empty() {
        return Err(refused.remove(0).error);
    }
    let sessions = sessions.into_iter().filter_map(|session| {
        let auth = session.auth.into_inner()?;
        Some((session.roles, auth))
    });
    Ok(Batch { issued, refused, authorities, sessions: sessions.collect() })
}

async fn default_roles(auth: &AuthService, bot: &BotIdentity) -> Result<Vec<String>, IssueError> {
    let role = auth.role(&bot.user).await.map_err(|e| IssueError::of(e, "*", &bot.user))?;
    let allow = role.spec.and_then(|s| s.allow).and_then(|a| a.impersonate);
    let mut roles = allow.map(|i| i.roles).unwrap_or_default();
    roles.dedup();
    if roles.is_empty() {
        return Err(IssueError::NoRoles { user: bot.user.clone() });
    }
    Ok(roles)
}

async fn authorities(auth: &AuthService, bot: &BotIdentity) -> Result<Authorities, ClusterError> {
    let optional = async {
        match auth.authorities(AuthorityKind::Database).await {
            Err(ClusterError::Refused { .. }) => Ok(Vec::new()),
            other => other,
        }
    };
    let (host, user, database) = tokio::try_join!(
        auth.authorities(AuthorityKind::Host),
        auth.authorities(AuthorityKind::User),
        optional
    )?;
    let root_first = |mut list: Vec<Authority>| {
        list.sort_by(|a, b| {
            (a.cluster != bot.cluster, &a.cluster).cmp(&(b.cluster != bot.cluster, &b.cluster))
        });
        list
    };
    let (host, user, database) = (root_first(host), root_first(user), root_first(database));
    if host.first().is_none_or(|ca| ca.cluster != bot.cluster || ca.ssh_keys.is_empty()) {
        return Err(ClusterError::malformed("the list of host authorities", &bot.cluster));
    }
    Ok(Authorities { host, user, database })
}

/// All outputs beside each other. The first error ends it, unless it is about one output and the others are wanted without that.
async fn outputs(
    issuer: Issuer<'_>,
    request: &Request,
    keys: &[Keys],
    default_roles: &[String],
) -> Result<Outputs, IssueError> {
    let chosen = |output: &Output| output.roles.clone().filter(|_| request.granted.is_none());
    let roles_of = |output: &Output| chosen(output).unwrap_or_else(|| default_roles.to_vec());
    let mut sessions: Vec<Session> = Vec::new();
    for roles in request.outputs.iter().map(roles_of) {
        if sessions.iter().all(|session| session.roles != roles) {
            sessions.push(Session { roles, ..Session::default() });
        }
    }
    let all = request.outputs.iter().zip(keys).map(|(output, keys)| {
        let roles = roles_of(output);
        let session = sessions.iter().find(|session| session.roles == roles);
        async move {
            let Some(session) = session else { return Ok(Ok(None)) };
            match issued(issuer, session, output, keys).await {
                Err(error) if request.keep_going && error.is_of_one_output() => {
                    Ok(Err(Box::new(Refused { output: output.clone(), error })))
                }
                other => other.map(|issued| Ok(Some(issued))),
            }
        }
    });
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    for output in try_join_all(all).await? {
        match output {
            Ok(issued) => done.extend(issued),
            Err(error) => refused.push(*error),
        }
    }
    Ok((done, refused, sessions))
}

async fn issued(
    issuer: Issuer<'_>,
    session: &Session,
    output: &Output,
    keys: &Keys,
) -> Result<Issued, IssueError> {
    let roles = &session.roles;
    let cluster = output.kind.cluster().unwrap_or(&issuer.bot.cluster);
    let wanted = Wanted { output: &output.name, keys, roles, cluster };
    let lookup = Lookup { issuer, session, output: &output.name };
    let routes = match &output.kind {
        Kind::Ssh { .. } => vec![Route::Cluster],
        Kind::Kube(kube) => lookup.kube(kube).await?,
        Kind::Database(database) => vec![lookup.database(database).await?],
        Kind::App(app) => vec![lookup.app(app).await?],
    };
    let credentials = routes.into_iter().map(|route| async move {
        let identity = match route {
            Route::Cluster => issuer.ssh(wanted).await?,
            _ => issuer.tls(wanted, &route).await?,
        };
        Ok(Credential { route, identity })
    });
    let credentials = match (try_join_all(credentials).await, &output.kind) {
        (Err(error), Kind::Kube(kube)) => return Err(lookup.explained(error, kube).await),
        (Err(error), Kind::Ssh { cluster: Some(leaf) }) => return Err(leaf_known(error, leaf)),
        (credentials, _) => credentials?,
    };
    let mut credentials = credentials.into_iter();
    let nothing = || IssueError::NoMatch { output: output.name.clone(), known: Vec::new() };
    let first = credentials.next().ok_or_else(nothing)?;
    let by_request = issuer.granted.is_some();
    let (output, roles) = (output.clone(), roles.clone());
    Ok(Issued { output, roles, by_request, first, others: credentials.collect() })
}

/// Teleport's word on a leaf that it does not know (`lib/services/local/trust.go`; recorded with 15).
fn leaf_known(error: IssueError, leaf: &str) -> IssueError {
    match error {
        IssueError::Refused { output, message, .. }
            if message.contains("remote cluster") && message.contains("not found") =>
        {
            IssueError::UnknownLeaf { output, leaf: leaf.to_owned(), known: Vec::new() }
        }
        other => other,
    }
}
