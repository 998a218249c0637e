//! What is asked of people between the join and the certificates.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::approval::{self, Ask, Request};
use crate::claims::UnverifiedClaims;
use crate::env::{self, names};
use crate::error::{Failed, StageError as _};
use crate::export::{self, Exports};
use crate::identity::tls::TlsCertificate;
use crate::issue::Granted;
use crate::join::{self, BotIdentity};
use crate::net::{Deadline, HostPort};
use crate::report::RequestReport;
use crate::run::later_proxy::later_proxy;
use crate::run::outcome::Outcome;
use crate::run::plan::Plan;
use crate::run::signals::{Signals, stopped_by};
use crate::teleport::Cluster;
use crate::teleport::access_requests::{AccessRequest, State};
use crate::teleport::ping::Ping;
use crate::text::duration;
use crate::token::{Proof, TokenError};

/// What people approved.
pub struct Approval {
    /// For the certificates.
    pub granted: Granted,
    /// For people and scripts.
    pub report: RequestReport,
    /// The end of what it gives.
    pub expires: Option<Timestamp>,
}

/// Beyond the wait: the last question may take as long as any other.
const SLACK: Duration = Duration::from_secs(60);

/// What must be left of the bot's identity when the answer is there: the certificates are asked for with it.
const RESERVE: SignedDuration = SignedDuration::from_secs(30);

/// Names of the step output and the variable.
const STEP_OUTPUT: &str = "request-id";

/// Who asks, and where.
pub struct Asking<'a> {
    /// The job's plan.
    pub plan: &'a Plan<'a>,
    /// The joined bot.
    pub bot: &'a BotIdentity,
    /// What the cluster says of itself.
    pub ping: &'a Ping,
    /// The proxy's address, for people.
    pub proxy: &'a HostPort,
    /// What the proof says of the job.
    pub claims: &'a UnverifiedClaims,
}

impl Asking<'_> {
    /// Files the request, or finds the one that was filed, tells people, and waits. The wait does not count against the run's deadline.
    pub async fn approved(&self, cluster: Cluster, request: &Request) -> Result<(Cluster, Approval), Failed> {
        let log = self.plan.log;
        let pending = self.request(&cluster, request).await?;
        let limit = self.limit(request.wait);
        if pending.state == State::Pending {
            self.announce(&pending, limit);
        }
        let (deadline, id) = (cluster.network().deadline(), pending.id.clone());
        let left = deadline.left();
        let cluster = cluster.under(Deadline::after(limit.saturating_add(SLACK)));
        let mut stop = Signals::that_stop()?;
        let waited = approval::wait(&cluster, self.bot, pending, limit, || self.now());
        let waited = log.timed("approval", async {
            tokio::select! {
                biased;
                answer = waited => answer.map_err(Failed::from),
                signal = stop.next() => Err(stopped_by(signal).while_waiting(&id).into()),
            }
        });
        let approved = waited.await?;
        let cluster = cluster.under(deadline.resumed(left));
        let report = self.report(&approved);
        log.note(report.answer());
        let mut roles = self.own_roles();
        roles.extend(approved.roles.iter().filter(|role| !roles.contains(role)).cloned().collect::<Vec<_>>());
        let granted = Granted { id: approved.id, roles };
        Ok((cluster, Approval { granted, report, expires: approved.expires }))
    }

    async fn request(&self, cluster: &Cluster, request: &Request) -> Result<AccessRequest, Failed> {
        Ok(match &request.ask {
            Ask::Known(id) => approval::known(cluster, self.bot, id).await?,
            Ask::New { roles, reason, reviewers } => {
                let reason = approval::reason(reason.as_deref(), self.claims);
                approval::file(cluster, self.bot, roles, &reason, reviewers, self.now()).await?
            }
        })
    }

    /// The cluster's clock.
    fn now(&self) -> Timestamp {
        join::expiry(env::now(), self.ping.clock_skew, Duration::ZERO)
    }

    /// The wait, as long as the bot's own identity lasts.
    fn limit(&self, wait: Duration) -> Duration {
        let Some(end) = self.own().map(|own| own.not_after) else { return wait };
        let left = end.duration_since(self.now()).saturating_sub(RESERVE);
        let left = Duration::try_from(left).unwrap_or_default();
        if left >= wait {
            return wait;
        }
        // Nobody is waited for there.
        if self.plan.dry_run {
            return left;
        }
        self.plan.log.warn(format!(
            "the bot's own identity ends at {end:.0}: waiting {} at most, not {} (a role's `max_session_ttl` limits it)",
            spelt(left),
            spelt(wait)
        ));
        left
    }

    fn own(&self) -> Option<TlsCertificate> {
        TlsCertificate::from_der(self.bot.client.chain.first()?).ok()
    }

    /// The roles that the bot has anyway: every certificate by a request has them, too.
    fn own_roles(&self) -> Vec<String> {
        self.own().map(|own| own.organizations).unwrap_or_default()
    }

    fn announce(&self, pending: &AccessRequest, limit: Duration) {
        let Plan { env, log, sink, .. } = self.plan;
        let (report, now) = (self.report(pending), env::now());
        let end = join::expiry(now, None, limit);
        let until = pending.expires.map_or(end, |expires| expires.min(end));
        log.notice(report.announcement(now, until).trim_end());
        if let Some(platform) = self.plan.detected.platform {
            export::summary(env, platform, sink, &report.summary(until));
        }
    }

    fn report(&self, request: &AccessRequest) -> RequestReport {
        let Plan { entry, dry_run, .. } = self.plan;
        // An auth service that does not say where its proxy is has no page.
        let has_page = !dry_run && (entry.is_proxy() || self.ping.public_address.is_some());
        let address = match self.proxy {
            HostPort { host, port: 443 } if host.contains(':') => format!("[{host}]"),
            HostPort { host, port: 443 } => host.clone(),
            other => other.to_string(),
        };
        RequestReport {
            id: request.id.to_string(),
            state: request.state.name().to_owned(),
            roles: request.roles.clone(),
            reason: request.reason.clone(),
            resolve_reason: Some(request.resolve_reason.clone()).filter(|reason| !reason.is_empty()),
            expires: request.expires,
            // Teleport's own plugins have the same path (`integrations/access`).
            url: has_page.then(|| format!("https://{address}/web/requests/{}", request.id)),
        }
    }
}

