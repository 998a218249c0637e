//! GitHub Actions.
//!
//! Names from docs.github.com, "Variables reference"; claims from the page on `OpenID Connect`.

use std::io::Read as _;

use serde_json::{Value, json};

use super::endpoint::{Protocol, REQUEST_TOKEN, REQUEST_URL, actions};
use super::facts::{Absent, Channel, Facts, LogSyntax, Marker, TokenPlace, exactly_true, how_missing};
use super::forgejo::FORGEJO_ACTIONS;
use super::simulation::{BRANCH, OWNER, REPOSITORY, RUN, SHA, Simulation};
use super::workflow_commands::{annotate, fold};
use crate::env::{Env, MAX_FILE};
use crate::text::safe;

/// Imitated by Gitea, Forgejo and `act`.
const GITHUB_ACTIONS: &str = "GITHUB_ACTIONS";

static PROTOCOL: Protocol =
    actions("allow the job to request a token: `permissions: { id-token: write, contents: read }`");

pub(super) const FACTS: Facts = Facts {
    id: "github",
    title: "GitHub Actions",
    marker,
    // In Forgejo's jobs the two variables are Forgejo's.
    token_place: |env| match env.var(FORGEJO_ACTIONS) {
        Some(_) => None,
        None => PROTOCOL.endpoint(env).map(TokenPlace::Endpoint),
    },
    program: |_, _| None,
    absent,
    absent_variable: None,
    audience_hint: None,
    expired_hints: |_| {
        vec!["run jobpass in the step that needs it: GitHub's tokens live for minutes only".to_owned()]
    },
    // Emptied by the runner when a job begins and when it ends.
    temp_dir: Some("RUNNER_TEMP"),
    checkout: |env| Some(env.absolute(env.var("GITHUB_WORKSPACE")?.as_ref())),
    log: LogSyntax { fold, folds_details: true, annotate: Some(annotate) },
    channel: Channel::CommandFiles {
        environment: "GITHUB_ENV",
        outputs: "GITHUB_OUTPUT",
        summary: "GITHUB_STEP_SUMMARY",
    },
    // Step debug logging.
    debug: Some(("RUNNER_DEBUG", "1")),
    protocol: Some(&PROTOCOL),
    simulation: Simulation {
        issuer: "https://token.actions.githubusercontent.com",
        audience: |_| Some(format!("https://github.com/{OWNER}")),
        claims,
        fixed: &VARIABLES,
        variables: |job| {
            let url = format!("{}?api-version=2.0", job.token_endpoint);
            vec![
                (REQUEST_URL, url),
                (REQUEST_TOKEN, job.bearer.to_owned()),
                ("GITHUB_REF", format!("refs/heads/{}", job.branch)),
                ("GITHUB_REF_NAME", job.branch.to_owned()),
                ("GITHUB_REF_PROTECTED", (job.branch == BRANCH).to_string()),
            ]
        },
        admitting_spec: || json!({"allow": [{"repository": REPOSITORY, "ref": format!("refs/heads/{BRANCH}")}]}),
        admits_one_branch: true,
    },
};

/// Forgejo's jobs have GitHub's marker beside their own.
fn marker(env: &Env) -> Marker {
    let marker = exactly_true(env, GITHUB_ACTIONS);
    if !marker.present || env.var(FORGEJO_ACTIONS).is_none() {
        return marker;
    }
    Marker { present: false, why: format!("{}, but {FORGEJO_ACTIONS} is set, too", marker.why), ..marker }
}

/// Why the runner did not set the two variables. Reads the event's payload to recognise a fork.
fn absent(env: &Env) -> Absent {
    let missing: Vec<&str> =
        [REQUEST_URL, REQUEST_TOKEN].into_iter().filter(|name| env.var(name).is_none()).collect();
    let forward = format!(
        "inside a container of your own, forward both variables: `docker run -e {REQUEST_URL} -e {REQUEST_TOKEN}`"
    );
    if let [one] = missing[..] {
        let why = format!("{}, though its companion is set", how_missing(env, one));
        return Absent { why, hints: vec![forward] };
    }
    let why = missing.iter().map(|name| how_missing(env, name)).collect::<Vec<_>>().join(", ");
    if let Some(fork) = fork(env) {
        return Absent {
            why: format!(
                "{why}: this run is for a pull request from {fork}, and GitHub gives those no identity token"
            ),
            hints: vec![
                // Not `fork`: this repository may be one. The first half lets every other event pass.
                "run the step for branches of this repository only: `if: github.event_name != 'pull_request' || \
                 github.event.pull_request.head.repo.full_name == github.repository`"
                    .to_owned(),
            ],
        };
    }
    let mut hints = vec![
        "grant the job its identity token in the workflow: `permissions: { id-token: write, contents: read }`"
            .to_owned(),
    ];
    if env.is("GITHUB_ACTOR", "dependabot[bot]") {
        hints.push(
            "if it is granted already, rerun the job as a person: runs by Dependabot may get read permissions only"
                .to_owned(),
        );
    }
    hints.push("in a reusable workflow, grant it in the calling workflow's job as well".to_owned());
    hints.push(forward);
    Absent { why, hints }
}

/// The foreign repository of a pull request, by the payload's `pull_request.head.repo`. A repository may
/// itself be a fork of another, so its `fork` flag alone counts only where the name is missing.
fn fork(env: &Env) -> Option<String> {
    if !env.is("GITHUB_EVENT_NAME", "pull_request") {
        return None;
    }
    let payload = payload(env)?;
    let head = payload.get("pull_request")?.get("head")?.get("repo")?;
    if head.is_null() {
        return Some("a fork that is gone".to_owned());
    }
    let Some(from) = head.get("full_name").and_then(Value::as_str) else {
        return (head.get("fork") == Some(&Value::Bool(true))).then(|| "a fork".to_owned());
    };
    let here = env.var("GITHUB_REPOSITORY")?;
    (!from.eq_ignore_ascii_case(here)).then(|| format!("the fork `{}`", safe(from, 100)))
}

