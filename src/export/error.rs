//! Why later steps get nothing.

use std::io;
use std::path::Path;

use thiserror::Error;

use crate::error::{Exit, StageError};
use crate::text::io_reason;

/// Why later steps get nothing.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum ExportError {
    /// The file cannot be written. `variable` names it, or the flag that did.
    #[error("could not write `{path}` ({variable})")]
    Io {
        variable: String,
        path: String,
        #[source]
        source: io::Error,
    },
    /// The platform does not say which file.
    #[error("`{variable}` is not set, so later steps cannot get the variables")]
    NoFile { variable: &'static str },
    /// The platform's program is not there, or has nobody to talk to.
    #[error("there is no `{program}` in this job, so later steps cannot get the variables")]
    NoProgram { program: &'static str },
    /// The platform's program did not take the variables.
    #[error("could not hand the variables over to `{program}`")]
    Program { program: &'static str, reason: String },
    /// A name or value that the format cannot carry (a newline in a `K=V` file).
    #[error("could not write `{name}` to {place}")]
    Value { name: String, place: String, reason: String },
}

const EVAL: &str = "load the variables in your shell: `eval \"$(jobpass login --export shell)\"`";

impl StageError for ExportError {
    fn exit(&self) -> Exit {
        Exit::Files
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Io { source, .. } => vec![io_reason(source)],
            Self::NoFile { .. } | Self::NoProgram { .. } => Vec::new(),
            Self::Value { reason, .. } | Self::Program { reason, .. } => vec![reason.clone()],
        }
    }

    fn hints(&self) -> Vec<String> {
        let hints: &[&str] = match self {
            Self::Io { .. } => &[
                "make sure that the file's folder exists and can be written, or choose another place with `--export`",
            ],
            Self::NoFile { .. } => &[
                EVAL,
                "write no variables: `--export none`",
                "inside a container of your own, mount the platform's file and forward its variable",
            ],
            Self::NoProgram { .. } | Self::Program { .. } => &[EVAL, "write no variables: `--export none`"],
            Self::Value { .. } => &["choose a plain path with `--dir`", EVAL],
        };
        hints.iter().map(|hint| (*hint).to_owned()).collect()
    }
}

/// A file that cannot be written; `variable` names it, or the flag that did.
pub(super) fn io_error(variable: &str, path: &Path, source: io::Error) -> ExportError {
    ExportError::Io { variable: variable.to_owned(), path: path.display().to_string(), source }
}

/// A name or value that a format cannot carry.
pub(super) fn refused(name: &str, place: &str, reason: &str) -> ExportError {
    ExportError::Value {
        name: name.escape_debug().to_string(),
        place: place.to_owned(),
        reason: reason.to_owned(),
    }
}
