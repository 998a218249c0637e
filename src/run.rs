//! The flow of `login`: detect → token → join → issue → verify → write → export → report.

pub mod doctor;
pub mod dry;
pub mod explain;
pub mod inspect;
pub mod place;
pub mod sandbox;
pub mod ssh_proxy;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::Instant;

use crate::cli::{Cli, ClusterArgs, Command, IdentityArgs, Login, Talk};
use crate::detect::{self, Detected};
use crate::env::{self, Env};
use crate::export::{self, Exports};
use crate::identity::keys::{KeyKind, KeyPair};
use crate::identity::tls::ders_of;
use crate::issue::{self, Output};
use crate::join::{self, BotIdentity, JoinError};
use crate::log::Log;
use crate::net::tls::Trust;
use crate::net::{Deadline, HostPort, Network, Options, retry};
use crate::report::failure::RunError;
use crate::report::{Exit, Failure, OutputReport, Report};
use crate::teleport::Cluster;
use crate::teleport::dial::Entry;
use crate::token;
use crate::verify::{self, Checked, Expectations};
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
    /// Removes what was written: a run that fails leaves nothing.
    pub fn take_back(&self) {
        for dir in &self.written {
            // The failure that led here is the one to tell.
            let _ = crate::write::wipe(dir);
        }
    }
}

/// The longest life Teleport gives a bot's certificate.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

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
        Command::Completions(args) => Ok(Outcome { stdout: completions(args.shell), ..Outcome::default() }),
        Command::Man => Ok(Outcome { stdout: man()?, ..Outcome::default() }),
    }
}

/// How much a command says.
pub fn talk(cli: &Cli) -> Talk {
    match &cli.command {
        Command::Login(args) => args.talk,
        Command::Doctor(args) => args.talk,
        Command::Inspect(args) => args.talk,
        Command::Sandbox(args) => args.talk,
        Command::Explain(args) => args.talk,
        Command::SshProxy(args) => args.talk,
        Command::Completions(_) | Command::Man => Talk::default(),
    }
}

