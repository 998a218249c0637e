//! Why there is no answer.

use thiserror::Error;

use super::reason::Reason;
use crate::error::{Exit, StageError};
use crate::platform::look_alike::LookAlike;

/// Why there is no answer.
#[derive(Debug, Clone, Error)]
#[allow(missing_docs)]
pub enum DetectError {
    /// Nothing that looks like CI, and no machine's identity.
    #[error("no supported CI platform detected")]
    NoPlatform { reasons: Vec<Reason> },
    /// A system whose jobs have no identity of their own.
    #[error("this is {}, which {}", system.title(), system.flaw())]
    LookAlike { system: LookAlike, reasons: Vec<Reason> },
}

impl DetectError {
    /// Why each platform and machine's identity was not taken.
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Self::NoPlatform { reasons } | Self::LookAlike { reasons, .. } => reasons,
        }
    }
}

const LAPTOP: &str =
    "on a laptop, try the whole run without a cluster: `jobpass login --dry-run --simulate github`";

impl StageError for DetectError {
    fn exit(&self) -> Exit {
        Exit::NoIdentity
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoPlatform { reasons } => {
                let suspects = reasons.iter().filter_map(|reason| reason.hint.clone());
                let run = "run it in a CI job, or pass an identity token with `--id-token-env`, \
                           `--id-token-file` or `--id-token-command`";
                suspects.chain([run.to_owned(), LAPTOP.to_owned()]).collect()
            }
            Self::LookAlike { system, .. } => system.hints(),
        }
    }
}
