//! Arguments of `jobpass exec`.

use std::ffi::OsString;

use clap::{ArgMatches, Args, FromArgMatches};

use super::Login;
use super::login_only::LOGIN_ONLY;
use super::tunnel_spec::{self, TunnelSpec};

/// Run a command with credentials of its own, remove them when it ends, and pass its status on
#[derive(Debug, Args)]
#[command(
    after_help = "The credentials are in a private folder, on a memory file system where there is one. The folder and all in \
    it are removed when the command ends, cannot start, or jobpass ends in any way: a watchdog looks after it, and sends SIGTERM to the \
    command should jobpass be killed. Only when both are killed, or the machine stops, files stay: in memory until it restarts. Files are \
    unlinked, not overwritten.\n\n\
    The status is that of the command: 128 and the signal's number if one ended it, 126 if it cannot be executed, 127 if it is not \
    found. If there are no credentials the command does not start, and the exit codes are those of `jobpass login`."
)]
pub struct Exec {
    /// Keep the private keys of ssh outputs in an ssh-agent for the command, and in no file
    #[arg(long, help_heading = "Command")]
    pub agent: bool,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
    /// Keep a tunnel open for as long as the command runs, repeatable: `database=SERVICE[:PORT]`, `app=NAME[:PORT]`,
    /// `kube=CLUSTER[:PORT]`, as `jobpass tunnel` takes them. Without `--output` nothing but tunnels is issued
    #[arg(long, value_name = "SPEC", value_parser = tunnel_spec::parse, help_heading = "Credentials")]
    pub tunnel: Vec<TunnelSpec>,
    /// What `login` takes
    #[command(flatten)]
    pub login: LoginOfExec,
}

/// The flags of `login`. Those that make no sense here are refused, and not in the help.
#[derive(Debug, Default)]
pub struct LoginOfExec(pub Login);

impl Args for LoginOfExec {
    fn augment_args(command: clap::Command) -> clap::Command {
        LOGIN_ONLY
            .iter()
            .fold(Login::augment_args(command), |command, id| command.mut_arg(*id, |arg| arg.hide(true)))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LoginOfExec {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Login::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}
