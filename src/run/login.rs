//! `jobpass login`: prove, obtain, deliver.

use crate::cli::Login;
use crate::detect;
use crate::env::{self, Env};
use crate::error::Failed;
use crate::export;
use crate::log::Log;
use crate::net::Options;
use crate::report::Failure;
use crate::rules::Flaw;
use crate::run::obtain::Credentials;
use crate::run::outcome::Outcome;
use crate::run::plan::{Plan, Setting};
use crate::run::{approval, delivery, obtain, request};
use crate::teleport::dial::Endpoint;
use crate::token::{self, Proof, TokenError};
use crate::write::Folders;

/// Swaps this job's identity for credentials.
pub async fn login(args: &Login, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    let setting = setting(args, env)?;
    request::check_stdout(args)?;
    let (platform, sink) = (setting.detected.platform, setting.sink.clone());
    let outcome = pipeline(args, env, log, setting).await;
    if args.request.is_wanted() && !args.request.request_nowait && outcome.is_ok() {
        log.note(
            "what was issued has the bot's own role, too, and can ask for more as long as it is valid: `jobpass exec` leaves none of it \
             behind, `jobpass logout` wipes it",
        );
    }
    if let (Err(error), Some(platform)) = (&outcome, platform)
        && let Some(summary) = Failure::new(error, env::now()).summary()
    {
        export::summary(env, platform, &sink, &summary);
    }
    outcome
}

/// The job as it is, and the cluster that the command line names.
pub fn setting(args: &Login, env: &Env) -> Result<Setting, Failed> {
    let detected = detect::detect(env, &request::detection(&args.identity))?;
    let entry = request::entry(&args.cluster, env)?;
    // At an auth service `--ca-file` is about the cluster's own CA, not about the web.
    let ca_file = args.cluster.ca_file.clone().filter(|_| matches!(entry, Endpoint::Proxy(_)));
    let options = Options { ca_file, ..Options::default() };
    let sink = args.output.export.clone();
    let audience = request::token(&args.identity).audience;
    Ok(Setting { options, detected, entry, sink, audience, dry_run: false, base: None })
}

/// Prove, obtain, deliver.
pub async fn pipeline(args: &Login, env: &Env, log: &Log, setting: Setting) -> Result<Outcome, Failed> {
    let plan = Plan::new(args, env, log, setting)?;
    if let Some(request) = plan.approval.as_ref().filter(|request| request.only_file) {
        return approval::file(&plan, request, proof(&plan)).await;
    }
    let folders = Folders::prepare(&plan.issue.outputs)?;
    let credentials = swap(&plan).await?;
    let delivered = delivery::write(&plan, folders, &credentials)?;
    let outcome = delivery::export(&plan, delivered)?;
    tell_timings(&plan);
    Ok(outcome)
}

/// Prove, obtain: the job's identity for credentials.
pub async fn swap(plan: &Plan<'_>) -> Result<Credentials, Failed> {
    obtain::obtain(plan, proof(plan)).await
}

/// Runs once it is awaited: while the connections are opened.
async fn proof(plan: &Plan<'_>) -> Result<Proof, TokenError> {
    let log = plan.log;
    log.timed("token", async {
        let proof = token::token(plan.env, &plan.network, &plan.detected, &plan.token).await?;
        for Flaw { problem, hint, .. } in token::flaws(&plan.detected, proof.claims()) {
            log.warn(format!("the identity token may be refused: {problem}; {hint}"));
        }
        Ok(proof)
    })
    .await
}

/// How long the stages took, for `-v`.
pub fn tell_timings(plan: &Plan<'_>) {
    let timings: Vec<_> =
        plan.log.timings().iter().map(|(s, t)| format!("{s} {:.0} ms", t.as_secs_f64() * 1e3)).collect();
    plan.log.detail(format!("{} TCP connections · {}", plan.network.connections(), timings.join(" · ")));
}
