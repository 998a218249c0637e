//! What the certificates say, for people and scripts.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::key_kind;
use super::material::Material;
use crate::identity::ssh::{SshCertificate, is_login};
use crate::identity::tls::TlsCertificate;
use crate::teleport::fault::plain;

/// All there is to say.
#[derive(Debug, Serialize)]
pub struct Facts {
    /// The folder or file, absolute.
    pub path: String,
    /// The user's name, `bot-NAME` for a bot.
    pub user: String,
    /// The bot's name.
    pub bot: Option<String>,
    /// Who asked for it.
    pub impersonator: Option<String>,
    /// The cluster that issued it.
    pub cluster: Option<String>,
    /// Roles, sorted.
    pub roles: Vec<String>,
    /// Logins for ssh, sorted.
    pub logins: Vec<String>,
    /// Where it is for a kubernetes cluster.
    pub kubernetes: Option<Kubernetes>,
    /// Where it is for a database.
    pub database: Option<Database>,
    /// Where it is for an application.
    pub app: Option<App>,
    /// The latest begin of all certificates.
    pub valid_from: Timestamp,
    /// The earliest end of all certificates.
    pub valid_until: Timestamp,
    /// Whole seconds until then; negative when it has ended.
    pub seconds_left: i64,
    /// Whether it has ended.
    pub expired: bool,
    /// Kinds of the keys.
    pub keys: Keys,
    /// Whether each certificate is for its key; `None`: no key could be read.
    pub belong_together: Option<bool>,
    /// Made by `login --dry-run`.
    pub dry_run: bool,
    /// To be known, but nothing broken.
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
    /// Its name.
    pub cluster: Option<String>,
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

/// What a dry run's key ids begin with.
const DRY_RUN: &str = "DRY-RUN ";

impl Facts {
    /// Reads them off. The tails of attributes are Teleport's (`lib/tlsca/ca.go`, v18).
    pub fn of(material: &Material, now: Timestamp) -> Self {
        let ssh = material.ssh.first().map(|(_, c)| c);
        let tls = material.tls.first().map(|(_, c)| c);
        let key_id = ssh.map(|c| c.key_id.as_str()).unwrap_or_default();
        let extension = |name: &str| {
            let found = ssh?.extensions.iter().find(|(n, _)| n == name);
            found.map(|(_, value)| plain(value)).filter(|v| !v.is_empty())
        };
        let attribute = |tail: &str| tls.and_then(|c| c.attribute(tail)).map(plain).filter(|v| !v.is_empty());
        let user = tls
            .map_or_else(|| plain(key_id.strip_prefix(DRY_RUN).unwrap_or(key_id)), |c| plain(&c.common_name));
        let roles = tls.map(|c| c.organizations.clone()).or_else(|| ssh.map(SshCertificate::roles));
        let logins = match (ssh, tls) {
            (Some(ssh), _) => ssh.principals.clone(),
            (None, Some(tls)) => tls.localities.clone(),
            (None, None) => Vec::new(),
        };
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
        let pairs = &material.pairs;
        Self {
            path: material.path.clone(),
            bot: user.strip_prefix("bot-").map(str::to_owned),
            user,
            impersonator: attribute("2.7").or_else(|| extension("impersonator")),
            cluster: attribute("1.7")
                .or_else(|| extension("teleport-route-to-cluster"))
                .or_else(|| tls.map(|c| plain(&c.issuer_common_name)).filter(|n| !n.is_empty())),
            roles: sorted(roles.unwrap_or_default()),
            logins: sorted(logins.into_iter().filter(|l| is_login(l))),
            kubernetes: kubernetes(tls),
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
                ssh: ssh.map(|c| key_kind::of_ssh(&c.public_key)),
                tls: tls.map(|c| key_kind::of_tls(&c.public_key)),
            },
            belong_together: (!pairs.is_empty()).then(|| pairs.iter().all(|(_, _, matches)| *matches)),
            dry_run: material.dry_run || key_id.starts_with(DRY_RUN),
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
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => String::new(),
        }
    }
}

fn kubernetes(tls: Option<&TlsCertificate>) -> Option<Kubernetes> {
    let tls = tls?;
    let cluster = tls.attribute("1.3").map(plain);
    let groups = tls.attributes.iter().filter(|(tail, _)| tail == "1.2").map(|(_, value)| value.clone());
    let groups = sorted(groups);
    (cluster.is_some() || !groups.is_empty()).then_some(Kubernetes { cluster, groups })
}

/// Sorted, each once, fit for a terminal.
fn sorted(items: impl IntoIterator<Item = String>) -> Vec<String> {
    items.into_iter().map(|i| plain(&i)).collect::<BTreeSet<_>>().into_iter().collect()
}
