//! `jobpass login`: prove, obtain, deliver.

use crate::cli::Login;
use crate::detect;
use crate::env::{self, Env};
use crate::error::Failed;
use crate::export;
use crate::log::Log;
use crate::net::Options;
use crate::output::Output;
use crate::report::Failure;
use crate::rules::Flaw;
use crate::run::obtain::Credentials;
use crate::run::outcome::Outcome;
use crate::run::plan::{Plan, Setting};
use crate::run::{delivery, obtain, request};
use crate::teleport::dial::Endpoint;
use crate::token;
use crate::write::Folders;

/// Swaps this job's identity for credentials.
pub async fn login(args: &Login, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    let setting = setting(args, env, Vec::new())?;
    let (platform, sink) = (setting.detected.platform, setting.sink.clone());
    let outcome = pipeline(args, env, log, setting).await;
    if let (Err(error), Some(platform)) = (&outcome, platform)
        && let Some(summary) = Failure::new(error, env::now()).summary()
    {
        export::summary(env, platform, &sink, &summary);
    }
    outcome
}

/// Where the job runs, and which cluster it asks, for itself and for these tunnels.
pub fn setting(args: &Login, env: &Env, tunnels: Vec<Output>) -> Result<Setting, Failed> {
    let detected = detect::detect(env, &request::detection(&args.identity))?;
    let entry = request::entry(&args.cluster, env)?;
    // At an auth service `--ca-file` is about the cluster's own CA, not about the web.
    let ca_file = args.cluster.ca_file.clone().filter(|_| matches!(entry, Endpoint::Proxy(_)));
    let options = Options { ca_file, ..Options::default() };
    let sink = args.output.export.clone();
    request::check_stdout(args)?;
    let audience = request::token(&args.identity).audience;
    Ok(Setting { options, detected, entry, sink, audience, tunnels, dry_run: false })
}

/// Prove, obtain, deliver.
pub async fn pipeline(args: &Login, env: &Env, log: &Log, setting: Setting) -> Result<Outcome, Failed> {
    let plan = Plan::new(args, env, log, setting)?;
    let folders = Folders::prepare(&plan.issue.outputs)?;
    let credentials = credentials(&plan).await?;
    let outcome = delivery::deliver(&plan, folders, &credentials)?;
    let timings: Vec<_> =
        log.timings().iter().map(|(s, t)| format!("{s} {:.0} ms", t.as_secs_f64() * 1e3)).collect();
    log.detail(format!("{} TCP connections · {}", plan.network.connections(), timings.join(" · ")));
    Ok(outcome)
}

/// Prove and obtain.
pub async fn credentials(plan: &Plan<'_>) -> Result<Credentials, Failed> {
    let (env, log) = (plan.env, plan.log);
    // Runs once it is awaited: while the connections are opened.
    let proof = log.timed("token", async {
        let proof = token::token(env, &plan.network, &plan.detected, &plan.token).await?;
        for Flaw { problem, hint, .. } in token::flaws(&plan.detected, proof.claims()) {
            log.warn(format!("the identity token may be refused: {problem}; {hint}"));
        }
        Ok(proof)
    });
    obtain::obtain(plan, proof).await
}
