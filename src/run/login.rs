//! `jobpass login`: prove, obtain, deliver.

use std::time::Duration;

use tokio::time::Instant;

use crate::cli::Login;
use crate::detect;
use crate::env::{self, Env};
use crate::error::Failed;
use crate::export;
use crate::log::Log;
use crate::net::Options;
use crate::output::Output;
use crate::platform::Platform;
use crate::report::Failure;
use crate::rules::Flaw;
use crate::run::delivery::Recipient;
use crate::run::obtain::Credentials;
use crate::run::outcome::Outcome;
use crate::run::plan::{self, Plan, Setting};
use crate::run::{approval, delivery, obtain, request, reuse};
use crate::teleport::dial::Endpoint;
use crate::token::{self, Proof, TokenError};
use crate::write::Folders;

/// Swaps this job's identity for credentials.
pub async fn login(args: &Login, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    if let Some(least) = args.output.reuse_if_valid_for.filter(|_| !args.request.request_nowait)
        && let Some(outcome) = reused(args, env, log, least)?
    {
        return Ok(outcome);
    }
    let setting = setting(args, env, Vec::new())?;
    request::check_stdout(args)?;
    let (platform, sink) = (setting.detected.platform, setting.sink.clone());
    let outcome = Box::pin(pipeline(args, env, log, setting)).await;
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

/// The job as it is, and the cluster that the command line names, for these tunnels besides.
pub fn setting(args: &Login, env: &Env, tunnels: Vec<Output>) -> Result<Setting, Failed> {
    let detected = detect::detect(env, &request::detection(&args.identity))?;
    let entry = request::entry(&args.cluster, env)?;
    // At an auth service `--ca-file` is about the cluster's own CA, not about the web.
    let ca_file = args.cluster.ca_file.clone().filter(|_| matches!(entry, Endpoint::Proxy(_)));
    let options = Options { ca_file, ..Options::default() };
    let sink = args.output.export.clone();
    let audience = request::token(&args.identity).audience;
    Ok(Setting { options, detected, entry, sink, audience, tunnels, dry_run: false, base: None })
}

/// What an earlier login of this job left, where it serves.
fn reused(args: &Login, env: &Env, log: &Log, least: Duration) -> Result<Option<Outcome>, Failed> {
    request::check_stdout(args)?;
    let begin = Instant::now();
    let platform = args.identity.platform.0.or_else(|| Platform::marked(env));
    let delivered = match reuse::reuse(args, env, platform, least, env::now()) {
        Ok(delivered) => delivered,
        Err(why) => {
            log.detail(format!("not reusing an earlier login: {why}"));
            return Ok(None);
        }
    };
    let sink = plan::sink(args, env, platform, &args.output.export, log)?;
    let recipient = Recipient { args, env, log, platform, sink: &sink, begin };
    delivery::hand_over(&recipient, delivered).map(Some)
}

/// Asks again for what is in a folder, and puts it in its place. Later steps are told nothing.
pub async fn write_again(args: &Login, env: &Env, log: &Log) -> Result<(), Failed> {
    let plan = Plan::new(args, env, log, setting(args, env, Vec::new())?)?;
    let folders = Folders::prepare(&plan.issue.outputs)?;
    let credentials = swap(&plan).await?;
    delivery::write(&plan, folders, &credentials, None).map(drop)
}

/// Prove, obtain, deliver.
pub async fn pipeline(args: &Login, env: &Env, log: &Log, setting: Setting) -> Result<Outcome, Failed> {
    let plan = Plan::new(args, env, log, setting)?;
    if let Some(request) = plan.approval.as_ref().filter(|request| request.only_file) {
        return approval::file(&plan, request, proof(&plan)).await;
    }
    let folders = Folders::prepare(&plan.issue.outputs)?;
    let credentials = swap(&plan).await?;
    let delivered = delivery::write(&plan, folders, &credentials, None)?;
    let outcome = delivery::export(&plan, delivered)?;
    tell_timings(&plan);
    Ok(outcome)
}

/// Prove, obtain: the job's identity for credentials.
pub async fn swap(plan: &Plan<'_>) -> Result<Credentials, Failed> {
    Box::pin(obtain::obtain(plan, proof(plan))).await
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
