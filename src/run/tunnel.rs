//! `jobpass tunnel`: tunnels in the foreground, until a signal comes, a command or their certificate ends.

pub mod folder;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::cli;
use crate::cli::tunnel_spec::At;
use crate::env::{self, Env};
use crate::error::Failed;
use crate::export::{self, Exports, Sink};
use crate::log::Log;
use crate::net::{Deadline, Network, Options, retry};
use crate::platform::Platform;
use crate::report::Failure;
use crate::run::child::Child;
use crate::run::dry_run::Trial;
use crate::run::error::RunError;
use crate::run::login::{setting, swap};
use crate::run::outcome::Outcome;
use crate::run::plan::Plan;
use crate::run::signals::Signals;
use crate::run::tunnels::{self, Opened, Through};
use crate::teleport::dial::Endpoint;
use crate::teleport::{Cluster, ClusterError};
use crate::text::duration;
use crate::tunnel::{TunnelError, serve};
use folder::{Folder, Renewal};

/// How often the clock is looked at: a machine that slept wakes up late.
const LOOK: Duration = Duration::from_secs(30);
/// How often a proxy that gave no answer is asked.
const ATTEMPTS: u32 = 3;

/// What to do once the certificate has ended: of a run that joined, and of one that did not.
const LONGER: &str = "run it again in this job, with a longer `--ttl` if the bot may have one";
const AGAIN: &str =
    "run `jobpass login` again in this job, or `jobpass renew` before the end of a `login --renew`";

/// Opens the tunnels, tells whoever waits, and serves. A signal or the end of the command is the usual end; before the tunnels are open a
/// signal is an error.
pub async fn run(args: &cli::Tunnel, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    let mut stop = Signals::that_stop()?;
    // Clap forgets what a flag needs where a positional argument excludes that.
    if args.listen.is_some() && args.dir.is_none() {
        let hint = "write the port behind the name: `database=SERVICE:PORT`, or `,socket=PATH`";
        return Err(RunError::usage("`--listen` is for a tunnel of `--dir`", hint).into());
    }
    let ready = args.ready_file.as_ref().map(|path| env.absolute(path));
    if let Some(path) = ready.as_ref().filter(|path| path.is_file()) {
        // One of an earlier run would pass for the sign that these are open.
        std::fs::remove_file(path)
            .map_err(|source| RunError::Read { path: path.display().to_string(), source })?;
    }
    let opened = stop
        .end(Box::pin(async {
            match &args.dir {
                Some(dir) => open_folder(args, &env.absolute(dir), env, log).await,
                None => open(args, env, log).await,
            }
        }))
        .await?;
    let Open { opened, platform, sink, trial, renewal } = opened;
    let Opened { tunnels, variables, lines, ends, folder, .. } = opened;
    let is_one = tunnels.len() == 1;
    for line in &lines {
        log.note(line);
    }
    let text = export::shell_lines(&variables)?;
    if args.command.is_empty() {
        let variables = variables.clone();
        tell_later_steps(env, platform, &sink, &Exports { variables, ..Exports::default() }, log)?;
        let left = duration(ends.duration_since(env::now()));
        let what = if is_one { "the tunnel is" } else { "the tunnels are" };
        log.note(format!("{what} open until {} (for {left})", whole_seconds(ends)));
    }
    let ready = ready.map(|path| ReadyFile::write(path, &text)).transpose()?;
    if let Some(number) = args.ready_fd {
        tell(number, &text)?;
    }

    let served = async {
        let hint = if renewal.is_some() { AGAIN } else { LONGER };
        tokio::select! {
            () = serve(tunnels, log) => Failed::from(anyhow::anyhow!("the tunnels ended by themselves")),
            ended = passed(ends, renewal.as_ref(), log) => TunnelError::Expired { ended, hint }.into(),
        }
    };
    let ended = if args.command.is_empty() {
        tokio::select! { error = served => Err(error), _ = stop.next() => Ok(None) }
    } else {
        let beside = async {
            let Failure { message, .. } = Failure::new(&served.await, env::now());
            log.warn(format!("{message}; the command goes on without them"));
        };
        match Child::start(&args.command, &variables) {
            Ok(child) => child.end(&mut stop, beside).await.map(Some),
            Err(error) => Err(error),
        }
    };
    drop((ready, folder));
    if let Some(trial) = trial {
        trial.end().await;
    }
    let status = ended?;
    let line = match (status, is_one) {
        (Some(_), _) => "",
        (None, true) => "tunnel closed",
        (None, false) => "tunnels closed",
    };
    Ok(Outcome { line: line.to_owned(), status, ..Outcome::default() })
}

