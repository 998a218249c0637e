//! The command line and the environment → arguments, help, or a usage error.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, ValueEnum as _};

use super::color::Color;
use super::tbot::ConfigError;
use super::usage::UsageError;
use super::{Cli, Command, config, man, single, value, variables};
use crate::env::Env;
use crate::error::Exit;
use crate::export::Shell;

/// Why there is nothing to run.
#[derive(Debug)]
pub enum Stop {
    /// Help or a version, to be printed: on standard output, if it was asked for.
    Shown {
        /// The text.
        text: clap::builder::StyledStr,
        /// How the process ends.
        exit: Exit,
    },
    /// The command line is wrong.
    Usage(UsageError),
    /// The file that it names is wrong.
    Config(ConfigError),
}

/// The command line as it is read, with the variables in its help.
pub fn command() -> clap::Command {
    variables::in_help(Cli::command())
}

/// Reads the arguments, the program's name first.
pub fn parse(arguments: Vec<OsString>, env: &Env) -> Result<Cli, Stop> {
    let called = called(&arguments);
    let Some(single) = called.and_then(single::command_line) else {
        let matches = command().try_get_matches_from(arguments);
        return matches.and_then(|m| Cli::from_arg_matches(&m)).map_err(|error| stop(&error, None, &[]));
    };
    // What is wrong with the command line is reported by the strict reading that follows.
    let mut lenient = single.clone().ignore_errors(true);
    let filled = variables::fill_in(&mut lenient, arguments, env).map_err(Stop::Usage)?;
    let from_variables = filled.from_variables.len();
    let (filled, outcome) = config::fill_in(&mut lenient, filled, env).map_err(Stop::Config)?;
    let matches = single.try_get_matches_from(&filled.arguments);
    // All commands together know more: help, versions, and what the user may have meant.
    let matches = matches.or_else(|_| command().try_get_matches_from(&filled.arguments));
    let cli = matches.and_then(|matches| {
        let mut cli = Cli::from_arg_matches(&matches)?;
        match (&mut cli.command, matches.subcommand()) {
            (Command::Login(login), Some((_, given))) => {
                let line = config::equal_command(&lenient, given, &filled, from_variables);
                login.config.outcome = config::Outcome { command: line, ..outcome };
            }
            (Command::Exec(exec), _) => exec.login.0.config.outcome = outcome,
            _ => {}
        }
        Ok(cli)
    });
    cli.map_err(|error| stop(&error, called, &filled.from_variables))
}

fn stop(error: &clap::Error, called: Option<&str>, from_variables: &[(String, String)]) -> Stop {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Stop::Shown { text: error.render(), exit: Exit::Done }
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Stop::Shown { text: error.render(), exit: Exit::Usage }
        }
        _ => Stop::Usage(UsageError::new(error, called, from_variables)),
    }
}

fn called(arguments: &[OsString]) -> Option<&'static str> {
    arguments.iter().skip(1).find_map(|arg| man::COMMANDS.into_iter().find(|name| arg == name))
}

/// How to print what is known before the arguments are: a usage error, above all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputForm {
    /// `--json`.
    pub json: bool,
    /// `--color`.
    pub color: Color,
    /// The shell that evaluates standard output: `--export shell` or the like.
    pub shell: Option<Shell>,
}

impl OutputForm {
    /// Looks for the flags in arguments that may be wrong otherwise.
    pub fn new(arguments: &[OsString], env: &Env) -> Self {
        let texts: Vec<&str> =
            arguments.iter().skip(1).filter_map(|a| a.to_str()).take_while(|a| *a != "--").collect();
        let value = |flag: &str| {
            let joined = texts.iter().rev().find_map(|text| text.strip_prefix(flag)?.strip_prefix('='));
            let apart =
                || texts.iter().rposition(|text| *text == flag).and_then(|at| texts.get(at + 1)).copied();
            joined.or_else(apart)
        };
        let export = value("--export").or_else(|| env.var("JOBPASS_EXPORT"));
        let color = value("--color").or_else(|| env.var("JOBPASS_COLOR"));
        let color = color.and_then(|text| Color::from_str(text, false).ok()).unwrap_or_default();
        // Standard output is that of the command.
        if called(arguments) == Some("exec") {
            return Self { json: false, color, shell: None };
        }
        Self {
            json: texts.contains(&"--json")
                || env.var("JOBPASS_JSON").is_some_and(|v| v == "1" || v == "true"),
            color,
            shell: export.and_then(|text| value::sink(text).ok()).and_then(|sink| sink.shell()),
        }
    }
}
