//! The command line: clap types only.

pub mod doctor;
pub mod explain;
pub mod inspect;
pub mod output;
pub mod value;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::export::Sink;
use crate::identity::keys::KeyKind;
use crate::net::HostPort;
use crate::platform::Platform;
use crate::teleport::JoinMethod;
use crate::verify::policy::Target;
use value::Pin;

/// Short-lived Teleport credentials for CI jobs
#[derive(Debug, Parser)]
#[command(name = "jobpass", version, about, propagate_version = true, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 our fault, 2 usage, 3 no identity here, 4 refused by Teleport or an \
    expectation not met, 5 network, TLS or deadline, 6 files or export."
)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Swap this job's identity for credentials; write them, tell the later steps
    Login(Box<Login>),
    /// Show this job's claims beside a join token's rules: which rule matches, which field fails
    Explain(Box<explain::Explain>),
    /// Try every step short of the join, and say what is wrong and how to cure it
    Doctor(Box<doctor::Doctor>),
    /// Say what a folder of credentials holds: who, roles, logins, until when
    Inspect(inspect::Inspect),
    /// Connect ssh to a node through the proxy (the `ProxyCommand` of the `ssh_config` that login writes)
    SshProxy(SshProxy),
    /// Serve a throw-away cluster and CI token endpoint on loopback
    Sandbox(Sandbox),
    /// Print a completion script
    Completions(Completions),
    /// Print the manual page (roff)
    Man,
}

/// `jobpass login`.
#[derive(Debug, Args, Default)]
pub struct Login {
    /// Where the cluster is
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Who the job is
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// What is issued
    #[command(flatten)]
    pub output: OutputArgs,
    /// What must be true
    #[command(flatten)]
    pub guards: Guards,
    /// Trial runs
    #[command(flatten)]
    pub dry: DryRun,
    /// How much is said
    #[command(flatten)]
    pub talk: Talk,
}

/// Where the cluster is and how to trust it.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterArgs {
    /// The proxy's web address [env: `TELEPORT_PROXY`]
    #[arg(long, alias = "proxy-server", value_name = "HOST[:PORT]", value_parser = value::address)]
    pub proxy: Option<HostPort>,
    /// Tell later steps the address the cluster itself advertises, not the one given
    #[arg(long)]
    pub use_advertised_address: bool,
    /// The auth service itself, where its port is reachable; needs `--ca-pin`, `--ca-file` or the flag below
    #[arg(long, value_name = "HOST[:PORT]", value_parser = value::auth_address, conflicts_with = "proxy")]
    pub auth_server: Option<HostPort>,
    /// SHA-256 of the public key of the cluster's host CA, as `tctl status` shows it (with `--auth-server`)
    #[arg(long, value_name = "sha256:HEX", value_parser = value::pin, requires = "auth_server")]
    pub ca_pin: Option<Pin>,
    /// Trust whatever answers at `--auth-server`; the join gives it this job's identity token
    #[arg(long, requires = "auth_server", conflicts_with_all = ["ca_pin", "ca_file"])]
    pub insecure_trust_on_first_use: bool,
    /// Trust only these roots (PEM) for web certificates; with `--auth-server`, for the auth service
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Deadline of the whole run
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = value::timeout)]
    pub timeout: Duration,
}

/// Who the job is.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Identity")]
pub struct IdentityArgs {
    /// Name of the join token (`kind: token`), or the absolute path of a file that holds it [env: `JOBPASS_TOKEN`,
    /// `TELEPORT_BOT_TOKEN`]
    #[arg(long, value_name = "NAME")]
    pub token: Option<String>,
    /// The join method the token is for
    #[arg(long, value_name = "METHOD", default_value = "auto", value_parser = value::method, hide_default_value = false)]
    pub join_method: value::Auto<JoinMethod>,
    /// The CI platform
    #[arg(long, value_name = "PLATFORM", default_value = "auto", value_parser = value::platform)]
    pub platform: value::Auto<Platform>,
    /// Take the identity token from this variable
    #[arg(long, value_name = "NAME", group = "id_token")]
    pub id_token_env: Option<String>,
    /// Take the identity token from this file (`-`: standard input)
    #[arg(long, value_name = "FILE", group = "id_token")]
    pub id_token_file: Option<PathBuf>,
    /// Take the identity token from the output of this command (split at spaces like a shell would, but no shell runs)
    #[arg(long, value_name = "COMMAND", group = "id_token", value_parser = value::words)]
    pub id_token_command: Option<value::Words>,
    /// Ask the platform for a token with this audience
    #[arg(long, value_name = "AUDIENCE")]
    pub audience: Option<String>,
}

/// What is issued and where it goes.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Credentials")]
pub struct OutputArgs {
    /// How long they live, at most 24h (e.g. 30m, 1h, 1h30m)
    #[arg(long, alias = "certificate-ttl", value_name = "DURATION", default_value = "1h", value_parser = value::duration)]
    pub ttl: Duration,
    /// Roles to take, comma-separated; all the bot may have when left out
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    pub roles: Vec<String>,
    /// What to issue, repeatable: `ssh[,roles=A+B][,name=N][,dir=D][,cluster=LEAF]`
    #[arg(long, value_name = "SPEC", value_parser = output::parse)]
    pub output: Vec<output::OutputSpec>,
    /// The folder to write; a private one in the platform's temp folder when left out
    #[arg(long, aliases = ["destination", "destination-dir"], value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Put a copy of this binary into the folder: containers and later steps need nothing else for ssh
    #[arg(long)]
    pub copy_binary: bool,
    /// A name for this identity: its own folder, suffixed variables
    #[arg(long, value_name = "NAME", value_parser = value::name)]
    pub name: Option<String>,
    /// Kind of the keys, for servers or consumers that want another than the cluster's suite
    #[arg(long, value_enum, value_name = "KIND")]
    pub key_type: Option<KeyType>,
    /// How later steps are told: auto, github, gitlab, circleci, spacelift, shell, env-file=PATH, none
    #[arg(long, value_name = "HOW", default_value = "auto", value_parser = value::sink)]
    pub export: Sink,
}

