//! `jobpass tunnel`: tunnels in the foreground, until a signal comes or their certificate ends.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::cli::{self, Login};
use crate::env::{self, Env};
use crate::error::Failed;
use crate::export::{self, Exports, Sink};
use crate::log::Log;
use crate::output::Output;
use crate::platform::Platform;
use crate::run::dry_run::Trial;
use crate::run::error::RunError;
use crate::run::login::{setting, swap};
use crate::run::outcome::Outcome;
use crate::run::plan::Plan;
use crate::run::signals::Signals;
use crate::run::tunnels::{self, Opened};
use crate::text::duration;
use crate::tunnel::{TunnelError, serve};

/// How often the clock is looked at: a machine that slept wakes up late.
const LOOK: Duration = Duration::from_secs(30);

/// Opens the tunnels, tells whoever waits, and serves. A signal is the usual end; before the tunnels are open it is an error.
pub async fn run(args: &cli::Tunnel, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    let mut stop = Signals::that_stop()?;
    let login = args.login();
    let outputs = tunnels::outputs(&args.tunnels, &args.roles)?;
    let ready = args.ready_file.as_ref().map(|path| env.absolute(path));
    if let Some(path) = ready.as_ref().filter(|path| path.is_file()) {
        // One of an earlier run would pass for the sign that these are open.
        std::fs::remove_file(path)
            .map_err(|source| RunError::Read { path: path.display().to_string(), source })?;
    }
    let opened = stop.end(Box::pin(open(args, &login, &outputs, env, log))).await?;
    let Open { opened, platform, sink, trial } = opened;
    let Opened { tunnels, variables, lines, ends, folder } = opened;
    let is_one = tunnels.len() == 1;
    for line in &lines {
        log.note(line);
    }
    let text = export::shell_lines(&variables)?;
    let exports = Exports { variables, ..Exports::default() };
    let exported = export::export(env, platform, &sink, &exports)?;
    if let Some(hint) = exported.hint {
        log.note(format!("hint: {hint}"));
    }
    for place in &exported.places {
        log.detail(format!("exported to {place}"));
    }
    let ends_at = whole_seconds(ends);
    let left = duration(ends.duration_since(env::now()));
    let what = if is_one { "the tunnel is" } else { "the tunnels are" };
    log.note(format!("{what} open until {ends_at} (for {left})"));
    if !exported.stdout.is_empty() {
        log.data(&exported.stdout);
    }
    let ready = ready.map(|path| ReadyFile::write(path, &text)).transpose()?;
    if let Some(number) = args.ready_fd {
        tell(number, &text)?;
    }

    let ended = tokio::select! {
        () = serve(tunnels, log) => Err(anyhow::anyhow!("the tunnels ended by themselves").into()),
        () = passed(ends) => Err(TunnelError::Expired { ended: ends_at }.into()),
        _ = stop.next() => Ok(()),
    };
    drop((ready, folder));
    if let Some(trial) = trial {
        trial.end().await;
    }
    ended.map(|()| Outcome {
        line: if is_one { "tunnel closed" } else { "tunnels closed" }.to_owned(),
        ..Outcome::default()
    })
}

/// What is open, and for whom.
struct Open {
    opened: Opened,
    platform: Option<Platform>,
    sink: Sink,
    /// The cluster of a dry run.
    trial: Option<Trial>,
}

async fn open(
    args: &cli::Tunnel,
    login: &Login,
    outputs: &[Output],
    env: &Env,
    log: &Log,
) -> Result<Open, Failed> {
    let (trial, setting) = if login.trial.dry_run {
        let (trial, setting) = Box::pin(Trial::start(login, env, log, outputs)).await?;
        (Some(trial), setting)
    } else {
        (None, setting(login, env, outputs.to_vec())?)
    };
    tunnels::check_entry(&setting.entry)?;
    let env = trial.as_ref().map_or(env, |trial| &trial.env);
    let plan = Plan::new(login, env, log, setting)?;
    let mut credentials = swap(&plan).await?;
    let issued = tunnels::take(&mut credentials, outputs)?;
    let opened = tunnels::open(&args.tunnels, &issued, &credentials, None, env, log).await?;
    Ok(Open { opened, platform: plan.detected.platform, sink: plan.sink.clone(), trial })
}

/// Returns once that time has come.
async fn passed(end: Timestamp) {
    loop {
        let left = end.duration_since(env::now());
        let Ok(left) = Duration::try_from(left) else { return };
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(LOOK)).await;
    }
}

fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// The file that says that the tunnels are open; removed with the value, unless somebody else has written it since.
struct ReadyFile {
    path: PathBuf,
    text: String,
}

impl ReadyFile {
    fn write(path: PathBuf, text: &str) -> Result<Self, Failed> {
        export::replace_file("`--ready-file`", &path, text.as_bytes())?;
        Ok(Self { path, text: text.to_owned() })
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        if env::read_text(&self.path).is_ok_and(|text| text == self.text) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Writes to a descriptor that was open when this process began, by its name in `/dev/fd`.
fn tell(number: u16, text: &str) -> Result<(), TunnelError> {
    let place = format!("the file descriptor {number} of `--ready-fd`");
    let written = std::fs::OpenOptions::new()
        .write(true)
        .open(format!("/dev/fd/{number}"))
        .and_then(|mut file| file.write_all(format!("{text}\n").as_bytes()));
    written.map_err(|source| TunnelError::Ready { place, source })
}
