//! Cluster policies that keep every bot out: per-session MFA and Device Trust. Nothing in a certificate shows them; two calls
//! under the issued identity do.

use futures_util::future::join_all;

use super::VerifyError;
use crate::error::StageError as _;
use crate::identity::logins::RoleLogins;
use crate::identity::route::Route;
use crate::issue::{Batch, Issued};
use crate::join::BotIdentity;
use crate::net::tls::ClientIdentity;
use crate::output::{Kind, Output};
use crate::teleport::auth_service::{self, AuthService};
use crate::teleport::wire::{MfaTarget, NodeLogin, Role};
use crate::teleport::{Cluster, ClusterError};
use crate::text::is_name;

/// A node and a login the job is going to use (`--target LOGIN@NODE`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The login.
    pub login: String,
    /// The node's name.
    pub node: String,
}

/// How many connections [`policies`] makes: outputs with the same roles are asked about once.
pub fn connections(outputs: &[Output]) -> usize {
    let mut roles: Vec<&Option<Vec<String>>> = outputs.iter().map(|o| &o.roles).collect();
    roles.sort();
    roles.dedup();
    roles.len()
}

/// An output, and what keeps every bot from using it.
pub type Finding = (String, VerifyError);

/// What the cluster says of the roles.
#[derive(Debug, Default)]
pub struct Policies {
    /// What keeps bots out.
    pub findings: Vec<Finding>,
    /// The logins of each role, as far as the cluster tells.
    pub logins: RoleLogins,
}

/// Asks, for each set of roles at once, whether the roles, the targets, or what the outputs are for require what no bot has. A server that does
/// not answer these calls costs a line in the log and nothing else.
pub async fn policies(cluster: &Cluster, bot: &BotIdentity, batch: &Batch, targets: &[Target]) -> Policies {
    let mut sets: Vec<Vec<&Issued>> = Vec::new();
    for issued in &batch.issued {
        match sets.iter_mut().find(|set| set.iter().all(|known| known.roles == issued.roles)) {
            Some(set) => set.push(issued),
            None => sets.push(vec![issued]),
        }
    }
    let asked: Vec<_> = sets.iter().map(|set| Asked { cluster, bot, batch, set }).collect();
    let mut all = Policies::default();
    for policies in join_all(asked.iter().map(|asked| asked.policies(targets))).await {
        all.findings.extend(policies.findings);
        all.logins.extend(policies.logins);
    }
    all
}

/// Outputs with the same roles.
struct Asked<'a> {
    cluster: &'a Cluster,
    bot: &'a BotIdentity,
    batch: &'a Batch,
    set: &'a [&'a Issued],
}

/// One thing that is going to be used.
struct Use<'a> {
    output: &'a Issued,
    target: MfaTarget,
    /// As errors name it.
    place: String,
}

