//! Bitrise.
//!
//! Names from docs.bitrise.io, "Available environment variables", and its step `get-identity-token`.

use serde_json::{Value, json};

use super::facts::{
    Absent, Channel, Facts, LogSyntax, Program, exactly_true, how_missing, in_variable, indented,
};
use super::simulation::{OWNER, Simulation};
use crate::text::safe;

const BITRISE_IO: &str = "BITRISE_IO";
/// There behind its step `get-identity-token`.
const BITRISE_IDENTITY_TOKEN: &str = "BITRISE_IDENTITY_TOKEN";

pub(super) const FACTS: Facts = Facts {
    id: "bitrise",
    title: "Bitrise",
    marker: |env| exactly_true(env, BITRISE_IO),
    token_place: |env| in_variable(env, BITRISE_IDENTITY_TOKEN),
    program: |_, _| None,
    absent: |env| Absent {
        why: how_missing(env, BITRISE_IDENTITY_TOKEN),
        hints: vec![step("<audience of the join token>")],
    },
    absent_variable: None,
    audience_hint: Some(|wanted| step(&safe(wanted, 200))),
    expired_hints: |_| vec!["run the step `get-identity-token` right before jobpass".to_owned()],
    temp_dir: None,
    checkout: |env| Some(env.absolute(env.var("BITRISE_SOURCE_DIR")?.as_ref())),
    // "Available environment variables": a build of one workflow, with a machine of its own.
    job: &["BITRISE_BUILD_SLUG"],
    limit: None,
    log: LogSyntax { fold: indented, folds_details: false, annotate: None },
    channel: Channel::Program {
        program: Program::Envman,
        socket: None,
        is_enough: true,
        hint: "load the variables for the next lines of the same step: \
               `eval \"$(jobpass login --export shell)\"`; for later steps: \
               `envman add --key JOBPASS_DIR --value \"$JOBPASS_DIR\"`",
    },
    debug: None,
    protocol: None,
    simulation: Simulation {
        issuer: ISSUER,
        audience: |_| Some("teleport.example.com".to_owned()),
        claims,
        fixed: &VARIABLES,
        variables: |job| {
            vec![
                (BITRISE_IDENTITY_TOKEN, job.token.to_owned()),
                ("BITRISE_GIT_BRANCH", job.branch.to_owned()),
            ]
        },
        admitting_spec: || {
            json!({
                "issuer": ISSUER,
                "audience": "teleport.example.com",
                "must_match_fields": {"repository_owner": OWNER, "repository_slug": "app"},
            })
        },
        admits_one_branch: false,
    },
};

fn step(audience: &str) -> String {
    format!("add the step before it: `get-identity-token` with the input `audience: {audience}`")
}

const ISSUER: &str = "https://token.builds.bitrise.io";
const APP: &str = "0123456789abcdef";

const VARIABLES: [(&str, &str); 4] = [
    ("BITRISE_BUILD_SLUG", "1d5b0a7c-42"),
    (BITRISE_IO, "true"),
    ("BITRISE_APP_SLUG", APP),
    ("BITRISE_BUILD_NUMBER", "42"),
];

fn claims(_: &str, now: i64, _: &str) -> Value {
    json!({
        "exp": now + 600,
        "sub": format!("app:{APP}"),
        "repository_owner": OWNER,
        "repository_slug": "app",
        "repository_url": "https://github.com/acme/app.git",
    })
}
