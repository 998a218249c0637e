//! What cannot be written into a file.

use thiserror::Error;

use crate::error::{Exit, StageError};

/// What would mean something else in the file than it should.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormatError {
    /// A CA key of the named cluster that does not parse.
    #[error("the host CA of `{0}` has a key that cannot be read")]
    Key(String),
    /// A name from the network with characters no cluster or host has.
    #[error("`{0}` is not a valid name of a cluster or host")]
    Name(String),
    /// A path with a character that `ssh_config` has no escape for.
    #[error(
        "the path `{0}` has a quote, a backslash, `${{` or a control character, which ssh_config cannot carry"
    )]
    Path(String),
}

impl StageError for FormatError {
    fn exit(&self) -> Exit {
        Exit::Files
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Path(_) => vec!["choose another folder with `--dir`".to_owned()],
            Self::Key(_) | Self::Name(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_can_be_chosen() {
        assert!(FormatError::Path("/a\"b".into()).hints()[0].contains("--dir"));
        assert!(FormatError::Name("a b".into()).hints().is_empty());
    }
}
