//! How a sandbox is to be: cluster, policy, roles, targets.

use std::net::SocketAddr;
use std::time::Duration;

use super::fault_injection::FaultInjection;
use super::simulated::Simulated;
use crate::identity::logins::Traits;
use crate::platform::Platform;
use crate::rules::ProvisionToken;
use crate::teleport::{JoinMethod, RequestId};

/// A role of the sandbox's cluster.
#[derive(Debug, Clone, Default)]
pub struct SandboxRole {
    /// Its name.
    pub name: String,
    /// `allow.logins`, templates of one variable among them: `{{internal.logins}}`.
    pub logins: Vec<String>,
    /// `options.require_session_mfa` as the wire's number: 0 off, 1 session.
    pub require_mfa_type: i32,
    /// `options.device_trust_mode`.
    pub device_trust_mode: String,
    /// `options.max_session_ttl` in seconds; 0: the cluster's 12 h.
    pub max_session_ttl: u64,
}

/// A host that ssh can be proxied to.
#[derive(Debug, Clone)]
pub struct SandboxNode {
    /// Its name, without the cluster's.
    pub name: String,
    /// The cluster it belongs to: the root or a leaf.
    pub cluster: String,
    /// Where its sshd listens.
    pub address: SocketAddr,
}

/// A registered database.
#[derive(Debug, Clone)]
pub struct SandboxDatabase {
    /// Service name.
    pub name: String,
    /// `postgres`, `mysql`, …
    pub protocol: String,
}

/// A registered application.
#[derive(Debug, Clone)]
pub struct SandboxApp {
    /// Its name.
    pub name: String,
    /// Its public address, a host name.
    pub public_addr: String,
    /// Where the application service reaches it: `http://…` or `tcp://…`.
    pub uri: String,
}

/// A registered kubernetes cluster.
#[derive(Debug, Clone)]
pub struct SandboxKubeCluster {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Vec<(String, String)>,
}

/// A CA rotation in progress: two keys are trusted (`api/types/authority.go`, `RotationPhase…`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// New keys sign what is issued; servers still show certificates of the old ones.
    UpdateClients,
    /// New keys sign everything; the old ones are still trusted.
    UpdateServers,
}

/// What becomes of an access request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Somebody says yes.
    Approve,
    /// Somebody says no.
    Deny,
    /// Somebody makes it the membership of an access list.
    Promote,
}

/// What may be requested, and who answers. By default the role `ci-prod`, and nobody.
#[derive(Debug, Clone, Default)]
pub struct RequestPolicy {
    /// The roles that bots may ask for. They do not have them otherwise.
    pub roles: Vec<SandboxRole>,
    /// What becomes of each request; `None`: it waits for [`super::Sandbox::answer_request`].
    pub verdict: Option<Verdict>,
    /// As many questions are answered with `pending` first …
    pub after_questions: u32,
    /// … and for as long.
    pub after: Duration,
    /// Why, in the words of whoever answers.
    pub reason: String,
    /// The roles that an approval gives in place of those asked for.
    pub gives: Option<Vec<String>>,
    /// How long after the answer what it gives begins.
    pub begins_after: Duration,
    /// A request that an earlier job has filed for these roles, by its id.
    pub known: Option<(RequestId, Vec<String>)>,
}

