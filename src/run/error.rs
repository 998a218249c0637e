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
    /// They have, and there are no new ones.
    #[error("the credentials in `{dir}` expired at {ended} and could not be renewed")]
    NotRenewed { dir: String, ended: Timestamp, causes: Vec<String>, hints: Vec<String>, exit: Exit },
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
    /// What would remove the files after a crash did not start.
    #[error("could not start `{program}`, which is to remove the credentials should jobpass be killed")]
    Watchdog {
        program: String,
        #[source]
        source: std::io::Error,
    },
    /// The `jobpass exec` that has the keys does not answer.
    #[error("`jobpass exec` does not answer at `{path}`")]
    NoExec {
        path: String,
        #[source]
        source: std::io::Error,
    },
    /// What the `jobpass exec` that has the keys says.
    #[error("{message}")]
    ByExec { message: String, exit: Exit },
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
            Self::ByExec { exit, .. } | Self::NotRenewed { exit, .. } => *exit,
            Self::Watchdog { .. } => Exit::Internal,
            Self::Expired { .. } => Exit::Refused,
            Self::NoCredentials { .. } | Self::Output { .. } | Self::NoExec { .. } => Exit::Files,
            Self::Command { source, .. } if source.kind() == ErrorKind::NotFound => Exit::NotFound,
            Self::Command { .. } => Exit::NotExecutable,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::NoCredentials { reason, .. } => vec![reason.clone()],
            Self::NotRenewed { causes, .. } => causes.clone(),
            Self::Output { source, .. }
            | Self::Read { source, .. }
            | Self::Command { source, .. }
            | Self::Watchdog { source, .. }
            | Self::NoExec { source, .. } => vec![io_reason(source)],
            Self::Usage { .. }
            | Self::Stopped { .. }
            | Self::StoppedWaiting { .. }
            | Self::Expired { .. }
            | Self::ByExec { .. } => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Usage { hint, .. } => return hint.iter().cloned().collect(),
            Self::NoCredentials { hint, .. } => hint,
            Self::Stopped { .. } | Self::ByExec { .. } => return Vec::new(),
            Self::StoppedWaiting { id, .. } => {
                return vec![
                    format!("take it back with `tctl requests rm {id}`"),
                    format!(
                        "or have it approved (`tctl requests approve {id}`) and pass `--request-id {id}`"
                    ),
                ];
            }
            Self::Watchdog { .. } => {
                "keep the binary where it is while it runs, and executable for this user"
            }
            Self::NoExec { .. } => {
                "ssh works as long as the command of `jobpass exec` runs: start it from there"
            }
            Self::NotRenewed { hints, .. } => return hints.clone(),
            Self::Expired { .. } => {
                "run `jobpass login` again in this job, or `jobpass renew` after a `login --renew`"
            }
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
