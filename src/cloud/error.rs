//! Why a cloud gave no proof of this machine.

use thiserror::Error;

use super::aws::AwsError;
use super::metadata::MetadataError;
use crate::error::{Exit, StageError};

/// Why there is none. `cloud` is the vendor's name for people.
#[derive(Debug, Clone, Error)]
#[allow(missing_docs)]
pub enum CloudError {
    /// AWS has no credentials for it, or they are of no use.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The certificates that Teleport needs beside the attested document cannot be had.
    #[error("could not get the certificates above the attested document's")]
    Chain {
        causes: Vec<String>,
        hints: Vec<String>,
        /// Whether it is about the network.
        is_network: bool,
    },
    /// Its metadata service answered, but not in the documented form.
    #[error("unexpected answer from the metadata service of {cloud}")]
    Form { cloud: &'static str, detail: String, hint: String },
    /// Its metadata service has no such thing for this machine, or is not there at all.
    #[error("{cloud} gave this machine no {what}")]
    Metadata {
        cloud: &'static str,
        what: &'static str,
        #[source]
        source: Box<MetadataError>,
        hints: Vec<String>,
    },
    /// A variable that cannot be used.
    #[error("`{variable}` cannot be used")]
    Setting { variable: &'static str, reason: String, hint: String },
    /// A machine that Teleport does not admit.
    #[error("the join method `azure` does not work on {machine}")]
    Unsupported { machine: &'static str, why: &'static str },
}

impl StageError for CloudError {
    fn exit(&self) -> Exit {
        match self {
            Self::Aws(error) => error.exit(),
            Self::Chain { is_network: true, .. } => Exit::Network,
            Self::Metadata { source, .. } => source.exit(),
            Self::Setting { .. } => Exit::Usage,
            Self::Chain { .. } | Self::Form { .. } | Self::Unsupported { .. } => Exit::NoIdentity,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Aws(error) => error.causes(),
            Self::Chain { causes, .. } => causes.clone(),
            Self::Form { detail, .. } => vec![detail.clone()],
            Self::Metadata { source, .. } => source.chain(),
            Self::Setting { reason, .. } => vec![reason.clone()],
            Self::Unsupported { why, .. } => vec![(*why).to_owned()],
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Aws(error) => error.hints(),
            Self::Chain { hints, .. } | Self::Metadata { hints, .. } => hints.clone(),
            Self::Form { hint, .. } | Self::Setting { hint, .. } => vec![hint.clone()],
            Self::Unsupported { .. } => vec!["join with another method".to_owned()],
        }
    }
}
