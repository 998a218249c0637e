//! What no stage knows: wrong use, a signal, a closed output.

use std::io::ErrorKind;

use jiff::Timestamp;

use crate::error::{Exit, StageError};
use crate::teleport::RequestId;
use crate::text::io_reason;

/// Why a command ended without a result of its own.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum RunError {
    /// The command line, or what it needs, is wrong.
    #[error("{message}")]
    Usage { message: String, hint: Option<String> },
    /// Ctrl-C or SIGTERM.
    #[error("stopped by {signal}; nothing was written")]
    Stopped { signal: &'static str, code: Exit },
    /// The same while somebody's answer was waited for.
    #[error(
        "stopped by {signal} while waiting for approval; nothing was written, and access request {id} is still open"
    )]
    StoppedWaiting { signal: &'static str, code: Exit, id: RequestId },
    /// Credentials that were written earlier have expired.
    #[error("the credentials in `{dir}` expired at {expired}")]
    Expired { dir: String, expired: Timestamp },
    /// A folder or file that should hold credentials does not.
    #[error("`{path}` has no credentials")]
    NoCredentials { path: String, reason: String, hint: String },
    /// Standard output is gone.
    #[error("could not write {what} to standard output")]
    Output {
        what: &'static str,
        #[source]
        source: std::io::Error,
    },
    /// The command after `--` did not start.
    #[error("could not run `{program}`")]
    Command {
        program: String,
        #[source]
        source: std::io::Error,
    },
    /// A file that the user named cannot be read.
    #[error("could not read `{path}`")]
    Read {
        path: String,
        #[source]
        source: std::io::Error,
    },
}

impl RunError {
    /// Wrong use, with what to do.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: Some(hint.into()) }
    }

    /// A signal that came during the wait for an answer to that request.
    #[must_use]
    pub fn while_waiting(self, id: &RequestId) -> Self {
        match self {
            Self::Stopped { signal, code } => Self::StoppedWaiting { signal, code, id: id.clone() },
            other => other,
        }
    }
}

impl StageError for RunError {
    fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } | Self::Read { .. } => Exit::Usage,
            Self::Stopped { code, .. } | Self::StoppedWaiting { code, .. } => *code,
            Self::Expired { .. } => Exit::Refused,
            Self::NoCredentials { .. } | Self::Output { .. } => Exit::Files,
            Self::Command { source, .. } if source.kind() == ErrorKind::NotFound => Exit::NotFound,
            Self::Command { .. } => Exit::NotExecutable,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::NoCredentials { reason, .. } => vec![reason.clone()],
            Self::Output { source, .. } | Self::Read { source, .. } | Self::Command { source, .. } => {
                vec![io_reason(source)]
            }
            Self::Usage { .. }
            | Self::Stopped { .. }
            | Self::StoppedWaiting { .. }
            | Self::Expired { .. } => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Usage { hint, .. } => return hint.iter().cloned().collect(),
            Self::NoCredentials { hint, .. } => hint,
            Self::Stopped { .. } => return Vec::new(),
            Self::StoppedWaiting { id, .. } => {
                return vec![
                    format!("take it back with `tctl requests rm {id}`"),
                    format!(
                        "or have it approved (`tctl requests approve {id}`) and pass `--request-id {id}`"
                    ),
                ];
            }
            Self::Expired { .. } => "run `jobpass login` again in this job",
            Self::Output { .. } => "keep standard output open, or leave out what prints to it",
            Self::Read { .. } => "check the path and that this user may read it",
            Self::Command { source, .. } if source.kind() == ErrorKind::NotFound => {
                "check its name and `PATH`; a shell's own commands need the shell: `-- sh -c '…'`"
            }
            Self::Command { .. } => {
                "check that it is a file that this user may execute; a script begins with `#!`"
            }
        };
        vec![hint.to_owned()]
    }
}
