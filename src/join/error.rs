//! Why a job did not join, and what to do about it.

use thiserror::Error;

use crate::claims::UnverifiedClaims;
use crate::error::{Exit, StageError};
use crate::identity::keys::KeyError;
use crate::platform::Platform;
use crate::teleport::ping::Ping;
use crate::teleport::{ClusterError, JoinMethod};
use crate::token::TokenError;

/// What is known when a join was refused: enough to explain it, and no secret.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Teleport's words.
    pub message: String,
    /// Name of the join token.
    pub token: String,
    /// The method, where known.
    pub method: Option<JoinMethod>,
    /// The CI system.
    pub platform: Option<Platform>,
    /// What the job's proof says of it.
    pub claims: UnverifiedClaims,
    /// The ping, unless the auth service was dialled directly.
    pub ping: Option<Ping>,
}

/// Why there is no bot identity.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum JoinError {
    /// The cluster cannot be reached, or its answers make no sense.
    #[error("could not join the cluster")]
    Cluster(#[from] ClusterError),
    /// The key could not be generated or used.
    #[error("could not generate the key for the join")]
    Key(#[from] KeyError),
    /// The token on the cluster is for another method than this job was detected, or told, to use.
    #[error("the join token `{token}` is for the method `{theirs}`, but this job would use `{ours}`")]
    Method { token: String, ours: JoinMethod, theirs: String },
    /// The token on the cluster is for a method whose proof is no identity token, and that is all that was given.
    #[error("the join token `{token}` is for the method `{method}`, which takes no identity token")]
    NoTokenMethod { token: String, method: JoinMethod },
    /// The ping names another cluster than `--expect-cluster`.
    #[error("`--expect-cluster {expected}` is not met: the cluster is `{found}`")]
    OtherCluster { expected: String, found: String },
    /// There is nothing to show to the cluster.
    #[error(transparent)]
    Proof(#[from] TokenError),
    /// The server does not have the method.
    #[error("the cluster cannot serve the join method of this job: {problem}")]
    Unserved { problem: String, hint: &'static str, server: String },
    /// Only the join stream serves the method, and that was not there.
    #[error("could not reach the join service, by which alone `{method}` joins")]
    StreamOnly {
        method: JoinMethod,
        #[source]
        source: ClusterError,
    },
    /// Teleport says no.
    #[error("Teleport refused to let this job join")]
    Refused(Box<Refusal>),
    /// The token on the cluster is for a method that this client does not support.
    #[error("the join token `{token}` is for the method `{method}`, which jobpass does not support")]
    Unsupported { token: String, method: String },
}

impl JoinError {
    /// Whether no answer came, so that joining again is safe: the join tokens of the methods supported here may be
    /// used any number of times.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Cluster(error) | Self::StreamOnly { source: error, .. } if error.is_transient())
    }
}

impl StageError for JoinError {
    fn exit(&self) -> Exit {
        match self {
            Self::Cluster(error) => error.exit(),
            // What refuses the stream itself is not the cluster.
            Self::StreamOnly { source: ClusterError::Refused { .. }, .. } => Exit::Network,
            Self::StreamOnly { source, .. } => source.exit(),
            Self::Key(_) => Exit::Internal,
            Self::Proof(error) => error.exit(),
            Self::Method { .. }
            | Self::NoTokenMethod { .. }
            | Self::OtherCluster { .. }
            | Self::Refused(_)
            | Self::Unserved { .. }
            | Self::Unsupported { .. } => Exit::Refused,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Cluster(error) | Self::StreamOnly { source: error, .. } => error.chain(),
            Self::Key(error) => error.chain(),
            Self::Proof(error) => error.causes(),
            Self::Unserved { server, .. } => vec![format!("it is {server}")],
            Self::Refused(refusal) => vec![refusal.message.clone()],
            Self::Method { .. }
            | Self::NoTokenMethod { .. }
            | Self::OtherCluster { .. }
            | Self::Unsupported { .. } => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Cluster(error) => error.hints(),
            Self::Key(error) => error.hints(),
            Self::Proof(error) => error.hints(),
            Self::Unserved { hint, .. } => vec![(*hint).to_owned()],
            Self::StreamOnly { source, .. } => {
                let service = "let gRPC (`teleport.join.v1.JoinService`) through to the proxy: whatever stands before it \
                               must pass HTTP/2 on";
                source.hints().into_iter().chain([service.to_owned()]).collect()
            }
            Self::OtherCluster { .. } => {
                vec!["check `--proxy` and `--token`; nothing of this job's was sent".to_owned()]
            }
            // The report says more.
            Self::Refused(_) => Vec::new(),
            Self::Method { token, theirs, .. } if !takes_token(theirs) => vec![format!(
                "use a join token made for this platform, or pass `--join-method {theirs}`; \
                 `tctl get token/{token}` shows the join token"
            )],
            Self::Method { token, theirs, .. } => vec![format!(
                "use a join token made for this platform, or pass `--join-method {theirs}` and its identity token; \
                 `tctl get token/{token}` shows the join token"
            )],
            Self::NoTokenMethod { method, .. } => vec![format!(
                "leave out `--id-token-env`, `--id-token-file` or `--id-token-command` and pass `--join-method {method}`"
            )],
            Self::Unsupported { method, .. } if method == "token" => vec![
                "create a join token for this platform's own method: a shared secret is not needed in CI"
                    .to_owned(),
            ],
            Self::Unsupported { .. } => vec!["create a join token for this platform's own method".to_owned()],
        }
    }
}

/// Whether an identity token proves by the method of that name.
fn takes_token(method: &str) -> bool {
    method.parse().is_ok_and(JoinMethod::proves_with_token)
}
