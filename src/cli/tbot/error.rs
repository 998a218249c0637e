//! What is wrong with a tbot.yaml, and in which line.

use crate::error::{Exit, StageError};
use crate::text::io_reason;

/// Why a tbot.yaml cannot be used. Holds no value of the file.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("could not read `{path}`")]
    Read {
        path: String,
        #[source]
        source: std::io::Error,
    },
    /// A variable does not hold what it should.
    #[error("`{variable}` {problem}")]
    Variable { variable: &'static str, problem: &'static str, hint: String },
    /// A line of it.
    #[error("{}: {}", place(.file, .problem.line), .problem.what)]
    Line { file: String, problem: Problem },
}

/// What is wrong in one line.
#[derive(Debug)]
pub struct Problem {
    /// From 1; 0: nowhere in particular.
    line: u64,
    what: String,
    cause: Option<String>,
    hint: Option<String>,
}

impl Problem {
    pub(super) fn at(line: u64, what: impl Into<String>) -> Self {
        Self { line, what: what.into(), cause: None, hint: None }
    }

    pub(super) fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

fn place(file: &str, line: u64) -> String {
    if line == 0 { format!("`{file}`") } else { format!("`{file}`, line {line}") }
}

impl StageError for ConfigError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Read { source, .. } => vec![io_reason(source)],
            Self::Variable { .. } => Vec::new(),
            Self::Line { problem, .. } => problem.cause.iter().cloned().collect(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Read { .. } => vec!["check the path and that this user may read it".to_owned()],
            Self::Variable { hint, .. } => vec![hint.clone()],
            Self::Line { problem, .. } => problem.hint.iter().cloned().collect(),
        }
    }
}
