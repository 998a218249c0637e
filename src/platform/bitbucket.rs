//! Bitbucket Pipelines.
//!
//! Names and claims from support.atlassian.com, "Variables and secrets" and "Integrate Pipelines with resource servers
//! using OIDC".

use serde_json::{Value, json};

use super::facts::{Absent, Channel, Facts, LogSyntax, how_missing, in_variable, indented, one_of};
use super::simulation::{BRANCH, SHA, Simulation};
use crate::env::Env;
use crate::text::safe;

/// Users can set it in other places, too; nobody has a reason to.
const BITBUCKET_BUILD_NUMBER: &str = "BITBUCKET_BUILD_NUMBER";
/// Only on a step with `oidc`.
const BITBUCKET_STEP_OIDC_TOKEN: &str = "BITBUCKET_STEP_OIDC_TOKEN";

pub(super) const FACTS: Facts = Facts {
    id: "bitbucket",
    title: "Bitbucket Pipelines",
    marker: |env| one_of(env, &[BITBUCKET_BUILD_NUMBER]),
    token_place: |env| in_variable(env, BITBUCKET_STEP_OIDC_TOKEN),
    program: |_, _| None,
    absent,
    absent_variable: None,
    audience_hint: Some(|wanted| {
        format!(
            "set it in `bitbucket-pipelines.yml`: `oidc: {{ audiences: [{}] }}` on the step",
            safe(wanted, 150)
        )
    }),
    expired_hints: |_| {
        vec!["log in at the begin of the step: its identity token is made when the step starts".to_owned()]
    },
    // A container for each step; what lies outside the clone ends with it.
    temp_dir: None,
    checkout: |env| Some(env.absolute(env.var("BITBUCKET_CLONE_DIR")?.as_ref())),
    job: &["BITBUCKET_PIPELINE_UUID", "BITBUCKET_STEP_UUID"],
    limit: None,
    log: LogSyntax { fold: indented, folds_details: false, annotate: None },
    channel: Channel::Script {
        hint: "load the variables for the next lines of the same `script`: `eval \"$(jobpass login --export shell)\"`; each \
               step is a container of its own and logs in for itself",
    },
    debug: None,
    protocol: None,
    simulation: Simulation {
        issuer: ISSUER,
        audience: |_| Some(AUDIENCE.to_owned()),
        claims,
        fixed: &VARIABLES,
        variables: |job| {
            vec![
                (BITBUCKET_STEP_OIDC_TOKEN, job.token.to_owned()),
                ("BITBUCKET_BRANCH", job.branch.to_owned()),
            ]
        },
        admitting_spec: || {
            json!({
                "audience": AUDIENCE,
                "identity_provider_url": ISSUER,
                "allow": [{"repository_uuid": REPOSITORY_UUID, "branch_name": BRANCH}],
            })
        },
        admits_one_branch: true,
    },
};

fn absent(env: &Env) -> Absent {
    Absent {
        why: how_missing(env, BITBUCKET_STEP_OIDC_TOKEN),
        hints: vec![
            "add `oidc: true` to the step in `bitbucket-pipelines.yml`".to_owned(),
            format!(
                "inside a container of your own, forward the variable: `docker run -e {BITBUCKET_STEP_OIDC_TOKEN}`"
            ),
        ],
    }
}

const ISSUER: &str = "https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc";
const AUDIENCE: &str = "ari:cloud:bitbucket::workspace/11111111-2222-3333-4444-555555555555";
const WORKSPACE_UUID: &str = "{11111111-2222-3333-4444-555555555555}";
const REPOSITORY_UUID: &str = "{66666666-7777-8888-9999-000000000000}";
const PIPELINE_UUID: &str = "{aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee}";
const STEP_UUID: &str = "{bbbbbbbb-cccc-dddd-eeee-ffffffffffff}";

const VARIABLES: [(&str, &str); 7] = [
    (BITBUCKET_BUILD_NUMBER, "42"),
    ("BITBUCKET_COMMIT", SHA),
    ("BITBUCKET_PIPELINE_UUID", PIPELINE_UUID),
    ("BITBUCKET_REPO_SLUG", "app"),
    ("BITBUCKET_REPO_UUID", REPOSITORY_UUID),
    ("BITBUCKET_STEP_UUID", STEP_UUID),
    ("BITBUCKET_WORKSPACE", "acme"),
];

fn claims(_: &str, _: i64, branch: &str) -> Value {
    json!({
        "sub": format!("{REPOSITORY_UUID}:{STEP_UUID}"),
        "stepUuid": STEP_UUID,
        "repositoryUuid": REPOSITORY_UUID,
        "pipelineUuid": PIPELINE_UUID,
        "workspaceUuid": WORKSPACE_UUID,
        "branchName": branch,
    })
}
