//! `jobpass exec`: prove, obtain, write, and run a command with it; then nothing is left.

pub mod agent;
pub mod beside;
pub mod private_folder;
pub mod socket;
pub mod watchdog;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::cli::Login;
use crate::cli::exec::Exec;
use crate::env::{self, Env};
use crate::error::{Exit, Failed};
use crate::export::Sink;
use crate::identity::tls::ders_of;
use crate::issue::Issued;
use crate::log::Log;
use crate::net::tls::ClientIdentity;
use crate::net::{Deadline, Network, Options};
use crate::output::Kind;
use crate::platform::Platform;
use crate::report::{Failure, Report};
use crate::run::child::Child;
use crate::run::delivery;
use crate::run::dry_run::Trial;
use crate::run::error::RunError;
use crate::run::login;
use crate::run::obtain::Credentials;
use crate::run::outcome::Outcome;
use crate::run::plan::{Plan, Setting};
use crate::run::signals::Signals;
use crate::run::ssh_relay::Relay;
use crate::run::tunnels;
use crate::run::written::Written;
use crate::tunnel;
use crate::verify::Checked;
use crate::write::contents::{Consumer, Sockets};
use crate::write::{FileToWrite, Folders, Pending, WriteError};
use agent::Agent;
use beside::Beside;
use private_folder::{PrivateFolder, places};
use socket::Socket;
use watchdog::Watchdog;

/// In the private folder of a dry run: the root of the cluster's web certificate.
const WEB_CA: &str = "dry-run";

/// Swaps this job's identity for credentials and runs the command with them.
pub async fn run(args: &Exec, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    check(args)?;
    let tunnels = tunnels::outputs(&args.tunnel, &args.login.0.output.roles)?;
    let mut stop = Signals::that_stop()?;
    if !args.login.0.trial.dry_run {
        let setting = login::setting(&args.login.0, env, tunnels)?;
        if !args.tunnel.is_empty() {
            tunnels::check_entry(&setting.entry)?;
        }
        return Session { args, env, job: env, log }.run(setting, &mut stop).await;
    }
    let (trial, setting) = stop.end(Box::pin(Trial::start(&args.login.0, env, log, &tunnels))).await?;
    let outcome = Session { args, env, job: &trial.env, log }.run(setting, &mut stop).await;
    trial.end().await;
    outcome
}

/// What of `login` makes no sense here.
fn check(args: &Exec) -> Result<(), RunError> {
    let login = &args.login.0;
    let (output, messages) = (&login.output, login.messages);
    let refused = |flag: &str, hint: &str| Err(RunError::usage(format!("`exec` takes no `{flag}`"), hint));
    if output.dir.is_some() {
        return refused("--dir", "leave it out: the command finds its folder in `JOBPASS_DIR`");
    }
    if output.output.iter().any(|output| output.dir.is_some()) {
        return refused("dir=", "leave it out: the command finds its folder in `JOBPASS_DIR`");
    }
    if !matches!(output.export, Sink::Auto | Sink::None) {
        return refused(
            "--export",
            "leave it out, or run `jobpass login`: `exec` gives variables to its command only",
        );
    }
    if output.reuse_if_valid_for.is_some() {
        return refused("--reuse-if-valid-for", "leave it out: the command gets credentials of its own");
    }
    if messages.json {
        let hint = "leave it out: standard output is the command's, which finds the report at `$JOBPASS_DIR/jobpass.json`";
        return refused("--json", hint);
    }
    if login.request.request_nowait {
        let hint = "leave it out: the command needs credentials; run `jobpass login --request-nowait` in a step before";
        return refused("--request-nowait", hint);
    }
    if login.config.print_command {
        return refused("--print-command", "run `jobpass login --config FILE --print-command`");
    }
    if output.renew && !args.tunnel.is_empty() && output.output.is_empty() {
        let message = "`--renew` is about files, and there are only tunnels";
        let hint = "leave it out, and pass a `--ttl` as long as the command may run";
        return Err(RunError::usage(message, hint));
    }
    if args.agent {
        return check_agent(login);
    }
    Ok(())
}

/// What an agent cannot serve.
fn check_agent(login: &Login) -> Result<(), RunError> {
    let outputs = &login.output.output;
    if !outputs.is_empty() && !outputs.iter().any(|output| matches!(output.kind, Kind::Ssh { .. })) {
        let message = "`--agent` is about ssh outputs, and there is none";
        return Err(RunError::usage(message, "leave it out, or add `--output ssh`"));
    }
    if login.output.renew {
        let message = "`--renew` writes files with private keys, and `--agent` has none";
        return Err(RunError::usage(message, "leave out one of them"));
    }
    if login.output.export_vars.contains(&Consumer::Terraform) {
        let message = "`--export-vars terraform` needs a file with a private key, and `--agent` writes none";
        return Err(RunError::usage(message, "leave out one of them"));
    }
    Ok(())
}