/// Kinds of keys by the names people type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum KeyType {
    Rsa,
    Ecdsa,
    Ed25519,
}

impl From<KeyType> for KeyKind {
    fn from(kind: KeyType) -> Self {
        match kind {
            KeyType::Rsa => Self::Rsa2048,
            KeyType::Ecdsa => Self::P256,
            KeyType::Ed25519 => Self::Ed25519,
        }
    }
}

/// What must be true, or nothing is written.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Guards")]
pub struct Guards {
    /// The cluster must have this name
    #[arg(long, value_name = "NAME")]
    pub expect_cluster: Option<String>,
    /// The bot must have this name
    #[arg(long, value_name = "NAME")]
    pub expect_bot: Option<String>,
    /// Every output must carry this role (repeatable)
    #[arg(long, value_name = "ROLE")]
    pub expect_role: Vec<String>,
    /// Every output must allow this login (repeatable)
    #[arg(long, value_name = "LOGIN")]
    pub require_login: Vec<String>,
    /// A node and login the job will use: checked for per-session MFA (repeatable)
    #[arg(long, value_name = "LOGIN@NODE", value_parser = value::target)]
    pub target: Vec<Target>,
    /// Do not ask whether per-session MFA or Device Trust keep bots out
    #[arg(long)]
    pub no_verify: bool,
}

/// Trial runs against a cluster inside the process.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Trial runs")]
pub struct DryRun {
    /// Run the whole pipeline against a throw-away cluster inside this process: DRY-RUN certificates of 15 minutes
    #[arg(long)]
    pub dry_run: bool,
    /// Pretend to be a job of this platform (with --dry-run): github, gitlab, circleci, spacelift
    #[arg(long, value_name = "PLATFORM", requires = "dry_run", value_parser = value::simulated)]
    pub simulate: Option<Platform>,
    /// Allow --dry-run inside a real CI job
    #[arg(long, requires = "dry_run")]
    pub allow_dry_run_in_ci: bool,
}

/// How much is said.
#[derive(Debug, Args, Default, Clone, Copy)]
#[command(next_help_heading = "Messages")]
pub struct Talk {
    /// The report as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Tell each step
    #[arg(short, long)]
    pub verbose: bool,
    /// Nothing but errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// `jobpass ssh-proxy`.
#[derive(Debug, Args)]
pub struct SshProxy {
    /// The folder that login wrote
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// The proxy's web address; the one of the login when left out
    #[arg(long, value_name = "HOST[:PORT]", value_parser = value::address)]
    pub proxy: Option<HostPort>,
    /// Trust only these roots for web certificates (PEM)
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// How long the connection may take to come about
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = value::timeout)]
    pub timeout: Duration,
    /// The node, with or without the cluster's suffix (`%h`)
    pub host: String,
    /// Its port; 0 and 3022 stand for the node's own (`%p`)
    pub port: u16,
    /// The cluster; the root when left out
    pub cluster: Option<String>,
    /// How much is said
    #[command(flatten)]
    pub talk: Talk,
}

/// `jobpass sandbox`.
#[derive(Debug, Args)]
pub struct Sandbox {
    /// Write the variables to use it into this file once it listens (created or replaced; removed at the end)
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// Policy: a file with `kind: token` documents (YAML); one token a platform when left out
    #[arg(long, value_name = "FILE")]
    pub tokens: Option<PathBuf>,
    /// The CI platform whose job environment is printed
    #[arg(long, value_name = "PLATFORM", default_value = "github", value_parser = value::simulated)]
    pub simulate: Platform,
    /// Name of the cluster
    #[arg(long, value_name = "NAME", default_value = "sandbox.example")]
    pub cluster: String,
    /// Teleport version to behave like
    #[arg(long, value_name = "VERSION", default_value = "18.2.0", value_parser = value::version)]
    pub server_version: String,
    /// Port to listen on; a free one when left out
    #[arg(long, value_name = "PORT", default_value = "0")]
    pub port: u16,
    /// A node that ssh can reach through the cluster, repeatable: the sshd at `HOST:PORT` under `NAME`, or `NAME.LEAF` in a
    /// leaf cluster
    #[arg(long, value_name = "NAME=HOST:PORT", value_parser = value::node)]
    pub node: Vec<value::Node>,
    /// Allow this login as well, repeatable
    #[arg(long, value_name = "LOGIN")]
    pub login: Vec<String>,
    /// Write the user CA's public key into this file, for `TrustedUserCAKeys` of an sshd
    #[arg(long, value_name = "FILE")]
    pub user_ca: Option<PathBuf>,
    /// Sign this host key for the nodes; the certificate is written beside it (`FILE-cert.pub`)
    #[arg(long, value_name = "FILE.pub", requires = "node")]
    pub host_key: Option<PathBuf>,
    /// Switch off the new join path (`teleport.join.v1`)
    #[arg(long)]
    pub no_new_join: bool,
    /// Switch off the old join path (HTTPS POST)
    #[arg(long)]
    pub no_old_join: bool,
    /// Run this command with the variables set, and end with it and its status
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
    /// How much is said
    #[command(flatten)]
    pub talk: Talk,
}

/// `jobpass completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
