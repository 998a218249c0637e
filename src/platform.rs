//! The CI platforms: markers, token sources, folders, log syntax, sinks. Knows nothing of Teleport.
//!
//! The order of `Platform::ALL` is the order of detection: each marker is exact and its own, so order matters
//! only where one system imitates another (Forgejo, Gitea and `act` set GitHub's variables), and those are
//! told apart first (`look_alike`).

use std::path::PathBuf;
use std::str::FromStr;

use jiff::Timestamp;
use secrecy::SecretString;

use crate::env::Env;

pub mod circleci;
pub mod github;
pub mod gitlab;
pub mod look_alike;
pub mod spacelift;
pub mod text;

/// A CI system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Platform {
    GitHubActions,
    GitLabCi,
    CircleCi,
    Spacelift,
}

/// Whether a platform's marker is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// It is, exactly as the platform documents it.
    pub present: bool,
    /// The variable is there with another value than the documented one.
    pub has_other_value: bool,
    /// What was seen: `GITHUB_ACTIONS is true`, `GITLAB_CI is not set`.
    pub why: String,
}

/// Where a platform keeps the job's identity token.
#[derive(Debug, Clone)]
pub enum Place {
    /// It is made on request: a GET with a bearer and the audience in the query.
    Endpoint {
        /// Absolute, mostly with a query already.
        url: String,
        /// Secret.
        bearer: SecretString,
    },
    /// In this variable.
    Variable(&'static str),
    /// In this file.
    File(PathBuf),
}

/// Why a platform has no token for this job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// What was found.
    pub why: String,
    /// What to do, most likely first; one line each.
    pub cures: Vec<String>,
}

impl Platform {
    /// In order of precedence.
    pub const ALL: [Self; 4] = [Self::GitHubActions, Self::GitLabCi, Self::CircleCi, Self::Spacelift];

