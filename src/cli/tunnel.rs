//! Arguments of `jobpass tunnel`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::tunnel_spec::{self, TunnelSpec};
use super::{
    ClusterArgs, ConfigArgs, Guards, IdentityArgs, KeyType, Login, MessageArgs, OutputArgs, RequestArgs,
    TrialArgs, value,
};
use crate::export::Sink;

/// Keep local tunnels to databases, applications and kubernetes clusters open until a signal, or until their certificate
/// expires. Plain clients need nothing else; no credential is written.
#[derive(Debug, Args)]
pub struct Tunnel {
    /// `database=SERVICE[:PORT]`, `app=NAME[:PORT]`, `kube=CLUSTER[:PORT]`, each with `,name=N` and `,roles=A+B`; database with
    /// `,user=`, `,database-name=` and `,protocol=`, app with `,target-port=`, kube with `,namespace=` and `,context=`. On
    /// 127.0.0.1, at a free port when none is named; `,unix` for a Unix socket in a private folder, `,socket=PATH` for one there
    #[arg(value_name = "SPEC", required = true, value_parser = tunnel_spec::parse)]
    pub tunnels: Vec<TunnelSpec>,
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
                export: self.export.clone(),
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
