//! No identity here: what each platform lacks, and how it is told.

use jobpass::platform::Platform::{self, CircleCi, GitHubActions, GitLabCi, Spacelift};
use jobpass::sandbox::SandboxOptions;
use jobpass::sandbox::fault_injection::FaultInjection;
use serde_json::json;

use super::{fails, shows};
use crate::support::cluster::{Cluster, Job};
use crate::support::command::put;

const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const BEARER: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

#[test]
fn a_token_variable_of_no_use() {
    let cluster = Cluster::any();
    let expired = |platform| {
        let past = jiff::Timestamp::now().as_second() - 7_200;
        cluster.sandbox.id_token(platform, &json!({ "exp": past })).unwrap().expose().to_owned()
    };
    for (name, platform, variable, value) in [
        ("gitlab-empty", GitLabCi, "TBOT_GITLAB_JWT", String::new()),
        ("gitlab-masked", GitLabCi, "TBOT_GITLAB_JWT", "***".into()),
        ("gitlab-not-a-jwt", GitLabCi, "TBOT_GITLAB_JWT", "glpat-0123456789abcdefghij".into()),
        ("gitlab-expired", GitLabCi, "TBOT_GITLAB_JWT", expired(GitLabCi)),
        ("circleci-masked", CircleCi, "CIRCLE_OIDC_TOKEN", "*****".into()),
        ("circleci-expired", CircleCi, "CIRCLE_OIDC_TOKEN", expired(CircleCi)),
        ("spacelift-expired", Spacelift, "SPACELIFT_OIDC_TOKEN", expired(Spacelift)),
    ] {
        fails(name, 3, &cluster, &cluster.job(platform).unset(variable).set(variable, &value), &[]);
    }
}

#[test]
fn a_platform_that_gave_no_token() {
    let cluster = Cluster::any();
    let job = |platform: Platform, without: &[&str]| {
        without.iter().fold(cluster.job(platform), |job, name| job.unset(name))
    };
    let github = || job(GitHubActions, &[URL, BEARER]);
    fails("github-no-permission", 3, &cluster, &github(), &[]);
    fails("github-dependabot", 3, &cluster, &github().set("GITHUB_ACTOR", "dependabot[bot]"), &[]);
    fails("github-half-forwarded", 3, &cluster, &job(GitHubActions, &[BEARER]), &[]);

    let event = cluster.path("event.json");
    put(&event, json!({"pull_request": {"head": {"repo": {"full_name": "mallory/app"}}}}).to_string());
    let fork =
        github().set("GITHUB_EVENT_NAME", "pull_request").set("GITHUB_EVENT_PATH", event.to_str().unwrap());
    fails("github-fork", 3, &cluster, &fork, &[]);

    let other = cluster.job(GitLabCi).variable("TBOT_GITLAB_JWT").to_owned();
    let renamed = job(GitLabCi, &["TBOT_GITLAB_JWT"]);
    fails("gitlab-none", 3, &cluster, &renamed, &[]);
    fails("gitlab-other-variable", 3, &cluster, &renamed.set("SIGSTORE_ID_TOKEN", &other), &[]);
    let circle = || job(CircleCi, &["CIRCLE_OIDC_TOKEN", "CIRCLE_OIDC_TOKEN_V2"]);
    fails("circleci-none", 3, &cluster, &circle(), &[]);
    fails("circleci-fork", 3, &cluster, &circle().set("CIRCLE_PR_NUMBER", "7"), &[]);
    let free = job(Spacelift, &["SPACELIFT_OIDC_TOKEN"])
        .set("TF_VAR_spacelift_workspace_root", cluster.folder.path().to_str().unwrap());
    fails("spacelift-free-plan", 3, &cluster, &free, &[]);
}

/// The same folders, and nothing of a CI system.
fn laptop(cluster: &Cluster) -> Job<'_> {
    let mut job = cluster.job(Spacelift);
    job.variables.retain(|(name, _)| matches!(name.as_str(), "PATH" | "SSL_CERT_FILE" | "TMPDIR"));
    job
}