/// How the sandbox is to be.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Cluster name.
    pub cluster: String,
    /// Trusted leaf clusters, by name.
    pub leaves: Vec<String>,
    /// Teleport version it pretends to be; decides join paths and key fields.
    pub version: String,
    /// Suite in ping and `ServerInit` (versions from 17): `balanced-v1`, … Digits become a JSON number.
    pub suite: String,
    /// The policy. There is a bot for each `bot_name`.
    pub tokens: Vec<ProvisionToken>,
    /// The branch of the simulated jobs; `None`: the one that the usual policy admits.
    pub branch: Option<String>,
    /// Roles every bot may impersonate.
    pub roles: Vec<SandboxRole>,
    /// Access requests.
    pub requests: RequestPolicy,
    /// Traits every bot has; roles take them in by `{{internal.NAME}}`.
    pub traits: Traits,
    /// Answer the new join path (`teleport.join.v1`), which versions from 18 have.
    pub join_new: bool,
    /// Answer the old join path (HTTPS POST).
    pub join_old: bool,
    /// Serve `/webapi/connectionupgrade` with raw bytes after the 101 (Teleport since 12.1).
    pub upgrade_alpn: bool,
    /// Serve it with WebSocket frames (what later versions prefer).
    pub upgrade_websocket: bool,
    /// Certificates say `DRY-RUN` in their key id and live at most 15 minutes.
    pub dry_run: bool,
    /// What goes wrong on purpose: nothing by default.
    pub inject: FaultInjection,
    /// TCP port; 0: a free one.
    pub port: u16,
    /// Listen on `[::1]` in place of 127.0.0.1.
    pub ipv6: bool,
    /// `proxy.ssh.public_addr` in ping; `None`: the address it listens on.
    pub public_addr: Option<String>,
    /// Hosts for ssh.
    pub nodes: Vec<SandboxNode>,
    /// Registered kubernetes clusters.
    pub kube_clusters: Vec<SandboxKubeCluster>,
    /// For kubernetes the proxy shows a certificate of the web CA in place of one of the host CA.
    pub kube_web_certificate: bool,
    /// Registered databases.
    pub databases: Vec<SandboxDatabase>,
    /// Where databases listen, by name: for clients that come through the proxy.
    pub database_targets: Vec<(String, SocketAddr)>,
    /// The same of web applications, in place of the sandbox's own answers: clients' bytes as they come out of TLS.
    pub app_targets: Vec<(String, SocketAddr)>,
    /// The same of kubernetes clusters.
    pub kube_targets: Vec<(String, SocketAddr)>,
    /// Registered applications.
    pub apps: Vec<SandboxApp>,
    /// Per-session MFA for the whole cluster (`cluster_auth_preference`), which no role shows.
    pub require_session_mfa: bool,
    /// The user, host and database CA are being rotated.
    pub rotation: Option<Rotation>,
    /// RSA-2048 CAs, as clusters made before version 17 have; slower to make.
    pub rsa_cas: bool,
    /// Identity tokens signed with RS256, as all real platforms do, in place of ES256; slower to make.
    pub rs256: bool,
}

impl SandboxOptions {
    /// A small cluster of a recent version with one join token for each kind of job (`ci-github`, …; only for that
    /// platform's when one is named), whose rule matches the claims `Sandbox::job_environment` gives a job. Bot `ci`,
    /// roles `ci-deploy` and `ci-read`.
    pub fn simulating(platform: Option<Platform>) -> Self {
        match platform {
            Some(platform) => Self::admitting([platform.into()]),
            None => Self::admitting(Simulated::all()),
        }
    }

    /// The same with a join token for each of these kinds of job.
    pub fn admitting(jobs: impl IntoIterator<Item = Simulated>) -> Self {
        let tokens = jobs
            .into_iter()
            .map(|job| ProvisionToken {
                name: format!("ci-{}", job.id()),
                expires: None,
                roles: vec!["Bot".to_owned()],
                bot_name: Some("ci".to_owned()),
                method: job.method(),
                spec: (job.simulation().admitting_spec)(),
            })
            .collect();
        let role = |name: &str, login: &str| SandboxRole {
            name: name.to_owned(),
            logins: vec![login.to_owned()],
            ..SandboxRole::default()
        };
        Self {
            cluster: "sandbox.example".to_owned(),
            leaves: Vec::new(),
            version: "18.11.0".to_owned(),
            suite: "balanced-v1".to_owned(),
            tokens,
            branch: None,
            roles: vec![role("ci-deploy", "deploy"), role("ci-read", "reader")],
            requests: RequestPolicy { roles: vec![role("ci-prod", "prod")], ..RequestPolicy::default() },
            traits: Traits::new(),
            join_new: true,
            join_old: true,
            upgrade_alpn: true,
            upgrade_websocket: true,
            dry_run: false,
            inject: FaultInjection::default(),
            port: 0,
            ipv6: false,
            public_addr: None,
            nodes: Vec::new(),
            kube_clusters: Vec::new(),
            kube_web_certificate: false,
            databases: Vec::new(),
            database_targets: Vec::new(),
            app_targets: Vec::new(),
            kube_targets: Vec::new(),
            apps: Vec::new(),
            require_session_mfa: false,
            rotation: None,
            rsa_cas: false,
            rs256: false,
        }
    }

    /// The join token for such jobs: the first of their join method. `generic_oidc` is the method of several platforms,
    /// told apart by the issuer.
    pub fn token_for(&self, job: impl Into<Simulated>) -> Option<&ProvisionToken> {
        let job = job.into();
        let (method, issuer) = (job.method(), job.simulation().issuer);
        let is_own = |t: &&ProvisionToken| {
            method != JoinMethod::GenericOidc || t.expected_issuer().as_deref() == Some(issuer)
        };
        let mut all = self.tokens.iter().filter(|t| t.method == method);
        all.clone().find(is_own).or_else(|| all.next())
    }
}
