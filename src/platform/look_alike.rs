//! Systems that set GitHub's variables without being GitHub: their tokens, if any, have issuers of their own.

use super::Platform;
use crate::env::Env;

const FORGEJO_ACTIONS: &str = "FORGEJO_ACTIONS";
const GITEA_ACTIONS: &str = "GITEA_ACTIONS";
const ACT: &str = "ACT";

/// A system that imitates GitHub's variables.
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
    /// The one the job runs on. `ACT` is a name others may use too, so it does not count in a job of another platform.
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

    /// What to do where GitHub's identity token was expected.
    pub fn hints(self) -> Vec<String> {
        let github = "pass `--platform github` if this is GitHub after all";
        let hints: &[&str] = match self {
            // Forgejo 15 and later (forgejo.org/docs, "OpenID Connect").
            Self::Forgejo => &[
                "join with `--join-method generic_oidc` and pass the instance's own identity token (issuer \
                 `<instance>/api/actions`) with `--id-token-env` or `--id-token-command`",
                "jobs of Forgejo 15 or later get identity tokens with `enable-openid-connect: true` in the workflow",
                github,
            ],
            // go-gitea/gitea issue 26383.
            Self::Gitea => &[
                "run this on a CI platform with identity tokens: Gitea issues none to its jobs",
                "pass an identity token of another issuer with `--id-token-env` or `--id-token-command`, and \
                 `--join-method generic_oidc`",
                github,
            ],
            Self::Act => {
                &["try the whole run without a cluster: `jobpass login --dry-run --simulate github`"]
            }
        };
        hints.iter().map(|hint| (*hint).to_owned()).collect()
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
