//! What a job of each simulated platform has: the usual claims of its identity token, and its environment.
//!
//! Claims and their types follow the platforms' own pages on identity tokens (docs.github.com, docs.gitlab.com, circleci.com/docs,
//! docs.spacelift.io).

use serde_json::{Map, Value, json};

use super::SandboxError;
use super::cluster::Cluster;
use super::ssh_cert::random;
use crate::env::names;
use crate::platform::Platform;
use crate::rules::ProvisionToken;
use crate::secret::Jwt;
use crate::span::hex;
use crate::teleport::JoinMethod;

/// The simulated repository, on GitHub and GitLab.
pub(super) const REPOSITORY: &str = "acme/app";
pub(super) const CIRCLE_ORG: &str = "11111111-2222-3333-4444-555555555555";
pub(super) const CIRCLE_PROJECT: &str = "66666666-7777-8888-9999-000000000000";
pub(super) const SPACELIFT_HOST: &str = "acme.app.spacelift.io";
pub(super) const SPACELIFT_SPACE: &str = "root";
/// Where the CI token endpoint lives on the sandbox's web port.
pub(super) const TOKEN_PATH: &str = "/_ci/github/token";

const CIRCLE_WORKFLOW: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
const CIRCLE_JOB: &str = "bbbbbbbb-cccc-dddd-eeee-ffffffffffff";
const SHA: &str = "0123456789abcdef0123456789abcdef01234567";
const RUN: &str = "9001";

/// The join method that goes with a platform.
pub(super) fn method(platform: Platform) -> JoinMethod {
    match platform {
        Platform::GitHubActions => JoinMethod::GitHub,
        Platform::GitLabCi => JoinMethod::GitLab,
        Platform::CircleCi => JoinMethod::CircleCi,
        Platform::Spacelift => JoinMethod::Spacelift,
    }
}

