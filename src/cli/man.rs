//! Arguments of `jobpass completions` and `jobpass man`.

use clap::Args;
use clap::builder::PossibleValuesParser;

/// The commands that have a manual page of their own.
pub const COMMANDS: [&str; 11] = [
    "login",
    "exec",
    "explain",
    "doctor",
    "inspect",
    "ssh-proxy",
    "kube-credential",
    "sandbox",
    "completions",
    "man",
    "version",
];

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = "Where to put it:\n  \
    bash        jobpass completions bash > ~/.local/share/bash-completion/completions/jobpass\n  \
    zsh         jobpass completions zsh > ~/.zfunc/_jobpass   (with `fpath+=~/.zfunc` before `compinit`)\n  \
    fish        jobpass completions fish > ~/.config/fish/completions/jobpass.fish\n  \
    PowerShell  jobpass completions powershell >> $PROFILE\n  \
    elvish      jobpass completions elvish >> ~/.config/elvish/rc.elv")]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Print a manual page (roff).
#[derive(Debug, Args)]
#[command(after_help = "Read one with `jobpass man login | man -l -`. Packages install each as \
    `man1/jobpass-COMMAND.1`, and `jobpass man` as `man1/jobpass.1`.")]
pub struct Man {
    /// The command; the page of jobpass as a whole when left out
    #[arg(value_name = "COMMAND", value_parser = PossibleValuesParser::new(COMMANDS))]
    pub command: Option<String>,
}
