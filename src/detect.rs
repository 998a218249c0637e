//! Where am I? The environment and the flags → where the proof comes from, and by which method it is shown.
//!
//! In order: the flag; a marker whose platform has a token; a marker without one (then `token` stops and
//! explains). The wrong value in a marker is no match, and a look-alike is told apart before GitHub is
//! believed.

use std::path::PathBuf;

use thiserror::Error;

use crate::cloud::Cloud;
use crate::env::Env;
use crate::error::{Exit, StageError};
use crate::platform::Platform;
use crate::platform::look_alike::LookAlike;
use crate::rules::method_of;
use crate::teleport::JoinMethod;

/// What the user said about it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `--platform`, `None` for auto.
    pub platform: Option<Platform>,
    /// `--join-method`, `None` for auto.
    pub method: Option<JoinMethod>,
    /// `--id-token-…`, so that no platform is needed.
    pub given: Option<GivenToken>,
}

/// Where the user says that the identity token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenToken {
    /// `--id-token-env NAME`.
    Variable(String),
    /// `--id-token-file PATH` (`-`: standard input).
    File(PathBuf),
    /// `--id-token-command WORDS…`: run without a shell, its standard output taken.
    Command(Vec<String>),
}

/// Where the proof comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofSource {
    /// An identity token that the user hands over.
    Given(GivenToken),
    /// The identity token that the CI platform issues to the job.
    Platform(Platform),
    /// The machine's own identity.
    Machine(Cloud),
}

impl ProofSource {
    /// The machine that proves by this method, whatever the platform of the job on it.
    fn machine(method: JoinMethod) -> Option<Self> {
        match method {
            JoinMethod::Iam => Some(Self::Machine(Cloud::Aws)),
            _ => None,
        }
    }
}

/// Where the job runs, and how it joins.
#[derive(Debug, Clone)]
pub struct Detected {
    /// The CI system, for its log, folders and later steps; `None` on a laptop with a token given by the user.
    pub platform: Option<Platform>,
    /// Where the proof comes from.
    pub source: ProofSource,
    /// How to join; `None`: the server knows the method of the token.
    pub method: Option<JoinMethod>,
    /// Why each platform was taken or not.
    pub reasons: Vec<Reason>,
}

/// Why a platform was taken or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Its id (or that of a look-alike: `gitea`, `forgejo`, `act`).
    pub platform: &'static str,
    /// Whether it was chosen.
    pub taken: bool,
    /// Not chosen, though something of it is there: its marker with another value, or its token without a marker.
    pub is_suspect: bool,
    /// `GITHUB_ACTIONS is true`, `GITLAB_CI is not set`, …
    pub why: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, Error)]
#[allow(missing_docs)]
pub enum DetectError {
    /// Nothing that looks like CI.
    #[error("no supported CI platform detected")]
    NoPlatform { reasons: Vec<Reason> },
    /// A system that imitates GitHub's variables.
    #[error("this is {}, which imitates GitHub Actions without its identity tokens", system.title())]
    LookAlike { system: LookAlike, reasons: Vec<Reason> },
}

impl DetectError {
    /// Why each platform was not taken.
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
                let suspects = reasons.iter().filter(|r| r.is_suspect);
                let suspects = suspects
                    .map(|r| format!("pass `--platform {}` if this is such a job: {}", r.platform, r.why));
                let run = "run it in a CI job, or pass an identity token with `--id-token-env`, \
                           `--id-token-file` or `--id-token-command`";
                suspects.chain([run.to_owned(), LAPTOP.to_owned()]).collect()
            }
            Self::LookAlike { system, .. } => system.hints(),
        }
    }
}

/// Decides, without any I/O.
pub fn detect(env: &Env, request: &Request) -> Result<Detected, DetectError> {
    let look_alike = LookAlike::find(env);
    let by_flag = request.given.is_some() || request.method.is_some() || request.platform.is_some();
    if let (Some(system), false) = (look_alike, by_flag) {
        let mut reasons = reasons(env, request, None, &[], None);
        let why = format!("{} is set", system.marker());
        reasons.insert(0, Reason { platform: system.id(), taken: true, is_suspect: false, why });
        return Err(DetectError::LookAlike { system, reasons });
    }
    let marked: Vec<Platform> = Platform::ALL.into_iter().filter(|p| p.marker(env).present).collect();
    let platform = choose(env, request, &marked);
    let reasons = reasons(env, request, look_alike, &marked, platform);
    let source = match (&request.given, request.method.and_then(ProofSource::machine), platform) {
        (Some(given), ..) => ProofSource::Given(given.clone()),
        (None, Some(machine), _) => machine,
        (None, None, Some(platform)) => ProofSource::Platform(platform),
        (None, None, None) => return Err(DetectError::NoPlatform { reasons }),
    };
    // A look-alike is taken for its log and files, which work as GitHub's do; its tokens are not GitHub's.
    let imitated =
        platform == Some(Platform::GitHubActions) && request.platform.is_none() && look_alike.is_some();
    let method = request.method.or_else(|| platform.filter(|_| !imitated).map(method_of));
    Ok(Detected { platform, source, method, reasons })
}