fn payload(env: &Env) -> Option<Value> {
    let path = env.absolute(env.var("GITHUB_EVENT_PATH")?.as_ref());
    if !std::fs::metadata(&path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(MAX_FILE).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

const VARIABLES: [(&str, &str); 19] = [
    (GITHUB_ACTIONS, "true"),
    ("GITHUB_ACTION", "__run"),
    ("GITHUB_ACTOR", "octocat"),
    ("GITHUB_ACTOR_ID", "583231"),
    ("GITHUB_API_URL", "https://api.github.com"),
    ("GITHUB_EVENT_NAME", "push"),
    ("GITHUB_JOB", "deploy"),
    ("GITHUB_REF_TYPE", "branch"),
    ("GITHUB_REPOSITORY", REPOSITORY),
    ("GITHUB_REPOSITORY_ID", "74"),
    ("GITHUB_REPOSITORY_OWNER", OWNER),
    ("GITHUB_REPOSITORY_OWNER_ID", "65"),
    ("GITHUB_RUN_ATTEMPT", "1"),
    ("GITHUB_RUN_ID", RUN),
    ("GITHUB_RUN_NUMBER", "42"),
    ("GITHUB_SERVER_URL", "https://github.com"),
    ("GITHUB_SHA", SHA),
    ("GITHUB_WORKFLOW", "deploy"),
    ("RUNNER_ENVIRONMENT", "github-hosted"),
];

fn claims(_: &str, now: i64, branch: &str) -> Value {
    let full = format!("refs/heads/{branch}");
    let workflow = format!("{REPOSITORY}/.github/workflows/deploy.yml@{full}");
    json!({
        "exp": now + 300,
        "nbf": now - 600,
        "sub": format!("repo:{REPOSITORY}:ref:{full}"),
        "ref": full,
        "ref_type": "branch",
        "ref_protected": (branch == BRANCH).to_string(),
        "sha": SHA,
        "repository": REPOSITORY,
        "repository_id": "74",
        "repository_owner": OWNER,
        "repository_owner_id": "65",
        "repository_visibility": "private",
        "run_id": RUN,
        "run_number": "42",
        "run_attempt": "1",
        "runner_environment": "github-hosted",
        "actor": "octocat",
        "actor_id": "583231",
        "workflow": "deploy",
        "workflow_ref": workflow,
        "workflow_sha": SHA,
        "job_workflow_ref": workflow,
        "job_workflow_sha": SHA,
        "head_ref": "",
        "base_ref": "",
        "event_name": "push",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &str =
        "`ACTIONS_ID_TOKEN_REQUEST_URL` is not set, `ACTIONS_ID_TOKEN_REQUEST_TOKEN` is not set";

    #[test]
    fn tells_why_there_is_no_token() {
        type Case = (&'static [(&'static str, &'static str)], &'static str, &'static str, usize);
        let cases: &[Case] = &[
            (&[], BOTH, "permissions: { id-token: write, contents: read }", 3),
            (&[("GITHUB_ACTOR", "dependabot[bot]")], BOTH, "Dependabot", 4),
            (
                &[("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x/?a=b")],
                "`ACTIONS_ID_TOKEN_REQUEST_TOKEN` is not set",
                "docker run",
                1,
            ),
            (
                &[("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "s3cr3t"), ("ACTIONS_ID_TOKEN_REQUEST_URL", "")],
                "`ACTIONS_ID_TOKEN_REQUEST_URL` is empty",
                "docker run",
                1,
            ),
        ];
        for (vars, why, cure, count) in cases {
            let absent = absent(&Env::new(vars.iter().copied(), "/"));
            assert!(absent.why.contains(why), "{absent:?}");
            assert_eq!(absent.hints.len(), *count, "{absent:?}");
            assert!(absent.hints.iter().any(|c| c.contains(cure)), "{absent:?}");
            assert!(!format!("{absent:?}").contains("s3cr3t"));
        }
    }

    #[test]
    fn tells_a_fork_by_the_payload() {
        let dir = tempfile::tempdir().unwrap();
        for (event, repo, want) in [
            ("pull_request", r#"{"full_name":"evil/r","fork":true}"#, Some("the fork `evil/r`")),
            ("pull_request", r#"{"full_name":"o/r","fork":true}"#, None),
            ("pull_request", r#"{"fork":true}"#, Some("a fork")),
            ("pull_request", "null", Some("a fork that is gone")),
            ("pull_request", "[", None),
            ("push", r#"{"full_name":"evil/r","fork":true}"#, None),
        ] {
            let mut file = tempfile::NamedTempFile::new_in(&dir).unwrap();
            std::io::Write::write_all(
                &mut file,
                format!(r#"{{"pull_request":{{"head":{{"repo":{repo}}}}}}}"#).as_bytes(),
            )
            .unwrap();
            let env = Env::new(
                [
                    ("GITHUB_EVENT_NAME", event),
                    ("GITHUB_REPOSITORY", "O/r"),
                    ("GITHUB_EVENT_PATH", file.path().to_str().unwrap()),
                ],
                "/",
            );
            assert_eq!(fork(&env).as_deref(), want, "{event} {repo}");
            assert_eq!(absent(&env).hints[0].contains("id-token"), want.is_none());
        }
    }
}
