use super::*;
use crate::cloud::Cloud;
use crate::error::StageError;
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
        assert_eq!(found.reasons.len(), Platform::ALL.len() + Cloud::ALL.len());
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
        let DetectError::NoPlatform { reasons, .. } = &error else { panic!("{error:?}") };
        assert_eq!(why(reasons, platform), want);
        let near = want.contains("not `true`") || want.contains("though");
        assert_eq!(error.hints().join("\n").contains(&format!("`--platform {platform}`")), near, "{want}");
    }
    // Nobody who is in a CI job is told to go to one.
    for (ci, hint, other) in [
        ("true", "`--join-method generic_oidc`", "run it in a CI job"),
        ("false", "run it in a CI job", "generic_oidc"),
    ] {
        let hints = run(&[("CI", ci)], &Request::default()).unwrap_err().hints().join("\n");
        assert!(hints.contains(hint) && !hints.contains(other), "{hints}");
        assert_eq!(hints.contains("on a laptop"), ci == "false", "{hints}");
    }
    let nested = run(&[GITHUB, GITLAB, ("TBOT_GITLAB_JWT", "s3cr3t")], &Request::default()).unwrap().reasons;
    assert_eq!(why(&nested, "github"), "GITHUB_ACTIONS is true, but gitlab is the one with a token");
    let nested = run(&[GITHUB, GITLAB], &Request::default()).unwrap().reasons;
    assert_eq!(why(&nested, "gitlab"), "GITLAB_CI is true, but github comes first");
}

#[test]
fn look_alikes_are_not_github() {
    for (marker, value, name, hint, seen) in [
        ("GITEA_ACTIONS", "true", "Gitea Actions", "Gitea issues none to its jobs", "GITEA_ACTIONS is set"),
        ("ACT", "true", "act", "--dry-run --simulate github", "ACT is true"),
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
        assert_eq!((method.platform, method.method), (Some(GitHubActions), Some(JoinMethod::GenericOidc)));
        let id = name.split(' ').next().unwrap().to_lowercase();
        let told = why(&method.reasons, &id);
        assert_eq!(told, format!("{seen}, but the join method or the token is given by hand"));
        let token =
            run(&vars, &Request { given: Some(GivenToken::Variable("T".into())), ..Request::default() })
                .unwrap();
        assert_eq!((token.platform, token.method), (Some(GitHubActions), None));
        let asked = run(&vars, &Request { platform: Some(GitHubActions), ..Request::default() }).unwrap();
        assert_eq!(asked.method, Some(JoinMethod::GitHub));
        assert_eq!(why(&asked.reasons, &id), format!("{seen}, but the platform is given by hand"));
    }
    // Forgejo is a platform, though it sets Gitea's marker and GitHub's too.
    let vars = [GITHUB, ("GITEA_ACTIONS", "true"), ("FORGEJO_ACTIONS", "true"), URL, BEARER];
    let forgejo = run(&vars, &Request::default()).unwrap();
    let found = (forgejo.platform, forgejo.method);
    assert_eq!(found, (Some(Platform::Forgejo), Some(JoinMethod::GenericOidc)));
    assert_eq!(why(&forgejo.reasons, "github"), "GITHUB_ACTIONS is true, but FORGEJO_ACTIONS is set, too");
    let asked = run(&vars, &Request { platform: Some(GitHubActions), ..Request::default() }).unwrap();
    assert_eq!(asked.method, Some(JoinMethod::GitHub));
    // These imitate nobody, and are told apart from platforms.
    for (markers, system, hint) in [
        (&[("CI", "woodpecker")][..], LookAlike::Woodpecker, "generic_oidc"),
        (&[("DRONE", "true")], LookAlike::Drone, "generic_oidc"),
        (&[("CI", "true"), ("GITLAB_CI", "false")], LookAlike::GitLabCiLocal, "--dry-run --simulate gitlab"),
        // It has Drone's variables as well.
        (&[("HARNESS_BUILD_ID", "7"), ("DRONE", "true")], LookAlike::Harness, "`--id-token-env` and"),
    ] {
        let error = run(markers, &Request::default()).unwrap_err();
        assert!(matches!(error, DetectError::LookAlike { system: s, .. } if s == system), "{error:?}");
        assert!(error.hints().join("\n").contains(hint), "{:?}", error.hints());
        assert_eq!(why(error.reasons(), system.id()), system.evidence());
        let nested = [markers, &[("CIRCLECI", "true")]].concat();
        assert_eq!(run(&nested, &Request::default()).unwrap().platform, Some(CircleCi));
    }
    assert!(run(&[GITHUB, ("ACT", "1")], &Request::default()).is_ok());
}