fn spelt(time: Duration) -> String {
    duration(SignedDuration::try_from(time).unwrap_or_default())
}

/// What the proof says of the job. A machine that is not told by its cloud has no name.
pub async fn claims(proof: &Proof) -> UnverifiedClaims {
    let asked = tokio::time::timeout(CLAIMS, proof.asked_claims()).await;
    asked.ok().and_then(Result::ok).unwrap_or_default()
}

/// How long a machine may take to say who it is.
const CLAIMS: Duration = Duration::from_secs(3);

/// `login --request-nowait`: joins, files the request, hands its id on. There are no credentials.
pub async fn file(
    plan: &Plan<'_>,
    request: &Request,
    proof: impl Future<Output = Result<Proof, TokenError>>,
) -> Result<Outcome, Failed> {
    use futures_util::FutureExt as _;

    let (env, log) = (plan.env, plan.log);
    let proof = proof.shared();
    let cluster = Cluster::new(plan.network.clone(), plan.entry.clone());
    let (bot, ping) = log.timed("join", join::join(&cluster, &plan.join, proof.clone())).await?;
    let proxy = later_proxy(plan.args, &plan.entry, &ping, log);
    let claims = claims(&proof.await?).await;
    let asking = Asking { plan, bot: &bot, ping: &ping, proxy: &proxy, claims: &claims };
    let filed = asking.request(&cluster, request).await?;
    let report = asking.report(&filed);
    let now = env::now();
    let until = filed.expires.unwrap_or(now);
    let exports = Exports {
        variables: vec![(names::JOBPASS_REQUEST_ID.to_owned(), report.id.clone())],
        outputs: vec![(STEP_OUTPUT.to_owned(), report.id.clone())],
        summary: report.summary(until),
    };
    // It is filed: what fails from here on must name it.
    let exported = export::export(env, plan.detected.platform, &plan.sink, &exports);
    if let Err(error) = &exported {
        log.warn(format!(
            "access request {} is filed, but not handed on: {}",
            report.id,
            error.in_one_line()
        ));
    }
    let exported = exported?;
    if let Some(hint) = exported.hint {
        log.note(format!("hint: {hint}"));
    }
    let stdout = match () {
        () if plan.args.messages.json => report.json(),
        // A shell that evaluates it has the variable.
        () if plan.sink.shell().is_some() => exported.stdout,
        () => format!("{}{}\n", exported.stdout, report.id),
    };
    Ok(Outcome { stdout, line: report.filed(now), ..Outcome::default() })
}
