//! The command line: clap types only.

pub mod cluster;
pub mod color;
pub mod config;
pub mod doctor;
pub mod exec;
pub mod explain;
pub mod identity;
pub mod inspect;
pub mod join_method;
pub mod kube_credential;
pub mod login;
pub mod login_only;
pub mod logout;
pub mod man;
pub mod messages;
pub mod output;
pub mod output_text;
pub mod parse;
pub mod renew;
pub mod request;
pub mod resource;
pub mod sandbox;
mod single;
pub mod ssh_proxy;
pub mod tbot;
pub mod tunnel;
pub mod tunnel_spec;
pub mod usage;
pub mod value;
pub mod variables;

use clap::{Args, Parser, Subcommand};

pub use cluster::ClusterArgs;
pub use config::ConfigArgs;
pub use identity::IdentityArgs;
pub use kube_credential::KubeCredential;
pub use login::{Guards, KeyType, Login, OutputArgs, TrialArgs};
pub use logout::Logout;
pub use man::{Completions, Man};
pub use messages::MessageArgs;
pub use renew::Renew;
pub use request::RequestArgs;
pub use sandbox::Sandbox;
pub use ssh_proxy::SshProxy;
pub use tunnel::Tunnel;

/// The exit codes, for help and manual pages.
pub const EXIT_CODES: [(&str, &str); 7] = [
    ("0", "done"),
    ("1", "internal error"),
    ("2", "usage"),
    ("3", "no identity here"),
    ("4", "refused by Teleport, or an expectation is not met"),
    ("5", "network, TLS or deadline"),
    ("6", "files or export"),
];

/// Short-lived Teleport credentials for CI jobs
#[derive(Debug, Parser)]
#[command(name = "jobpass", version, about, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 internal error, 2 usage, 3 no identity here, 4 refused by Teleport or an \
    expectation is not met, 5 network, TLS or deadline, 6 files or export."
)]
pub struct Cli {
    /// The command
    #[command(subcommand)]
    pub command: Command,
    /// Arguments of all commands
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// Arguments of all commands.
#[derive(Debug, Args)]
pub struct GlobalArgs {
    /// Colors on standard error
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t, help_heading = "Messages")]
    pub color: color::Color,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Swap this job's identity for credentials
    Login(Box<Login>),
    /// Wipe what login wrote, and take its variables back from later steps
    Logout(Logout),
    /// Run a command with credentials of its own, remove them when it ends, and pass its status on
    Exec(Box<exec::Exec>),
    /// Keep local tunnels to databases, applications and kubernetes clusters open until a signal
    Tunnel(Box<Tunnel>),
    /// Show which rule of a join token this job matches, and which field fails
    Explain(Box<explain::Explain>),
    /// Try every step short of the join and report what is wrong
    Doctor(Box<doctor::Doctor>),
    /// Show what a folder of credentials is for: who, roles, logins, until when
    Inspect(inspect::Inspect),
    /// Get new credentials into a folder of `login --renew` that is at its end
    Renew(Renew),
    /// Connect ssh to a node through the proxy (`ProxyCommand` of the written `ssh_config`)
    SshProxy(SshProxy),
    /// Give kubectl the client certificate of a folder (`exec` of a kubeconfig by `login --kube-exec`)
    KubeCredential(KubeCredential),
    /// Serve a throw-away cluster and CI token endpoint on loopback
    Sandbox(Box<Sandbox>),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print a manual page (roff)
    Man(Man),
    /// Print the version
    Version,
}

impl Command {
    /// How much the command prints.
    pub fn messages(&self) -> MessageArgs {
        match self {
            Self::Login(args) => args.messages,
            Self::Logout(args) => args.messages,
            Self::Exec(args) => args.login.0.messages,
            Self::Tunnel(args) => args.messages(),
            Self::Doctor(args) => args.messages,
            Self::Inspect(args) => args.messages,
            Self::Sandbox(args) => args.messages,
            Self::Explain(args) => args.messages,
            Self::Renew(args) => args.messages,
            Self::SshProxy(args) => args.messages,
            Self::KubeCredential(args) => args.messages,
            Self::Completions(_) | Self::Man(_) | Self::Version => MessageArgs::default(),
        }
    }
}
