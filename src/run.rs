//! The commands, a file each. `login` is prove → obtain → deliver.

pub mod approval;
pub mod approval_request;
pub mod base_folder;
pub mod child;
pub mod completions;
pub mod delivery;
pub mod doctor;
pub mod dry_run;
pub mod error;
pub mod exec;
pub mod explain;
pub mod inspect;
pub mod job_files;
pub mod kube_credential;
pub mod kube_server;
pub mod later_proxy;
pub mod login;
pub mod man;
pub mod obtain;
pub mod outcome;
pub mod plan;
pub mod request;
pub mod sandbox;
pub mod signals;
pub mod ssh_proxy;

use crate::cli::{Cli, Command, Login};
use crate::env::Env;
use crate::error::Failed;
use crate::log::Log;
use outcome::Outcome;

/// Runs a command.
pub async fn run(cli: &Cli, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    match &cli.command {
        Command::Login(args) => login_by(args, env, log).await,
        Command::Exec(args) => {
            tell_of_config(&args.login.0, log);
            exec::run(args, env, log).await
        }
        Command::Doctor(args) => doctor::run(args, env, log).await,
        Command::Inspect(args) => inspect::run(args, env),
        Command::Sandbox(args) => sandbox::run(args, env, log).await,
        Command::Explain(args) => explain::command::run(args, env, log).await,
        Command::SshProxy(args) => ssh_proxy::run(args, env, log).await,
        Command::KubeCredential(args) => kube_credential::run(args, env),
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
        return signals::stoppable(dry_run::login(args, env, log)).await;
    }
    signals::stoppable(login::login(args, env, log)).await
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
