//! Arguments of `jobpass sandbox`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::{MessageArgs, request, resource, value};
use crate::net::HostPort;
use crate::sandbox::{Rotation, Simulated, Verdict};
use crate::teleport::RequestId;

/// Serve a throw-away cluster and CI token endpoint on loopback, for as long as a command runs or until a signal.
#[derive(Debug, Args)]
pub struct Sandbox {
    /// Write the variables to use it into this file once it listens (created or replaced; removed at the end)
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// Policy: a file with `kind: token` documents (YAML); one token per platform when left out
    #[arg(long, value_name = "FILE")]
    pub tokens: Option<PathBuf>,
    /// The kind of job whose environment is printed: a CI platform, or `kubernetes` for a pod
    #[arg(long, value_name = "PLATFORM", default_value = "github", value_parser = value::simulated())]
    pub simulate: Simulated,
    /// Name of the cluster
    #[arg(long, value_name = "NAME", default_value = "sandbox.example", value_parser = value::text)]
    pub cluster: String,
    /// Teleport version to behave like
    #[arg(long, value_name = "VERSION", default_value = "18.11.0", value_parser = value::version)]
    pub server_version: String,
    /// Port to listen on; a free one when left out
    #[arg(long, value_name = "PORT", default_value = "0")]
    pub port: u16,
    /// The address that the cluster advertises and that its web certificate is for, behind a name of the network's own (DNS, an
    /// HTTP proxy)
    #[arg(long, value_name = "HOST[:PORT]", value_parser = value::address)]
    pub public_addr: Option<HostPort>,
    /// A node that ssh can reach through the cluster, repeatable: the sshd at `HOST:PORT` under `NAME`, or `NAME.LEAF` in
    /// a leaf cluster
    #[arg(long, value_name = "NAME=HOST:PORT", value_parser = value::node)]
    pub node: Vec<value::Node>,
    /// A role that bots may have, in place of `ci-deploy` and `ci-read`, repeatable: its logins, `mfa` and `device-trust`
    /// for a role that keeps bots out, and `max-ttl=DURATION`
    #[arg(long, value_name = "NAME[:LOGIN+LOGIN][,OPTION]", value_parser = resource::role)]
    pub role: Vec<resource::Role>,
    /// A role that bots may ask for by an access request, in place of `ci-prod`, repeatable: its logins and options as above
    #[arg(long, value_name = "NAME[:LOGIN+LOGIN][,OPTION]", value_parser = resource::role)]
    pub requestable_role: Vec<resource::Role>,
    /// What becomes of access requests; without it they wait for `jobpass sandbox approve ID`
    #[arg(long, value_enum, value_name = "ANSWER")]
    pub request_answer: Option<RequestAnswer>,
    /// How long an access request waits for that; a bare number is seconds
    #[arg(long, value_name = "DURATION", requires = "request_answer", value_parser = value::timeout)]
    pub request_answer_after: Option<Duration>,
    /// What the reviewer says
    #[arg(long, value_name = "TEXT", requires = "request_answer", value_parser = value::text)]
    pub request_answer_reason: Option<String>,
    /// A trait of all bots, which roles take in by `{{internal.NAME}}`, repeatable
    #[arg(long = "trait", value_name = "NAME=VALUE+VALUE", value_parser = resource::bot_trait)]
    pub traits: Vec<resource::Named>,
    /// A database, repeatable; clients are led to the server at `HOST:PORT`, over plain TCP
    #[arg(long, value_name = "NAME=PROTOCOL[://HOST:PORT]", value_parser = resource::database)]
    pub database: Vec<resource::Database>,
    /// An application, repeatable
    #[arg(long, value_name = "NAME=URI", value_parser = resource::app)]
    pub app: Vec<resource::Named>,
    /// A trusted leaf cluster, repeatable
    #[arg(long, value_name = "NAME", value_parser = value::text)]
    pub leaf: Vec<String>,
    /// Require per-session MFA in the whole cluster
    #[arg(long)]
    pub require_session_mfa: bool,
    /// Rotate the CAs: what is issued is signed with the new keys; servers show the old ones until `update-servers`
    #[arg(long, value_enum, value_name = "PHASE")]
    pub ca_rotation: Option<Phase>,
    /// A kubernetes cluster of this name, with a pod in it that kubectl can see, repeatable
    #[arg(long, value_name = "NAME", value_parser = value::text)]
    pub kube: Vec<String>,
    /// Allow this login as well, repeatable
    #[arg(long, value_name = "LOGIN", value_parser = value::text)]
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
    /// How much is printed
    #[command(flatten)]
    pub messages: MessageArgs,
    /// Answers an access request of a sandbox that runs
    #[command(subcommand)]
    pub answer: Option<Answer>,
}

/// Answers to an access request.
#[derive(Debug, Subcommand)]
pub enum Answer {
    /// Approve an access request of the sandbox whose variables are set
    Approve(AnswerArgs),
    /// Deny an access request of the sandbox whose variables are set
    Deny(AnswerArgs),
}

/// Which request, and why.
#[derive(Debug, Args)]
pub struct AnswerArgs {
    /// The id of the access request
    #[arg(value_name = "ID", value_parser = request::request_id)]
    pub id: RequestId,
    /// What the reviewer says
    #[arg(long, value_name = "TEXT", value_parser = value::text)]
    pub reason: Option<String>,
}

/// What becomes of access requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum RequestAnswer {
    Approve,
    Deny,
}

impl From<RequestAnswer> for Verdict {
    fn from(answer: RequestAnswer) -> Self {
        match answer {
            RequestAnswer::Approve => Self::Approve,
            RequestAnswer::Deny => Self::Deny,
        }
    }
}

/// Phases of a CA rotation (`tctl auth rotate --phase`) in which two keys are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Phase {
    UpdateClients,
    UpdateServers,
}

impl From<Phase> for Rotation {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::UpdateClients => Self::UpdateClients,
            Phase::UpdateServers => Self::UpdateServers,
        }
    }
}
