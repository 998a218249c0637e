//! The bot's identity + outputs → one issued identity each: all calls of a step in one flight.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use thiserror::Error;
use tonic::Code;

use crate::identity::keys::{KeyError, KeyKind, KeyPair};
use crate::identity::ssh::SshCertificate;
use crate::identity::tls::TlsCertificate;
use crate::identity::{Authorities, Authority, Identity};
use crate::join::{BotIdentity, expiry};
use crate::net::retry;
use crate::teleport::auth_service::{AuthService, AuthorityKind, CertsWanted, PublicKeys};
use crate::teleport::cluster::Cluster;
use crate::teleport::{ClusterError, wire};

/// One `--output`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its name: the subfolder where there are several, the suffix of its variables.
    pub name: String,
    /// Roles to impersonate; `None`: all the bot may.
    pub roles: Option<Vec<String>>,
    /// The cluster the certificate is for; `None`: the root.
    pub cluster: Option<String>,
    /// A folder of its own.
    pub dir: Option<std::path::PathBuf>,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// At least one.
    pub outputs: Vec<Output>,
    /// How long they shall live.
    pub ttl: Duration,
    /// `--key-type`, for both keys; `None`: as the cluster's suite says.
    pub key_kind: Option<KeyKind>,
}

/// One output, issued.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Which.
    pub output: Output,
    /// The roles that were asked for.
    pub roles: Vec<String>,
    /// Keys and certificates.
    pub identity: Identity,
}

/// All outputs and the CAs they share.
#[derive(Debug, Clone)]
pub struct Batch {
    /// In the order asked.
    pub issued: Vec<Issued>,
    /// For `known_hosts` and the CA files.
    pub authorities: Authorities,
}

/// Why an output was not issued.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum IssueError {
    /// What came cannot be used.
    #[error("the certificates for output `{output}` cannot be used: {reason}")]
    Certificate { output: String, reason: String },
    /// The cluster cannot be reached, or makes no sense.
    #[error("the certificates did not come")]
    Cluster(#[from] ClusterError),
    /// A key could not be made.
    #[error("the output needs a key")]
    Key(#[from] KeyError),
    /// The bot may impersonate no role at all.
    #[error("the bot `{user}` may impersonate no role, so there is nothing to issue")]
    NoRoles { user: String },
    /// Teleport says no.
    #[error("Teleport refused to issue output `{output}`")]
    Refused { output: String, user: String, message: String },
}

impl crate::error::StageError for IssueError {
    fn exit(&self) -> crate::error::Exit {
        match self {
            Self::Cluster(error) => error.exit(),
            Self::Key(_) => crate::error::Exit::Internal,
            _ => crate::error::Exit::Refused,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Cluster(error) => error.chain(),
            _ => Vec::new(),
        }
    }
}

impl IssueError {
    /// Whether no answer came. Asking twice gives two certificates for the same key, of which one is never used.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Cluster(error) if error.is_transient())
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Certificate { .. } | Self::Key(_) => None,
            Self::Cluster(error) => error.hint(),
            Self::NoRoles { user } => {
                Some(format!("give the bot roles: `tctl bots update {} --add-roles ROLE`", bot_name(user)))
            }
            Self::Refused { user, message, .. } => {
                let bot = bot_name(user);
                if message.contains("role impersonation") {
                    Some(format!(
                        "allow the bot these roles (`tctl bots update {bot} --add-roles ROLE`), or leave them out of `--roles`"
                    ))
                } else if message.contains("role") && message.contains("not found") {
                    Some("check the spelling of `--roles`; `tctl get roles` lists them".into())
                } else if message.contains("cluster") && message.contains("not found") {
                    Some("check `cluster=` of the output; `tctl get remote_clusters` lists the trusted leaf clusters".into())
                } else {
                    Some(format!("`tctl bots ls` and the audit log say more about what `{bot}` may do"))
                }
            }
        }
    }
}

/// Servers from this major take SSH and TLS keys apart (`UserCertsRequest` 22 and 23).
const SPLIT_KEYS_SINCE: u32 = 17;

/// How often a flight is tried that got no answer.
const TRIES: u32 = 3;

