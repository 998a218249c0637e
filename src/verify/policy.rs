//! Cluster policies that keep every bot out: per-session MFA and Device Trust. Nothing in a certificate shows them; two calls
//! under the issued identity do.

use futures_util::future::join_all;

use super::VerifyError;
use crate::error::StageError as _;
use crate::issue::{Batch, Issued};
use crate::join::BotIdentity;
use crate::net::tls::ClientIdentity;
use crate::output::Output;
use crate::teleport::wire::{MfaTarget, NodeLogin, Role};
use crate::teleport::{Cluster, ClusterError};

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

fn with_distinct_roles(issued: &[Issued]) -> Vec<&Issued> {
    let mut distinct: Vec<&Issued> = Vec::new();
    for output in issued {
        if !distinct.iter().any(|known| known.output.roles == output.output.roles) {
            distinct.push(output);
        }
    }
    distinct
}

/// Asks, for each kind of output at once, whether its roles or the targets require what no bot has. A server that does not answer
/// these calls costs a line in the log and nothing else.
pub async fn policies(
    cluster: &Cluster,
    bot: &BotIdentity,
    batch: &Batch,
    targets: &[Target],
) -> Result<(), VerifyError> {
    let all = join_all(
        with_distinct_roles(&batch.issued).into_iter().map(|issued| policy(cluster, bot, issued, targets)),
    )
    .await;
    all.into_iter().collect()
}

async fn policy(
    cluster: &Cluster,
    bot: &BotIdentity,
    issued: &Issued,
    targets: &[Target],
) -> Result<(), VerifyError> {
    let identity = &issued.first.identity;
    let client = ClientIdentity {
        chain: vec![identity.tls.cert.der.clone()],
        key: identity.key_of_tls().private().clone(),
    };
    let skipped = |what: &str, error: &ClusterError| {
        let name = &issued.output.name;
        cluster
            .network()
            .log()
            .detail(format!("output {name}: {what} is not known: {}", error.in_one_line()));
    };
    // A leaf's own policy is asked of the root: the root's auth service is the one that is reachable.
    let auth = match cluster.auth(&bot.cluster, &bot.authorities, client).await {
        Ok(auth) => auth,
        Err(error) => {
            skipped("what policies require", &error);
            return Ok(());
        }
    };
    let ask = |target: &Target| {
        let node = MfaTarget::Node(NodeLogin { node: target.node.clone(), login: target.login.clone() });
        let auth = auth.clone();
        async move { auth.is_mfa_required(node).await }
    };
    let (roles, answers) = tokio::join!(auth.current_roles(), join_all(targets.iter().map(ask)));
    match roles {
        Ok(roles) => roles.iter().try_for_each(|role| check_role(role, issued))?,
        Err(error) => skipped("what its roles require", &error),
    }
    for (target, answer) in targets.iter().zip(answers) {
        match answer {
            Ok(false) => {}
            Ok(true) => {
                return Err(VerifyError::Policy {
                    output: issued.output.name.clone(),
                    place: format!("`{}@{}`", target.login, target.node),
                    setting: "per-session MFA".into(),
                    hint: "turn off `require_session_mfa` for what bots use: in the roles that reach this node, and in \
                           `cluster_auth_preference` (roles can still require it for people)"
                        .into(),
                });
            }
            Err(error) => skipped("whether the target requires MFA", &error),
        }
    }
    Ok(())
}

/// What a role requires that a bot cannot provide (`api/types/role.go`, `RequireMFAType` and `DeviceTrustMode`).
fn check_role(role: &Role, issued: &Issued) -> Result<(), VerifyError> {
    let name = role.metadata.as_ref().map_or("", |m| m.name.as_str());
    let name = crate::text::safe(name, 200);
    let Some(options) = role.spec.as_ref().and_then(|s| s.options.as_ref()) else { return Ok(()) };
    let required = |setting: &str, hint: String| {
        Err(VerifyError::Policy {
            output: issued.output.name.clone(),
            place: format!("the role `{name}`"),
            setting: setting.to_owned(),
            hint,
        })
    };
    if options.require_mfa_type != 0 {
        let setting = match options.require_mfa_type {
            1 => "per-session MFA (`require_session_mfa: yes`)",
            _ => "a hardware key (`require_session_mfa: hardware_key…`)",
        };
        return required(
            setting,
            format!(
                "give the bot a role without `require_session_mfa`, or remove it from `{name}`: no bot has a second factor"
            ),
        );
    }
    if options.device_trust_mode == "required" {
        return required(
            "Device Trust (`device_trust_mode: required`)",
            format!("set `device_trust_mode: required-for-humans` in `{name}`, or give the bot another role"),
        );
    }
    Ok(())
}
