//! The command line of one command: all that a run needs. To build the flags of all commands takes longer than all else
//! at the start.

use clap::{Args as _, Command};

use super::doctor::Doctor;
use super::exec::Exec;
use super::explain::Explain;
use super::inspect::Inspect;
use super::{Completions, GlobalArgs, KubeCredential, Login, Logout, Man, Renew, Sandbox, SshProxy, Tunnel};

/// The program with this command only; nothing, if there is no such command. It has neither help nor a version of its own:
/// what it refuses is for the whole command line to say.
pub(super) fn command_line(name: &str) -> Option<Command> {
    let flags = match name {
        "login" => Login::augment_args,
        "logout" => Logout::augment_args,
        "exec" => Exec::augment_args,
        "tunnel" => Tunnel::augment_args,
        "explain" => Explain::augment_args,
        "doctor" => Doctor::augment_args,
        "inspect" => Inspect::augment_args,
        "renew" => Renew::augment_args,
        "ssh-proxy" => SshProxy::augment_args,
        "kube-credential" => KubeCredential::augment_args,
        "sandbox" => Sandbox::augment_args,
        "completions" => Completions::augment_args,
        "man" => Man::augment_args,
        "version" => |command| command,
        _ => return None,
    };
    let program = GlobalArgs::augment_args(Command::new("jobpass"));
    Some(program.subcommand_required(true).subcommand(flags(Command::new(name.to_owned()))))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::{Cli, man};

    #[test]
    fn each_command_has_the_flags_that_it_has_among_all() {
        let built = |mut program: Command| {
            program.build();
            program
        };
        let all = built(Cli::command().disable_help_flag(true).disable_version_flag(true));
        for name in man::COMMANDS {
            let alone = command_line(name).unwrap_or_else(|| panic!("{name} is not there"));
            let alone = built(alone.disable_help_flag(true).disable_version_flag(true));
            let flags = |program: &Command| {
                let command = program.find_subcommand(name).unwrap();
                let groups: Vec<_> = command.get_groups().collect();
                // Where help shows them is of no concern here.
                let args = command.get_arguments().map(|arg| arg.clone().display_order(0));
                format!("{:#?} {groups:#?}", args.collect::<Vec<_>>())
            };
            assert!(flags(&alone) == flags(&all), "{name}");
        }
        assert!(command_line("no-such-command").is_none());
    }
}