#[test]
fn what_the_user_says_wins() {
    let asked = run(&[GITLAB], &Request { platform: Some(CircleCi), ..Request::default() }).unwrap();
    assert_eq!((asked.platform, asked.method), (Some(CircleCi), Some(JoinMethod::CircleCi)));
    assert_eq!(why(&asked.reasons, "circleci"), "CIRCLECI is not set, asked for with `--platform`");
    assert_eq!(why(&asked.reasons, "gitlab"), "GITLAB_CI is true, but circleci was asked for");

    let laptop =
        run(&[], &Request { given: Some(GivenToken::Variable("T".into())), ..Request::default() }).unwrap();
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

/// A machine: what its firmware says, and whether a pod's token is mounted.
struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    #[allow(clippy::disallowed_methods)]
    fn new(files: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self { root }
    }

    fn detect(&self, vars: &[(&str, &str)], request: &Request) -> Result<Detected, DetectError> {
        detect(&Env::new(vars.iter().copied(), "/").on_machine(self.root.path()), request)
    }
}

const EC2: (&str, &str) = ("sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
const GCE: (&str, &str) = ("sys/class/dmi/id/product_name", "Google Compute Engine\n");
const AZURE_VM: (&str, &str) = ("sys/class/dmi/id/chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77\n");
const MOUNTED: (&str, &str) = ("var/run/secrets/kubernetes.io/serviceaccount/token", "s3cr3t");
const POD: (&str, &str) = ("KUBERNETES_SERVICE_HOST", "10.96.0.1");

/// Who is asked, where a CI system, a pod and a machine lie inside each other.
#[test]
fn nested_places_have_one_identity() {
    use ProofSource::{Cloud as On, Platform as Job};
    type Files = &'static [(&'static str, &'static str)];
    const JWT: (&str, &str) = ("TBOT_GITLAB_JWT", "s3cr3t");
    let cases: &[(&str, Files, Files, Option<ProofSource>)] = &[
        ("a bare VM", &[EC2], &[], Some(On(Cloud::Aws))),
        ("another", &[GCE], &[], Some(On(Cloud::Gcp))),
        ("a third", &[AZURE_VM], &[], Some(On(Cloud::Azure))),
        ("a pod on a VM", &[MOUNTED, GCE], &[POD], Some(On(Cloud::Kubernetes))),
        ("a pod without a token on a VM", &[GCE], &[POD], Some(On(Cloud::Gcp))),
        ("a pod without a token anywhere else", &[], &[POD], Some(On(Cloud::Kubernetes))),
        (
            "a pod whose token has its own place",
            &[EC2],
            &[("KUBERNETES_TOKEN_PATH", "/t")],
            Some(On(Cloud::Kubernetes)),
        ),
        (
            "a container of ECS",
            &[],
            &[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")],
            Some(On(Cloud::Aws)),
        ),
        ("a laptop", &[], &[("AWS_ACCESS_KEY_ID", "AKIA")], None),
        (
            "GitHub's runner in a pod on a VM",
            &[MOUNTED, GCE],
            &[POD, GITHUB, URL, BEARER],
            Some(Job(GitHubActions)),
        ),
        ("the same without permission", &[MOUNTED, GCE], &[POD, GITHUB], Some(Job(GitHubActions))),
        ("GitLab's runner on a VM", &[EC2], &[GITLAB, JWT], Some(Job(GitLabCi))),
        ("the same without `id_tokens`", &[EC2], &[GITLAB], Some(Job(GitLabCi))),
        ("a container with a forwarded marker", &[EC2], &[("CI", "true"), GITLAB], Some(Job(GitLabCi))),
        ("a container with a forwarded token", &[EC2], &[JWT], None),
        ("a container with an odd marker", &[EC2, MOUNTED], &[POD, ("GITLAB_CI", "1")], None),
        ("a CI system nobody knows", &[EC2, MOUNTED], &[POD, ("CI", "true")], None),
        ("one that woodpeckers have", &[GCE], &[("CI", "woodpecker")], None),
        ("a look-alike", &[GCE, MOUNTED], &[POD, GITHUB, ("GITEA_ACTIONS", "true")], None),
        ("act on a VM", &[EC2], &[GITHUB, ("ACT", "true"), ("CI", "true")], None),
        ("gitlab-ci-local in a pod", &[MOUNTED], &[POD, ("GITLAB_CI", "false"), ("CI", "true")], None),
        ("Harness in a pod", &[MOUNTED], &[POD, ("HARNESS_BUILD_ID", "7"), ("DRONE", "true")], None),
        ("GitLab's runner in a pod", &[MOUNTED, GCE], &[POD, GITLAB, JWT], Some(Job(GitLabCi))),
        (
            "Jenkins in a pod, without its token",
            &[MOUNTED],
            &[POD, ("JENKINS_URL", "https://j"), ("BUILD_ID", "7")],
            Some(Job(Platform::Jenkins)),
        ),
        ("Buildkite's agent on a VM", &[GCE], &[("BUILDKITE", "true")], Some(Job(Platform::Buildkite))),
        (
            "a worker of Spacelift's with an integration of AWS",
            &[EC2],
            &[
                ("TF_VAR_spacelift_run_id", "1"),
                ("AWS_ACCESS_KEY_ID", "ASIA"),
                ("AWS_SESSION_TOKEN", "s3cr3t"),
            ],
            Some(Job(Spacelift)),
        ),
        (
            "a job of GitHub's that hands variables of Spacelift's on",
            &[EC2],
            &[GITHUB, URL, BEARER, ("TF_VAR_spacelift_run_id", "1")],
            Some(Job(GitHubActions)),
        ),
        (
            "a runner of GitHub's that CodeBuild hosts",
            &[EC2],
            &[("CODEBUILD_BUILD_ID", "b:1"), GITHUB, URL, BEARER],
            Some(Job(GitHubActions)),
        ),
        ("CodeBuild", &[], &[("CODEBUILD_BUILD_ID", "b:1")], Some(On(Cloud::Aws))),
        ("Cloud Build", &[], &[("BUILDER_OUTPUT", "/builder/outputs")], Some(On(Cloud::Gcp))),
        ("a container with GitHub's forwarded variables", &[EC2], &[URL, BEARER, ("CI", "true")], None),
        ("a variable that says no", &[GCE], &[("CI", "false")], Some(On(Cloud::Gcp))),
    ];
    for (place, files, vars, want) in cases {
        let machine = Machine::new(files);
        let found = machine.detect(vars, &Request::default());
        let reasons = match &found {
            Ok(found) => {
                let own = match &found.source {
                    On(cloud) => (None, method_of_cloud(*cloud)),
                    Job(platform) => (Some(*platform), method_of(*platform)),
                    ProofSource::Given(_) => panic!("{place}"),
                };
                assert_eq!((found.platform, found.method), (own.0, Some(own.1)), "{place}");
                &found.reasons
            }
            Err(error) => error.reasons(),
        };
        assert_eq!(found.as_ref().ok().map(|found| found.source.clone()), *want, "{place}: {reasons:?}");
        let taken = reasons.iter().filter(|reason| reason.taken).count();
        assert_eq!(
            taken,
            usize::from(want.is_some() || matches!(found, Err(DetectError::LookAlike { .. }))),
            "{place}"
        );
        assert!(!format!("{reasons:?}").contains("s3cr3t"), "{place}");
    }
}

#[test]
fn a_machine_is_asked_for_by_its_join_method() {
    let machine = Machine::new(&[EC2, MOUNTED]);
    let asked = |method| Request { method: Some(method), ..Request::default() };
    for (method, cloud) in [
        (JoinMethod::Iam, Cloud::Aws),
        (JoinMethod::Gcp, Cloud::Gcp),
        (JoinMethod::Azure, Cloud::Azure),
        (JoinMethod::Kubernetes, Cloud::Kubernetes),
    ] {
        // Inside a job and without; in sight or not. Its log and files stay the platform's.
        for (vars, platform) in [(&[POD][..], None), (&[POD, GITLAB, ("CI", "true")], Some(GitLabCi))] {
            let found = machine.detect(vars, &asked(method)).unwrap();
            assert_eq!((found.source, found.platform), (ProofSource::Cloud(cloud), platform), "{method}");
            assert_eq!(found.method, Some(method));
            let why = why(&found.reasons, cloud.id());
            assert!(why.ends_with(", asked for with `--join-method`"), "{why}");
        }
    }
    // A token that is given is what proves, whatever the method.
    let given = Some(GivenToken::Variable("T".into()));
    let found = machine.detect(&[POD], &Request { given: given.clone(), ..asked(JoinMethod::Kubernetes) });
    assert!(matches!(found.unwrap().source, ProofSource::Given(_)));
    let found = machine.detect(&[POD], &Request { given, ..Request::default() }).unwrap();
    assert_eq!((found.method, found.platform), (None, None));
    // Another method's job is not there.
    assert!(machine.detect(&[POD], &asked(JoinMethod::GitHub)).is_err());
}

#[test]
fn what_a_machine_has_is_told_with_the_way_to_it() {
    let machine = Machine::new(&[EC2, GCE, MOUNTED]);
    let reasons = machine.detect(&[POD], &Request::default()).unwrap().reasons;
    assert_eq!(why(&reasons, "aws"), "the firmware says `Amazon EC2`, but kubernetes comes first");
    assert_eq!(why(&reasons, "azure"), "the firmware does not say Azure");
    for (vars, platform, want, hinted) in [
        (
            &[POD, ("CI", "true")][..],
            "aws",
            ", but the identity of a CI job's machine is not the job's",
            true,
        ),
        (&[("CI", "true")], "kubernetes", "there is a service account's token in", true),
        (&[("CI", "true")], "azure", "the firmware does not say Azure", false),
    ] {
        let error = machine.detect(vars, &Request::default()).unwrap_err();
        assert!(why(error.reasons(), platform).contains(want), "{}", why(error.reasons(), platform));
        let hints = error.hints().join("\n");
        let flag = format!("pass `--join-method {}`", if platform == "aws" { "iam" } else { platform });
        assert_eq!(hints.contains(&flag), hinted, "{hints}");
    }
}