#[test]
fn no_platform_or_one_that_imitates_another() {
    let cluster = Cluster::any();
    let github = || cluster.job(GitHubActions);
    let cases = [
        ("gitea", github().set("GITEA_ACTIONS", "true")),
        ("woodpecker", laptop(&cluster).set("CI", "woodpecker")),
        ("drone", laptop(&cluster).set("CI", "true").set("DRONE", "true")),
        ("act", github().set("ACT", "true")),
        ("gitlab-ci-local", laptop(&cluster).set("CI", "true").set("GITLAB_CI", "false")),
        ("harness", laptop(&cluster).set("HARNESS_BUILD_ID", "7").set("DRONE", "true")),
        ("laptop", laptop(&cluster)),
        ("wrong-marker", laptop(&cluster).set("GITHUB_ACTIONS", "TRUE")),
        ("forwarded-variables", laptop(&cluster).set(URL, "https://127.0.0.1/x").set(BEARER, "b")),
    ];
    for (name, job) in cases {
        fails(name, 3, &cluster, &job, &[]);
    }
    assert_eq!(cluster.sandbox.records(), [], "nothing is asked without an identity");
}

#[test]
fn an_audience_that_cannot_be_had_is_told_before_anything_is_sent() {
    let cluster = Cluster::any();
    for platform in [GitLabCi, CircleCi, Spacelift] {
        let name = format!("audience-{}", platform.id());
        fails(&name, 2, &cluster, &cluster.job(platform), &["--audience", "other.example"]);
    }
    fails("audience-missing", 2, &cluster, &cluster.job(GitHubActions), &["--join-method", "generic_oidc"]);
    assert_eq!(cluster.sandbox.records(), []);
}

#[test]
fn a_token_given_by_hand_of_no_use() {
    let cluster = Cluster::any();
    let gitlab = cluster.job(GitLabCi).variable("TBOT_GITLAB_JWT").to_owned();
    let job = || laptop(&cluster).set("MINE", &gitlab).set("EMPTY", "");
    put(&cluster.path("not-a-token"), "{\"token\": \"x\"}");
    for (name, arguments) in [
        ("hand-env-unset", &["--id-token-env", "ABSENT"][..]),
        ("hand-env-empty", &["--id-token-env", "EMPTY"]),
        ("hand-env-value", &["--id-token-env", &gitlab]),
        ("hand-file-missing", &["--id-token-file", "absent.jwt"]),
        ("hand-file-other", &["--id-token-file", "not-a-token"]),
        ("hand-command-missing", &["--id-token-command", "no-such-program --flag"]),
        ("hand-command-fails", &["--id-token-command", "sh -c 'echo not logged in >&2; exit 7'"]),
        ("hand-command-silent", &["--id-token-command", "true"]),
        ("hand-audience", &["--id-token-env", "MINE", "--audience", "other.example"]),
    ] {
        fails(name, 3, &cluster, &job(), arguments);
    }
}

#[test]
fn the_token_endpoint_says_no_or_not_yet() {
    let cluster = Cluster::any();
    let stranger = cluster.job(GitHubActions).unset(BEARER).set(BEARER, "a-bearer-of-another-job");
    fails("github-401", 3, &cluster, &stranger, &[]);

    let busy = |times| {
        let inject = FaultInjection { token_503: times, ..FaultInjection::default() };
        Cluster::start(SandboxOptions { inject, ..SandboxOptions::simulating(None) })
    };
    let down = busy(u32::MAX);
    fails("github-503", 5, &down, &down.job(GitHubActions), &[]);

    let cluster = busy(2);
    let ran = cluster.job(GitHubActions).login(&[]).ok();
    let notes: String = ran.stderr.split_inclusive('\n').filter(|l| l.contains("trying again")).collect();
    assert_eq!(notes.lines().count(), 2, "{}", ran.stderr);
    shows("github-503-then-well", 0, &cluster, &crate::support::command::Ran { stderr: notes, ..ran });
}