fn choose(env: &Env, request: &Request, marked: &[Platform]) -> Option<Platform> {
    let has_method = |p: &Platform| request.method == Some(method_of(*p));
    request
        .platform
        .or_else(|| marked.iter().copied().find(has_method))
        .or_else(|| marked.iter().copied().find(|p| p.has_token(env)))
        .or_else(|| marked.first().copied())
        // A container that was handed the token's variables but not the marker.
        .or_else(|| {
            Platform::ALL.into_iter().find(|p| request.given.is_none() && has_method(p) && p.has_token(env))
        })
}

fn reasons(
    env: &Env,
    request: &Request,
    look_alike: Option<LookAlike>,
    marked: &[Platform],
    chosen: Option<Platform>,
) -> Vec<Reason> {
    let imitation = look_alike.map(|l| Reason {
        platform: l.id(),
        taken: false,
        is_suspect: false,
        why: format!("{} is set, but the join method or the token is given by hand", l.marker()),
    });
    let platforms = Platform::ALL.into_iter().map(|platform| {
        let marker = platform.marker(env);
        let taken = chosen == Some(platform);
        let note = if taken && request.platform.is_some() {
            ", asked for with `--platform`".to_owned()
        } else if taken && !marker.present {
            ", but `--join-method` names it and its token is here".to_owned()
        } else if let (true, false, Some(chosen)) = (marker.present, taken, chosen) {
            let first = marked.iter().position(|p| *p == platform) < marked.iter().position(|p| *p == chosen);
            let cause = if request.platform.is_some() {
                "was asked for"
            } else if first {
                "is the one with a token"
            } else {
                "comes first"
            };
            format!(", but {} {cause}", chosen.id())
        } else if !marker.present && platform.has_token(env) {
            ", though its token's variables are".to_owned()
        } else {
            String::new()
        };
        let is_suspect = !taken && !marker.present && (marker.has_other_value || platform.has_token(env));
        Reason { platform: platform.id(), taken, is_suspect, why: format!("{}{note}", marker.why) }
    });
    imitation.into_iter().chain(platforms).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Platform::{CircleCi, GitHubActions, GitLabCi, Spacelift};

    const URL: (&str, &str) = ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x/?a=b");
    const BEARER: (&str, &str) = ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "s3cr3t");
    const GITHUB: (&str, &str) = ("GITHUB_ACTIONS", "true");
    const GITLAB: (&str, &str) = ("GITLAB_CI", "true");

    fn run(vars: &[(&str, &str)], request: &Request) -> Result<Detected, DetectError> {
        let found = detect(&Env::new(vars.iter().copied(), "/"), request);
        let hints = found.as_ref().err().map(StageError::hints).unwrap_or_default();
        let text = format!("{found:?} {hints:?}");
        assert!(!text.contains("s3cr3t"), "{text}");
        found
    }

    fn why<'a>(reasons: &'a [Reason], platform: &str) -> &'a str {
        &reasons.iter().find(|r| r.platform == platform).unwrap().why
    }

    #[test]
    fn finds_the_platform() {
        let forwarded = [URL, BEARER];
        let cases: &[(&[(&str, &str)], Platform)] = &[
            (&[GITHUB], GitHubActions),
            (&[GITLAB], GitLabCi),
            (&[("CIRCLECI", "true")], CircleCi),
            (&[("SPACELIFT_OIDC_TOKEN", "s3cr3t")], Spacelift),
            (&[("TF_VAR_spacelift_run_id", "01")], Spacelift),
            // Not through to the next: the marker without a token stays.
            (&[GITHUB, ("KUBERNETES_SERVICE_HOST", "10.0.0.1")], GitHubActions),
            // Nested: the first, but rather one with a token.
            (&[GITHUB, GITLAB], GitHubActions),
            (&[GITHUB, URL, GITLAB, ("TBOT_GITLAB_JWT", "s3cr3t")], GitLabCi),
            (&[GITHUB, URL, BEARER, GITLAB, ("TBOT_GITLAB_JWT", "s3cr3t")], GitHubActions),
            // A wrong value beside a right one.
            (&[("GITHUB_ACTIONS", "1"), ("CIRCLECI", "true")], CircleCi),
            // `ACT` is another one's variable there.
            (&[("ACT", "true"), GITLAB], GitLabCi),
        ];
        for (vars, want) in cases {
            let found = run(vars, &Request::default()).unwrap();
            assert_eq!((found.platform, found.method), (Some(*want), Some(method_of(*want))), "{vars:?}");
            let taken: Vec<_> = found.reasons.iter().filter(|r| r.taken).map(|r| r.platform).collect();
            assert_eq!(taken, [want.id()], "{vars:?}");
            assert_eq!(found.reasons.len(), Platform::ALL.len());
        }
        let named = Request { method: Some(JoinMethod::GitHub), ..Request::default() };
        assert_eq!(run(&forwarded, &named).unwrap().platform, Some(GitHubActions));
        assert_eq!(
            run(&[GITHUB, GITLAB], &Request { method: Some(JoinMethod::GitLab), ..named }).unwrap().platform,
            Some(GitLabCi)
        );
    }

    #[test]
    fn says_why_not() {
        for (vars, platform, want) in [
            (&[("GITHUB_ACTIONS", "TRUE")][..], "github", "GITHUB_ACTIONS is `TRUE`, not `true`"),
            (&[("GITLAB_CI", "1")], "gitlab", "GITLAB_CI is `1`, not `true`"),
            (&[("CIRCLECI", "true\n\u{1b}[2J")], "circleci", "CIRCLECI is `true [2J`, not `true`"),
            (&[("CIRCLECI", "")], "circleci", "CIRCLECI is empty"),
            (&[], "gitlab", "GITLAB_CI is not set"),
            (&[URL, BEARER], "github", "GITHUB_ACTIONS is not set, though its token's variables are"),
            (&[], "spacelift", "neither SPACELIFT_OIDC_TOKEN nor TF_VAR_spacelift_run_id is set"),
        ] {
            let error = run(vars, &Request::default()).unwrap_err();
            let DetectError::NoPlatform { reasons } = &error else { panic!("{error:?}") };
            assert_eq!(why(reasons, platform), want);
            let near = want.contains("not `true`") || want.contains("though");
            assert_eq!(
                error.hints().join("\n").contains(&format!("`--platform {platform}`")),
                near,
                "{want}"
            );
        }
        let nested =
            run(&[GITHUB, GITLAB, ("TBOT_GITLAB_JWT", "s3cr3t")], &Request::default()).unwrap().reasons;
        assert_eq!(why(&nested, "github"), "GITHUB_ACTIONS is true, but gitlab is the one with a token");
        let nested = run(&[GITHUB, GITLAB], &Request::default()).unwrap().reasons;
        assert_eq!(why(&nested, "gitlab"), "GITLAB_CI is true, but github comes first");
    }

    #[test]
    fn look_alikes_are_not_github() {
        for (marker, value, name, hint) in [
            ("GITEA_ACTIONS", "true", "Gitea Actions", "Gitea issues none to its jobs"),
            ("FORGEJO_ACTIONS", "true", "Forgejo Actions", "--id-token-command"),
            ("ACT", "true", "act", "--dry-run --simulate github"),
        ] {
            let vars = [GITHUB, (marker, value), URL, BEARER];
            let error = run(&vars, &Request::default()).unwrap_err();
            assert!(
                matches!(error, DetectError::LookAlike { system, .. } if system.title() == name),
                "{error:?}"
            );
            assert!(error.hints().join("\n").contains(hint), "{:?}", error.hints());

            let method =
                run(&vars, &Request { method: Some(JoinMethod::GenericOidc), ..Request::default() }).unwrap();
            assert_eq!(
                (method.platform, method.method),
                (Some(GitHubActions), Some(JoinMethod::GenericOidc))
            );
            assert!(
                why(&method.reasons, name.split(' ').next().unwrap().to_lowercase().as_str())
                    .contains(marker)
            );
            let token =
                run(&vars, &Request { given: Some(GivenToken::Variable("T".into())), ..Request::default() })
                    .unwrap();
            assert_eq!((token.platform, token.method), (Some(GitHubActions), None));
            let asked = run(&vars, &Request { platform: Some(GitHubActions), ..Request::default() }).unwrap();
            assert_eq!(asked.method, Some(JoinMethod::GitHub));
        }
        // Both of Forgejo's, which sets Gitea's too.
        let both =
            run(&[("GITEA_ACTIONS", "true"), ("FORGEJO_ACTIONS", "true")], &Request::default()).unwrap_err();
        assert!(matches!(both, DetectError::LookAlike { system: LookAlike::Forgejo, .. }));
        assert!(run(&[GITHUB, ("ACT", "1")], &Request::default()).is_ok());
    }

    #[test]
    fn what_the_user_says_wins() {
        let asked = run(&[GITLAB], &Request { platform: Some(CircleCi), ..Request::default() }).unwrap();
        assert_eq!((asked.platform, asked.method), (Some(CircleCi), Some(JoinMethod::CircleCi)));
        assert_eq!(why(&asked.reasons, "circleci"), "CIRCLECI is not set, asked for with `--platform`");
        assert_eq!(why(&asked.reasons, "gitlab"), "GITLAB_CI is true, but circleci was asked for");

        let laptop =
            run(&[], &Request { given: Some(GivenToken::Variable("T".into())), ..Request::default() })
                .unwrap();
        assert_eq!((laptop.platform, laptop.method), (None, None));
        let given = run(
            &[GITLAB],
            &Request {
                given: Some(GivenToken::Variable("T".into())),
                method: Some(JoinMethod::GenericOidc),
                platform: None,
            },
        )
        .unwrap();
        assert_eq!((given.platform, given.method), (Some(GitLabCi), Some(JoinMethod::GenericOidc)));
        assert!(run(&[], &Request { method: Some(JoinMethod::GitLab), ..Request::default() }).is_err());
    }
}
