//! Variables in place of flags: `JOBPASS_` and the flag's name. They fill in what the command line leaves out.
//!
//! Clap could read the environment of the process itself, but not the snapshot that the rest of the program, and each
//! test, has.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::login_only::LOGIN_ONLY;
use super::usage::UsageError;
use crate::env::{Env, names};

/// A command line that variables have filled in.
pub struct Filled {
    /// All arguments, the program's name first.
    pub arguments: Vec<OsString>,
    /// The flags that came from variables (`--ttl`), with the variables.
    pub from_variables: Vec<(String, String)>,
}

/// The commands that ssh and kubectl call with the flags of one login. They take no variables: those that are meant for
/// another login would lead them to another cluster.
const CALLED_BY_OTHERS: [&str; 3] = ["ssh-proxy", "kube-credential", "renew"];

/// The variable for a flag.
pub fn variable(command: &str, arg: &Arg) -> Option<String> {
    let flag = arg.get_long().filter(|_| !CALLED_BY_OTHERS.contains(&command))?;
    // Variables that are meant for the logins of a job.
    if command == "exec" && LOGIN_ONLY.contains(&arg.get_id().as_str()) {
        return None;
    }
    let name = match flag {
        "help" | "version" => return None,
        // Which folder a tunnel is from is said each time.
        "dir" if command == "tunnel" => return None,
        // `JOBPASS_DIR` is where the last login wrote to: a second one must not replace it by accident.
        "dir" => "output-dir",
        other => other,
    };
    Some(format!("JOBPASS_{}", name.to_ascii_uppercase().replace('-', "_")))
}

/// What Teleport's own tools call it, which counts where our own variable is not set.
pub fn of_teleport(arg: &Arg) -> Option<&'static str> {
    match arg.get_long()? {
        "proxy" => Some(names::TELEPORT_PROXY),
        "token" => Some(names::TELEPORT_BOT_TOKEN),
        "config" => Some(names::TBOT_CONFIG_PATH),
        _ => None,
    }
}

/// Names the variables in the help of each flag.
pub fn in_help(command: Command) -> Command {
    let root = command.get_name().to_owned();
    command.mut_args(|arg| with_help(&root, arg)).mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        command.mut_args(|arg| with_help(&name, arg))
    })
}

fn with_help(command: &str, arg: Arg) -> Arg {
    let Some(variable) = variable(command, &arg) else { return arg };
    let teleport = of_teleport(&arg).map(|name| format!(", {name}")).unwrap_or_default();
    let several = if is_repeatable(&arg) { ", one per line" } else { "" };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    arg.help(format!("{help} [env: {variable}{teleport}{several}]"))
}

fn is_repeatable(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append) && arg.get_value_delimiter().is_none()
}

/// Fills in the flags of the command that is called, read by `lenient`, which passes over errors. A flag on the command line wins, also over the variables of flags
/// that it excludes.
pub fn fill_in(lenient: &mut Command, arguments: Vec<OsString>, env: &Env) -> Result<Filled, UsageError> {
    let unchanged = |arguments| Filled { arguments, from_variables: Vec::new() };
    let Ok(matches) = lenient.try_get_matches_from_mut(&arguments) else { return Ok(unchanged(arguments)) };
    let Some((name, given)) = matches.subcommand() else { return Ok(unchanged(arguments)) };
    // The reading has built it: its flags, those of the program among them, and its groups are there.
    let Some(command) = lenient.find_subcommand(name) else { return Ok(unchanged(arguments)) };
    let (mut added, mut from_variables) = (Vec::new(), Vec::new());
    for arg in command.get_arguments() {
        let Some((variable, flag)) = variable(name, arg).zip(arg.get_long()) else { continue };
        let Some(value) = env.var(&variable) else { continue };
        if is_given(arg, given) || excluded_by(command, arg).iter().any(|other| is_given(other, given)) {
            continue;
        }
        match arg.get_action() {
            ArgAction::SetTrue => match truth(value) {
                Some(true) => added.push(format!("--{flag}").into()),
                Some(false) => continue,
                None => return Err(UsageError::not_a_truth(&variable)),
            },
            _ if is_repeatable(arg) => {
                let lines = value.lines().map(str::trim).filter(|line| !line.is_empty());
                added.extend(lines.map(|line| OsString::from(format!("--{flag}={line}"))));
            }
            _ => added.push(format!("--{flag}={value}").into()),
        }
        from_variables.push((format!("--{flag}"), variable));
    }
    let mut filled = Filled { arguments, from_variables };
    filled.add(name, added);
    Ok(filled)
}

impl Filled {
    /// Adds flags right behind the command's name.
    pub(super) fn add(&mut self, command: &str, flags: Vec<OsString>) {
        let at = self.arguments.iter().skip(1).position(|a| a == command);
        let at = at.map_or(self.arguments.len(), |at| at + 2);
        self.arguments.splice(at..at, flags);
    }
}

pub(super) fn is_given(arg: &Arg, given: &ArgMatches) -> bool {
    given.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
}

/// The flags that cannot stand beside this one.
pub(super) fn excluded_by<'a>(command: &'a Command, arg: &Arg) -> Vec<&'a Arg> {
    let declared =
        |a: &Arg, b: &Arg| command.get_arg_conflicts_with(a).iter().any(|c| c.get_id() == b.get_id());
    let in_one_group = |a: &Arg, b: &Arg| {
        let has = |group: &clap::ArgGroup, arg: &Arg| group.get_args().any(|id| id == arg.get_id());
        let alone = |group: &clap::ArgGroup| !group.clone().is_multiple();
        command.get_groups().any(|group| alone(group) && has(group, a) && has(group, b))
    };
    let others = command.get_arguments().filter(|other| other.get_id() != arg.get_id());
    others.filter(|o| declared(arg, o) || declared(o, arg) || in_one_group(arg, o)).collect()
}

fn truth(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn only_a_flag_that_may_come_again_has_several_lines() {
        let env = Env::new(
            [("JOBPASS_OUTPUT", "ssh,name=a\n\n  ssh,name=b\n"), ("JOBPASS_CA_FILE", " /a\n/b ")],
            "/",
        );
        let arguments = ["jobpass", "login", "--json"].map(OsString::from).to_vec();
        let mut filled = fill_in(&mut Cli::command().ignore_errors(true), arguments, &env)
            .unwrap_or_else(|_| panic!())
            .arguments;
        filled.sort();
        let want = [
            "--ca-file= /a\n/b ",
            "--json",
            "--output=ssh,name=a",
            "--output=ssh,name=b",
            "jobpass",
            "login",
        ];
        assert_eq!(filled, want);
    }
}
