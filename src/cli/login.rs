//! Arguments of `jobpass login`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::{ClusterArgs, ConfigArgs, IdentityArgs, MessageArgs, RequestArgs, output, value};
use crate::export::Sink;
use crate::identity::keys::KeyKind;
use crate::sandbox::Simulated;
use crate::verify::policy::Target;
use crate::write::contents::Consumer;

/// Swap this job's identity for credentials, write them into a private folder, and give later steps their
/// paths.
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
    /// What people are asked for
    #[command(flatten)]
    pub request: RequestArgs,
    /// What must be true
    #[command(flatten)]
    pub guards: Guards,
    /// Trial runs
    #[command(flatten)]
    pub trial: TrialArgs,
    /// A file in place of flags
    #[command(flatten)]
    pub config: ConfigArgs,
    /// How much is printed
    #[command(flatten)]
    pub messages: MessageArgs,
}

/// What is issued and where it goes.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Credentials")]
pub struct OutputArgs {
    /// How long the credentials are valid, at most 24h (e.g. 30m, 1h, 1h30m, 1d); `auto`: as long as the job may still run, where
    /// the platform tells it (GitLab, Buildkite)
    #[arg(long, alias = "certificate-ttl", value_name = "DURATION", default_value = "1h", value_parser = value::ttl)]
    pub ttl: value::Auto<Duration>,
    /// Roles, comma-separated; all that the bot may have when left out
    #[arg(long, value_name = "ROLES", value_delimiter = ',', value_parser = value::text)]
    pub roles: Vec<String>,
    /// What to issue, repeatable: `ssh`, `kube=CLUSTER`, `database=SERVICE`, `app=NAME`, each with `,roles=A+B`, `,name=N`,
    /// `,dir=D`; ssh with `,cluster=LEAF`, kube with `,context=` and `,namespace=`, database with `,user=`, `,database-name=`,
    /// `,protocol=` and `,format=`, app with `,target-port=` and `,format=`
    #[arg(long, value_name = "SPEC", value_parser = output::parse)]
    pub output: Vec<output::OutputSpec>,
    /// The folder to write; a private one in the platform's temp folder when left out
    #[arg(long, aliases = ["destination", "destination-dir"], value_name = "DIR", value_parser = value::folder)]
    pub dir: Option<PathBuf>,
    /// Put a copy of this binary into the folder: containers and later steps need nothing else for ssh
    #[arg(long)]
    pub copy_binary: bool,
    /// kubectl asks this binary for the credentials (`jobpass kube-credential`), in place of reading them in the kubeconfig
    #[arg(long)]
    pub kube_exec: bool,
    /// A name for this identity: its own folder, suffixed variables
    #[arg(long, value_name = "NAME", value_parser = value::name)]
    pub name: Option<String>,
    /// Write the other outputs when some are refused; the exit code is 4 then
    #[arg(long)]
    pub keep_going: bool,
    /// Kind of the keys, for servers or consumers that need another than the cluster's suite
    #[arg(long, value_enum, value_name = "KIND")]
    pub key_type: Option<KeyType>,
    /// How later steps get the variables
    #[arg(long, value_name = "HOW", default_value = "auto", value_parser = value::SinkParser)]
    pub export: Sink,
    /// Do nothing but export again when an earlier login of this job for the same serves for at least this long
    #[arg(long, value_name = "DURATION", value_parser = value::timeout)]
    pub reuse_if_valid_for: Option<Duration>,
    /// ssh and kubectl get new credentials when these end, for as long as the job has an identity; `kube` outputs are as with
    /// `--kube-exec`
    #[arg(long)]
    pub renew: bool,
    /// Variables of these programs besides, comma-separated, from ssh outputs: `git`, `rsync`, `ansible`, `terraform`
    #[arg(long, value_name = "PROGRAMS", value_delimiter = ',', value_parser = consumers())]
    pub export_vars: Vec<Consumer>,
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

fn consumers() -> impl TypedValueParser<Value = Consumer> {
    let named = |name: String| Consumer::ALL.into_iter().find(|consumer| consumer.name() == name);
    PossibleValuesParser::new(Consumer::ALL.map(Consumer::name))
        .try_map(move |name| named(name).ok_or("it is not a program"))
}

/// What must be true, or nothing is written.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Guards")]
pub struct Guards {
    /// The cluster must have this name
    #[arg(long, value_name = "NAME", value_parser = value::text)]
    pub expect_cluster: Option<String>,
    /// The bot must have this name
    #[arg(long, value_name = "NAME", value_parser = value::text)]
    pub expect_bot: Option<String>,
    /// Every output must have this role (repeatable)
    #[arg(long, value_name = "ROLE", value_parser = value::text)]
    pub expect_role: Vec<String>,
    /// Every output must allow this login (repeatable)
    #[arg(long, value_name = "LOGIN", value_parser = value::text)]
    pub require_login: Vec<String>,
    /// A login and node that the job will use: checked for per-session MFA (repeatable)
    #[arg(long, value_name = "LOGIN@NODE", value_parser = value::target)]
    pub target: Vec<Target>,
    /// Do not check whether per-session MFA or Device Trust keep bots out
    #[arg(long)]
    pub no_verify: bool,
}

/// Trial runs against a cluster inside the process.
#[derive(Debug, Clone, Args, Default)]
#[command(next_help_heading = "Trial runs")]
pub struct TrialArgs {
    /// Run against a throw-away cluster inside this process: DRY-RUN certificates, valid for 15 minutes
    #[arg(long)]
    pub dry_run: bool,
    /// Pretend to be a job of this platform, or in a pod (with `--dry-run`)
    #[arg(long, value_name = "PLATFORM", requires = "dry_run", value_parser = value::simulated())]
    pub simulate: Option<Simulated>,
    /// Run as a job of this branch; the join token of a dry run admits `main` only and refuses others (with `--dry-run`)
    #[arg(long, value_name = "BRANCH", requires = "dry_run", value_parser = value::branch)]
    pub as_branch: Option<String>,
    /// Allow `--dry-run` inside a real CI job
    #[arg(long, requires = "dry_run")]
    pub allow_dry_run_in_ci: bool,
}
