//! The flow of `login`: detect → token → join → issue → verify → write → export → report.

pub mod completions;
pub mod doctor;
pub mod dry_run;
pub mod explain;
pub mod handover;
pub mod inspect;
pub mod man;
pub mod place;
pub mod request;
pub mod sandbox;
pub mod ssh_proxy;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::Instant;

use crate::cli::{Cli, Command, Login};
use crate::detect::{self, Detected};
use crate::env::{self, Env};
use crate::export;
use crate::identity::keys::{KeyKind, KeyPair};
use crate::issue;
use crate::join::{self, JoinError};
use crate::log::Log;
use crate::net::{Deadline, Network, Options, retry};
use crate::report::failure::RunError;
use crate::report::{Exit, Failure};
use crate::teleport::Cluster;
use crate::teleport::dial::Entry;
use crate::token;
use crate::verify;
use crate::write::contents::{self, Surroundings};

/// What a command leaves for `main` to print.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Data, verbatim.
    pub stdout: String,
    /// The line for people; not with `-q`.
    pub line: String,
    /// How the process ends: a finding that is an answer, not an error, has a code of its own.
    pub exit: Exit,
    /// Folders that were written, to be removed again where the outcome cannot be handed over.
    pub written: Vec<PathBuf>,
}

impl Outcome {
    fn printing(stdout: String) -> Self {
        Self { stdout, ..Self::default() }
    }

    /// Removes what was written: a run that fails leaves nothing.
    pub fn take_back(&self) {
        for dir in &self.written {
            // The failure that led here is the one to tell.
            let _ = crate::write::wipe(dir);
        }
    }
}

/// Name of the copy of the binary in a folder.
const BINARY: &str = "jobpass";

/// How often a join is tried that got no answer.
const TRIES: u32 = 3;

/// The longest life of a certificate of a dry run.
const DRY_RUN: Duration = Duration::from_secs(15 * 60);

