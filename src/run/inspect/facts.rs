//! What the certificates say, for people and scripts.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::key_kind;
use super::material::Material;
use crate::identity::DRY_RUN;
use crate::identity::logins::{self, LoginSource, RoleLogins, Traits};
use crate::identity::ssh::{SshCertificate, is_login};
use crate::identity::tls::TlsCertificate;
use crate::text::safe;

/// What is known of one folder or file.
#[derive(Debug, Serialize)]
pub struct Facts {
    /// The folder or file, absolute.
    pub path: String,
    /// The user's name, `bot-NAME` for a bot.
    pub user: String,
    /// The bot's name.
    pub bot: Option<String>,
    /// The user who requested it.
    pub impersonator: Option<String>,
    /// The cluster that issued it.
    pub cluster: Option<String>,
    /// Roles, sorted.
    pub roles: Vec<String>,
    /// The access requests that people approved for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_requests: Vec<String>,
    /// Logins for ssh, sorted.
    pub logins: Vec<String>,
    /// Where each of them is from, by the manifest or else by the certificate.
    pub login_sources: Vec<LoginSource>,
    /// The route, in credentials for a kubernetes cluster.
    pub kubernetes: Option<Kubernetes>,
    /// The contexts of a kubeconfig, the current one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<String>,
    /// The route, in credentials for a database.
    pub database: Option<Database>,
    /// The route, in credentials for an application.
    pub app: Option<App>,
    /// The latest start of all certificates.
    pub valid_from: Timestamp,
    /// The earliest end of all certificates.
    pub valid_until: Timestamp,
    /// Whole seconds until then; negative when it has passed.
    pub seconds_left: i64,
    /// Whether it has passed.
    pub expired: bool,
    /// Kinds of the keys.
    pub keys: Keys,
    /// Whether each certificate is for its key; `None`: none is for another one, but a key is missing or unreadable.
    pub belong_together: Option<bool>,
    /// The ssh-agent of a running `jobpass exec --agent`, where that has the keys and no file does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Whether `login --dry-run` created it, by certificates or manifest.
    pub dry_run: bool,
    /// What to know though nothing is broken.
    pub warnings: Vec<String>,
    /// What is broken.
    pub problems: Vec<String>,
}

/// Kinds of keys: `RSA-2048`, `P-256`, `Ed25519`.
#[derive(Debug, Serialize)]
pub struct Keys {
    /// Of the SSH certificate.
    pub ssh: Option<String>,
    /// Of the X.509 certificate.
    pub tls: Option<String>,
}

/// A kubernetes route.
#[derive(Debug, Serialize)]
pub struct Kubernetes {
    /// The kubernetes cluster's name; of several the first.
    pub cluster: Option<String>,
    /// All of them, sorted.
    pub clusters: Vec<String>,
    /// Groups to act as.
    pub groups: Vec<String>,
}

/// A database route.
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct Database {
    pub service: Option<String>,
    pub protocol: Option<String>,
    pub user: Option<String>,
    pub name: Option<String>,
}

/// An application route.
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct App {
    pub name: Option<String>,
    pub public_address: Option<String>,
    pub cluster: Option<String>,
}

/// No name in a certificate is near this; in characters.
const LONGEST: usize = 200;

fn plain(text: &str) -> String {
    safe(text, LONGEST)
}

