//! `jobpass exec`: prove, obtain, write, and run a command with it; then nothing is left.

pub mod beside;
pub mod private_folder;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::cli::exec::Exec;
use crate::env::{self, Env};
use crate::error::{Exit, Failed};
use crate::export::Sink;
use crate::log::Log;
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
use crate::write::{FileToWrite, Folders, Pending, WriteError};
use beside::Beside;
use private_folder::{PrivateFolder, places};

/// In the private folder of a dry run: the root of the cluster's web certificate.
const WEB_CA: &str = "dry-run";

/// Swaps this job's identity for credentials and runs the command with them.
pub async fn run(args: &Exec, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    check(args)?;
    let mut stop = Signals::that_stop()?;
    if !args.login.0.trial.dry_run {
        let setting = login::setting(&args.login.0, env)?;
        return Session { args, env, job: env, log }.run(setting, &mut stop).await;
    }
    let (trial, setting) = stop.end(Trial::start(&args.login.0, env, log)).await?;
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
        let folder = self.folder(setting.detected.platform)?;
        let ended = self.in_folder(&folder, setting, stop).await;
        let wiped = folder.wipe();
        let mut outcome = Outcome { status: Some(ended?), ..Outcome::default() };
        if let Err(error) = wiped {
            outcome.failures.push(Failure::new(&error.into(), env::now()));
            if outcome.status == Some(0) {
                (outcome.status, outcome.exit) = (None, Exit::Files);
            }
        }
        Ok(outcome)
    }

    /// In the first place where one can be created.
    fn folder(&self, platform: Option<Platform>) -> Result<PrivateFolder, Failed> {
        let mut failed = None;
        for place in places(self.args.login.0.output.name.as_deref(), self.env, platform)? {
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
    ) -> Result<u8, Failed> {
        let mut beside = Beside::default();
        let web_ca = setting.options.ca_pem.clone();
        (setting.sink, setting.base) = (Sink::None, Some(folder.credentials()));
        let mut plan = Plan::new(&self.args.login.0, self.job, self.log, setting)?;
        if let Some(pem) = web_ca {
            plan.ca_file = Some(write_web_ca(folder, &pem)?);
            // No proxy of the network has a way to this process.
            let others = self.env.var("NO_PROXY").map_or_else(String::new, |others| format!("{others},"));
            beside.variable("NO_PROXY", format!("{others}{}", plan.entry.address().host));
        }
        let folders = Folders::prepare(&plan.issue.outputs)?;
        let credentials = stop.end(login::swap(&plan)).await?;
        let delivered = delivery::write(&plan, folders, &credentials)?;
        login::tell_timings(&plan);
        // The credentials are there, the command is not yet.
        open(&plan, &credentials, &mut beside);

        self.tell(&plan, delivered.report, &delivered.failures);
        let (more, serving) = beside.split();
        let variables: Vec<_> = delivered.exports.variables.into_iter().chain(more).collect();
        Child::start(&self.args.command, &variables)?.end(stop, serving).await
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

/// Opens what serves the command.
fn open(plan: &Plan<'_>, credentials: &Credentials, beside: &mut Beside<'_>) {
    let (log, ends) = (plan.log.clone(), credentials.checked.ends);
    beside.serve(async move {
        until(ends).await;
        log.warn("the credentials have expired, and the command goes on without them");
    });
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
