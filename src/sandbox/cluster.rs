//! The state every part of the sandbox shares: options, CAs, issuer, counters.

use std::net::SocketAddr;
use std::sync::atomic::AtomicU32;

use super::attestation::Attester;
use super::barrier::Barrier;
use super::ca::Cas;
use super::error::SandboxError;
use super::issuer::Issuer;
use super::options::{SandboxOptions, SandboxRole};
use super::random::random;
use super::records::Records;
use super::request_store::Requests;
use crate::rules::ServerVersion;
use crate::text::hex;

/// The longest a role lets a bot's certificate live (recorded: 48 h asked gave 12 h), seconds.
pub(super) const ROLE_TTL: u64 = 12 * 3600;
/// The longest any bot's certificate lives, seconds.
pub(super) const BOT_TTL: u64 = 24 * 3600;
const DRY_RUN_TTL: u64 = 15 * 60;
const DEFAULT_TTL: i64 = 3600;
const MIN_TTL: i64 = 60;
/// Certificates begin this long ago, for clocks that differ (recorded), seconds.
const BACKDATE: i64 = 60;
/// Roles every new cluster has and no bot here may impersonate.
const PRESETS: [&str; 3] = ["access", "auditor", "editor"];

/// One cluster.
pub(super) struct Cluster {
    pub(super) options: SandboxOptions,
    pub(super) version: ServerVersion,
    pub(super) cas: Cas,
    pub(super) issuer: Issuer,
    pub(super) address: SocketAddr,
    /// Of the machines' metadata services.
    pub(super) metadata: SocketAddr,
    pub(super) attester: Attester,
    /// What the CI token endpoint wants to see. A secret as far as a sandbox has any.
    pub(super) bearer: String,
    /// Requests for a CI token still to be answered with 503.
    pub(super) token_503: AtomicU32,
    /// Handshakes still to be closed half-way.
    pub(super) impatient_handshakes: AtomicU32,
    /// One for each injected group of `answer_together`.
    pub(super) barriers: Vec<Barrier>,
    pub(super) records: Records,
    pub(super) requests: Requests,
    /// What whoever answers access requests by hand must show.
    pub(super) control: String,
}

impl Cluster {
    pub(super) fn new(
        options: SandboxOptions,
        address: SocketAddr,
        metadata: SocketAddr,
    ) -> Result<Self, SandboxError> {
        let version = ServerVersion::parse(&options.version).ok_or_else(|| {
            SandboxError::create("version", format!("`{}` is not like `18.2.0`", options.version))
        })?;
        Ok(Self {
            cas: Cas::new(&options)?,
            issuer: Issuer::new(options.rs256)?,
            attester: Attester::new()?,
            metadata,
            bearer: hex(&random::<24>()?),
            token_503: AtomicU32::new(options.inject.token_503),
            impatient_handshakes: AtomicU32::new(options.inject.impatient_handshakes),
            barriers: options.inject.answer_together.iter().map(|group| Barrier::new(group)).collect(),
            records: Records::default(),
            requests: Requests::default(),
            control: hex(&random::<24>()?),
            version,
            options,
            address,
        })
    }

    /// From version 17 there are suites, split keys and other refusal texts.
    pub(super) fn is_modern(&self) -> bool {
        self.version.major >= 17
    }

    /// `teleport.join.v1` is there from version 18.
    pub(super) fn serves_new_join(&self) -> bool {
        self.options.join_new && self.version.major >= 18
    }

    /// `HOST:PORT` for clients.
    pub(super) fn public_addr(&self) -> String {
        self.options.public_addr.clone().unwrap_or_else(|| self.address.to_string())
    }

    /// The host of that.
    pub(super) fn public_host(&self) -> String {
        let addr = self.public_addr();
        let host = addr.rsplit_once(':').map_or(addr.as_str(), |(host, _)| host);
        host.trim_matches(['[', ']']).to_owned()
    }

    /// The URL of the web part.
    pub(super) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Traits of its bots, JSON.
    pub(super) fn traits(&self) -> String {
        serde_json::to_string(&self.options.traits).unwrap_or_default()
    }

    /// The logins that a role gives a bot: its templates filled in.
    pub(super) fn logins(&self, role: &SandboxRole) -> Vec<String> {
        let filled = |template: &String| {
            let variable = template.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
            let name =
                variable.and_then(|v| v.strip_prefix("internal.").or_else(|| v.strip_prefix("external.")));
            match name {
                Some(name) => self.options.traits.get(name).cloned().unwrap_or_default(),
                None => vec![template.clone()],
            }
        };
        role.logins.iter().flat_map(filled).collect()
    }

    /// A role that bots may impersonate.
    pub(super) fn role(&self, name: &str) -> Option<&SandboxRole> {
        self.options.roles.iter().find(|role| role.name == name)
    }

    /// A role that bots may impersonate, or ask for.
    pub(super) fn any_role(&self, name: &str) -> Option<&SandboxRole> {
        self.role(name).or_else(|| self.options.requests.roles.iter().find(|role| role.name == name))
    }

    /// The bot that owns the role `bot-NAME`, if there is one.
    pub(super) fn bot_of_role<'a>(&self, role: &'a str) -> Option<&'a str> {
        let name = role.strip_prefix("bot-")?;
        self.options.tokens.iter().any(|t| t.bot_name.as_deref() == Some(name)).then_some(name)
    }

    /// Whether a role of that name exists, impersonable or not.
    pub(super) fn has_role(&self, name: &str) -> bool {
        self.any_role(name).is_some() || PRESETS.contains(&name) || self.bot_of_role(name).is_some()
    }

    /// Start and end of a certificate in Unix seconds, for an end asked for and a cap in seconds from now.
    pub(super) fn validity(&self, asked: Option<i64>, cap: u64) -> (i64, i64) {
        let now = crate::env::now().as_second();
        let cap = if self.options.dry_run { cap.min(DRY_RUN_TTL) } else { cap };
        let cap = i64::try_from(cap).unwrap_or(i64::MAX);
        let ttl = asked.map_or(DEFAULT_TTL, |end| end.saturating_sub(now)).max(MIN_TTL).min(cap);
        (now - BACKDATE, now.saturating_add(ttl))
    }
}