/// One command with its folder.
struct Session<'a> {
    args: &'a Exec,
    /// Of this process.
    env: &'a Env,
    /// Of the job, which may be a simulated one.
    job: &'a Env,
    log: &'a Log,
}

impl Session<'_> {
    async fn run(&self, setting: Setting, stop: &mut Signals) -> Result<Outcome, Failed> {
        // It watches before there is anything to remove.
        let mut watchdog = stop.end(Watchdog::start(self.env)).await?;
        let folder = match self.folder(setting.detected.platform, &mut watchdog).await {
            Ok(folder) => folder,
            Err(error) => {
                watchdog.end().await;
                return Err(error);
            }
        };
        let ended = self.in_folder(&folder, setting, stop, &mut watchdog).await;
        let wiped = folder.wipe();
        watchdog.end().await;
        Ok(outcome(ended?, wiped))
    }

    /// In the first place where one can be created.
    async fn folder(
        &self,
        platform: Option<Platform>,
        watchdog: &mut Watchdog,
    ) -> Result<PrivateFolder, Failed> {
        let mut failed = None;
        for place in places(self.args.login.0.output.name.as_deref(), self.env, platform)? {
            watchdog.folder(&place.path).await;
            match PrivateFolder::create(&place) {
                Ok(folder) => {
                    self.log.detail(folder.description());
                    return Ok(folder);
                }
                Err(error) => failed = Some(error),
            }
        }
        let none = || WriteError::Unfit { path: "/tmp".into(), reason: "there is no place".into() };
        Err(failed.unwrap_or_else(none).into())
    }

    /// The command's status.
    async fn in_folder(
        &self,
        folder: &PrivateFolder,
        mut setting: Setting,
        stop: &mut Signals,
        watchdog: &mut Watchdog,
    ) -> Result<u8, Failed> {
        let mut beside = Beside::default();
        let options = setting.options.clone();
        (setting.sink, setting.base) = (Sink::None, Some(folder.credentials()));
        let tunnels = setting.tunnels.clone();
        let mut plan = Plan::new(&self.args.login.0, self.job, self.log, setting)?;
        if let Some(pem) = &options.ca_pem {
            plan.ca_file = Some(write_web_ca(folder, pem)?);
            // No proxy of the network has a way to this process.
            let others = self.env.var("NO_PROXY").map_or_else(String::new, |others| format!("{others},"));
            beside.variable("NO_PROXY", format!("{others}{}", plan.entry.address().host));
        }
        let folders = Folders::prepare(&plan.issue.outputs)?;
        let mut credentials = stop.end(login::swap(&plan)).await?;
        let tunneled = tunnels::take(&mut credentials, &tunnels)?;
        let private = self.args.agent.then_some(folder.path());
        let mut variables = Vec::new();
        if !credentials.checked.batch.issued.is_empty() {
            let delivered = delivery::write(&plan, folders, &credentials, private)?;
            self.tell(&plan, delivered.report, &delivered.failures);
            variables = delivered.exports.variables;
        }
        login::tell_timings(&plan);
        // The credentials are there, the command is not yet.
        let renewed = self.args.login.0.output.renew.then(|| plan.base.clone());
        tell_of_the_end(&plan, &credentials, renewed.filter(|_| tunneled.is_empty()), &mut beside);
        if self.args.agent {
            open_agent(&plan, &options, &credentials, folder, &mut beside)?;
        }
        if !tunneled.is_empty() {
            self.open_tunnels(&tunneled, &credentials, folder, &mut beside).await?;
        }

        let (more, serving) = beside.split();
        variables.extend(more);
        let child = Child::start(&self.args.command, &variables)?;
        watchdog.command(child.id()).await;
        child.end(stop, serving).await
    }

    /// Tunnels for as long as the command runs; their variables are the command's alone.
    async fn open_tunnels<'a>(
        &'a self,
        issued: &[Issued],
        credentials: &Credentials,
        folder: &PrivateFolder,
        beside: &mut Beside<'a>,
    ) -> Result<(), Failed> {
        let (specs, parent) = (&self.args.tunnel, Some(folder.path()));
        let opened = tunnels::open(specs, issued, credentials, parent, self.env, self.log).await?;
        for line in &opened.lines {
            self.log.note(line);
        }
        for (name, value) in opened.variables {
            beside.variable(name, value);
        }
        let (tunnels, kept, log) = (opened.tunnels, opened.folder, self.log);
        beside.serve(async move {
            tunnel::serve(tunnels, log).await;
            drop(kept);
        });
        Ok(())
    }

    /// One line, and one for each output that is missing.
    fn tell(&self, plan: &Plan<'_>, mut report: Report, missing: &[Failure]) {
        // The command is given already.
        report.outputs.iter_mut().for_each(|output| output.usage.clear());
        self.log.note(report.line(env::now(), plan.begin.elapsed()));
        for failure in missing {
            let line = failure.line();
            self.log.warn(line.trim_start_matches("jobpass: ").trim_end());
        }
    }
}

