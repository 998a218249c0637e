//! env0 (env zero).
//!
//! Names and claims from docs.envzero.com, "Custom flows" and "General OIDC integrations".

use serde_json::{Value, json};

use super::facts::{Absent, Channel, Facts, LogSyntax, how_missing, in_variable, indented, one_of};
use super::simulation::Simulation;
use crate::env::Env;

/// There where the organisation's policy enables OIDC.
const ENV0_OIDC_TOKEN: &str = "ENV0_OIDC_TOKEN";
/// There in every deployment.
const ENV0_ENVIRONMENT_ID: &str = "ENV0_ENVIRONMENT_ID";

pub(super) const FACTS: Facts = Facts {
    id: "env0",
    title: "env0",
    marker: |env| one_of(env, &[ENV0_OIDC_TOKEN, ENV0_ENVIRONMENT_ID]),
    token_place: |env| in_variable(env, ENV0_OIDC_TOKEN),
    program: |_, _| None,
    absent,
    absent_variable: None,
    audience_hint: Some(|_| {
        "leave `--audience` out: the audience is always `https://app.env0.com`".to_owned()
    }),
    expired_hints: |_| {
        vec!["deploy again: a token lives for a day from the begin of its deployment".to_owned()]
    },
    temp_dir: None,
    checkout: |_| None,
    // docs.env0.com, "Custom flows", "Exposed env0 system environment variables": the id of the deployment.
    job: &["ENV0_DEPLOYMENT_LOG_ID"],
    limit: None,
    log: LogSyntax { fold: indented, folds_details: false, annotate: None },
    channel: Channel::EnvFile {
        variable: "ENV0_ENV",
        hint: "load the variables in the shell for the next lines of the same command: \
               `eval \"$(jobpass login --export shell)\"`; `ENV0_ENV` reaches later steps of the deployment only",
    },
    debug: None,
    protocol: None,
    simulation: Simulation {
        issuer: "https://login.app.env0.com/",
        audience: |_| Some("https://app.env0.com".to_owned()),
        claims,
        fixed: &VARIABLES,
        variables: |job| vec![(ENV0_OIDC_TOKEN, job.token.to_owned())],
        admitting_spec: || json!({"allow": [{"organization_id": ORGANIZATION, "project_name": "web"}]}),
        admits_one_branch: false,
    },
};

fn absent(env: &Env) -> Absent {
    Absent {
        why: how_missing(env, ENV0_OIDC_TOKEN),
        hints: vec![
            "enable the tokens: Organization Settings, Policies, \"Enable OIDC during deployments\""
                .to_owned(),
            format!(
                "inside a container of your own, forward the variable: `docker run -e {ENV0_OIDC_TOKEN}`"
            ),
        ],
    }
}

const ORGANIZATION: &str = "11111111-2222-3333-4444-555555555555";
const PROJECT: &str = "66666666-7777-8888-9999-000000000000";
const ENVIRONMENT: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

const VARIABLES: [(&str, &str); 5] = [
    ("ENV0_DEPLOYMENT_LOG_ID", "42424242-0000-4000-8000-000000000042"),
    (ENV0_ENVIRONMENT_ID, ENVIRONMENT),
    ("ENV0_ENVIRONMENT_NAME", "app"),
    ("ENV0_PROJECT_ID", PROJECT),
    ("ENV0_PROJECT_NAME", "web"),
];

fn claims(_: &str, now: i64, _: &str) -> Value {
    json!({
        "exp": now + 86_400,
        "sub": "auth0|0123456789abcdef01234567",
        "azp": "0123456789abcdef0123456789abcdef",
        "organizationId": ORGANIZATION,
        "projectId": PROJECT,
        "projectName": "web",
        "templateId": "bbbbbbbb-cccc-dddd-eeee-ffffffffffff",
        "templateName": "app",
        "environmentId": ENVIRONMENT,
        "environmentName": "app",
        "workspaceName": "app-42",
        "deploymentType": "deploy",
        "deployerEmail": "octocat@example.com",
    })
}
