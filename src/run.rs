//! The flow of `login`: detect → token → join → issue → verify → write → export → report.

pub mod dry;
pub mod place;
pub mod sandbox;
pub mod ssh_proxy;

use std::time::Duration;

use anyhow::Context as _;
use tokio::time::Instant;

use crate::cli::{Cli, Command, Login, Talk};
use crate::detect::{self, Detected};
use crate::env::{self, Env};
use crate::export::{self, Exports};
use crate::identity::keys::{KeyKind, KeyPair};
use crate::issue::{self, Output};
use crate::join::{self, BotIdentity};
use crate::log::Log;
use crate::net::{Deadline, HostPort, Network, Options};
use crate::report::failure::RunError;
use crate::report::{OutputReport, Report};
use crate::teleport::Cluster;
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
}

/// The longest life Teleport gives a bot's certificate.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// The longest life of a certificate of a dry run.
const DRY_RUN: Duration = Duration::from_secs(15 * 60);

/// Runs a command.
pub async fn run(cli: &Cli, env: &Env, log: &Log) -> anyhow::Result<Outcome> {
    match &cli.command {
        Command::Login(args) => stoppable(login(args, env, log)).await,
        Command::Sandbox(args) => sandbox::run(args, env, log).await,
        Command::SshProxy(args) => ssh_proxy::run(args, env, log).await,
        Command::Completions(args) => Ok(Outcome { stdout: completions(args.shell), ..Outcome::default() }),
        Command::Man => Ok(Outcome { stdout: man()?, ..Outcome::default() }),
    }
}

/// How much a command says.
pub fn talk(cli: &Cli) -> Talk {
    match &cli.command {
        Command::Login(args) => args.talk,
        Command::Sandbox(args) => args.talk,
        Command::SshProxy(args) => args.talk,
        Command::Completions(_) | Command::Man => Talk::default(),
    }
}

/// Swaps this job's identity for credentials.
pub async fn login(args: &Login, env: &Env, log: &Log) -> anyhow::Result<Outcome> {
    if args.dry.dry_run {
        return dry::login(args, env, log).await;
    }
    let options = Options { ca_file: args.cluster.ca_file.clone(), ..Options::default() };
    let detected = detect::detect(env, &args.identity.detection())?;
    let proxy = proxy(args, env)?;
    let sink = args.output.export.clone();
    pipeline(args, env, log, Surrounding { options, detected, proxy, sink, dry_run: false }).await
}

/// What `login` and its dry run differ in.
pub struct Surrounding {
    /// Roots.
    pub options: Options,
    /// Where the job runs.
    pub detected: Detected,
    /// The proxy to ask.
    pub proxy: HostPort,
    /// How later steps are told.
    pub sink: export::Sink,
    /// Whether the cluster is the one in this process.
    pub dry_run: bool,
}

