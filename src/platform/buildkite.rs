//! Buildkite.
//!
//! Names and claims from buildkite.com/docs, "Environment variables" and "OIDC with Buildkite"; the request behind its
//! program from buildkite/agent `api/oidc.go` and `internal/agenthttp/auth.go`.

use serde_json::{Value, json};

use super::endpoint::{AudienceIn, Endpoint, Protocol};
use super::facts::{
    Absent, Channel, Facts, LogSyntax, Program, TokenPlace, exactly_true, how_missing, indented,
};
use super::simulation::{BRANCH, OWNER, SHA, Simulation};
use crate::env::Env;

const BUILDKITE: &str = "BUILDKITE";
const BUILDKITE_JOB_ID: &str = "BUILDKITE_JOB_ID";
const BUILDKITE_AGENT_ENDPOINT: &str = "BUILDKITE_AGENT_ENDPOINT";
/// Secret.
const BUILDKITE_AGENT_ACCESS_TOKEN: &str = "BUILDKITE_AGENT_ACCESS_TOKEN";

/// What its program asks.
static PROTOCOL: Protocol = Protocol {
    posts: true,
    scheme: "Token ",
    accept: "application/json",
    audience: AudienceIn::Body,
    field: "token",
    url: BUILDKITE_AGENT_ENDPOINT,
    secret: BUILDKITE_AGENT_ACCESS_TOKEN,
    refuses_with: &[],
    refused_hint: "run jobpass in the job itself: only its own agent may ask for its identity",
};

pub(super) const FACTS: Facts = Facts {
    id: "buildkite",
    title: "Buildkite",
    marker: |env| exactly_true(env, BUILDKITE),
    token_place,
    program: |_, audience| {
        let words = ["buildkite-agent", "oidc", "request-token", "--audience", audience?];
        Some(words.map(str::to_owned).to_vec())
    },
    absent,
    absent_variable: None,
    audience_hint: None,
    expired_hints: |_| {
        vec!["run jobpass in the step that needs it: Buildkite's tokens live for minutes only".to_owned()]
    },
    temp_dir: None,
    checkout: |env| Some(env.absolute(env.var("BUILDKITE_BUILD_CHECKOUT_PATH")?.as_ref())),
    // A line that begins with these dashes begins a group, which the next one ends.
    log: LogSyntax { fold: indented, folds_details: false, annotate: None },
    // What it takes is there in later phases of the job: hooks and plugins. Agents from 3.115 have the socket.
    channel: Channel::Program {
        program: Program::BuildkiteAgent,
        socket: Some("BUILDKITE_AGENT_JOB_API_SOCKET"),
        is_enough: false,
        hint: "load the variables for the next lines of the same command: \
               `eval \"$(jobpass login --export shell)\"`; each step is a job of its own and logs in for itself",
    },
    debug: None,
    protocol: Some(&PROTOCOL),
    simulation: Simulation {
        issuer: ISSUER,
        audience: |_| Some("https://buildkite.com/acme".to_owned()),
        claims,
        fixed: &VARIABLES,
        variables: |job| {
            vec![
                (BUILDKITE_AGENT_ENDPOINT, job.token_endpoint.to_owned()),
                (BUILDKITE_AGENT_ACCESS_TOKEN, job.bearer.to_owned()),
                ("BUILDKITE_BRANCH", job.branch.to_owned()),
            ]
        },
        admitting_spec: || {
            json!({
                "issuer": ISSUER,
                "audience": "teleport.example.com",
                "must_match_fields": {"organization_slug": OWNER, "pipeline_slug": "app", "build_branch": BRANCH},
            })
        },
        admits_one_branch: true,
    },
};

/// For containers that have the agent's variables, but not its program.
fn token_place(env: &Env) -> Option<TokenPlace> {
    let endpoint = PROTOCOL.endpoint(env)?;
    let job = env.var(BUILDKITE_JOB_ID)?;
    if !job.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return None;
    }
    let url = format!("{}/jobs/{job}/oidc/tokens", endpoint.url.trim_end_matches('/'));
    Some(TokenPlace::Endpoint(Endpoint { url, ..endpoint }))
}

fn absent(env: &Env) -> Absent {
    let names = [BUILDKITE_AGENT_ENDPOINT, BUILDKITE_AGENT_ACCESS_TOKEN, BUILDKITE_JOB_ID];
    let missing: Vec<String> =
        names.iter().filter(|name| env.var(name).is_none()).map(|name| how_missing(env, name)).collect();
    let why = ["there is no program `buildkite-agent` in `PATH`".to_owned()].into_iter().chain(missing);
    Absent {
        why: why.collect::<Vec<_>>().join(", "),
        hints: vec![
            "with the docker plugin, set `mount-buildkite-agent: true` and `propagate-environment: true`".to_owned(),
            "inside a container of your own, forward what the agent needs: `docker run -e BUILDKITE_JOB_ID -e \
             BUILDKITE_AGENT_ENDPOINT -e BUILDKITE_AGENT_ACCESS_TOKEN`"
                .to_owned(),
        ],
    }
}

const ISSUER: &str = "https://agent.buildkite.com";
const JOB: &str = "0190d5a4-1111-4222-8333-444444444444";

const VARIABLES: [(&str, &str); 6] = [
    (BUILDKITE, "true"),
    (BUILDKITE_JOB_ID, JOB),
    ("BUILDKITE_BUILD_NUMBER", "42"),
    ("BUILDKITE_COMMIT", SHA),
    ("BUILDKITE_ORGANIZATION_SLUG", OWNER),
    ("BUILDKITE_PIPELINE_SLUG", "app"),
];

fn claims(_: &str, now: i64, branch: &str) -> Value {
    json!({
        "exp": now + 300,
        "nbf": now,
        "sub": format!("organization:{OWNER}:pipeline:app:ref:refs/heads/{branch}:commit:{SHA}:step:deploy"),
        "organization_slug": OWNER,
        "pipeline_slug": "app",
        "build_number": 42,
        "build_branch": branch,
        "build_commit": SHA,
        "build_source": "webhook",
        "step_key": "deploy",
        "job_id": JOB,
        "agent_id": "0190d5a4-5555-4666-8777-888888888888",
        "runner_environment": "self-hosted",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_address_is_that_of_the_job() {
        let env = |job: &str| {
            Env::new(
                [
                    (BUILDKITE_AGENT_ENDPOINT, "https://agent.buildkite.com/v3/"),
                    (BUILDKITE_AGENT_ACCESS_TOKEN, "s3cr3t"),
                    (BUILDKITE_JOB_ID, job),
                ],
                "/",
            )
        };
        let Some(TokenPlace::Endpoint(endpoint)) = token_place(&env("0190d5a4-1")) else { panic!() };
        assert_eq!(endpoint.url, "https://agent.buildkite.com/v3/jobs/0190d5a4-1/oidc/tokens");
        for bad in ["", "../../x", "a?b", "a/b"] {
            assert!(token_place(&env(bad)).is_none(), "{bad}");
        }
    }
}
