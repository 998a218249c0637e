//! Why there is no identity token.

use jiff::Timestamp;
use thiserror::Error;

use crate::cloud::CloudError;
use crate::error::{Exit, StageError};
use crate::net::NetError;
use crate::platform::endpoint::Protocol;
use crate::secret::NotAJwt;
use crate::teleport::JoinMethod;

/// Why there is none.
#[derive(Debug, Clone, Error)]
#[allow(missing_docs)]
pub enum TokenError {
    /// The platform fixes the audience; asking for one is a usage error, before anything is sent.
    #[error("{platform} fixes the token's audience in its own configuration, `--audience` cannot change it")]
    AudienceFixed { platform: &'static str, hint: String },
    /// The join method has no audience of its own; a usage error, before anything is sent.
    #[error("{platform} makes a token for one audience, and none was named")]
    AudienceMissing { platform: &'static str },
    /// The cloud has no proof of this machine.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The token given by hand is for another audience than `--audience` says.
    #[error("the identity token from {place} has the wrong audience")]
    Audience { place: String, problem: String },
    /// The token's time is over. `since` is its `exp`.
    #[error("the identity token from {place} has expired")]
    Expired { place: String, since: Timestamp, hints: Vec<String> },
    /// The proof of this method has no audience; a usage error, before anything is sent.
    #[error("the join method `{method}` has no audience")]
    NoAudience { method: JoinMethod },
    /// The proof of this method is no token; a usage error, before anything is sent.
    #[error("the join method `{method}` takes no identity token")]
    NoTokenMethod { method: JoinMethod },
    /// The platform gave no token, for the reason named.
    #[error("{platform} gave this job no identity token")]
    Missing { platform: &'static str, why: String, hints: Vec<String> },
    /// What was found is no token.
    #[error("the text from {place} is not an identity token")]
    NotAJwt { place: String, problem: NotAJwt, hints: Vec<String> },
    /// No server takes such a token by the join method. `problem` says why.
    #[error("the identity token from {place} is of no use for the join method `{method}`")]
    Unfit { place: String, method: JoinMethod, problem: String, hint: String },
    /// The file that the machine's identity token is in cannot be read.
    #[error("could not read the identity token of {platform}")]
    Unreadable { platform: &'static str, place: String, reason: String, hint: &'static str },
    /// The variable, file or program that the user names is not there.
    #[error("could not get an identity token from {place}")]
    Absent { place: String, reason: &'static str, hint: &'static str },
    /// The variable, file or command of the user's gave nothing.
    #[error("could not get an identity token from {place}")]
    Source { place: String, reason: String },
    /// The platform's endpoint answered with a refusal; `detail` is empty where it gave no reason.
    #[error("{platform} refused to issue an identity token")]
    Refused { platform: &'static str, status: u16, detail: String, protocol: &'static Protocol },
    /// The platform's endpoint could not be reached, also after retries.
    #[error("could not reach the token endpoint of {platform}")]
    Endpoint {
        platform: &'static str,
        #[source]
        source: NetError,
    },
    /// It answered, but not in the documented form.
    #[error("unexpected answer from the token endpoint of {platform}")]
    Form { platform: &'static str, detail: String, protocol: &'static Protocol },
}

impl StageError for TokenError {
    fn exit(&self) -> Exit {
        match self {
            Self::AudienceFixed { .. }
            | Self::AudienceMissing { .. }
            | Self::NoAudience { .. }
            | Self::NoTokenMethod { .. } => Exit::Usage,
            Self::Endpoint { source, .. } => source.exit(),
            Self::Cloud(error) => error.exit(),
            Self::Refused { status: 429 | 500.., .. } => Exit::Network,
            _ => Exit::NoIdentity,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Audience { problem, .. } | Self::Unfit { problem, .. } => vec![problem.clone()],
            Self::Unreadable { place, reason, .. } => vec![format!("{place}: {reason}")],
            Self::Expired { since, .. } => vec![format!("it expired at {since}")],
            Self::Missing { why, .. } => vec![why.clone()],
            Self::NotAJwt { problem, .. } => vec![problem.to_string()],
            Self::Absent { reason, .. } => vec![(*reason).to_owned()],
            Self::Source { reason, .. } => vec![reason.clone()],
            Self::Refused { status, detail, .. } if detail.is_empty() => vec![format!("HTTP {status}")],
            Self::Refused { status, detail, .. } => vec![format!("HTTP {status}: {detail}")],
            Self::Endpoint { source, .. } => source.chain(),
            Self::Cloud(error) => error.causes(),
            Self::Form { detail, .. } => vec![detail.clone()],
            Self::AudienceFixed { .. }
            | Self::AudienceMissing { .. }
            | Self::NoAudience { .. }
            | Self::NoTokenMethod { .. } => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::AudienceFixed { hint, .. } | Self::Unfit { hint, .. } => hint,
            Self::AudienceMissing { .. } => {
                "pass `--audience` with the audience that the cluster's `kind: token` has"
            }
            Self::NoAudience { .. } => "leave out `--audience`",
            Self::NoTokenMethod { .. } => {
                "leave out `--id-token-env`, `--id-token-file` or `--id-token-command`: the machine proves itself"
            }
            Self::Unreadable { hint, .. } | Self::Absent { hint, .. } => hint,
            Self::Audience { .. } => "pass the token that has this audience, or leave out `--audience`",
            Self::Expired { hints, .. } | Self::Missing { hints, .. } | Self::NotAJwt { hints, .. } => {
                return hints.clone();
            }
            Self::Source { .. } => {
                "check that `--id-token-env`, `--id-token-file` or `--id-token-command` gives the identity token \
                 and nothing else"
            }
            Self::Refused { status: 401, .. } => {
                "run jobpass in the job itself while it runs: the variables of its token request do not work later"
            }
            Self::Refused { status, protocol, .. }
                if *status == 403 || protocol.refuses_with.contains(status) =>
            {
                protocol.refused_hint
            }
            Self::Refused { status: 429 | 500.., platform, .. } => {
                return vec![format!("run the job again, or check the status page of {platform}")];
            }
            Self::Refused { protocol, .. } | Self::Form { protocol, .. } => {
                return vec![format!(
                    "check that `{}` is as the runner set it, and that no HTTP proxy answers in its place",
                    protocol.url
                )];
            }
            Self::Endpoint { source, .. } => return source.hints(),
            Self::Cloud(error) => return error.hints(),
        };
        vec![hint.to_owned()]
    }
}
