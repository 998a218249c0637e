//! New credentials in the place of those that end: the login is asked again, by whoever finds it at its end first.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use clap::Parser as _;
use jiff::{SignedDuration, Timestamp};

use crate::cli::{self, Cli, Command, Login};
use crate::env::{self, Env};
use crate::error::Failed;
use crate::log::Log;
use crate::report::Failure;
use crate::run::error::RunError;
use crate::run::login::write_again;
use crate::run::outcome::Outcome;
use crate::run::written::Written;

/// What ends within this time is renewed.
pub const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// How often one who waits for another looks.
const INTERVAL: Duration = Duration::from_millis(50);

/// `jobpass renew`.
pub async fn run(args: &cli::Renew, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    renew(&env.absolute(&args.dir), env, log, args.timeout).await?;
    Ok(Outcome::default())
}

/// Renews the login that wrote `dir`, if it is at its end. What is still valid when that fails is used for as long as it lasts.
pub async fn renew(dir: &Path, env: &Env, log: &Log, timeout: Duration) -> Result<(), Failed> {
    let Some(end) = due(dir)? else { return Ok(()) };
    // The login has a deadline of its own, which says more.
    match tokio::time::timeout(timeout + INTERVAL * 20, Box::pin(renew_alone(dir, env, log, timeout))).await {
        Ok(Ok(())) => Ok(()),
        failed if end > env::now() => {
            let why = failed.map_or_else(|_| "it takes too long".to_owned(), |done| reason(&done));
            log.detail(format!("not renewed yet, valid until {end:.0}: {why}"));
            Ok(())
        }
        Ok(Err(error)) => Err(RunError::not_renewed(dir, end, &error).into()),
        Err(_) => Err(RunError::NotRenewed {
            dir: dir.display().to_string(),
            ended: end,
            causes: vec![format!("another renewal has not ended within {} s", timeout.as_secs())],
            hints: vec!["run `jobpass login` again in this job".to_owned()],
            exit: crate::error::Exit::Network,
        }
        .into()),
    }
}

fn reason(done: &Result<(), Failed>) -> String {
    match done {
        Ok(()) => String::new(),
        Err(error) => Failure::new(error, env::now()).line().trim_end().to_owned(),
    }
}

/// When the login ends, if that is soon.
fn due(dir: &Path) -> Result<Option<Timestamp>, RunError> {
    let end = find(dir)?.valid_until().unwrap_or(Timestamp::MIN);
    Ok((end.duration_since(env::now()) <= MARGIN).then_some(end))
}

fn find(dir: &Path) -> Result<Written, RunError> {
    let none = |reason: &str| RunError::NoCredentials {
        path: dir.display().to_string(),
        reason: reason.to_owned(),
        hint: "run `jobpass login --renew` in this job".to_owned(),
    };
    let written = Written::find(dir).ok_or_else(|| none("no login wrote it, or it was wiped"))?;
    if written.is_wiped() { Err(none("it was wiped")) } else { Ok(written) }
}

/// Of many that find it at its end, one asks; the others wait for that.
async fn renew_alone(dir: &Path, env: &Env, log: &Log, timeout: Duration) -> Result<(), Failed> {
    loop {
        let written = find(dir)?;
        // The folder itself is locked: the next one has another lock, and needs none.
        let lock = File::open(&written.dir)?;
        if lock.try_lock().is_err() {
            tokio::time::sleep(INTERVAL).await;
            continue;
        }
        if due(dir)?.is_none() {
            return Ok(());
        }
        let args = again(&written, timeout)?;
        // What it warns of was told when the folder was first written.
        let quiet = log.clone();
        let quiet = Log::new(move |level, text| {
            if level == crate::log::Level::Detail {
                quiet.detail(text);
            }
        });
        Box::pin(write_again(&args, env, &quiet)).await?;
        log.detail(format!("renewed `{}`", written.dir.display()));
        return Ok(());
    }
}

/// The command line that asks for the same, into the same folder.
fn again(written: &Written, timeout: Duration) -> Result<Login, Failed> {
    let asked = written.report().ok().and_then(|report| report.asked);
    let (flags, base) = asked.map(|asked| (asked.flags, asked.base)).unwrap_or_default();
    if !flags.iter().any(|flag| flag == "--renew") {
        let message = format!("`{}` was not written to be renewed", written.dir.display());
        return Err(RunError::usage(message, "add `--renew` to `jobpass login`").into());
    }
    let kept = flags.into_iter().filter(|flag| !flag.starts_with("--dir=")).map(OsString::from);
    let mut dir = OsString::from("--dir=");
    dir.push(base);
    let more = [dir, format!("--timeout={}", timeout.as_secs().max(1)).into()];
    Ok(login(kept.chain(more), &written.dir)?)
}

/// The command line of the login that wrote `dir`, by its flags.
pub fn login(flags: impl Iterator<Item = OsString>, dir: &Path) -> Result<Login, RunError> {
    let words = ["jobpass", "login"].map(OsString::from).into_iter().chain(flags);
    match Cli::try_parse_from(words).map(|cli| cli.command) {
        Ok(Command::Login(login)) => Ok(*login),
        _ => Err(another_version(dir)),
    }
}

/// Its manifest is not as this version writes it.
pub fn another_version(dir: &Path) -> RunError {
    let message = format!("another version of jobpass wrote `{}`", dir.display());
    RunError::usage(message, "run `jobpass login` again in this job")
}

impl RunError {
    fn not_renewed(dir: &Path, ended: Timestamp, error: &Failed) -> Self {
        let Failure { message, causes, mut hints, exit, .. } = Failure::new(error, env::now());
        hints.push("run `jobpass login` again in this job".to_owned());
        let causes = std::iter::once(message).chain(causes).collect();
        Self::NotRenewed { dir: dir.display().to_string(), ended, causes, hints, exit }
    }
}
