//! Spacelift, which documents no marker of its own.
//!
//! Names and claims from docs.spacelift.io, "Environment" and "OIDC".

use std::path::PathBuf;

use serde_json::{Value, json};

use super::facts::{
    Absent, Channel, Facts, LogSyntax, TokenPlace, how_missing, in_variable, indented, one_of,
};
use super::simulation::{OWNER, Simulation, host};
use crate::env::Env;

/// Paid accounts only.
const SPACELIFT_OIDC_TOKEN: &str = "SPACELIFT_OIDC_TOKEN";
/// There in every run.
const RUN_ID: &str = "TF_VAR_spacelift_run_id";
/// `/mnt/workspace` unless set.
const WORKSPACE_ROOT: &str = "TF_VAR_spacelift_workspace_root";

pub(super) const FACTS: Facts = Facts {
    id: "spacelift",
    title: "Spacelift",
    marker: |env| one_of(env, &[SPACELIFT_OIDC_TOKEN, RUN_ID]),
    token_place: |env| {
        in_variable(env, SPACELIFT_OIDC_TOKEN).or_else(|| Some(TokenPlace::File(token_file(env))))
    },
    program: |_, _| None,
    absent,
    absent_variable: None,
    audience_hint: Some(|_| {
        "leave `--audience` out: the audience is always the account's host name".to_owned()
    }),
    expired_hints: |_| {
        vec![
            "run jobpass in the phase that needs it (`before_plan`, `before_apply`): a token lives for an hour"
                .to_owned(),
        ]
    },
    // The workspace is uploaded while a run waits for approval: no place for keys.
    temp_dir: None,
    checkout: |env| Some(workspace(env).join("source")),
    job: &["TF_VAR_spacelift_run_id"],
    limit: None,
    log: LogSyntax { fold: indented, folds_details: false, annotate: None },
    channel: Channel::Script {
        hint: "load the variables in the hook's shell: `eval \"$(jobpass login --export shell)\"`",
    },
    debug: None,
    protocol: None,
    simulation: Simulation {
        issuer: ISSUER,
        audience: |issuer| Some(host(issuer).to_owned()),
        claims,
        fixed: &VARIABLES,
        variables: |job| vec![(SPACELIFT_OIDC_TOKEN, job.token.to_owned())],
        admitting_spec: || json!({"hostname": host(ISSUER), "allow": [{"space_id": SPACE}]}),
        admits_one_branch: false,
    },
};

fn absent(env: &Env) -> Absent {
    let (variable, file) = (how_missing(env, SPACELIFT_OIDC_TOKEN), token_file(env));
    Absent {
        why: format!("{variable}, and there is no file `{}`", file.display()),
        hints: vec![
            "use an account with OIDC: Spacelift's free plan has none".to_owned(),
            format!(
                "inside a container of your own, forward the variable: `docker run -e {SPACELIFT_OIDC_TOKEN}`"
            ),
        ],
    }
}

fn token_file(env: &Env) -> PathBuf {
    workspace(env).join("spacelift.oidc")
}

fn workspace(env: &Env) -> PathBuf {
    env.absolute(env.var(WORKSPACE_ROOT).unwrap_or("/mnt/workspace").as_ref())
}

const ISSUER: &str = "https://acme.app.spacelift.io";
const SPACE: &str = "root";
const RUN: &str = "01HZZZZZZZZZZZZZZZZZZZZZZZ";

const VARIABLES: [(&str, &str); 7] = [
    (RUN_ID, RUN),
    ("TF_VAR_spacelift_account_name", OWNER),
    ("TF_VAR_spacelift_local_preview", "false"),
    ("TF_VAR_spacelift_run_state", "PLANNING"),
    ("TF_VAR_spacelift_run_type", "TRACKED"),
    ("TF_VAR_spacelift_space_id", SPACE),
    ("TF_VAR_spacelift_stack_id", "app"),
];

fn claims(_: &str, now: i64, _: &str) -> Value {
    json!({
        "nbf": now,
        "sub": format!("space:{SPACE}:stack:app:run_type:TRACKED:scope:write"),
        "spaceId": SPACE,
        "callerType": "stack",
        "callerId": "app",
        "runType": "TRACKED",
        "runId": RUN,
        "scope": "write",
    })
}
