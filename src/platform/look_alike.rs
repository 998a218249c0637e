//! Systems that set GitHub's variables without being GitHub: their tokens, if any, have issuers of their own.

use super::Platform;
use crate::env::Env;

const FORGEJO_ACTIONS: &str = "FORGEJO_ACTIONS";
const GITEA_ACTIONS: &str = "GITEA_ACTIONS";
const ACT: &str = "ACT";

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookAlike {
    /// Sets Gitea's marker as well, so it is asked for first.
    Forgejo,
    /// Gitea Actions.
    Gitea,
    /// nektos/act: GitHub workflows on a laptop.
    Act,
}

impl LookAlike {
    /// The one the job runs on. `ACT` is a name others may use too, so it does not count in another CI's job.
    pub fn find(env: &Env) -> Option<Self> {
        if env.var(FORGEJO_ACTIONS).is_some() {
            return Some(Self::Forgejo);
        }
        if env.var(GITEA_ACTIONS).is_some() {
            return Some(Self::Gitea);
        }
        let elsewhere = Platform::ALL.iter().any(|p| *p != Platform::GitHubActions && p.marker(env).present);
        (env.is(ACT, "true") && !elsewhere).then_some(Self::Act)
    }

    /// The word for JSON: `forgejo`, `gitea`, `act`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Forgejo => "forgejo",
            Self::Gitea => "gitea",
            Self::Act => "act",
        }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Forgejo => "Forgejo Actions",
            Self::Gitea => "Gitea Actions",
            Self::Act => "act",
        }
    }

    /// The variable that gives it away.
    pub fn marker(self) -> &'static str {
        match self {
            Self::Forgejo => FORGEJO_ACTIONS,
            Self::Gitea => GITEA_ACTIONS,
            Self::Act => ACT,
        }
    }
}
