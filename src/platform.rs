//! The CI platforms, one file each: markers, token sources, folders, log syntax, later steps, simulation. They know
//! nothing of Teleport.
//!
//! A platform is a variant of [`Platform`] and a file with its [`facts::Facts`]; all else follows from these.
//! The order of [`Platform::ALL`] is the order of detection: each marker is exact and its own, so order matters
//! only where one system imitates another (Forgejo, Gitea and `act` set GitHub's variables), and those are
//! told apart first (`look_alike`).

use std::path::PathBuf;

use jiff::Timestamp;

use crate::env::Env;

mod azure_devops;
mod bitbucket;
mod bitrise;
mod buildkite;
mod circleci;
mod codefresh;
pub mod endpoint;
mod env0;
mod facts;
mod forgejo;
mod github;
mod gitlab;
mod jenkins;
pub mod look_alike;
mod semaphore;
mod simulation;
mod spacelift;
mod teamcity;
mod terraform_cloud;
mod workflow_commands;

pub use facts::{Absent, Channel, Dialect, Marker, Program, Severity, TokenPlace};
pub use simulation::{SimulatedJob, Simulation};

/// A CI system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Platform {
    GitHubActions,
    GitLabCi,
    CircleCi,
    Spacelift,
    Bitbucket,
    AzureDevOps,
    TerraformCloud,
    Env0,
    Buildkite,
    Forgejo,
    Semaphore,
    Codefresh,
    TeamCity,
    Bitrise,
    Jenkins,
}

impl Platform {
    /// In order of precedence.
    pub const ALL: [Self; 15] = [
        Self::GitHubActions,
        Self::GitLabCi,
        Self::CircleCi,
        Self::Spacelift,
        Self::Bitbucket,
        Self::AzureDevOps,
        Self::TerraformCloud,
        Self::Env0,
        Self::Buildkite,
        Self::Forgejo,
        Self::Semaphore,
        Self::Codefresh,
        Self::TeamCity,
        Self::Bitrise,
        Self::Jenkins,
    ];