impl Facts {
    /// The tails of attributes are Teleport's (`lib/tlsca/ca.go`, v18).
    pub fn new(material: &Material, now: Timestamp) -> Self {
        let ssh = material.ssh.first().map(|(_, c)| c);
        let tls = material.tls.first().map(|(_, c)| c);
        let key_id = ssh.map(|c| c.key_id.as_str()).unwrap_or_default();
        let extension = |name: &str| {
            let found = ssh?.extensions.iter().find(|(n, _)| n == name);
            found.map(|(_, value)| plain(value)).filter(|v| !v.is_empty())
        };
        let attribute = |tail: &str| tls.and_then(|c| c.attribute(tail)).map(plain).filter(|v| !v.is_empty());
        let marked = key_id.strip_prefix(DRY_RUN).and_then(|rest| rest.strip_prefix(' '));
        let user = tls.map_or_else(|| plain(marked.unwrap_or(key_id)), |c| plain(&c.common_name));
        let roles = tls.map(|c| c.organizations.clone()).or_else(|| ssh.map(SshCertificate::roles));
        let logins = match (ssh, tls) {
            (Some(ssh), _) => ssh.principals.clone(),
            (None, Some(tls)) => tls.localities.clone(),
            (None, None) => Vec::new(),
        };
        let logins = sorted(logins.into_iter().filter(|l| is_login(l)));
        let roles = sorted(roles.unwrap_or_default());
        let traits = ssh.map(SshCertificate::traits).or_else(|| tls.map(|c| c.traits.clone()));
        let login_sources = login_sources(&logins, &roles, &traits.unwrap_or_default(), material);
        let ends = material
            .ssh
            .iter()
            .map(|(_, c)| c.valid_before)
            .chain(material.tls.iter().map(|(_, c)| c.not_after));
        let begins = material
            .ssh
            .iter()
            .map(|(_, c)| c.valid_after)
            .chain(material.tls.iter().map(|(_, c)| c.not_before));
        let valid_until = ends.min().unwrap_or(Timestamp::MAX);
        Self {
            path: material.path.clone(),
            bot: user.strip_prefix("bot-").map(str::to_owned),
            user,
            impersonator: attribute("2.7").or_else(|| extension("impersonator")),
            cluster: attribute("1.7")
                .or_else(|| extension("teleport-route-to-cluster"))
                .or_else(|| tls.map(|c| plain(&c.issuer_common_name)).filter(|n| !n.is_empty())),
            roles,
            access_requests: access_requests(material),
            logins,
            login_sources,
            kubernetes: kubernetes(material),
            contexts: material.contexts.iter().map(|name| plain(name)).collect(),
            database: attribute("2.1").map(|service| Database {
                service: Some(service),
                protocol: attribute("2.2"),
                user: attribute("2.3"),
                name: attribute("2.4"),
            }),
            app: attribute("1.10").or_else(|| attribute("1.6")).map(|_| App {
                name: attribute("1.10"),
                public_address: attribute("1.6"),
                cluster: attribute("1.5"),
            }),
            valid_from: begins.max().unwrap_or(Timestamp::MIN),
            valid_until,
            seconds_left: valid_until.duration_since(now).as_secs(),
            expired: valid_until <= now,
            keys: Keys {
                ssh: ssh.map(|c| key_kind::from_ssh(&c.public_key)),
                tls: tls.map(|c| key_kind::from_tls(&c.public_key)),
            },
            belong_together: material.belong_together(),
            agent: material.agent.as_ref().map(|path| plain(&path.display().to_string())),
            dry_run: material.dry_run
                || marked.is_some()
                || tls.is_some_and(|c| c.subject_serial.as_deref() == Some(DRY_RUN)),
            warnings: material.warnings.iter().map(|w| plain(w)).collect(),
            problems: material.problems.iter().map(|p| plain(p)).collect(),
        }
    }
}

impl Keys {
    /// `SSH Ed25519, TLS P-256`, or one word for both.
    pub fn text(&self) -> String {
        match (&self.ssh, &self.tls) {
            (Some(ssh), Some(tls)) if ssh == tls => ssh.clone(),
            (Some(ssh), Some(tls)) => format!("SSH {ssh}, TLS {tls}"),
            (Some(kind), None) | (None, Some(kind)) => kind.clone(),
            (None, None) => String::new(),
        }
    }
}

/// What the manifest says of a login counts where the certificate has the roles that it names: the certificate is the truth.
fn login_sources(
    logins: &[String],
    roles: &[String],
    traits: &Traits,
    material: &Material,
) -> Vec<LoginSource> {
    let names: Vec<&str> = logins.iter().map(String::as_str).collect();
    let of_certificate = logins::sources(&names, roles, traits, &RoleLogins::new());
    let told = |login: &str| {
        let told = material.login_sources.iter().find(|source| source.login == login)?;
        let is_true = !told.roles.is_empty() && told.roles.iter().all(|role| roles.contains(role));
        is_true.then(|| told.clone())
    };
    let chosen = of_certificate.into_iter().map(|source| told(&source.login).unwrap_or(source));
    chosen
        .map(|source| LoginSource {
            traits: source.traits.iter().map(|name| plain(name)).collect(),
            ..source
        })
        .collect()
}

fn access_requests(material: &Material) -> Vec<String> {
    let of_ssh = material.ssh.iter().flat_map(|(_, certificate)| certificate.access_requests());
    sorted(of_ssh.chain(material.tls.iter().flat_map(|(_, certificate)| certificate.access_requests())))
}

fn kubernetes(material: &Material) -> Option<Kubernetes> {
    let all = material.tls.iter().map(|(_, certificate)| certificate);
    let clusters = sorted(all.filter_map(|c| c.attribute("1.3").map(str::to_owned)));
    let tls: &TlsCertificate = material.tls.first().map(|(_, certificate)| certificate)?;
    let cluster = tls.attribute("1.3").map(plain);
    let groups = tls.attributes.iter().filter(|(tail, _)| tail == "1.2").map(|(_, value)| value.clone());
    let groups = sorted(groups);
    (cluster.is_some() || !groups.is_empty()).then_some(Kubernetes { cluster, clusters, groups })
}

/// Sorted, each once, fit for a terminal.
fn sorted(items: impl IntoIterator<Item = String>) -> Vec<String> {
    items.into_iter().map(|i| plain(&i)).collect::<BTreeSet<_>>().into_iter().collect()
}