    /// The word for flags and JSON: `github`, `gitlab`, `circleci`, `spacelift`.
    pub fn id(self) -> &'static str {
        match self {
            Self::GitHubActions => "github",
            Self::GitLabCi => "gitlab",
            Self::CircleCi => "circleci",
            Self::Spacelift => "spacelift",
        }
    }

    /// The vendor's name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::GitHubActions => "GitHub Actions",
            Self::GitLabCi => "GitLab CI",
            Self::CircleCi => "CircleCI",
            Self::Spacelift => "Spacelift",
        }
    }

    /// Whether the job runs here, by the environment alone.
    pub fn marker(self, env: &Env) -> Marker {
        match self {
            Self::GitHubActions => github::marker(env),
            Self::GitLabCi => gitlab::marker(env),
            Self::CircleCi => circleci::marker(env),
            Self::Spacelift => spacelift::marker(env),
        }
    }

    /// Where the token is, by the environment alone: `None` where a variable that must be there is not. A
    /// file may still be missing.
    pub fn place(self, env: &Env) -> Option<Place> {
        match self {
            Self::GitHubActions => github::place(env),
            Self::GitLabCi => gitlab::place(env),
            Self::CircleCi => circleci::place(env),
            Self::Spacelift => Some(spacelift::place(env)),
        }
    }

    /// Whether the environment shows a token, so that asking here is promising.
    pub fn has_token(self, env: &Env) -> bool {
        matches!(self.place(env), Some(Place::Endpoint { .. } | Place::Variable(_)))
    }

    /// Why there is no token. May read the event's payload (bounded).
    pub fn absent(self, env: &Env) -> Absent {
        match self {
            Self::GitHubActions => github::absent(env),
            Self::GitLabCi => gitlab::absent(env, crate::env::names::TBOT_GITLAB_JWT),
            Self::CircleCi => circleci::absent(env),
            Self::Spacelift => spacelift::absent(env),
        }
    }

    /// Where the platform fixes the token's audience: how to get another one. `None`: it is chosen per
    /// request.
    pub fn audience_cure(self, wanted: &str) -> Option<String> {
        match self {
            Self::GitHubActions => None,
            Self::GitLabCi => Some(gitlab::audience_cure(wanted)),
            Self::CircleCi => Some(circleci::audience_cure(wanted)),
            Self::Spacelift => Some(spacelift::AUDIENCE_CURE.to_owned()),
        }
    }

    /// What to do about a token that has expired.
    pub fn expired_cures(self, env: &Env) -> Vec<String> {
        match self {
            Self::GitHubActions => vec![github::EXPIRED_CURE.to_owned()],
            Self::GitLabCi => vec![gitlab::EXPIRED_CURE.to_owned()],
            Self::CircleCi => vec![circleci::fresh_token_cure(env)],
            Self::Spacelift => vec![spacelift::EXPIRED_CURE.to_owned()],
        }
    }

    /// A folder that lives as long as the job and lies outside the checkout; `None` where the platform has
    /// none.
    pub fn temp_dir(self, env: &Env) -> Option<PathBuf> {
        let variable = match self {
            Self::GitHubActions => github::RUNNER_TEMP,
            Self::GitLabCi => gitlab::RUNNER_TEMP_PROJECT_DIR,
            // `/mnt/workspace` of Spacelift is uploaded while a run waits for approval: no place for keys.
            Self::CircleCi | Self::Spacelift => return None,
        };
        Some(env.absolute(env.var(variable)?.as_ref()))
    }

    /// Where the job's sources are: nothing secret is to be written there.
    pub fn checkout(self, env: &Env) -> Option<PathBuf> {
        match self {
            Self::GitHubActions => Some(env.absolute(env.var(github::GITHUB_WORKSPACE)?.as_ref())),
            Self::GitLabCi => Some(env.absolute(env.var(gitlab::CI_PROJECT_DIR)?.as_ref())),
            Self::CircleCi => circleci::checkout(env),
            Self::Spacelift => Some(spacelift::workspace(env).join("source")),
        }
    }

    /// `body` under `title` as the platform's log folds it, ending with a newline. Neither can give the log
    /// commands of their own, whatever the claims in them say.
    pub fn fold(self, title: &str, body: &str, now: Timestamp) -> String {
        match self {
            Self::GitHubActions => github::fold(title, body),
            Self::GitLabCi => gitlab::fold(title, body, now),
            Self::CircleCi | Self::Spacelift => {
                let mut out = format!("{}\n", text::one_line(title, 200));
                for line in text::lines(body) {
                    out.push_str("  ");
                    out.push_str(&text::without_commands(&line));
                    out.push('\n');
                }
                out
            }
        }
    }

    /// The line, without newline, that makes an error stand out in the platform's pages; `None` where there
    /// is no such thing.
    pub fn annotate_error(self, title: &str, message: &str) -> Option<String> {
        match self {
            Self::GitHubActions => Some(github::error_command(title, message)),
            Self::GitLabCi | Self::CircleCi | Self::Spacelift => None,
        }
    }

    /// Which job this is, for reports: its address where the platform tells it.
    pub fn job(self, env: &Env) -> Option<String> {
        let job = match self {
            Self::GitHubActions => github::job(env),
            Self::GitLabCi => env.var(gitlab::CI_JOB_URL).map(str::to_owned),
            Self::CircleCi => env.var(circleci::CIRCLE_BUILD_URL).map(str::to_owned),
            Self::Spacelift => spacelift::job(env),
        };
        job.map(|job| text::one_line(&job, 300))
    }

    /// Whether the job's owner has asked the platform for a debug log, on any platform.
    pub fn debug_requested(env: &Env) -> bool {
        env.is(github::RUNNER_DEBUG, "1") || env.is(gitlab::CI_DEBUG_TRACE, "true")
    }
}

impl FromStr for Platform {
    type Err = ();

    fn from_str(id: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|p| p.id() == id).ok_or(())
    }
}

/// A marker that must be exactly `true`.
fn exactly_true(env: &Env, name: &str) -> Marker {
    match env.var(name) {
        Some("true") => Marker { present: true, has_other_value: false, why: format!("{name} is true") },
        Some(other) => {
            let why = format!("{name} is `{}`, not `true`", text::one_line(other, 40));
            Marker { present: false, has_other_value: true, why }
        }
        None if env.is_set(name) => {
            Marker { present: false, has_other_value: false, why: format!("{name} is empty") }
        }
        None => Marker { present: false, has_other_value: false, why: format!("{name} is not set") },
    }
}

