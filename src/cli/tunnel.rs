//! Arguments of `jobpass tunnel`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::tunnel_spec::{self, At, TunnelSpec};
use super::{
    ClusterArgs, ConfigArgs, Guards, IdentityArgs, KeyType, Login, MessageArgs, OutputArgs, RequestArgs,
    TrialArgs, value,
};
use crate::export::Sink;

/// What a folder has no use for: its login had it.
const OF_A_JOIN: [&str; 25] = [
    "tunnels",
    "proxy",
    "use_advertised_address",
    "auth_server",
    "ca_pin",
    "insecure_trust_on_first_use",
    "token",
    "join_method",
    "platform",
    "id_token_env",
    "id_token_file",
    "id_token_command",
    "audience",
    "azure_client_id",
    "ttl",
    "roles",
    "key_type",
    "expect_cluster",
    "expect_bot",
    "expect_role",
    "no_verify",
    "dry_run",
    "simulate",
    "as_branch",
    "allow_dry_run_in_ci",
];

/// Keep local tunnels to databases, applications and kubernetes clusters open until a signal, until a command ends, or until
/// their certificate expires. Plain clients need nothing else; no credential is written.
#[derive(Debug, Args)]
pub struct Tunnel {
    /// `database=SERVICE[:PORT]`, `app=NAME[:PORT]`, `kube=CLUSTER[:PORT]`, each with `,name=N` and `,roles=A+B`; database with
    /// `,user=`, `,database-name=` and `,protocol=`, app with `,target-port=`, kube with `,namespace=` and `,context=`. On
    /// 127.0.0.1, at a free port when none is named; `,unix` for a Unix socket in a private folder, `,socket=PATH` for one there
    #[arg(value_name = "SPEC", required_unless_present = "dir", value_parser = tunnel_spec::parse)]
    pub tunnels: Vec<TunnelSpec>,
    /// In place of all these: the folder of a `database`, `app` or `kube` output that login wrote. Nothing joins then, and no identity
    /// is needed
    #[arg(long, value_name = "DIR", value_parser = value::folder, conflicts_with_all = OF_A_JOIN, help_heading = "Folder")]
    pub dir: Option<PathBuf>,
    /// Where the tunnel of `--dir` listens: a port of 127.0.0.1, the path of a Unix socket, or `unix` for one in a private folder; a
    /// free port when left out
    #[arg(long, value_name = "PORT|PATH|unix", value_parser = tunnel_spec::at, help_heading = "Folder")]
    pub listen: Option<At>,
    /// Run this command with the variables set, and end with it and its status
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "export")]
    pub command: Vec<OsString>,
    /// Where the cluster is
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Who the job is
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// How long the tunnels are open, at most 24h (e.g. 30m, 1h, 1h30m); `auto`: for the job's own limit
    #[arg(long, alias = "certificate-ttl", value_name = "DURATION", default_value = "1h", value_parser = value::ttl, help_heading = "Tunnels")]
    pub ttl: value::Auto<Duration>,
    /// Roles, comma-separated; all that the bot may have when left out
    #[arg(long, value_name = "ROLES", value_delimiter = ',', value_parser = value::text, help_heading = "Tunnels")]
    pub roles: Vec<String>,
    /// Kind of the keys, for servers that need another than the cluster's suite
    #[arg(long, value_enum, value_name = "KIND", help_heading = "Tunnels")]
    pub key_type: Option<KeyType>,
    /// How later steps get the variables
    #[arg(long, value_name = "HOW", default_value = "auto", value_parser = value::SinkParser, help_heading = "Tunnels")]
    pub export: Sink,
    /// Write the variables into this file once all tunnels listen, as `export` lines for a shell (created or replaced; removed
    /// at the end)
    #[arg(long, value_name = "FILE", help_heading = "Tunnels")]
    pub ready_file: Option<PathBuf>,
    /// Write the same lines, then an empty one, to this open file descriptor
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Tunnels")]
    pub ready_fd: Option<u16>,
    /// The cluster must have this name
    #[arg(long, value_name = "NAME", value_parser = value::text, help_heading = "Guards")]
    pub expect_cluster: Option<String>,
    /// The bot must have this name
    #[arg(long, value_name = "NAME", value_parser = value::text, help_heading = "Guards")]
    pub expect_bot: Option<String>,
    /// Every tunnel must have this role (repeatable)
    #[arg(long, value_name = "ROLE", value_parser = value::text, help_heading = "Guards")]
    pub expect_role: Vec<String>,
    /// Do not check whether per-session MFA or Device Trust keep bots out
    #[arg(long, help_heading = "Guards")]
    pub no_verify: bool,
    /// Trial runs
    #[command(flatten)]
    pub trial: TrialArgs,
    /// Print each step
    #[arg(short, long, help_heading = "Messages")]
    pub verbose: bool,
    /// Print errors only
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Messages")]
    pub quiet: bool,
}

impl Tunnel {
    /// How much is printed.
    pub fn messages(&self) -> MessageArgs {
        MessageArgs { json: false, verbose: self.verbose, quiet: self.quiet }
    }

    /// The login that the tunnels need.
    pub fn login(&self) -> Login {
        Login {
            cluster: self.cluster.clone(),
            identity: self.identity.clone(),
            output: OutputArgs {
                ttl: self.ttl,
                roles: self.roles.clone(),
                key_type: self.key_type,
                // A command has them for itself.
                export: if self.command.is_empty() { self.export.clone() } else { Sink::None },
                ..OutputArgs::default()
            },
            guards: Guards {
                expect_cluster: self.expect_cluster.clone(),
                expect_bot: self.expect_bot.clone(),
                expect_role: self.expect_role.clone(),
                no_verify: self.no_verify,
                ..Guards::default()
            },
            request: RequestArgs::default(),
            trial: self.trial.clone(),
            config: ConfigArgs::default(),
            messages: self.messages(),
        }
    }
}