/// The stages, in order.
pub async fn pipeline(args: &Login, env: &Env, log: &Log, around: Surrounding) -> anyhow::Result<Outcome> {
    let begin = Instant::now();
    let Surrounding { options, detected, proxy, sink, dry_run } = around;
    for reason in &detected.reasons {
        log.detail(format!("{}: {}", reason.platform, reason.why));
    }
    let evidence_wanted = args.identity.evidence();
    token::check(&detected, &evidence_wanted)?;
    let ttl = if dry_run { args.output.ttl.min(DRY_RUN) } else { cut(args.output.ttl, log) };
    let join_wanted = join::Wanted { token: token_name(args, env)?, method: detected.method, ttl };
    let network = Network::new(env, &options, Deadline::after(args.cluster.timeout), log.clone())?;
    let cluster = Cluster::new(network.clone(), proxy.clone());
    let place = place::Place::choose(args, env, detected.platform, log)?;
    let mut folders = place.prepare(&outputs(args))?;

    let key = tokio::task::spawn_blocking(|| KeyPair::generate(KeyKind::P256));
    let begun = async {
        let ready = cluster.prepare(&join_wanted.token, 1).await.map_err(join::JoinError::from)?;
        Ok(join::agree(ready, &join_wanted).await?)
    };
    let evidence = async { Ok(token::token(env, &network, &detected, &evidence_wanted).await?) };
    let (evidence, ready) = tokio::try_join!(evidence, both_errors(begun))?;
    log.took("token and connections", begin.elapsed());
    let token::Evidence::Jwt(jwt) = &evidence;
    mask(log, &detected, dry_run, &[jwt.expose()]);

    let at = Instant::now();
    let key = key.await.context("making a key was stopped")?.map_err(join::JoinError::from)?;
    let bot = join::join(&cluster, ready, &evidence, &key, &join_wanted, env::now()).await?;
    log.took("join", at.elapsed());
    drop(evidence);

    let at = Instant::now();
    let issue_wanted =
        issue::Wanted { outputs: outputs(args), ttl, key_kind: args.output.key_type.map(KeyKind::from) };
    let asked = join::expiry(env::now(), &bot.ping, ttl);
    let batch = issue::issue(&cluster, &bot, &issue_wanted, env::now()).await?;
    log.took("issue", at.elapsed());
    let checked = verify::verify(batch, &bot, &expectations(args), asked, env::now())?;
    for note in &checked.notes {
        log.warn(note);
    }
    for issued in &checked.batch.issued {
        mask_keys(log, &detected, dry_run, issued);
    }

    let at = Instant::now();
    let later_proxy = later_proxy(args, &proxy, &bot, log);
    let mut report = report(&checked, &bot, &detected, &later_proxy, &folders, dry_run);
    let ca_file = args.cluster.ca_file.as_ref().map(|f| env.absolute(f));
    let around = |dir| Surroundings {
        dir,
        proxy_host: &later_proxy.host,
        binary: &env.exe,
        ca_file: ca_file.as_deref(),
    };
    let mut files = Vec::new();
    for (folder, members) in folders.members() {
        let mut all = Vec::new();
        for (index, prefix) in members {
            let Some(issued) = checked.batch.issued.get(*index) else { continue };
            all.extend(contents::contents(issued, &checked.batch.authorities, &around(folder), prefix)?);
        }
        files.push(all);
    }
    folders.commit(files, &mut report)?;
    log.took("write", at.elapsed());
    let exported = export::export(env, detected.platform, &sink, &exports(&report, args))?;
    for place in &exported.places {
        log.detail(format!("told later steps: {place}"));
    }
    if !exported.stderr.is_empty() {
        log.command(&exported.stderr);
    }
    let timings: Vec<_> =
        log.timings().iter().map(|(s, t)| format!("{s} {:.0} ms", t.as_secs_f64() * 1e3)).collect();
    log.detail(format!("{} TCP connections · {}", network.connections(), timings.join(" · ")));
    let stdout = if args.talk.json { report.json() } else { exported.stdout };
    Ok(Outcome { stdout, line: report.line(env::now(), begin.elapsed()) })
}

/// Keeps the kind of error `try_join!` wants.
async fn both_errors<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    work.await
}

/// Ends `work` at SIGINT or SIGTERM; dropping it removes what is not finished.
async fn stoppable(work: impl Future<Output = anyhow::Result<Outcome>>) -> anyhow::Result<Outcome> {
    use crate::report::Exit;
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = work => outcome,
        _ = interrupt.recv() => Err(RunError::Stopped { signal: "SIGINT", code: Exit::Interrupted }.into()),
        _ = terminate.recv() => Err(RunError::Stopped { signal: "SIGTERM", code: Exit::Terminated }.into()),
    }
}

fn proxy(args: &Login, env: &Env) -> Result<HostPort, RunError> {
    if let Some(proxy) = &args.cluster.proxy {
        return Ok(proxy.clone());
    }
    let usage = |message: String, hint: &str| RunError::Usage { message, hint: Some(hint.to_owned()) };
    let hint = "say `--proxy HOST[:PORT]`, or set `TELEPORT_PROXY`";
    let text = env.var(env::names::TELEPORT_PROXY).ok_or_else(|| usage("no proxy is given".into(), hint))?;
    HostPort::parse(text, 443).map_err(|e| usage(format!("`TELEPORT_PROXY`: {e}"), hint))
}

/// The join token's name; an absolute path is a file that holds it, as in tbot.
fn token_name(args: &Login, env: &Env) -> Result<String, RunError> {
    let hint = "say `--token NAME`, the name of the `kind: token` resource on the cluster (no secret), or set `JOBPASS_TOKEN`";
    let usage = |message: &str| RunError::Usage { message: message.to_owned(), hint: Some(hint.to_owned()) };
    let given = args.identity.token.as_deref();
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

/// Stays on the address the user gave, unless told otherwise: split DNS and tunnels make the advertised one unreachable for some.
fn later_proxy(args: &Login, given: &HostPort, bot: &BotIdentity, log: &Log) -> HostPort {
    let advertised = bot.ping.public_address.as_ref();
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