/// Swaps this job's identity for credentials.
pub async fn login(args: &Login, env: &Env, log: &Log) -> anyhow::Result<Outcome> {
    if args.dry.dry_run {
        return dry::login(args, env, log).await;
    }
    let detected = detect::detect(env, &args.identity.detection())?;
    let entry = entry(&args.cluster, env)?;
    // At an auth service `--ca-file` is about the cluster's own CA, not about the web.
    let ca_file = args.cluster.ca_file.clone().filter(|_| matches!(entry, Entry::Proxy(_)));
    let options = Options { ca_file, ..Options::default() };
    let sink = args.output.export.clone();
    let platform = detected.platform;
    let outcome =
        pipeline(args, env, log, Surrounding { options, detected, entry, sink, dry_run: false }).await;
    if let (Err(error), Some(platform)) = (&outcome, platform)
        && let Some(summary) = Failure::of(error, env::now()).summary()
    {
        export::summary(env, platform, &summary);
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
    let ttl = if dry_run { args.output.ttl.min(DRY_RUN) } else { cut(args.output.ttl, log) };
    let (token, platform) = (token_name(&args.identity, env)?, detected.platform);
    let join_wanted = join::Wanted { token, method: detected.method, platform, ttl };
    let network = Network::new(env, &options, Deadline::after(args.cluster.timeout), log.clone())?;
    let cluster = Cluster::new(network.clone(), entry.clone());
    let (dir, name) = (args.output.dir.as_deref(), args.output.name.as_deref());
    let place = place::Place::choose(dir, name, env, detected.platform)?;
    if let Some(warning) = place.warning() {
        log.warn(warning);
    }
    let mut folders = place.prepare(&outputs(args))?;

    let key = tokio::task::spawn_blocking(|| KeyPair::generate(KeyKind::P256));
    // One connection for issuing, one for each kind of output to be verified; TCP comes about while the token is fetched.
    let ahead = 1 + if args.guards.no_verify { 0 } else { verify::policy::kinds(&outputs(args)) };
    let begin_join = async |ahead| {
        let ready = cluster.prepare(&join_wanted.token, ahead).await.map_err(JoinError::from)?;
        join::agree(ready, &join_wanted).await
    };
    let evidence =
        async { Ok::<_, anyhow::Error>(token::token(env, &network, &detected, &evidence_wanted).await?) };
    let (evidence, ready) = tokio::try_join!(evidence, async { Ok(begin_join(ahead).await?) })?;
    log.took("token and connections", begin.elapsed());
    let token::Evidence::Jwt(jwt) = &evidence;
    mask(log, &detected, dry_run, &[jwt.expose()]);

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
    let issue_wanted =
        issue::Wanted { outputs: outputs(args), ttl, key_kind: args.output.key_type.map(KeyKind::from) };
    let asked = join::expiry(env::now(), bot.ping.clock_skew, ttl);
    let batch = issue::issue(&cluster, &bot, &issue_wanted, env::now()).await?;
    log.took("issue", at.elapsed());
    let checked = verify::verify(batch, &bot, &expectations(args), asked, env::now())?;
    for note in &checked.notes {
        log.warn(note);
    }
    if !args.guards.no_verify {
        let at = Instant::now();
        verify::policy::policies(&cluster, &bot, &checked.batch, &args.guards.target).await?;
        log.took("verify", at.elapsed());
    }
    for issued in &checked.batch.issued {
        mask_keys(log, &detected, dry_run, issued);
    }

    let at = Instant::now();
    let later_proxy = later_proxy(args, &entry, &bot, log);
    let mut report = report(&checked, &bot, &detected, &later_proxy, &folders, dry_run);
    let ca_file = options.ca_file.as_ref().map(|f| env.absolute(f));
    let mut files = Vec::new();
    for (dir, members) in folders.members() {
        let copy = dir.join(BINARY);
        let binary = if args.output.copy_binary { &copy } else { &env.exe };
        let around = Surroundings { dir, proxy_host: &later_proxy.host, binary, ca_file: ca_file.as_deref() };
        let mut all = Vec::new();
        for (index, prefix) in members {
            let Some(issued) = checked.batch.issued.get(*index) else { continue };
            all.extend(contents::contents(issued, &checked.batch.authorities, &around, prefix)?);
        }
        if args.output.copy_binary {
            all.push(contents::binary(BINARY, &env.exe)?);
        }
        files.push(all);
    }
    let written = folders.commit(files, &mut report)?;
    log.took("write", at.elapsed());
    let mut outcome = Outcome { written, ..Outcome::default() };
    let exported = export::export(env, detected.platform, &sink, &exports(&report, args))
        .inspect_err(|_| outcome.take_back())?;
    if let Some(advice) = exported.advice {
        log.note(advice);
    }
    for place in &exported.places {
        log.detail(format!("told later steps: {place}"));
    }
    if !exported.stderr.is_empty() {
        log.command(&exported.stderr);
    }
    let timings: Vec<_> =
        log.timings().iter().map(|(s, t)| format!("{s} {:.0} ms", t.as_secs_f64() * 1e3)).collect();
    log.detail(format!("{} TCP connections · {}", network.connections(), timings.join(" · ")));
    outcome.stdout = if args.talk.json { report.json() } else { exported.stdout };
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

/// Where the cluster is entered, and whom to trust there.
fn entry(args: &ClusterArgs, env: &Env) -> Result<Entry, RunError> {
    let usage = |message: String, hint: &str| RunError::Usage { message, hint: Some(hint.to_owned()) };
    if let Some(address) = &args.auth_server {
        let trust = match (&args.ca_pin, &args.ca_file) {
            (Some(pin), _) => Trust::Pin(pin.0),
            (None, Some(file)) => {
                let path = env.absolute(file).display().to_string();
                let text = env::read_text(std::path::Path::new(&path))
                    .map_err(|source| RunError::Read { path: path.clone(), source })?;
                let roots = ders_of(&text).ok().filter(|roots| !roots.is_empty());
                let none =
                    || usage(format!("`{path}` holds no PEM certificate"), "give the cluster's host CA");
                Trust::Only(roots.ok_or_else(none)?)
            }
            (None, None) if args.insecure_trust_on_first_use => Trust::Blindly,
            (None, None) => {
                return Err(usage(
                    format!("nothing says how to know the auth service at {address}"),
                    "give `--ca-pin sha256:…` (`tctl status` shows it) or `--ca-file`; \
                     `--insecure-trust-on-first-use` trusts whatever answers",
                ));
            }
        };
        return Ok(Entry::Auth { address: address.clone(), trust });
    }
    if let Some(proxy) = &args.proxy {
        return Ok(Entry::Proxy(proxy.clone()));
    }
    let hint = "say `--proxy HOST[:PORT]`, or set `TELEPORT_PROXY`";
    let text = env.var(env::names::TELEPORT_PROXY).ok_or_else(|| usage("no proxy is given".into(), hint))?;
    let proxy = HostPort::parse(text, 443).map_err(|e| usage(format!("`TELEPORT_PROXY`: {e}"), hint))?;
    Ok(Entry::Proxy(proxy))
}

/// The join token's name; an absolute path is a file that holds it, as in tbot.
fn token_name(args: &IdentityArgs, env: &Env) -> Result<String, RunError> {
    let hint = "say `--token NAME`, the name of the `kind: token` resource on the cluster (no secret), or set `JOBPASS_TOKEN`";
    let usage = |message: &str| RunError::Usage { message: message.to_owned(), hint: Some(hint.to_owned()) };
    let given = args.token.as_deref();
    let name = given
        .or_else(|| env.var(env::names::JOBPASS_TOKEN))
        .or_else(|| env.var(env::names::TELEPORT_BOT_TOKEN));
    let mut name = name.ok_or_else(|| usage("no join token is named"))?.trim().to_owned();
    if name.starts_with('/') {
        let read = env::read_text(std::path::Path::new(&name));
        let text = read.map_err(|source| RunError::Read { path: name.clone(), source })?;
        text.trim().clone_into(&mut name);
    }
    if name.is_empty() {
        return Err(usage("the join token's name is empty"));
    }
    if name.chars().any(|c| c.is_control() || c.is_whitespace()) || name.len() > 512 {
        return Err(usage("the join token's name holds white space, or is too long"));
    }
    Ok(name)
}

fn cut(ttl: Duration, log: &Log) -> Duration {
    if ttl <= LONGEST {
        return ttl;
    }
    log.warn(
        "more than 24h is not given to bots: asking for 24h; for a rare longer-lived certificate an administrator \
         uses `tctl auth sign`",
    );
    LONGEST
}

/// The outputs asked for: one `ssh` where none is named.
fn outputs(args: &Login) -> Vec<Output> {
    let roles = (!args.output.roles.is_empty()).then(|| args.output.roles.clone());
    if args.output.output.is_empty() {
        return vec![Output { name: "ssh".into(), roles, cluster: None, dir: None }];
    }
    let specs = args.output.output.iter().enumerate();
    let output = |(index, spec): (usize, &crate::cli::output::OutputSpec)| Output {
        name: spec
            .name
            .clone()
            .unwrap_or_else(|| if index == 0 { "ssh".into() } else { format!("ssh-{}", index + 1) }),
        roles: spec.roles.clone().or_else(|| roles.clone()),
        cluster: spec.cluster.clone(),
        dir: spec.dir.clone(),
    };
    specs.map(output).collect()
}

fn expectations(args: &Login) -> Expectations {
    Expectations {
        cluster: args.guards.expect_cluster.clone(),
        bot: args.guards.expect_bot.clone(),
        roles: args.guards.expect_role.clone(),
        logins: args.guards.require_login.clone(),
    }
}

/// Stays on the address the user gave, unless told otherwise: split DNS and tunnels make the advertised one unreachable for some. Behind an auth
/// service the advertised one is all there is.
fn later_proxy(args: &Login, entry: &Entry, bot: &BotIdentity, log: &Log) -> HostPort {
    let advertised = bot.ping.public_address.as_ref();
    let given = match entry {
        Entry::Proxy(given) => given,
        Entry::Auth { address, .. } => advertised.unwrap_or(address),
    };
    match advertised {
        Some(advertised) if args.cluster.use_advertised_address => advertised.clone(),
        Some(advertised) if advertised != given => {
            log.detail(format!(
                "the cluster advertises {advertised}; staying on {given} (`--use-advertised-address` to switch)"
            ));
            given.clone()
        }
        None if args.cluster.use_advertised_address => {
            log.warn(format!("the cluster advertises no address: staying on {given}"));
            given.clone()
        }
        _ => given.clone(),
    }
}

fn report(
    checked: &Checked,
    bot: &BotIdentity,
    detected: &Detected,
    proxy: &HostPort,
    folders: &place::Folders,
    dry_run: bool,
) -> Report {
    let output = |(index, issued): (usize, &issue::Issued)| OutputReport {
        name: issued.output.name.clone(),
        kind: "ssh".into(),
        cluster: issued.output.cluster.clone().unwrap_or_else(|| bot.cluster.clone()),
        roles: issued.roles.clone(),
        logins: issued.identity.ssh_cert.logins().into_iter().map(str::to_owned).collect(),
        valid_until: issued.identity.ssh_cert.valid_before.min(issued.identity.tls_cert.not_after),
        dir: folders.of(index),
    };
    Report {
        jobpass: env!("CARGO_PKG_VERSION").to_owned(),
        bot: bot.user.clone(),
        cluster: bot.cluster.clone(),
        proxy: proxy.to_string(),
        server_version: bot.ping.server_version.clone(),
        platform: detected.platform.map(|p| p.id().to_owned()),
        join_method: bot.method.map(|m| m.name().to_owned()),
        issued_at: env::now(),
        valid_until: checked.ends,
        dry_run,
        dir: folders.base(),
        files: Vec::new(),
        outputs: checked.batch.issued.iter().enumerate().map(output).collect(),
    }
}

/// What later steps are told: the variables Teleport's own tools read, and where things are. A named identity has suffixed names of its
/// own and leaves the plain ones alone.
fn exports(report: &Report, args: &Login) -> Exports {
    let mut exports = Exports { summary: report.summary(), ..Exports::default() };
    for (index, output) in report.outputs.iter().enumerate() {
        let name = if index == 0 { args.output.name.clone() } else { Some(output.name.clone()) };
        let variable = |base: &str| match &name {
            Some(name) => format!("{base}_{}", name.to_ascii_uppercase().replace('-', "_")),
            None => base.to_owned(),
        };
        let step = |base: &str| match &name {
            Some(name) => format!("{name}-{base}"),
            None => base.to_owned(),
        };
        let path = |file: &str| output.dir.join(file).display().to_string();
        let dir = output.dir.display().to_string();
        for (key, value) in [
            ("TELEPORT_PROXY", report.proxy.clone()),
            ("TELEPORT_AUTH_SERVER", report.proxy.clone()),
            ("TELEPORT_IDENTITY_FILE", path("identity")),
            ("JOBPASS_DIR", dir.clone()),
            ("JOBPASS_SSH_CONFIG", path("ssh_config")),
        ] {
            exports.variables.push((variable(key), value));
        }
        for (key, value) in [
            ("destination-dir", dir),
            ("identity-file", path("identity")),
            ("ssh-config", path("ssh_config")),
            ("certificate-file", path("key-cert.pub")),
            ("key-file", path("key")),
            ("expires-at", output.valid_until.to_string()),
        ] {
            exports.outputs.push((step(key), value));
        }
    }
    exports
}

/// Tells the platform's log never to show these. Only on the real platform: elsewhere the command itself would show them.
fn mask(log: &Log, detected: &Detected, dry_run: bool, secrets: &[&str]) {
    if dry_run {
        return;
    }
    let secrets: Vec<_> = secrets.iter().map(|s| secrecy::SecretString::from(*s)).collect();
    let commands = export::masks(detected.platform, &secrets);
    if !commands.is_empty() {
        log.command(&commands);
    }
}

fn mask_keys(log: &Log, detected: &Detected, dry_run: bool, issued: &issue::Issued) {
    use secrecy::ExposeSecret as _;
    let identity = &issued.identity;
    let mut pems = vec![identity.ssh_key.ssh_pem()];
    pems.extend(identity.tls_key.as_ref().map(KeyPair::tls_pem));
    for pem in &pems {
        let body: Vec<&str> = pem.expose_secret().lines().filter(|l| !l.starts_with("-----")).collect();
        mask(log, detected, dry_run, &body);
    }
}

fn completions(shell: clap_complete::Shell) -> String {
    use clap::CommandFactory as _;
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "jobpass", &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn man() -> anyhow::Result<String> {
    use clap::CommandFactory as _;
    let mut bytes = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