/// Runs a command.
pub async fn run(cli: &Cli, env: &Env, log: &Log) -> anyhow::Result<Outcome> {
    match &cli.command {
        Command::Login(args) => stoppable(login(args, env, log)).await,
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
pub async fn login(args: &Login, env: &Env, log: &Log) -> anyhow::Result<Outcome> {
    if args.trial.dry_run {
        return dry_run::login(args, env, log).await;
    }
    let detected = detect::detect(env, &args.identity.detection())?;
    let entry = request::entry(&args.cluster, env)?;
    // At an auth service `--ca-file` is about the cluster's own CA, not about the web.
    let ca_file = args.cluster.ca_file.clone().filter(|_| matches!(entry, Entry::Proxy(_)));
    let options = Options { ca_file, ..Options::default() };
    let sink = args.output.export.clone();
    request::one_thing_on_stdout(args)?;
    let platform = detected.platform;
    let around = Surrounding { options, detected, entry, sink: sink.clone(), dry_run: false };
    let outcome = pipeline(args, env, log, around).await;
    if let (Err(error), Some(platform)) = (&outcome, platform)
        && let Some(summary) = Failure::of(error, env::now()).summary()
    {
        export::summary(env, platform, &sink, &summary);
    }
    outcome
}

/// What `login` and its dry run differ in.
pub struct Surrounding {
    /// Roots.
    pub options: Options,
    /// Where the job runs.
    pub detected: Detected,
    /// The cluster to ask.
    pub entry: Entry,
    /// How later steps are told.
    pub sink: export::Sink,
    /// Whether the cluster is the one in this process.
    pub dry_run: bool,
}

/// The stages, in order.
pub async fn pipeline(args: &Login, env: &Env, log: &Log, around: Surrounding) -> anyhow::Result<Outcome> {
    let begin = Instant::now();
    let Surrounding { options, detected, entry, sink, dry_run } = around;
    for reason in &detected.reasons {
        log.detail(format!("{}: {}", reason.platform, reason.why));
    }
    let evidence_wanted = args.identity.evidence();
    token::check(&detected, &evidence_wanted)?;
    let ttl = if dry_run { args.output.ttl.min(DRY_RUN) } else { request::cut(args.output.ttl, log) };
    let (token, platform) = (request::token_name(&args.identity, env)?, detected.platform);
    let join_wanted = join::Wanted { token, method: detected.method, platform, ttl };
    let network = Network::new(env, &options, Deadline::after(args.cluster.timeout), log.clone())?;
    let cluster = Cluster::new(network.clone(), entry.clone());
    let (dir, name) = (args.output.dir.as_deref(), args.output.name.as_deref());
    let place = place::Place::choose(dir, name, env, detected.platform)?;
    if let Some(warning) = place.warning() {
        log.warn(warning);
    }
    let outputs = request::outputs(args)?;
    let mut folders = place.prepare(&outputs)?;

    let key = tokio::task::spawn_blocking(|| KeyPair::generate(KeyKind::P256));
    // One connection for issuing, one for each kind of output to be verified; TCP comes about while the token is fetched.
    let ahead = 1 + if args.guards.no_verify { 0 } else { verify::policy::kinds(&outputs) };
    let begin_join = async |ahead| {
        let ready = cluster.prepare(&join_wanted.token, ahead).await.map_err(JoinError::from)?;
        join::agree(ready, &join_wanted).await
    };
    let evidence =
        async { Ok::<_, anyhow::Error>(token::token(env, &network, &detected, &evidence_wanted).await?) };
    let (evidence, ready) = tokio::try_join!(evidence, async { Ok(begin_join(ahead).await?) })?;
    log.took("token and connections", begin.elapsed());

    let at = Instant::now();
    let key = key.await.context("making a key was stopped")?.map_err(JoinError::from)?;
    let ready = std::cell::Cell::new(Some(ready));
    let joining = async |_| {
        let ready = match ready.take() {
            Some(ready) => ready,
            None => begin_join(ahead).await?,
        };
        join::join(&cluster, ready, &evidence, &key, &join_wanted, env::now()).await
    };
    let bot = retry(network.deadline(), log, "joining", TRIES, joining, JoinError::is_transient).await?;
    log.took("join", at.elapsed());
    drop(evidence);

    let at = Instant::now();
    let issue_wanted = issue::Wanted { outputs, ttl, key_kind: args.output.key_type.map(KeyKind::from) };
    let asked = join::expiry(env::now(), bot.ping.clock_skew, ttl);
    let batch = issue::issue(&cluster, &bot, &issue_wanted, env::now()).await?;
    log.took("issue", at.elapsed());
    let checked = verify::verify(batch, &bot, &request::expectations(args), asked, env::now())?;
    for note in &checked.notes {
        log.warn(note);
    }
    if !args.guards.no_verify {
        let at = Instant::now();
        verify::policy::policies(&cluster, &bot, &checked.batch, &args.guards.target).await?;
        log.took("verify", at.elapsed());
    }

    let at = Instant::now();
    let later_proxy = handover::later_proxy(args, &entry, &bot, log);
    let mut report = handover::report(&checked, &bot, &detected, &later_proxy, &folders, dry_run);
    let ca_file = options.ca_file.as_ref().map(|f| env.absolute(f));
    let written = folders.commit(
        |dir, members| {
            let copy = args.output.copy_binary.then(|| dir.join(BINARY));
            let binary = copy.as_deref().unwrap_or(&env.exe);
            let (proxy_host, ca_file) = (later_proxy.host.as_str(), ca_file.as_deref());
            let around = Surroundings { dir, proxy_host, binary, ca_file };
            let mut files = Vec::new();
            for (index, prefix) in members {
                let Some(issued) = checked.batch.issued.get(*index) else { continue };
                files.extend(contents::contents(issued, &checked.batch.authorities, &around, prefix)?);
            }
            if copy.is_some() {
                files.push(contents::binary(BINARY, &env.exe)?);
            }
            Ok(files)
        },
        &mut report,
    )?;
    log.took("write", at.elapsed());
    let mut outcome = Outcome { written, ..Outcome::default() };
    let exported = export::export(env, detected.platform, &sink, &handover::exports(&report, args))
        .inspect_err(|_| outcome.take_back())?;
    if let Some(hint) = exported.hint {
        log.note(format!("hint: {hint}"));
    }
    for place in &exported.places {
        log.detail(format!("variables for later steps: {place}"));
    }
    let timings: Vec<_> =
        log.timings().iter().map(|(s, t)| format!("{s} {:.0} ms", t.as_secs_f64() * 1e3)).collect();
    log.detail(format!("{} TCP connections · {}", network.connections(), timings.join(" · ")));
    outcome.stdout = if args.messages.json { report.json() } else { exported.stdout };
    outcome.line = report.line(env::now(), begin.elapsed());
    Ok(outcome)
}

/// Ends `work` at SIGINT or SIGTERM; dropping it removes what is not finished.
async fn stoppable(work: impl Future<Output = anyhow::Result<Outcome>>) -> anyhow::Result<Outcome> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = work => outcome,
        _ = interrupt.recv() => Err(RunError::Stopped { signal: "SIGINT", code: Exit::Interrupted }.into()),
        _ = terminate.recv() => Err(RunError::Stopped { signal: "SIGTERM", code: Exit::Terminated }.into()),
    }
}
