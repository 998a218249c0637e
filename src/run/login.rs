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
use crate::run::outcome::Outcome;
use crate::run::plan::{Plan, Setting};
use crate::run::{approval, delivery, obtain, request};
use crate::teleport::dial::Endpoint;
use crate::token;
use crate::write::Folders;

/// Swaps this job's identity for credentials.
pub async fn login(args: &Login, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    let detected = detect::detect(env, &request::detection(&args.identity))?;
    let entry = request::entry(&args.cluster, env)?;
    // At an auth service `--ca-file` is about the cluster's own CA, not about the web.
    let ca_file = args.cluster.ca_file.clone().filter(|_| matches!(entry, Endpoint::Proxy(_)));
    let options = Options { ca_file, ..Options::default() };
    let sink = args.output.export.clone();
    request::check_stdout(args)?;
    let platform = detected.platform;
    let audience = request::token(&args.identity).audience;
    let setting = Setting { options, detected, entry, sink: sink.clone(), audience, dry_run: false };
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

/// Prove, obtain, deliver.
pub async fn pipeline(args: &Login, env: &Env, log: &Log, setting: Setting) -> Result<Outcome, Failed> {
    let plan = Plan::new(args, env, log, setting)?;
    // Runs once it is awaited: while the connections are opened.
    let proof = log.timed("token", async {
        let proof = token::token(env, &plan.network, &plan.detected, &plan.token).await?;
        for Flaw { problem, hint, .. } in token::flaws(&plan.detected, proof.claims()) {
            log.warn(format!("the identity token may be refused: {problem}; {hint}"));
        }
        Ok(proof)
    });
    if let Some(request) = plan.approval.as_ref().filter(|request| request.only_file) {
        return approval::file(&plan, request, proof).await;
    }
    let folders = Folders::prepare(&plan.issue.outputs)?;
    let credentials = obtain::obtain(&plan, proof).await?;
    let outcome = delivery::deliver(&plan, folders, &credentials)?;
    let timings: Vec<_> =
        log.timings().iter().map(|(s, t)| format!("{s} {:.0} ms", t.as_secs_f64() * 1e3)).collect();
    log.detail(format!("{} TCP connections · {}", plan.network.connections(), timings.join(" · ")));
    Ok(outcome)
}
