//! Semaphore.
//!
//! Names and claims from docs.semaphore.io, "Environment variables" and "OpenID Connect".

use serde_json::{Value, json};

use super::facts::{Absent, Channel, Facts, LogSyntax, exactly_true, how_missing, in_variable, indented};
use super::simulation::{BRANCH, Simulation};
use crate::env::Env;
use crate::text::safe;

const SEMAPHORE: &str = "SEMAPHORE";
/// Its audience is the organisation's address.
const SEMAPHORE_OIDC_TOKEN: &str = "SEMAPHORE_OIDC_TOKEN";

pub(super) const FACTS: Facts = Facts {
    id: "semaphore",
    title: "Semaphore",
    marker: |env| exactly_true(env, SEMAPHORE),
    token_place: |env| in_variable(env, SEMAPHORE_OIDC_TOKEN),
    program: |_, _| None,
    absent,
    absent_variable: Some(|env, name| Absent {
        why: how_missing(env, name),
        hints: vec![own_token(name, "<audience>")],
    }),
    audience_hint: Some(|wanted| {
        format!("{}, and pass `--id-token-env TELEPORT_TOKEN`", own_token("TELEPORT_TOKEN", wanted))
    }),
    expired_hints: |_| {
        vec!["log in at the begin of the job: its identity token is made when the job starts".to_owned()]
    },
    temp_dir: None,
    checkout: |env| Some(env.absolute(env.var("SEMAPHORE_GIT_DIR")?.as_ref())),
    // "Environment variables": unique for every job, also for one that runs again.
    job: &["SEMAPHORE_JOB_ID"],
    limit: None,
    log: LogSyntax { fold: indented, folds_details: false, annotate: None },
    channel: Channel::Script {
        hint: "load the variables for the next commands of the job, which share one shell: \
               `eval \"$(jobpass login --export shell)\"`",
    },
    debug: None,
    protocol: None,
    simulation: Simulation {
        issuer: ISSUER,
        audience: |issuer| Some(issuer.to_owned()),
        claims,
        fixed: &VARIABLES,
        variables: |job| {
            vec![
                (SEMAPHORE_OIDC_TOKEN, job.token.to_owned()),
                ("SEMAPHORE_GIT_BRANCH", job.branch.to_owned()),
            ]
        },
        admitting_spec: || {
            json!({
                "issuer": ISSUER,
                "audience": ISSUER,
                "must_match_fields": {"prj_id": PROJECT, "ref": format!("refs/heads/{BRANCH}")},
                // Somebody's debug shell has the identity of the job that it debugs.
                "allow_any": [{"conditions": [{"attribute": "job_type", "not_eq": {"value": "debug_job"}}]}],
            })
        },
        admits_one_branch: true,
    },
};

fn absent(env: &Env) -> Absent {
    Absent {
        why: how_missing(env, SEMAPHORE_OIDC_TOKEN),
        hints: vec![
            "use an organization whose plan has OpenID Connect".to_owned(),
            format!(
                "inside a container of your own, forward the variable: `docker run -e {SEMAPHORE_OIDC_TOKEN}`"
            ),
        ],
    }
}

fn own_token(name: &str, audience: &str) -> String {
    format!("add to the job: `oidc_tokens: {{ {}: {{ aud: {} }} }}`", safe(name, 60), safe(audience, 200))
}

const ISSUER: &str = "https://acme.semaphoreci.com";
const PROJECT: &str = "66666666-7777-8888-9999-000000000000";
const WORKFLOW: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

const VARIABLES: [(&str, &str); 5] = [
    ("SEMAPHORE_JOB_ID", "42424242-1111-4111-8111-000000000042"),
    (SEMAPHORE, "true"),
    ("SEMAPHORE_PROJECT_ID", PROJECT),
    ("SEMAPHORE_PROJECT_NAME", "app"),
    ("SEMAPHORE_WORKFLOW_ID", WORKFLOW),
];

fn claims(_: &str, now: i64, branch: &str) -> Value {
    json!({
        "nbf": now,
        "sub": format!("org:acme:project:{PROJECT}:repo:app:ref_type:branch:ref:refs/heads/{branch}"),
        "prj_id": PROJECT,
        "repo_slug": "acme/app",
        "ref": format!("refs/heads/{branch}"),
        "ref_type": "branch",
        "job_type": "pipeline_job",
        "wf_id": WORKFLOW,
        "ppl_id": "bbbbbbbb-cccc-dddd-eeee-ffffffffffff",
    })
}