/// Issues all outputs. Two flights at most: roles and CAs, then certificates; one when every output names its roles. What got no answer is tried
/// again, with the same keys.
pub async fn issue(
    cluster: &Cluster,
    bot: &BotIdentity,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Batch, IssueError> {
    let kinds = key_kinds(bot, wanted.key_kind);
    let count = wanted.outputs.len();
    let make = move || (0..count).map(|_| Keys::generate(kinds)).collect::<Result<Vec<_>, _>>();
    let keys = async move {
        let made = tokio::task::spawn_blocking(make).await;
        made.map_err(|_| KeyError::Generate(kinds.0)).and_then(|keys| keys)
    };
    let keys = keys.shared();
    let network = cluster.network();
    let flight = |_| flights(cluster, bot, wanted, keys.clone(), now);
    retry(network.deadline(), network.log(), "issuing", TRIES, flight, IssueError::is_transient).await
}

async fn flights(
    cluster: &Cluster,
    bot: &BotIdentity,
    wanted: &Wanted,
    keys: impl Future<Output = Result<Vec<Keys>, KeyError>>,
    now: Timestamp,
) -> Result<Batch, IssueError> {
    let keys = async { Ok::<_, IssueError>(keys.await?) };
    let auth = async { Ok(cluster.auth(&bot.cluster, &bot.authorities, bot.client.clone()).await?) };
    // Keys are made while the connection comes about.
    let (keys, auth) = tokio::try_join!(keys, auth)?;
    let expires = expiry(now, bot.ping.clock_skew, wanted.ttl);
    let authorities = async { Ok(authorities(&auth, bot).await?) };
    if wanted.outputs.iter().any(|o| o.roles.is_none()) {
        let (roles, authorities) = tokio::try_join!(default_roles(&auth, bot), authorities)?;
        let issued = certificates(&auth, bot, wanted, &keys, &roles, expires).await?;
        return Ok(Batch { issued, authorities });
    }
    let (issued, authorities) =
        tokio::try_join!(certificates(&auth, bot, wanted, &keys, &[], expires), authorities)?;
    Ok(Batch { issued, authorities })
}

/// The key or keys of one output.
#[derive(Clone)]
struct Keys {
    ssh: KeyPair,
    tls: Option<KeyPair>,
}

/// `(ssh, tls)`; one key serves for both when the second is `None`.
type Kinds = (KeyKind, Option<KeyKind>);

fn key_kinds(bot: &BotIdentity, wanted: Option<KeyKind>) -> Kinds {
    match (bot.ping.major >= SPLIT_KEYS_SINCE, wanted) {
        // Ed25519 is no key for TLS clients everywhere: with `--key-type ed25519` the TLS key is P-256.
        (true, Some(KeyKind::Ed25519)) => (KeyKind::Ed25519, Some(KeyKind::P256)),
        (_, Some(kind)) => (kind, None),
        (true, None) => {
            let (ssh, tls) = bot.suite.unwrap_or_default().user_keys();
            (ssh, (ssh != tls).then_some(tls))
        }
        // Any key will do there, and P-256 is the quick one that TLS and SSH both take.
        (false, None) => (KeyKind::P256, None),
    }
}

impl Keys {
    fn generate((ssh, tls): Kinds) -> Result<Self, KeyError> {
        Ok(Self { ssh: KeyPair::generate(ssh)?, tls: tls.map(KeyPair::generate).transpose()? })
    }
}

async fn default_roles(auth: &AuthService, bot: &BotIdentity) -> Result<Vec<String>, IssueError> {
    let role = auth.role(&bot.user).await.map_err(|e| refused(e, "*", bot))?;
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

async fn certificates(
    auth: &AuthService,
    bot: &BotIdentity,
    wanted: &Wanted,
    keys: &[Keys],
    default_roles: &[String],
    expires: Timestamp,
) -> Result<Vec<Issued>, IssueError> {
    let all = wanted.outputs.iter().zip(keys).map(|(output, keys)| async move {
        let roles = output.roles.as_deref().unwrap_or(default_roles);
        let cluster = output.cluster.as_deref().unwrap_or(&bot.cluster);
        let identity = one(auth, bot, keys, roles, cluster, expires, &output.name).await?;
        Ok::<_, IssueError>(Issued { output: output.clone(), roles: roles.to_vec(), identity })
    });
    try_join_all(all).await
}

/// One output's certificates. With split keys a second call, in the same flight, certifies the TLS key for SSH: the `identity` file holds one key.
async fn one(
    auth: &AuthService,
    bot: &BotIdentity,
    keys: &Keys,
    roles: &[String],
    cluster: &str,
    expires: Timestamp,
    output: &str,
) -> Result<Identity, IssueError> {
    let ask = |keys: PublicKeys| async move {
        let wanted = CertsWanted { user: &bot.user, keys, expires, cluster, roles };
        auth.certificates(&wanted).await.map_err(|e| refused(e, output, bot))
    };
    let unusable = |reason: String| IssueError::Certificate { output: output.to_owned(), reason };
    let ssh_line = keys.ssh.public_ssh_line();
    let public = match &keys.tls {
        None if bot.ping.major < SPLIT_KEYS_SINCE => PublicKeys::One { ssh_line },
        tls => {
            let tls_pem = tls.as_ref().unwrap_or(&keys.ssh).public_pem();
            PublicKeys::Split { ssh_line: Some(ssh_line), tls_pem: Some(tls_pem) }
        }
    };
    let bundle = async {
        match &keys.tls {
            None => Ok(None),
            Some(tls) => {
                let public = PublicKeys::Split { ssh_line: Some(tls.public_ssh_line()), tls_pem: None };
                ask(public).await.map(Some)
            }
        }
    };
    let (certs, bundle): (wire::Certs, Option<wire::Certs>) = tokio::try_join!(ask(public), bundle)?;
    let ssh = |certs: &wire::Certs| {
        let line = std::str::from_utf8(&certs.ssh)
            .map_err(|_| unusable("the SSH certificate is not text".into()))?;
        SshCertificate::from_line(line.trim()).map_err(|e| unusable(e.to_string()))
    };
    let pem =
        std::str::from_utf8(&certs.tls).map_err(|_| unusable("the TLS certificate is not text".into()))?;
    Ok(Identity {
        ssh_cert: ssh(&certs)?,
        tls_cert: TlsCertificate::from_pem(pem).map_err(|e| unusable(e.to_string()))?,
        bundle_ssh_cert: bundle.as_ref().map(ssh).transpose()?,
        ssh_key: keys.ssh.clone(),
        tls_key: keys.tls.clone(),
    })
}

fn refused(error: ClusterError, output: &str, bot: &BotIdentity) -> IssueError {
    match error {
        ClusterError::Refused { code, message, .. } if code != Code::Unimplemented => {
            IssueError::Refused { output: output.to_owned(), user: bot.user.clone(), message }
        }
        other => other.into(),
    }
}

fn bot_name(user: &str) -> &str {
    user.strip_prefix("bot-").unwrap_or(user)
}
