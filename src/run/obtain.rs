//! Proof → credentials that passed all checks. The only part of a login that knows Teleport.

use std::sync::Arc;

use futures_util::FutureExt as _;

use crate::env;
use crate::error::Failed;
use crate::identity::logins::RoleLogins;
use crate::issue::Issued;
use crate::join::{self, BotIdentity};
use crate::net::HostPort;
use crate::report::RequestReport;
use crate::run::approval::{self, Approval, Asking};
use crate::run::kube_server::kube_server;
use crate::run::later_proxy::later_proxy;
use crate::run::plan::Plan;
use crate::teleport::Cluster;
use crate::teleport::kube::KubeServer;
use crate::teleport::ping::Ping;
use crate::text::duration;
use crate::token::{Proof, TokenError};
use crate::verify::{self, Checked};
use crate::{issue, verify::policy};

/// The last major version of Teleport that issues fewer roles than the bot has (gravitational/teleport issues 68344 and 69181).
const LAST_ROLES_PER_OUTPUT: u32 = 19;

/// What Teleport issued.
pub struct Credentials {
    /// The cluster, and how it is reached.
    pub cluster: Arc<Cluster>,
    /// Who joined.
    pub bot: BotIdentity,
    /// What the cluster says of itself.
    pub ping: Ping,
    /// The proxy's address for later steps.
    pub proxy: HostPort,
    /// Where kubectl goes, where an output is for it.
    pub kube: Option<KubeServer>,
    /// The outputs, as they were asked for.
    pub checked: Checked,
    /// With `--keep-going`, the names of those that are missing, and why.
    pub refused: Vec<(String, Failed)>,
    /// What people approved, where they were asked.
    pub request: Option<RequestReport>,
    /// The logins of each role, as far as they were asked for.
    pub role_logins: RoleLogins,
}

/// Joins, has the outputs issued and checks them. The proof is awaited while the connections are opened.
pub async fn obtain(
    plan: &Plan<'_>,
    proof: impl Future<Output = Result<Proof, TokenError>>,
) -> Result<Credentials, Failed> {
    let log = plan.log;
    let cluster = Cluster::new(plan.network.clone(), plan.entry.clone());
    let proof = proof.shared();
    let (bot, ping) = log.timed("join", join::join(&cluster, &plan.join, proof.clone())).await?;
    if ping.major >= LAST_ROLES_PER_OUTPUT && plan.issue.outputs.iter().any(|output| output.roles.is_some()) {
        log.warn(format!(
            "Teleport {} deprecates roles per output, and {} is to drop them: create a bot with these roles only, and leave \
             out `--roles` and `roles=`",
            ping.major,
            LAST_ROLES_PER_OUTPUT + 1
        ));
    }
    let proxy = later_proxy(plan.args, &plan.entry, &ping, log);
    let (cluster, approval) = match &plan.approval {
        None => (cluster, None),
        Some(request) => {
            let claims = approval::claims(&proof.await?).await;
            let asking = Asking { plan, bot: &bot, ping: &ping, proxy: &proxy, claims: &claims };
            let (cluster, approval) = asking.approved(cluster, request).await?;
            (cluster, Some(approval))
        }
    };
    let cluster = Arc::new(cluster);
    let issued = issued(plan, &cluster, &bot, &ping, approval.as_ref());
    // Looks while the others wait.
    let kube = async { Ok(kube_server(plan, &cluster, &bot, &ping, &proxy).await) };
    let ((checked, refused, role_logins), kube) = tokio::try_join!(issued, kube)?;
    let kube = kube.map(|found| found.told(log, cluster.is_behind_a_balancer()));
    let request = approval.map(|approval| approval.report);
    Ok(Credentials { cluster, bot, ping, proxy, kube, checked, refused, request, role_logins })
}

/// The outputs, issued and checked; with `--keep-going` those that are missing; the logins of their roles.
async fn issued(
    plan: &Plan<'_>,
    cluster: &Cluster,
    bot: &BotIdentity,
    ping: &Ping,
    approval: Option<&Approval>,
) -> Result<(Checked, Vec<(String, Failed)>, RoleLogins), Failed> {
    let log = plan.log;
    let mut asked = join::expiry(env::now(), ping.clock_skew, plan.issue.ttl);
    if let Some(end) = approval.and_then(|approval| approval.expires).filter(|end| *end < asked) {
        let short = duration(asked.duration_since(end));
        log.note(format!(
            "what the access request gives ends {short} earlier than `--ttl` asks: at {end:.0}"
        ));
        asked = end;
    }
    let granted = approval.map(|approval| approval.granted.clone());
    let request = issue::Request { granted, ..plan.issue.clone() };
    let batch = log.timed("issue", issue::issue(cluster, bot, ping, &request)).await?;
    let mut checked = verify::verify(batch, bot, ping.clock_skew, &plan.expectations, asked, env::now())?;
    for note in &checked.notes {
        log.warn(note);
    }
    let refusals = checked.batch.refused.drain(..);
    let mut refused: Vec<(String, Failed)> =
        refusals.map(|refused| (refused.output.name, refused.error.into())).collect();
    let mut role_logins = RoleLogins::new();
    if !plan.args.guards.no_verify {
        let policies = policy::policies(cluster, bot, &checked.batch, &plan.args.guards.target);
        let policies = log.timed("verify", policies).await;
        role_logins = policies.logins;
        for (name, error) in policies.findings {
            let usable = checked.batch.issued.len();
            checked.batch.issued.retain(|issued| issued.output.name != name);
            if !plan.issue.keep_going || checked.batch.issued.is_empty() {
                return Err(error.into());
            }
            if checked.batch.issued.len() < usable {
                refused.push((name, error.into()));
            }
        }
        checked.ends = checked.batch.issued.iter().map(Issued::expires).min().unwrap_or(checked.ends);
    }
    Ok((checked, refused, role_logins))
}
