//! Proof of a machine: what a cloud says of the machine that a job runs on. Knows nothing of Teleport.

pub mod aws;
pub mod file;
pub mod metadata;

use thiserror::Error;

use crate::error::{Exit, StageError};

/// Whose machine it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cloud {
    /// Amazon Web Services.
    Aws,
}

impl Cloud {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Aws];

    /// The word for flags and JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Aws => "aws",
        }
    }

    /// The vendor's name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
        }
    }
}

/// Why a machine has no proof.
#[derive(Debug, Clone, Error)]
#[allow(missing_docs)]
pub enum CloudError {
    #[error(transparent)]
    Aws(#[from] aws::AwsError),
}

impl CloudError {
    fn stage(&self) -> &dyn StageError {
        match self {
            Self::Aws(error) => error,
        }
    }
}

impl StageError for CloudError {
    fn exit(&self) -> Exit {
        self.stage().exit()
    }

    fn causes(&self) -> Vec<String> {
        self.stage().causes()
    }

    fn hints(&self) -> Vec<String> {
        self.stage().hints()
    }
}