    /// The only place that goes by platform: all else goes by its facts.
    fn facts(self) -> &'static facts::Facts {
        match self {
            Self::GitHubActions => &github::FACTS,
            Self::GitLabCi => &gitlab::FACTS,
            Self::CircleCi => &circleci::FACTS,
            Self::Spacelift => &spacelift::FACTS,
            Self::Bitbucket => &bitbucket::FACTS,
            Self::AzureDevOps => &azure_devops::FACTS,
            Self::TerraformCloud => &terraform_cloud::FACTS,
            Self::Env0 => &env0::FACTS,
            Self::Buildkite => &buildkite::FACTS,
            Self::Forgejo => &forgejo::FACTS,
            Self::Semaphore => &semaphore::FACTS,
            Self::Codefresh => &codefresh::FACTS,
            Self::TeamCity => &teamcity::FACTS,
            Self::Bitrise => &bitrise::FACTS,
            Self::Jenkins => &jenkins::FACTS,
        }
    }

    /// The word for flags and JSON: `github`, `gitlab`, …; that of the join method where there is one.
    pub fn id(self) -> &'static str {
        self.facts().id
    }

    /// The vendor's name for people.
    pub fn title(self) -> &'static str {
        self.facts().title
    }

    /// Whether the job runs here, by the environment alone.
    pub fn marker(self, env: &Env) -> Marker {
        (self.facts().marker)(env)
    }

    /// The first whose marker is there.
    pub fn marked(env: &Env) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.marker(env).present)
    }

    /// Where the token is, by the environment alone: `None` where a variable that must be there is not. A
    /// file may still be missing.
    pub fn token_place(self, env: &Env) -> Option<TokenPlace> {
        (self.facts().token_place)(env)
    }

    /// Whether the environment shows a token, so that asking here is promising.
    pub fn has_token(self, env: &Env) -> bool {
        matches!(self.token_place(env), Some(TokenPlace::Endpoint(_) | TokenPlace::Variable(_)))
    }

    /// The platform's own program that prints a new token for `audience`, with its arguments: `None` where it has none,
    /// or none is in `PATH`.
    pub fn program(self, env: &Env, audience: Option<&str>) -> Option<Vec<String>> {
        (self.facts().program)(env, audience)
            .filter(|words| words.first().is_some_and(|program| env.program(program).is_some()))
    }

    /// Whether a job can have tokens for any audience.
    pub fn takes_any_audience(self, env: &Env) -> bool {
        self.facts().audience_hint.is_none() || self.program(env, Some("")).is_some()
    }

    /// Why there is no token. May read the event's payload (bounded).
    pub fn absent(self, env: &Env) -> Absent {
        (self.facts().absent)(env)
    }

    /// Why the variable `name`, in which the user expects the token, is not there. `None` where the platform
    /// knows nothing of variables that a job's configuration names.
    pub fn absent_variable(self, env: &Env, name: &str) -> Option<Absent> {
        self.facts().absent_variable.map(|absent| absent(env, name))
    }

    /// Where the platform fixes the token's audience: how to get the `wanted` one. `None`: it is chosen per
    /// request.
    pub fn audience_hint(self, wanted: &str) -> Option<String> {
        self.facts().audience_hint.map(|hint| hint(wanted))
    }

    /// What to do about an expired token.
    pub fn expired_hints(self, env: &Env) -> Vec<String> {
        (self.facts().expired_hints)(env)
    }

    /// The variable that names a folder which lives as long as the job and lies outside the checkout; `None`
    /// where the platform has no such folder.
    pub fn temp_variable(self) -> Option<&'static str> {
        self.facts().temp_dir
    }

    /// That folder, absolute.
    pub fn temp_dir(self, env: &Env) -> Option<PathBuf> {
        Some(env.absolute(env.var(self.temp_variable()?)?.as_ref()))
    }

    /// Where the job's sources are: nothing secret is to be written there.
    pub fn checkout(self, env: &Env) -> Option<PathBuf> {
        (self.facts().checkout)(env)
    }

    /// `body` under `title` as the platform's log folds it, ending with a newline. Neither can give the log
    /// commands of their own, whatever the claims in them say.
    pub fn fold(self, title: &str, body: &str, now: Timestamp) -> String {
        (self.facts().log.fold)(title, body, now)
    }

    /// Whether the details of an error belong into a fold of the log.
    pub fn folds_details(self) -> bool {
        self.facts().log.folds_details
    }

    /// The line, without newline, that makes a message stand out in the platform's pages; `None` where there
    /// is no such thing.
    pub fn annotate(self, severity: Severity, title: &str, message: &str) -> Option<String> {
        self.facts().log.annotate.map(|annotate| annotate(severity, title, message))
    }

    /// How later steps get variables.
    pub fn channel(self) -> Channel {
        self.facts().channel
    }

    /// How its tokens are asked for, where they are issued on request.
    pub fn protocol(self) -> Option<&'static endpoint::Protocol> {
        self.facts().protocol
    }

    /// A job of it, as the sandbox acts it out.
    pub fn simulation(self) -> &'static Simulation {
        &self.facts().simulation
    }

    /// Whether the job's owner has asked the platform for a debug log, on any platform.
    pub fn debug_requested(env: &Env) -> bool {
        Self::ALL.iter().filter_map(|p| p.facts().debug).any(|(name, value)| env.is(name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Platform::{CircleCi, GitHubActions, GitLabCi, Spacelift};

    fn env(vars: &[(&str, &str)]) -> Env {
        Env::new(vars.iter().copied(), "/cwd")
    }

    #[test]
    fn names_each_folder() {
        type Case = (Platform, &'static [(&'static str, &'static str)], [Option<&'static str>; 2]);
        let cases: &[Case] = &[
            (
                GitHubActions,
                &[("RUNNER_TEMP", "/w/_temp"), ("GITHUB_WORKSPACE", "/w/r")],
                [Some("/w/_temp"), Some("/w/r")],
            ),
            (GitHubActions, &[("RUNNER_TEMP", "")], [None, None]),
            (
                GitLabCi,
                &[("RUNNER_TEMP_PROJECT_DIR", "/b/p.tmp"), ("CI_PROJECT_DIR", "/b/p")],
                [Some("/b/p.tmp"), Some("/b/p")],
            ),
            (GitLabCi, &[("CI_PROJECT_DIR", "/b/p")], [None, Some("/b/p")]),
            (
                CircleCi,
                &[("CIRCLE_WORKING_DIRECTORY", "~/project"), ("HOME", "/home/circleci")],
                [None, Some("/home/circleci/project")],
            ),
            (CircleCi, &[("CIRCLE_WORKING_DIRECTORY", "~/project")], [None, None]),
            (CircleCi, &[("CIRCLE_WORKING_DIRECTORY", "work")], [None, Some("/cwd/work")]),
            (Spacelift, &[], [None, Some("/mnt/workspace/source")]),
            (Spacelift, &[("TF_VAR_spacelift_workspace_root", "/ws")], [None, Some("/ws/source")]),
        ];
        for (platform, vars, [temp, checkout]) in cases {
            let env = env(vars);
            assert_eq!(platform.temp_dir(&env), temp.map(PathBuf::from), "{vars:?}");
            assert_eq!(platform.checkout(&env), checkout.map(PathBuf::from), "{vars:?}");
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
            GitHubActions.annotate(Severity::Error, "a:b,c", "1%\r\nno").as_deref(),
            Some("::error title=a%3Ab%2Cc::1%25%0D%0Ano")
        );
        assert_eq!(
            GitHubActions.annotate(Severity::Warning, "a", "b").as_deref(),
            Some("::warning title=a::b")
        );
        assert_eq!(GitLabCi.annotate(Severity::Error, "a", "b"), None);
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
    fn ids_and_markers_are_distinct() {
        for (index, platform) in Platform::ALL.into_iter().enumerate() {
            let others = &Platform::ALL[index + 1..];
            assert!(others.iter().all(|o| o.id() != platform.id() && o.title() != platform.title()));
            // A simulated job has its own marker alone.
            let job = env(platform.simulation().fixed);
            let marked: Vec<_> = Platform::ALL.into_iter().filter(|p| p.marker(&job).present).collect();
            assert_eq!((marked, Platform::marked(&job)), (vec![platform], Some(platform)));
        }
    }

    #[test]
    fn a_branch_is_in_all_claims_and_variables_of_a_simulated_job() {
        for platform in Platform::ALL {
            let simulation = platform.simulation();
            let (issuer, usual) = (simulation.issuer, simulation.usual_branch());
            let both = [usual, "other"].map(|branch| {
                let endpoint = "https://x";
                let job = SimulatedJob {
                    issuer,
                    branch,
                    token: "t",
                    token_endpoint: endpoint,
                    bearer: "b",
                    metadata: "m",
                };
                let claims = (simulation.claims)(issuer, 0, branch).to_string();
                (claims, format!("{:?}", (simulation.variables)(&job)))
            });
            let [(claims, variables), (others, other_variables)] = both;
            let renamed = |text: String| {
                text.replace(usual, "other").replace(r#"protected":"true""#, r#"protected":"false""#)
            };
            assert_eq!(renamed(claims.clone()), others, "{platform:?}");
            assert!(!other_variables.contains(usual), "{other_variables}");
            if simulation.admits_one_branch {
                assert!(claims != others && variables != other_variables, "{platform:?}");
                let protected = !other_variables.contains("REF_PROTECTED");
                assert!(
                    protected || other_variables.contains(r#"REF_PROTECTED", "false""#),
                    "{other_variables}"
                );
                assert!((simulation.admitting_spec)().to_string().contains(usual));
            }
        }
    }
}
