//! Why no one's approval came of it.

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use crate::error::{Exit, StageError};
use crate::refusal::access_requests;
use crate::teleport::{ClusterError, RequestId};
use crate::text::duration;

/// Why there is no approved request.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum ApprovalError {
    /// The cluster cannot be reached, or its answers make no sense.
    #[error("could not ask the cluster for the access request")]
    Cluster(#[from] ClusterError),
    /// A person said no.
    #[error("access request {id} was denied")]
    Denied { id: RequestId, reason: String },
    /// It, or what it would give, has ended.
    #[error("access request {id} expired")]
    Expired { id: RequestId },
    /// The approval is for later.
    #[error("access request {id} is approved, but for later: from {begins} on")]
    NotYet { id: RequestId, begins: Timestamp },
    /// There is none of that id that this bot can see.
    #[error("there is no access request {id} of the bot `{user}`")]
    None { id: RequestId, user: String },
    /// A person made it something else.
    #[error("access request {id} was made the membership of an access list, from which no certificate comes")]
    Promoted { id: RequestId },
    /// Teleport says no before any person could.
    #[error("Teleport refused the access request")]
    Refused { user: String, roles: Vec<String>, message: String },
    /// Nobody answered in time.
    #[error("nobody answered access request {id} within {}", duration(*.waited))]
    Unanswered { id: RequestId, waited: SignedDuration, until: Option<Timestamp> },
    /// It gives more than was asked for.
    #[error("access request {id} gives the role `{role}`, which was not asked for")]
    Wider { id: RequestId, role: String },
}

impl StageError for ApprovalError {
    fn exit(&self) -> Exit {
        match self {
            Self::Cluster(error) => error.exit(),
            Self::Expired { .. } | Self::NotYet { .. } | Self::Unanswered { .. } => Exit::Network,
            Self::Denied { .. }
            | Self::None { .. }
            | Self::Promoted { .. }
            | Self::Refused { .. }
            | Self::Wider { .. } => Exit::Refused,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Cluster(error) => error.chain(),
            Self::Denied { reason, .. } if reason.is_empty() => Vec::new(),
            Self::Denied { reason, .. } => vec![format!("the reviewer says: {reason}")],
            Self::Refused { message, .. } => vec![message.clone()],
            Self::Expired { .. }
            | Self::None { .. }
            | Self::NotYet { .. }
            | Self::Promoted { .. }
            | Self::Unanswered { .. }
            | Self::Wider { .. } => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Cluster(ClusterError::Refused { code: tonic::Code::Unimplemented, .. }) => {
                "upgrade the cluster to Teleport 15 or newer: this one does not know the call".to_owned()
            }
            Self::Cluster(error) => return error.hints(),
            Self::Denied { .. } => {
                "talk to the reviewer; run the job again to file another request".to_owned()
            }
            Self::Expired { .. } => {
                "run the job again to file another request, and have it answered in time".to_owned()
            }
            Self::NotYet { id, .. } => format!("run the job again at that time with `--request-id {id}`"),
            Self::None { .. } => {
                "check `--request-id`: the request is another bot's or another cluster's, or it has expired"
                    .to_owned()
            }
            Self::Promoted { .. } => {
                "file another request, and have it approved as short-term access (`tctl requests approve`)"
                    .to_owned()
            }
            Self::Refused { user, roles, message } => {
                let hints = access_requests::hints(message, user, roles);
                if !hints.is_empty() {
                    return hints;
                }
                format!("look in the audit log for what `{user}` may request (`allow.request` of its roles)")
            }
            Self::Unanswered { id, until, .. } => {
                let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
                return vec![
                    format!(
                        "have it approved{until} (`tctl requests approve {id}`) and pass `--request-id {id}`"
                    ),
                    format!("pass a longer `--request-wait`, or take it back with `tctl requests rm {id}`"),
                ];
            }
            Self::Wider { .. } => "check who answered the request, and with which roles".to_owned(),
        };
        vec![hint]
    }
}
