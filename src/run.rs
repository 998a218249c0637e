//! The commands, a file each. `login` is prove → obtain → deliver.

pub mod base_folder;
pub mod child;
pub mod completions;
pub mod delivery;
pub mod doctor;
pub mod dry_run;
pub mod error;
pub mod explain;
pub mod inspect;
pub mod job_files;
pub mod login;
pub mod man;
pub mod obtain;
pub mod outcome;
pub mod plan;
pub mod request;
pub mod sandbox;
pub mod signals;
pub mod ssh_proxy;

use crate::cli::{Cli, Command};
use crate::env::Env;
use crate::error::Failed;
use crate::log::Log;
use outcome::Outcome;

/// Runs a command.
pub async fn run(cli: &Cli, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    match &cli.command {
        Command::Login(args) if args.trial.dry_run => {
            signals::stoppable(dry_run::login(args, env, log)).await
        }
        Command::Login(args) => signals::stoppable(login::login(args, env, log)).await,
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