/// The command's status counts, unless all went well but for the files that stay.
fn outcome(status: u8, wiped: Result<(), WriteError>) -> Outcome {
    let mut outcome = Outcome { status: Some(status), ..Outcome::default() };
    if let Err(error) = wiped {
        outcome.failures.push(Failure::new(&error.into(), env::now()));
        outcome.exit = Exit::Files;
        outcome.status = Some(status).filter(|status| *status != 0);
    }
    outcome
}

/// A line when the certificates have ended. `renewed`: the folder in which they may have been renewed by then; what ssh and kubectl use
/// needs no word, as they renew it when they are called.
fn tell_of_the_end(
    plan: &Plan<'_>,
    credentials: &Credentials,
    renewed: Option<PathBuf>,
    beside: &mut Beside<'_>,
) {
    let by_its_user = |issued: &Issued| matches!(issued.output.kind, Kind::Ssh { .. } | Kind::Kube(_));
    if renewed.is_some() && credentials.checked.batch.issued.iter().all(by_its_user) {
        return;
    }
    let (log, mut ends) = (plan.log.clone(), credentials.checked.ends);
    beside.serve(async move {
        until(ends).await;
        while let Some(later) = renewed.as_deref().and_then(valid_until).filter(|later| *later > ends) {
            ends = later;
            until(ends).await;
        }
        log.warn("the credentials have expired, and the command goes on without them");
    });
}

/// When the credentials in a folder end, as it says itself.
fn valid_until(dir: &Path) -> Option<Timestamp> {
    Written::find(dir)?.valid_until()
}

/// Opens what has the private keys: an ssh-agent, and for each ssh output a socket for `ssh-proxy`.
fn open_agent(
    plan: &Plan<'_>,
    options: &Options,
    credentials: &Credentials,
    folder: &PrivateFolder,
    beside: &mut Beside<'_>,
) -> Result<(), Failed> {
    let Checked { batch, .. } = &credentials.checked;
    for (index, issued) in batch.issued.iter().enumerate() {
        if !matches!(issued.output.kind, Kind::Ssh { .. }) {
            continue;
        }
        let tls = &issued.first.identity.tls;
        let pems = batch.authorities.host.first().map(|host| host.tls_certs.concat()).unwrap_or_default();
        let relay = Relay {
            network: Network::new(plan.env, options, Deadline::after(Duration::MAX), plan.log.clone())?,
            proxy: credentials.proxy.clone(),
            authorities: ders_of(&pems)?,
            client: ClientIdentity { chain: vec![tls.cert.der.clone()], key: tls.key.private().clone() },
            cluster: credentials.bot.cluster.clone(),
        };
        let socket = Socket::listen(&Sockets::of(folder.path(), index).proxy)?;
        beside.serve(async move { socket.serve(|stream| relay.session(stream)).await });
    }
    let path = Sockets::of(folder.path(), 0).agent;
    let agent = Agent::listen(&path, &batch.issued)?;
    beside.serve(agent.serve());
    beside.variable("SSH_AUTH_SOCK", path.display().to_string());
    Ok(())
}

/// Sleeps by our clock, which may be set, and goes on while the machine sleeps.
async fn until(end: Timestamp) {
    const STEP: Duration = Duration::from_secs(30);
    loop {
        let left = Duration::try_from(end.duration_since(env::now())).unwrap_or_default();
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(STEP)).await;
    }
}

fn write_web_ca(folder: &PrivateFolder, pem: &str) -> Result<PathBuf, WriteError> {
    let dir = folder.path().join(WEB_CA);
    let file =
        FileToWrite { path: "web-ca.pem".into(), content: pem.as_bytes().to_vec().into(), mode: 0o600 };
    Pending::prepare(&dir)?.commit(&[file])?;
    Ok(dir.join("web-ca.pem"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_stay_are_a_failure_of_ours_alone() {
        let failed = || Err(WriteError::Unfit { path: "/x".into(), reason: "it stays".into() });
        for (status, wiped, code, failures) in [
            (0, Ok(()), Some(0), 0),
            (7, Ok(()), Some(7), 0),
            (0, failed(), None, 1),
            (7, failed(), Some(7), 1),
        ] {
            let outcome = outcome(status, wiped);
            assert_eq!((outcome.status, outcome.failures.len()), (code, failures));
            assert_eq!(outcome.exit == Exit::Files, failures == 1);
        }
    }
}
