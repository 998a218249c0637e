//! The flow of `login`: prove → obtain → deliver. The other commands have a file each.

pub mod base_folder;
pub mod child;
pub mod completions;
pub mod delivery;
pub mod doctor;
pub mod dry_run;
pub mod error;
pub mod explain;
pub mod inspect;
pub mod man;
pub mod obtain;
pub mod plan;
pub mod request;
pub mod sandbox;
pub mod signals;
pub mod ssh_proxy;

use crate::cli::{Cli, Command, Login};
use crate::detect;
use crate::env::{self, Env};
use crate::error::{Exit, Failed};
use crate::export;
use crate::log::Log;
use crate::net::Options;
use crate::report::Failure;
use crate::run::plan::{Plan, Setting};
use crate::teleport::dial::Endpoint;
use crate::token;
use crate::write::{Folders, Placed};

/// What a command leaves for `main` to print.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Data, verbatim.
    pub stdout: String,
    /// The line for people; not with `-q`.
    pub line: String,
    /// How the process ends: a finding that is an answer, not an error, has a code of its own.
    pub exit: Exit,
    /// The status of a command that was run, which becomes ours in place of `exit`.
    pub status: Option<u8>,
    /// Folders that were written, to be taken back where the outcome cannot be handed over.
    pub placed: Vec<Placed>,
}

impl Outcome {
    fn printing(stdout: String) -> Self {
        Self { stdout, ..Self::default() }
    }

    /// Removes what was written, and brings back what was there before: a run that fails leaves nothing.
    pub fn take_back(&mut self) {
        std::mem::take(&mut self.placed).into_iter().for_each(Placed::take_back);
    }
}

/// Runs a command.
pub async fn run(cli: &Cli, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    match &cli.command {
        Command::Login(args) => signals::stoppable(login(args, env, log)).await,
        Command::Doctor(args) => doctor::run(args, env, log).await,
        Command::Inspect(args) => inspect::run(args, env),
        Command::Sandbox(args) => sandbox::run(args, env, log).await,
        Command::Explain(args) => explain::command::run(args, env, log).await,
        Command::SshProxy(args) => ssh_proxy::run(args, env, log).await,
        Command::Completions(args) => Ok(Outcome::printing(completions::script(args))),
        Command::Man(args) => Ok(Outcome::printing(man::page(args)?)),
        Command::Version => {
            Ok(Outcome::printing(concat!("jobpass ", env!("CARGO_PKG_VERSION"), "\n").to_owned()))
        }
    }
}

/// Swaps this job's identity for credentials.
pub async fn login(args: &Login, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    if args.trial.dry_run {
        return dry_run::login(args, env, log).await;
    }
    let detected = detect::detect(env, &request::detection(&args.identity))?;
    let entry = request::entry(&args.cluster, env)?;
    // At an auth service `--ca-file` is about the cluster's own CA, not about the web.
    let ca_file = args.cluster.ca_file.clone().filter(|_| matches!(entry, Endpoint::Proxy(_)));
    let options = Options { ca_file, ..Options::default() };
    let sink = args.output.export.clone();
    request::check_stdout(args)?;
    let platform = detected.platform;
    let setting = Setting { options, detected, entry, sink: sink.clone(), dry_run: false };
    let outcome = pipeline(args, env, log, setting).await;
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
    let folders = Folders::prepare(&plan.issue.outputs)?;
    // Runs once it is awaited: while the connections are opened.
    let proof = log.timed("token", token::token(env, &plan.network, &plan.detected, &plan.token));
    let credentials = obtain::obtain(&plan, proof).await?;
    let outcome = delivery::deliver(&plan, folders, &credentials)?;
    let timings: Vec<_> =
        log.timings().iter().map(|(s, t)| format!("{s} {:.0} ms", t.as_secs_f64() * 1e3)).collect();
    log.detail(format!("{} TCP connections · {}", plan.network.connections(), timings.join(" · ")));
    Ok(outcome)
}
