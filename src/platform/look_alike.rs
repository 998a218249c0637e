//! Systems that are told what they lack: those that set another's variables without being it, and those that give their
//! jobs no identity.

use super::Platform;
use crate::env::Env;

const GITEA_ACTIONS: &str = "GITEA_ACTIONS";
const ACT: &str = "ACT";
const CI: &str = "CI";
const GITLAB_CI: &str = "GITLAB_CI";
const HARNESS: &str = "HARNESS_BUILD_ID";
const DRONE: &str = "DRONE";
const WOODPECKER: &str = "woodpecker";

/// A system whose jobs have no identity token of a platform's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookAlike {
    /// Gitea Actions.
    Gitea,
    /// nektos/act: GitHub workflows on a laptop.
    Act,
    /// firecow/gitlab-ci-local: GitLab pipelines on a laptop.
    GitLabCiLocal,
    /// Woodpecker CI.
    Woodpecker,
    /// Harness, whose pipelines hand a token over by hand. It sets variables of Drone's.
    Harness,
    /// Drone.
    Drone,
}

impl LookAlike {
    /// The one the job runs on. `ACT` is a name others may use too, so it does not count in a job of another platform; the
    /// same goes for those that imitate nobody.
    pub fn find(env: &Env) -> Option<Self> {
        if Platform::Forgejo.marker(env).present {
            return None; // it sets Gitea's marker as well
        }
        if env.var(GITEA_ACTIONS).is_some() {
            return Some(Self::Gitea);
        }
        let elsewhere = |except: Option<Platform>| {
            Platform::ALL.into_iter().any(|p| Some(p) != except && p.marker(env).present)
        };
        if env.is(ACT, "true") && !elsewhere(Some(Platform::GitHubActions)) {
            return Some(Self::Act);
        }
        let found = if env.is(GITLAB_CI, "false") {
            Self::GitLabCiLocal
        } else if env.is(CI, WOODPECKER) {
            Self::Woodpecker
        } else if env.var(HARNESS).is_some() {
            Self::Harness
        } else if env.is(DRONE, "true") {
            Self::Drone
        } else {
            return None;
        };
        (!elsewhere(None)).then_some(found)
    }

    /// The word for JSON: `gitea`, `act`, …
    pub fn id(self) -> &'static str {
        match self {
            Self::Gitea => "gitea",
            Self::Act => "act",
            Self::GitLabCiLocal => "gitlab-ci-local",
            Self::Woodpecker => "woodpecker",
            Self::Harness => "harness",
            Self::Drone => "drone",
        }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Gitea => "Gitea Actions",
            Self::Act => "act",
            Self::GitLabCiLocal => "gitlab-ci-local",
            Self::Woodpecker => "Woodpecker CI",
            Self::Harness => "Harness",
            Self::Drone => "Drone",
        }
    }

    /// What it lacks, behind its name and `which`.
    pub fn flaw(self) -> &'static str {
        match self {
            Self::Gitea | Self::Act => "imitates GitHub Actions without its identity tokens",
            Self::GitLabCiLocal => "imitates GitLab CI without its identity tokens",
            Self::Harness => "sets no identity token in its jobs",
            Self::Woodpecker | Self::Drone => "gives its jobs no identity tokens",
        }
    }

    /// What to do where an identity token was expected.
    pub fn hints(self) -> Vec<String> {
        let hand = "pass an identity token of another issuer with `--id-token-env` or `--id-token-command`, and \
                    `--join-method generic_oidc`";
        let hints: &[&str] = match self {
            // go-gitea/gitea issue 26383.
            Self::Gitea => &[
                "run this on a CI platform with identity tokens: Gitea issues none to its jobs",
                hand,
                "pass `--platform github` if this is GitHub after all",
            ],
            Self::Act => {
                &["try the whole run without a cluster: `jobpass login --dry-run --simulate github`"]
            }
            Self::GitLabCiLocal => {
                &["try the whole run without a cluster: `jobpass login --dry-run --simulate gitlab`"]
            }
            Self::Harness => &[
                "put a token of Harness' workload identity into a variable of the step, and pass `--id-token-env` and \
                 `--join-method generic_oidc`",
            ],
            Self::Woodpecker | Self::Drone => {
                &["run this on a CI platform with identity tokens, such as Forgejo Actions", hand]
            }
        };
        hints.iter().map(|hint| (*hint).to_owned()).collect()
    }

    /// What gives it away, for people.
    pub fn evidence(self) -> String {
        match self {
            Self::Gitea => format!("{GITEA_ACTIONS} is set"),
            Self::Act => format!("{ACT} is true"),
            Self::GitLabCiLocal => format!("{GITLAB_CI} is false"),
            Self::Woodpecker => format!("{CI} is {WOODPECKER}"),
            Self::Harness => format!("{HARNESS} is set"),
            Self::Drone => format!("{DRONE} is true"),
        }
    }
}
