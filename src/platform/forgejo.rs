//! Forgejo Actions, which sets GitHub's variables beside its own marker.
//!
//! Names and claims from forgejo.org/docs, "Forgejo Actions | Security OpenID Connect" (Forgejo 15 and later).

use serde_json::{Value, json};

use super::endpoint::{Protocol, REQUEST_TOKEN, REQUEST_URL, actions};
use super::facts::{Absent, Channel, Facts, LogSyntax, TokenPlace, how_missing, one_of};
use super::simulation::{BRANCH, OWNER, REPOSITORY, RUN, SHA, Simulation};
use super::workflow_commands::fold;
use crate::env::Env;

/// Only this one tells it from GitHub.
pub(super) const FORGEJO_ACTIONS: &str = "FORGEJO_ACTIONS";
const ENABLE: &str =
    "set `enable-openid-connect: true` on the workflow or the job (Forgejo does not read `permissions:`)";

static PROTOCOL: Protocol = actions(ENABLE);

pub(super) const FACTS: Facts = Facts {
    id: "forgejo",
    title: "Forgejo Actions",
    marker: |env| one_of(env, &[FORGEJO_ACTIONS]),
    // GitHub's variables without its own marker are GitHub's.
    token_place: |env| {
        env.var(FORGEJO_ACTIONS)?;
        PROTOCOL.endpoint(env).map(TokenPlace::Endpoint)
    },
    program: |_, _| None,
    absent,
    absent_variable: None,
    audience_hint: None,
    expired_hints: |_| vec!["run jobpass in the step that needs it, which gets a new token".to_owned()],
    temp_dir: Some("RUNNER_TEMP"),
    checkout: |env| Some(env.absolute(env.var("GITHUB_WORKSPACE")?.as_ref())),
    // Its runner knows GitHub's groups, and shows other commands as they are (act_runner's `reporter.go`).
    log: LogSyntax { fold, folds_details: true, annotate: None },
    channel: Channel::CommandFiles {
        environment: "GITHUB_ENV",
        outputs: "GITHUB_OUTPUT",
        summary: "GITHUB_STEP_SUMMARY",
    },
    debug: None,
    protocol: Some(&PROTOCOL),
    simulation: Simulation {
        issuer: ISSUER,
        audience: |_| Some(format!("https://codeberg.org/{OWNER}")),
        claims,
        fixed: &VARIABLES,
        variables: |job| {
            vec![
                (REQUEST_URL, format!("{}?placeholder=true", job.token_endpoint)),
                (REQUEST_TOKEN, job.bearer.to_owned()),
                ("GITHUB_REF", format!("refs/heads/{}", job.branch)),
                ("GITHUB_REF_NAME", job.branch.to_owned()),
            ]
        },
        admitting_spec: || {
            json!({
                "issuer": ISSUER,
                "audience": "teleport.example.com",
                "must_match_fields": {"repository": REPOSITORY, "ref": format!("refs/heads/{BRANCH}")},
            })
        },
        admits_one_branch: true,
    },
};

fn absent(env: &Env) -> Absent {
    let missing = [REQUEST_URL, REQUEST_TOKEN].into_iter().filter(|name| env.var(name).is_none());
    Absent {
        why: missing.map(|name| how_missing(env, name)).collect::<Vec<_>>().join(", "),
        hints: vec![
            ENABLE.to_owned(),
            "use Forgejo 15 or newer: older ones issue no identity tokens".to_owned(),
            format!(
                "inside a container of your own, forward both variables: `docker run -e {REQUEST_URL} -e {REQUEST_TOKEN}`"
            ),
        ],
    }
}

/// `<instance>/api/actions`.
const ISSUER: &str = "https://codeberg.org/api/actions";

const VARIABLES: [(&str, &str); 9] = [
    (FORGEJO_ACTIONS, "true"),
    ("GITEA_ACTIONS", "true"),
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_JOB", "deploy"),
    ("GITHUB_REPOSITORY", REPOSITORY),
    ("GITHUB_REPOSITORY_OWNER", OWNER),
    ("GITHUB_RUN_ID", RUN),
    ("GITHUB_SERVER_URL", "https://codeberg.org"),
    ("GITHUB_SHA", SHA),
];

fn claims(_: &str, now: i64, branch: &str) -> Value {
    json!({
        "nbf": now,
        "sub": format!("repo:{OWNER}-65/app-74:ref:refs/heads/{branch}"),
        "actor": "octocat",
        "actor_id": "1",
        "event_name": "push",
        "ref": format!("refs/heads/{branch}"),
        "ref_type": "branch",
        "repository": REPOSITORY,
        "repository_id": "74",
        "repository_owner": OWNER,
        "repository_owner_id": "65",
        "run_id": RUN,
        "sha": SHA,
        "workflow": "deploy.yml",
    })
}