/// What is open, and for whom.
struct Open {
    opened: Opened,
    platform: Option<Platform>,
    sink: Sink,
    /// The cluster of a dry run.
    trial: Option<Trial>,
    /// The folder that they are from.
    renewal: Option<Renewal>,
}

/// By a join.
async fn open(args: &cli::Tunnel, env: &Env, log: &Log) -> Result<Open, Failed> {
    let login = args.login();
    let outputs = tunnels::outputs(&args.tunnels, &args.roles)?;
    let (trial, setting) = if login.trial.dry_run {
        let (trial, setting) = Box::pin(Trial::start(&login, env, log, &outputs)).await?;
        (Some(trial), setting)
    } else {
        (None, setting(&login, env, outputs.clone())?)
    };
    tunnels::check_entry(&setting.entry)?;
    let env = trial.as_ref().map_or(env, |trial| &trial.env);
    let plan = Plan::new(&login, env, log, setting)?;
    let mut credentials = swap(&plan).await?;
    let issued = tunnels::take(&mut credentials, &outputs)?;
    let wanted = tunnels::wanted(&args.tunnels, &issued);
    let opened = tunnels::open(wanted, &Through::joined(&credentials), None, env, log).await?;
    let (platform, sink) = (plan.detected.platform, plan.sink.clone());
    Ok(Open { opened, platform, sink, trial, renewal: None })
}

/// By the credentials of an earlier login.
async fn open_folder(args: &cli::Tunnel, dir: &Path, env: &Env, log: &Log) -> Result<Open, Failed> {
    let folder = Folder::read(dir, env)?;
    let at = args.listen.clone().unwrap_or(At::Port(None));
    let wanted = folder.wanted(&at)?;
    let platform = Platform::marked(env);
    if args.command.is_empty() {
        export::check(env, platform, &args.export)?;
    }
    let ca_file = args.cluster.ca_file.clone().or_else(|| folder.ca_file.clone());
    let options = Options { ca_file, ..Options::default() };
    let network = Network::new(env, &options, Deadline::after(args.cluster.timeout), log.clone())?;
    let cluster = Arc::new(Cluster::new(network, Endpoint::Proxy(folder.proxy.clone())));
    let reach = |_| cluster.reach();
    let deadline = cluster.network().deadline();
    let ping = retry(deadline, log, "asking the proxy", ATTEMPTS, reach, ClusterError::is_transient).await?;
    let (name, authorities) = (folder.cluster.as_str(), folder.authorities.as_slice());
    let through = Through { cluster: &cluster, name, ping: &ping, authorities };
    let opened = tunnels::open(wanted, &through, None, env, log).await?;
    let renewal = Some(Renewal::new(folder, &opened, env));
    Ok(Open { opened, platform, sink: args.export.clone(), trial: None, renewal })
}

/// Variables for later steps.
fn tell_later_steps(
    env: &Env,
    platform: Option<Platform>,
    sink: &Sink,
    exports: &Exports,
    log: &Log,
) -> Result<(), Failed> {
    let exported = export::export(env, platform, sink, exports)?;
    if let Some(hint) = exported.hint {
        log.note(format!("hint: {hint}"));
    }
    for place in &exported.places {
        log.detail(format!("exported to {place}"));
    }
    if !exported.stdout.is_empty() {
        log.data(&exported.stdout);
    }
    Ok(())
}

/// Returns once that time has come. A folder that was renewed meanwhile puts it off.
async fn passed(mut end: Timestamp, renewal: Option<&Renewal>, log: &Log) -> Timestamp {
    loop {
        let left = Duration::try_from(end.duration_since(env::now())).unwrap_or_default();
        tokio::time::sleep(left.min(LOOK)).await;
        if let Some(later) = renewal.and_then(|renewal| renewal.take(end)) {
            end = later;
            log.note(format!("the certificate was renewed: open until {}", whole_seconds(end)));
        } else if end <= env::now() {
            return whole_seconds(end);
        }
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