/// `is not set` or `is empty`.
fn how_missing(env: &Env, name: &str) -> String {
    format!("`{name}` is {}", if env.is_set(name) { "empty" } else { "not set" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Platform::{CircleCi, GitHubActions, GitLabCi, Spacelift};

    fn env(vars: &[(&str, &str)]) -> Env {
        Env::of(vars.iter().copied(), "/cwd")
    }

    #[test]
    fn names_each_folder_and_job() {
        type Case = (Platform, &'static [(&'static str, &'static str)], [Option<&'static str>; 3]);
        let cases: &[Case] = &[
            (
                GitHubActions,
                &[
                    ("RUNNER_TEMP", "/w/_temp"),
                    ("GITHUB_WORKSPACE", "/w/r"),
                    ("GITHUB_SERVER_URL", "https://github.com"),
                    ("GITHUB_REPOSITORY", "o/r"),
                    ("GITHUB_RUN_ID", "7"),
                    ("GITHUB_RUN_ATTEMPT", "2"),
                ],
                [Some("/w/_temp"), Some("/w/r"), Some("https://github.com/o/r/actions/runs/7/attempts/2")],
            ),
            (GitHubActions, &[("RUNNER_TEMP", "")], [None, None, None]),
            (
                GitLabCi,
                &[
                    ("RUNNER_TEMP_PROJECT_DIR", "/b/p.tmp"),
                    ("CI_PROJECT_DIR", "/b/p"),
                    ("CI_JOB_URL", "https://gitlab.com/-/jobs/1\u{1b}[2K"),
                ],
                [Some("/b/p.tmp"), Some("/b/p"), Some("https://gitlab.com/-/jobs/1[2K")],
            ),
            (GitLabCi, &[("CI_PROJECT_DIR", "/b/p")], [None, Some("/b/p"), None]),
            (
                CircleCi,
                &[("CIRCLE_WORKING_DIRECTORY", "~/project"), ("HOME", "/home/circleci")],
                [None, Some("/home/circleci/project"), None],
            ),
            (CircleCi, &[("CIRCLE_WORKING_DIRECTORY", "~/project")], [None, None, None]),
            (CircleCi, &[("CIRCLE_WORKING_DIRECTORY", "work")], [None, Some("/cwd/work"), None]),
            (
                Spacelift,
                &[("TF_VAR_spacelift_run_id", "01"), ("TF_VAR_spacelift_stack_id", "infra")],
                [None, Some("/mnt/workspace/source"), Some("run 01 of infra")],
            ),
            (Spacelift, &[("TF_VAR_spacelift_workspace_root", "/ws")], [None, Some("/ws/source"), None]),
        ];
        for (platform, vars, [temp, checkout, job]) in cases {
            let env = env(vars);
            assert_eq!(platform.temp_dir(&env), temp.map(PathBuf::from), "{vars:?}");
            assert_eq!(platform.checkout(&env), checkout.map(PathBuf::from), "{vars:?}");
            assert_eq!(platform.job(&env).as_deref(), *job, "{vars:?}");
        }
    }

    #[test]
    fn folds_without_letting_claims_give_commands() {
        let now = Timestamp::from_second(1_795_237_031).unwrap();
        let body = "ref: main\n::add-mask::a\n  ::error::x\n##[error]y\n\u{1b}[0Ksection_end:1:x\r\n";
        assert_eq!(
            GitHubActions.fold("50%\nof", body, now),
            "::group::50%25 of\nref: main\n: :add-mask::a\n  : :error::x\n## [error]y\n[0Ksection_end:1:x\n::endgroup::\n"
        );
        assert_eq!(
            GitLabCi.fold("the claims!", "ref: main\r\u{1b}[0Ksection_end:1:x", now),
            "\u{1b}[0Ksection_start:1795237031:jobpass_the_claims_[collapsed=true]\r\u{1b}[0Kthe claims!\n\
             ref: main[0Ksection_end:1:x\n\
             \u{1b}[0Ksection_end:1795237031:jobpass_the_claims_\r\u{1b}[0K\n"
        );
        assert_eq!(Spacelift.fold("t", "a\n::add-mask b", now), "t\n  a\n  : :add-mask b\n");
        assert_eq!(
            GitHubActions.annotate_error("a:b,c", "1%\nno").as_deref(),
            Some("::error title=a%3Ab%2Cc::1%25%0Ano")
        );
        assert_eq!(GitLabCi.annotate_error("a", "b"), None);
    }

    #[test]
    fn knows_where_debug_logs_are_asked_for() {
        for (name, value, want) in [
            ("RUNNER_DEBUG", "1", true),
            ("RUNNER_DEBUG", "0", false),
            ("CI_DEBUG_TRACE", "true", true),
            ("CI_DEBUG_TRACE", "false", false),
            ("DEBUG", "1", false),
        ] {
            assert_eq!(Platform::debug_requested(&env(&[(name, value)])), want, "{name}={value}");
        }
    }

    #[test]
    fn ids_are_read_back() {
        for platform in Platform::ALL {
            assert_eq!(platform.id().parse(), Ok(platform));
        }
        assert_eq!("GitHub".parse::<Platform>(), Err(()));
    }
}