impl Asked<'_> {
    async fn policies(&self, targets: &[Target]) -> Policies {
        let auth = match self.auth().await {
            Some(Ok(auth)) => auth,
            Some(Err(error)) => {
                self.skipped("what policies require", &error);
                return Policies::default();
            }
            None => return Policies::default(),
        };
        let uses = self.uses(targets);
        let ask = |used: &Use<'_>| {
            let (auth, target) = (auth.clone(), used.target.clone());
            async move { auth.is_mfa_required(target).await }
        };
        let (roles, answers) = tokio::join!(auth.current_roles(), join_all(uses.iter().map(ask)));
        let (mut found, mut logins) = (Vec::new(), RoleLogins::new());
        match roles {
            Ok(roles) => {
                logins.extend(roles.iter().filter_map(logins_of));
                let outputs = self.set.iter();
                found.extend(
                    outputs.filter_map(|output| roles.iter().find_map(|role| required(role, output))),
                );
            }
            Err(error) => self.skipped("what its roles require", &error),
        }
        for (used, answer) in uses.iter().zip(answers) {
            match answer {
                Ok(false) => {}
                Ok(true) => found.push(finding(
                    used.output,
                    used.place.clone(),
                    "per-session MFA",
                    "turn off `require_session_mfa` for what bots use: in the roles that reach it, and in \
                     `cluster_auth_preference` (roles can still require it for people)"
                        .to_owned(),
                )),
                Err(error) => self.skipped("whether the target requires MFA", &error),
            }
        }
        Policies { findings: found, logins }
    }

    /// A leaf's own policy is asked of the root: the root's auth service is the one that is reachable.
    async fn auth(&self) -> Option<Result<AuthService, ClusterError>> {
        let first = self.set.first()?;
        let open = self.batch.sessions.iter().find(|(roles, _)| *roles == first.roles);
        if let Some((_, auth)) = open {
            return Some(Ok(auth.clone()));
        }
        let identity = &first.first.identity;
        let client = ClientIdentity {
            chain: vec![identity.tls.cert.der.clone()],
            key: identity.key_of_tls().private().clone(),
        };
        Some(self.cluster.auth(&self.bot.cluster, &self.bot.authorities, client).await)
    }

    /// The nodes that the user names, and whatever else the certificates are for.
    fn uses(&self, targets: &[Target]) -> Vec<Use<'_>> {
        let nodes = targets.iter().filter_map(|target| {
            let output = self.set.iter().find(|output| matches!(output.output.kind, Kind::Ssh { .. }))?;
            let node = NodeLogin { node: target.node.clone(), login: target.login.clone() };
            let place = format!("`{}@{}`", target.login, target.node);
            Some(Use { output, target: MfaTarget::Node(node), place })
        });
        let all = self.set.iter().flat_map(|output| output.credentials().map(move |c| (output, &c.route)));
        let resources = all.filter_map(|(output, route)| {
            let target = match route {
                Route::Cluster => return None,
                Route::Kube { kube } => MfaTarget::KubernetesCluster(kube.clone()),
                Route::Database(route) => MfaTarget::Database(auth_service::database(route)),
                Route::App(route) => MfaTarget::App(auth_service::app(route)),
            };
            Some(Use { output, target, place: route.to_string() })
        });
        nodes.chain(resources).collect()
    }

    fn skipped(&self, what: &str, error: &ClusterError) {
        let names: Vec<&str> = self.set.iter().map(|output| output.output.name.as_str()).collect();
        let line = format!("output {}: {what} is not known: {}", names.join(", "), error.in_one_line());
        self.cluster.network().log().detail(line);
    }
}

fn finding(output: &Issued, place: String, setting: &str, hint: String) -> Finding {
    let output = output.output.name.clone();
    let error = VerifyError::Policy { output: output.clone(), place, setting: setting.to_owned(), hint };
    (output, error)
}

/// The role's name and its `allow.logins`, as far as they are names.
fn logins_of(role: &Role) -> Option<(String, Vec<String>)> {
    let name = role.metadata.as_ref().map(|metadata| metadata.name.clone()).filter(|name| is_name(name))?;
    let allow = role.spec.as_ref().and_then(|spec| spec.allow.as_ref());
    let logins = allow.map(|allow| allow.logins.iter().filter(|login| is_name(login)).cloned().collect());
    Some((name, logins.unwrap_or_default()))
}

/// What a role requires that a bot cannot provide (`api/types/role.go`, `RequireMFAType` and `DeviceTrustMode`).
fn required(role: &Role, output: &Issued) -> Option<Finding> {
    let name = role.metadata.as_ref().map_or("", |m| m.name.as_str());
    let name = crate::text::safe(name, 200);
    let options = role.spec.as_ref().and_then(|s| s.options.as_ref())?;
    let place = format!("the role `{name}`");
    if options.require_mfa_type != 0 {
        let setting = match options.require_mfa_type {
            1 => "per-session MFA (`require_session_mfa: yes`)",
            _ => "a hardware key (`require_session_mfa: hardware_key…`)",
        };
        let hint = format!(
            "give the bot a role without `require_session_mfa`, or remove it from `{name}`: no bot has a second factor"
        );
        return Some(finding(output, place, setting, hint));
    }
    if options.device_trust_mode == "required" {
        let setting = "Device Trust (`device_trust_mode: required`)";
        let hint =
            format!("set `device_trust_mode: required-for-humans` in `{name}`, or give the bot another role");
        return Some(finding(output, place, setting, hint));
    }
    None
}
