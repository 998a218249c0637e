//! The commands, a file each. `login` is prove → obtain → deliver.

pub mod approval;
pub mod approval_request;
pub mod asked;
pub mod base_folder;
pub mod child;
pub mod completions;
pub mod delivery;
pub mod doctor;
pub mod dry_run;
pub mod error;
pub mod exec;
pub mod explain;
pub mod identities;
pub mod inspect;
pub mod job_files;
pub mod kube_credential;
pub mod kube_server;
pub mod later_proxy;
pub mod login;
pub mod logout;
pub mod man;
pub mod obtain;
pub mod outcome;
pub mod plan;
pub mod renew;
pub mod request;
pub mod reuse;
pub mod sandbox;
pub mod scratch;
pub mod signals;
pub mod ssh_proxy;
pub mod ssh_relay;
pub mod ttl;
pub mod tunnel;
pub mod tunnels;
pub mod written;

use crate::cli::{Cli, Command, Login};
use crate::env::Env;
use crate::error::Failed;
use crate::log::Log;
use outcome::Outcome;

/// Runs a command.
pub async fn run(cli: &Cli, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    // On the heap, each by itself: together they are too much for a small stack.
    match &cli.command {
        Command::Login(args) => Box::pin(login_by(args, env, log)).await,
        Command::Logout(args) => logout::run(args, env, log),
        Command::Exec(args) => {
            tell_of_config(&args.login.0, log);
            Box::pin(exec::run(args, env, log)).await
        }
        Command::Tunnel(args) => Box::pin(tunnel::run(args, env, log)).await,
        Command::Doctor(args) => Box::pin(doctor::run(args, env, log)).await,
        Command::Inspect(args) => inspect::run(args, env),
        Command::Sandbox(args) => Box::pin(sandbox::run(args, env, log)).await,
        Command::Explain(args) => Box::pin(explain::command::run(args, env, log)).await,
        Command::Renew(args) => Box::pin(renew::run(args, env, log)).await,
        Command::SshProxy(args) => Box::pin(ssh_proxy::run(args, env, log)).await,
        Command::KubeCredential(args) => Box::pin(kube_credential::run(args, env, log)).await,
        Command::Completions(args) => Ok(Outcome::printing(completions::script(args))),
        Command::Man(args) => Ok(Outcome::printing(man::page(args)?)),
        Command::Version => {
            Ok(Outcome::printing(concat!("jobpass ", env!("CARGO_PKG_VERSION"), "\n").to_owned()))
        }
    }
}

/// `login`, its dry run, or the command line that a tbot.yaml stands for.
async fn login_by(args: &Login, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    tell_of_config(args, log);
    if args.config.print_command {
        return Ok(Outcome::printing(args.config.outcome.command.clone()));
    }
    if args.trial.dry_run {
        return signals::stoppable(Box::pin(dry_run::login(args, env, log))).await;
    }
    signals::stoppable(Box::pin(login::login(args, env, log))).await
}

/// What of a tbot.yaml is not as tbot would do it.
fn tell_of_config(args: &Login, log: &Log) {
    for note in &args.config.outcome.notes {
        log.note(note);
    }
    for warning in &args.config.outcome.warnings {
        log.warn(warning);
    }
}
