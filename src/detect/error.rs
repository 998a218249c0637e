//! Why there is no answer.

use thiserror::Error;

use super::reason::Reason;
use crate::error::{Exit, StageError};
use crate::platform::look_alike::LookAlike;

/// Why there is no answer.
#[derive(Debug, Clone, Error)]
#[allow(missing_docs)]
pub enum DetectError {
    /// No system that is known, and no machine's identity. `is_ci`: `CI` says that it is one nevertheless.
    #[error("no supported CI platform detected")]
    NoPlatform { reasons: Vec<Reason>, is_ci: bool },
    /// A system whose jobs have no identity of their own.
    #[error("this is {}, which {}", system.title(), system.flaw())]
    LookAlike { system: LookAlike, reasons: Vec<Reason> },
}

impl DetectError {
    /// Why each platform and machine's identity was not taken.
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Self::NoPlatform { reasons, .. } | Self::LookAlike { reasons, .. } => reasons,
        }
    }
}

const LAPTOP: &str =
    "on a laptop, try the whole run without a cluster: `jobpass login --dry-run --simulate github`";

/// `CI` is set, so "run it in a CI job" would be of no help.
const OTHER_CI: &str = "pass the identity token that this CI system gives its jobs: `--join-method generic_oidc` with \
                        `--id-token-env`, `--id-token-file` or `--id-token-command`";
const LOOKED_FOR: &str = "inside a container of your own, forward the CI system's variables: `jobpass doctor --platform-only` shows which";

impl StageError for DetectError {
    fn exit(&self) -> Exit {
        Exit::NoIdentity
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoPlatform { reasons, is_ci } => {
                let suspects = reasons.iter().filter_map(|reason| reason.hint.clone());
                let run = "run it in a CI job, or pass an identity token with `--id-token-env`, \
                           `--id-token-file` or `--id-token-command`";
                let run = if *is_ci { OTHER_CI } else { run };
                let last = if *is_ci { LOOKED_FOR } else { LAPTOP };
                suspects.chain([run.to_owned(), last.to_owned()]).collect()
            }
            Self::LookAlike { system, .. } => system.hints(),
        }
    }
}