/// A token of that platform: its usual claims, `audience` if the job chose one, then `claims` on top (`null` removes one).
pub(super) fn token(
    cluster: &Cluster,
    platform: Platform,
    audience: Option<&str>,
    claims: &Value,
) -> Result<Jwt, SandboxError> {
    let mut all = usual(cluster, platform)?;
    if let Some(audience) = audience {
        all.insert("aud".to_owned(), audience.into());
    }
    for (name, value) in claims.as_object().into_iter().flatten() {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    cluster.issuer.sign(&all)
}

/// The variables of a job.
pub(super) fn environment(
    cluster: &Cluster,
    platform: Platform,
) -> Result<Vec<(String, String)>, SandboxError> {
    let jwt = || token(cluster, platform, None, &Value::Null).map(|jwt| jwt.expose().to_owned());
    let mut vars: Vec<(&str, String)> = [("CI", "true")].map(|(k, v)| (k, v.to_owned())).to_vec();
    let mut plain =
        |pairs: &[(&'static str, &str)]| vars.extend(pairs.iter().map(|(k, v)| (*k, (*v).to_owned())));
    match platform {
        Platform::GitHubActions => {
            plain(&GITHUB);
            let url = format!("{}{TOKEN_PATH}?api-version=2.0", cluster.url());
            plain(&[
                (names::ACTIONS_ID_TOKEN_REQUEST_URL, &url),
                (names::ACTIONS_ID_TOKEN_REQUEST_TOKEN, &cluster.bearer),
            ]);
        }
        Platform::GitLabCi => {
            let issuer = issuer(cluster, platform);
            let host = issuer.trim_start_matches("https://");
            plain(&GITLAB);
            plain(&[("CI_SERVER_HOST", host), ("CI_SERVER_URL", &issuer), (names::TBOT_GITLAB_JWT, &jwt()?)]);
        }
        Platform::CircleCi => {
            let org = circle_org(cluster);
            let token = jwt()?;
            plain(&CIRCLE);
            plain(&[
                ("CIRCLE_ORGANIZATION_ID", &org),
                (names::CIRCLE_OIDC_TOKEN, &token),
                (names::CIRCLE_OIDC_TOKEN_V2, &token),
            ]);
        }
        Platform::Spacelift => {
            plain(&SPACELIFT);
            plain(&[(names::SPACELIFT_OIDC_TOKEN, &jwt()?)]);
        }
    }
    Ok(vars.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

const GITHUB: [(&str, &str); 22] = [
    (names::GITHUB_ACTIONS, "true"),
    ("GITHUB_ACTION", "__run"),
    ("GITHUB_ACTOR", "octocat"),
    ("GITHUB_ACTOR_ID", "583231"),
    ("GITHUB_API_URL", "https://api.github.com"),
    ("GITHUB_EVENT_NAME", "push"),
    ("GITHUB_JOB", "deploy"),
    ("GITHUB_REF", "refs/heads/main"),
    ("GITHUB_REF_NAME", "main"),
    ("GITHUB_REF_PROTECTED", "true"),
    ("GITHUB_REF_TYPE", "branch"),
    ("GITHUB_REPOSITORY", REPOSITORY),
    ("GITHUB_REPOSITORY_ID", "74"),
    ("GITHUB_REPOSITORY_OWNER", "acme"),
    ("GITHUB_REPOSITORY_OWNER_ID", "65"),
    ("GITHUB_RUN_ATTEMPT", "1"),
    ("GITHUB_RUN_ID", RUN),
    ("GITHUB_RUN_NUMBER", "42"),
    ("GITHUB_SERVER_URL", "https://github.com"),
    ("GITHUB_SHA", SHA),
    ("GITHUB_WORKFLOW", "deploy"),
    ("RUNNER_ENVIRONMENT", "github-hosted"),
];

const GITLAB: [(&str, &str); 13] = [
    (names::GITLAB_CI, "true"),
    ("CI_COMMIT_BRANCH", "main"),
    ("CI_COMMIT_REF_NAME", "main"),
    ("CI_COMMIT_REF_PROTECTED", "true"),
    ("CI_COMMIT_SHA", SHA),
    ("CI_JOB_ID", RUN),
    ("CI_JOB_NAME", "deploy"),
    ("CI_JOB_TIMEOUT", "3600"),
    ("CI_PIPELINE_ID", "42"),
    ("CI_PIPELINE_SOURCE", "push"),
    ("CI_PROJECT_ID", "20"),
    ("CI_PROJECT_PATH", REPOSITORY),
    ("GITLAB_USER_LOGIN", "octocat"),
];

const CIRCLE: [(&str, &str); 8] = [
    (names::CIRCLECI, "true"),
    ("CIRCLE_BRANCH", "main"),
    ("CIRCLE_BUILD_NUM", "42"),
    ("CIRCLE_JOB", "deploy"),
    ("CIRCLE_PROJECT_ID", CIRCLE_PROJECT),
    ("CIRCLE_SHA1", SHA),
    ("CIRCLE_WORKFLOW_ID", CIRCLE_WORKFLOW),
    ("CIRCLE_WORKFLOW_JOB_ID", CIRCLE_JOB),
];

const SPACELIFT: [(&str, &str); 7] = [
    (names::SPACELIFT_RUN_ID, "01HZZZZZZZZZZZZZZZZZZZZZZZ"),
    ("TF_VAR_spacelift_account_name", "acme"),
    ("TF_VAR_spacelift_local_preview", "false"),
    ("TF_VAR_spacelift_run_state", "PLANNING"),
    ("TF_VAR_spacelift_run_type", "TRACKED"),
    ("TF_VAR_spacelift_space_id", SPACELIFT_SPACE),
    ("TF_VAR_spacelift_stack_id", "app"),
];

fn usual(cluster: &Cluster, platform: Platform) -> Result<Map<String, Value>, SandboxError> {
    let now = crate::env::now().as_second();
    let issuer = issuer(cluster, platform);
    let wanted = policy(cluster, platform)
        .and_then(|token| token.expected_audience(Some(&cluster.options.cluster)).known());
    let mut claims = json!({"jti": hex(&random::<16>()?), "iss": issuer, "iat": now, "exp": now + 3600});
    let (audience, more) = match platform {
        Platform::GitHubActions => ("https://github.com/acme".to_owned(), github(now)),
        Platform::GitLabCi => {
            (wanted.unwrap_or_else(|| cluster.options.cluster.clone()), gitlab(now, &issuer))
        }
        Platform::CircleCi => {
            let org = circle_org(cluster);
            (wanted.unwrap_or_else(|| org.clone()), circle(&org))
        }
        Platform::Spacelift => {
            let host = issuer.trim_start_matches("https://").to_owned();
            (wanted.unwrap_or(host), spacelift(now))
        }
    };
    let mut all = Map::new();
    for part in [&mut claims, &mut json!({"aud": audience}), &mut more.clone()] {
        if let Value::Object(part) = part {
            all.append(part);
        }
    }
    Ok(all)
}

/// The first join token for that platform: it decides issuer and audience.
fn policy(cluster: &Cluster, platform: Platform) -> Option<&ProvisionToken> {
    cluster.options.tokens.iter().find(|token| token.method == method(platform))
}

fn issuer(cluster: &Cluster, platform: Platform) -> String {
    policy(cluster, platform).and_then(ProvisionToken::expected_issuer).unwrap_or_else(|| match platform {
        Platform::GitHubActions => "https://token.actions.githubusercontent.com".to_owned(),
        Platform::GitLabCi => "https://gitlab.com".to_owned(),
        Platform::CircleCi => format!("https://oidc.circleci.com/org/{CIRCLE_ORG}"),
        Platform::Spacelift => format!("https://{SPACELIFT_HOST}"),
    })
}

fn circle_org(cluster: &Cluster) -> String {
    let issuer = issuer(cluster, Platform::CircleCi);
    issuer.rsplit('/').next().unwrap_or(CIRCLE_ORG).to_owned()
}

fn github(now: i64) -> Value {
    json!({
        "exp": now + 300,
        "nbf": now - 600,
        "sub": format!("repo:{REPOSITORY}:ref:refs/heads/main"),
        "ref": "refs/heads/main",
        "ref_type": "branch",
        "ref_protected": "true",
        "sha": SHA,
        "repository": REPOSITORY,
        "repository_id": "74",
        "repository_owner": "acme",
        "repository_owner_id": "65",
        "repository_visibility": "private",
        "run_id": RUN,
        "run_number": "42",
        "run_attempt": "1",
        "runner_environment": "github-hosted",
        "actor": "octocat",
        "actor_id": "583231",
        "workflow": "deploy",
        "workflow_ref": format!("{REPOSITORY}/.github/workflows/deploy.yml@refs/heads/main"),
        "workflow_sha": SHA,
        "job_workflow_ref": format!("{REPOSITORY}/.github/workflows/deploy.yml@refs/heads/main"),
        "job_workflow_sha": SHA,
        "head_ref": "",
        "base_ref": "",
        "event_name": "push",
    })
}

fn gitlab(now: i64, issuer: &str) -> Value {
    let host = issuer.trim_start_matches("https://");
    json!({
        "nbf": now - 5,
        "sub": format!("project_path:{REPOSITORY}:ref_type:branch:ref:main"),
        "namespace_id": "72",
        "namespace_path": "acme",
        "project_id": "20",
        "project_path": REPOSITORY,
        "user_id": "1",
        "user_login": "octocat",
        "user_email": "octocat@example.com",
        "pipeline_id": "42",
        "pipeline_source": "push",
        "job_id": RUN,
        "ref": "main",
        "ref_type": "branch",
        "ref_path": "refs/heads/main",
        "ref_protected": "true",
        "runner_id": 1,
        "runner_environment": "gitlab-hosted",
        "sha": SHA,
        "project_visibility": "private",
        "ci_config_ref_uri": format!("{host}/{REPOSITORY}//.gitlab-ci.yml@refs/heads/main"),
        "ci_config_sha": SHA,
    })
}

fn circle(org: &str) -> Value {
    json!({
        "sub": format!("org/{org}/project/{CIRCLE_PROJECT}/user/cccccccc-dddd-eeee-ffff-000000000000"),
        "oidc.circleci.com/context-ids": [],
        "oidc.circleci.com/job-id": CIRCLE_JOB,
        "oidc.circleci.com/org-id": org,
        "oidc.circleci.com/project-id": CIRCLE_PROJECT,
        "oidc.circleci.com/ssh-rerun": false,
        "oidc.circleci.com/vcs-origin": format!("github.com/{REPOSITORY}"),
        "oidc.circleci.com/vcs-ref": "refs/heads/main",
        "oidc.circleci.com/workflow-id": CIRCLE_WORKFLOW,
    })
}

fn spacelift(now: i64) -> Value {
    json!({
        "nbf": now,
        "sub": format!("space:{SPACELIFT_SPACE}:stack:app:run_type:TRACKED:scope:write"),
        "spaceId": SPACELIFT_SPACE,
        "callerType": "stack",
        "callerId": "app",
        "runType": "TRACKED",
        "runId": "01HZZZZZZZZZZZZZZZZZZZZZZZ",
        "scope": "write",
    })
}
