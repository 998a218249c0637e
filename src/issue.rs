//! The bot's identity + outputs → one issued identity each: all calls of a step in one flight.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use thiserror::Error;
use tonic::Code;

use crate::env::now;
use crate::error::{Exit, StageError};
use crate::identity::keys::{KeyError, KeyKind, KeyPair};
use crate::identity::ssh::SshCertificate;
use crate::identity::tls::TlsCertificate;
use crate::identity::{Authorities, Authority, Identity, SshIdentity, TlsIdentity};
use crate::join::{BotIdentity, expiry};
use crate::net::retry;
use crate::output::Output;
use crate::teleport::auth_service::{AuthService, AuthorityKind, CertsWanted, PublicKeys};
use crate::teleport::cluster::Cluster;
use crate::teleport::ping::Ping;
use crate::teleport::{ClusterError, wire};

/// What is to be issued.
#[derive(Debug, Clone)]
pub struct Request {
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
    /// What was asked for.
    pub output: Output,
    /// The roles that were asked for.
    pub roles: Vec<String>,
    /// Keys and certificates.
    pub identity: Identity,
}

impl Issued {
    /// The earlier end of its certificates.
    pub fn expires(&self) -> Timestamp {
        self.identity.valid_until()
    }
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
    #[error("the certificates for output `{output}` cannot be used")]
    Certificate { output: String, reason: String },
    /// The cluster cannot be reached, or its answers make no sense.
    #[error("could not get certificates from the cluster")]
    Cluster(#[from] ClusterError),
    /// A key could not be generated.
    #[error("could not generate a key for the output")]
    Key(#[from] KeyError),
    /// The bot may impersonate no role at all.
    #[error("the bot `{user}` may not impersonate any role, so there is nothing to issue")]
    NoRoles { user: String },
    /// Teleport says no.
    #[error("Teleport refused to issue output `{output}`")]
    Refused { output: String, user: String, message: String },
}

impl IssueError {
    /// Whether no answer came. Asking twice gives two certificates for the same key, of which one is never used.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Cluster(error) if error.is_transient())
    }
}

impl StageError for IssueError {
    fn exit(&self) -> Exit {
        match self {
            Self::Cluster(error) => error.exit(),
            Self::Key(_) => Exit::Internal,
            Self::Certificate { .. } | Self::NoRoles { .. } | Self::Refused { .. } => Exit::Refused,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Certificate { reason, .. } => vec![reason.clone()],
            Self::Cluster(error) => error.chain(),
            Self::Key(error) => error.chain(),
            Self::NoRoles { .. } => Vec::new(),
            Self::Refused { message, .. } => vec![message.clone()],
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Certificate { .. } => Vec::new(),
            Self::Cluster(error) => error.hints(),
            Self::Key(error) => error.hints(),
            Self::NoRoles { user } => {
                vec![format!("give the bot roles: `tctl bots update {} --add-roles ROLE`", bot_name(user))]
            }
            Self::Refused { user, message, .. } => vec![refusal_hint(bot_name(user), message)],
        }
    }
}

/// By Teleport's words (`lib/auth/auth_with_roles.go`, `lib/services/local`; recorded with 15).
fn refusal_hint(bot: &str, message: &str) -> String {
    let is_not_found = message.contains("not found");
    if message.contains("role impersonation") {
        format!(
            "allow the bot these roles (`tctl bots update {bot} --add-roles ROLE`), or leave them out of `--roles`"
        )
    } else if message.contains("role") && is_not_found {
        "check the spelling of `--roles`; `tctl get roles` lists them".to_owned()
    } else if message.contains("cluster") && is_not_found {
        "check `cluster=` of the output; `tctl get remote_clusters` lists the trusted leaf clusters"
            .to_owned()
    } else {
        format!("look in the audit log and at `tctl bots ls` for what `{bot}` may do")
    }
}

/// Servers from this major take SSH and TLS keys apart (`UserCertsRequest` 22 and 23).
const SPLIT_KEYS_SINCE: u32 = 17;

/// How often a flight that got no answer is tried.
const ATTEMPTS: u32 = 3;

/// Issues all outputs. Two flights at most: roles and CAs, then certificates; one when every output names its roles. What got no answer is tried
/// again, with the same keys.
pub async fn issue(
    cluster: &Cluster,
    bot: &BotIdentity,
    ping: &Ping,
    request: &Request,
) -> Result<Batch, IssueError> {
    let kinds = key_kinds(bot, ping, request.key_kind);
    let count = request.outputs.len();
    let make = move || (0..count).map(|_| Keys::generate(kinds)).collect::<Result<Vec<_>, _>>();
    let keys = async move {
        let made = tokio::task::spawn_blocking(make).await;
        made.map_err(|_| KeyError::Generate(kinds.0)).and_then(|keys| keys)
    };
    let keys = keys.shared();
    let network = cluster.network();
    let expires = expiry(now(), ping.clock_skew, request.ttl);
    let server = Server { bot, is_split: ping.major >= SPLIT_KEYS_SINCE, expires };
    let flight = |_| flights(cluster, server, request, keys.clone());
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

/// What all calls of a flight share.
#[derive(Clone, Copy)]
struct Server<'a> {
    bot: &'a BotIdentity,
    /// Whether it takes an SSH and a TLS key.
    is_split: bool,
    expires: Timestamp,
}

async fn flights(
    cluster: &Cluster,
    server: Server<'_>,
    request: &Request,
    keys: impl Future<Output = Result<Vec<Keys>, KeyError>>,
) -> Result<Batch, IssueError> {
    let bot = server.bot;
    let keys = async { Ok::<_, IssueError>(keys.await?) };
    let auth = async { Ok(cluster.auth(&bot.cluster, &bot.authorities, bot.client.clone()).await?) };
    // Keys are generated while the connection is opened.
    let (keys, auth) = tokio::try_join!(keys, auth)?;
    let authorities = async { Ok(authorities(&auth, bot).await?) };
    if request.outputs.iter().any(|o| o.roles.is_none()) {
        let (roles, authorities) = tokio::try_join!(default_roles(&auth, bot), authorities)?;
        let issued = certificates(&auth, server, request, &keys, &roles).await?;
        return Ok(Batch { issued, authorities });
    }
    let (issued, authorities) =
        tokio::try_join!(certificates(&auth, server, request, &keys, &[]), authorities)?;
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

fn key_kinds(bot: &BotIdentity, ping: &Ping, asked: Option<KeyKind>) -> Kinds {
    match (ping.major >= SPLIT_KEYS_SINCE, asked) {
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
    server: Server<'_>,
    request: &Request,
    keys: &[Keys],
    default_roles: &[String],
) -> Result<Vec<Issued>, IssueError> {
    let all = request.outputs.iter().zip(keys).map(|(output, keys)| async move {
        let roles = output.roles.as_deref().unwrap_or(default_roles);
        let identity = certify(auth, server, output, keys, roles).await?;
        Ok::<_, IssueError>(Issued { output: output.clone(), roles: roles.to_vec(), identity })
    });
    try_join_all(all).await
}

/// One output's certificates. With split keys a second call, in the same flight, certifies the TLS key for SSH: the `identity` file holds one key.
async fn certify(
    auth: &AuthService,
    server: Server<'_>,
    output: &Output,
    keys: &Keys,
    roles: &[String],
) -> Result<Identity, IssueError> {
    let bot = server.bot;
    let cluster = output.kind.cluster().unwrap_or(&bot.cluster);
    let ask = |keys: PublicKeys| async move {
        let wanted = CertsWanted { user: &bot.user, keys, expires: server.expires, cluster, roles };
        auth.certificates(&wanted).await.map_err(|e| refused(e, &output.name, bot))
    };
    let unusable = |reason: String| IssueError::Certificate { output: output.name.clone(), reason };
    let ssh_line = keys.ssh.public_ssh_line();
    let public = match &keys.tls {
        None if !server.is_split => PublicKeys::One { ssh_line },
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
        SshCertificate::from_line(line.trim()).map_err(|e| unusable(e.in_one_line()))
    };
    let pem =
        std::str::from_utf8(&certs.tls).map_err(|_| unusable("the TLS certificate is not text".into()))?;
    Ok(Identity {
        ssh: Some(SshIdentity { key: keys.ssh.clone(), cert: ssh(&certs)? }),
        tls: TlsIdentity {
            key: keys.tls.as_ref().unwrap_or(&keys.ssh).clone(),
            cert: TlsCertificate::from_pem(pem).map_err(|e| unusable(e.in_one_line()))?,
        },
        bundle_ssh_cert: bundle.as_ref().map(ssh).transpose()?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_is_about_what_was_refused() {
        for (message, hint) in [
            ("access denied: role impersonation is not allowed", "allow the bot these roles"),
            ("role \"ci\" is not found", "`tctl get roles`"),
            ("cluster \"leaf\" not found", "`tctl get remote_clusters`"),
            ("role \"ci\" is locked", "look in the audit log"),
            ("user not found", "look in the audit log"),
        ] {
            assert!(refusal_hint("ci", message).contains(hint), "{message}");
        }
    }
}
