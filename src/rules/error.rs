//! Why a document cannot be read as a token.

use thiserror::Error;

use crate::error::{Exit, StageError};

/// Why a file cannot be used as join tokens. Holds no value of the file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum RulesError {
    #[error("not YAML or JSON: {0}")]
    Syntax(String),
    /// A field is missing or has the wrong type; `path` names it. Documents are counted from 1.
    #[error("document {document}: `{path}` {problem}")]
    Field { document: usize, path: String, problem: String, hint: Option<String> },
    #[error("no `kind: token` document in it")]
    Empty,
    #[error("larger than 1 MiB")]
    TooLarge,
}

impl StageError for RulesError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Field { hint: Some(hint), .. } => hint,
            Self::Field { .. } => "compare it with what `tctl get token/NAME` prints",
            Self::Syntax(_) | Self::Empty | Self::TooLarge => {
                "save the join token with `tctl get token/NAME > FILE`"
            }
        };
        vec![hint.to_owned()]
    }
}
