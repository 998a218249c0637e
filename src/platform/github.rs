//! GitHub Actions: its marker, its token endpoint, its runner's folders, files and log commands.
//!
//! Names from docs.github.com, "Variables reference" and "Workflow commands"; the syntax of commands from
//! actions/toolkit `packages/core/src/command.ts`.

use std::io::Read as _;

use secrecy::SecretString;
use serde_json::Value;

use super::{Absent, Marker, Place, how_missing, text};
use crate::env::{Env, MAX_FILE, names};

/// Emptied by the runner when a job begins and when it ends.
pub const RUNNER_TEMP: &str = "RUNNER_TEMP";
/// `1` where step debug logging is on.
pub const RUNNER_DEBUG: &str = "RUNNER_DEBUG";
/// The checkout.
pub const GITHUB_WORKSPACE: &str = "GITHUB_WORKSPACE";
/// The file whose entries are the environment of later steps.
pub const GITHUB_ENV: &str = "GITHUB_ENV";
/// The file whose entries are this step's outputs.
pub const GITHUB_OUTPUT: &str = "GITHUB_OUTPUT";
/// The file whose Markdown is shown on the run's page.
pub const GITHUB_STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

pub(super) const EXPIRED_CURE: &str =
    "run jobpass in the step that needs it: GitHub's tokens live for minutes only";

const PERMISSIONS_CURE: &str =
    "grant the job its identity token in the workflow: `permissions: { id-token: write, contents: read }`";

pub(super) fn marker(env: &Env) -> Marker {
    super::exactly_true(env, names::GITHUB_ACTIONS)
}

pub(super) fn place(env: &Env) -> Option<Place> {
    let url = env.var(names::ACTIONS_ID_TOKEN_REQUEST_URL)?.to_owned();
    let bearer = SecretString::from(env.var(names::ACTIONS_ID_TOKEN_REQUEST_TOKEN)?);
    Some(Place::Endpoint { url, bearer })
}

/// Why the runner did not get the two variables. Reads the event's payload to tell a fork.
pub(super) fn absent(env: &Env) -> Absent {
    let missing: Vec<&str> = [names::ACTIONS_ID_TOKEN_REQUEST_URL, names::ACTIONS_ID_TOKEN_REQUEST_TOKEN]
        .into_iter()
        .filter(|name| env.var(name).is_none())
        .collect();
    let forward = format!(
        "inside a container of your own, forward both variables: `docker run -e {} -e {}`",
        names::ACTIONS_ID_TOKEN_REQUEST_URL,
        names::ACTIONS_ID_TOKEN_REQUEST_TOKEN
    );
    if let [one] = missing[..] {
        return Absent {
            why: format!("{}, though its companion is set", how_missing(env, one)),
            cures: vec![forward],
        };
    }
    let why = missing.iter().map(|name| how_missing(env, name)).collect::<Vec<_>>().join(", ");
    if let Some(fork) = fork(env) {
        return Absent {
            why: format!(
                "{why}: this run is for a pull request from {fork}, and GitHub gives those no \
             identity token"
            ),
            cures: vec![
                "run the step for branches of this repository only: `if: \
                 github.event.pull_request.head.repo.full_name == github.repository`"
                    .to_owned(),
            ],
        };
    }
    let mut cures = vec![PERMISSIONS_CURE.to_owned()];
    if env.is("GITHUB_ACTOR", "dependabot[bot]") {
        cures.push(
            "rerun it as a person if that is there already: Dependabot's runs may get read permissions only"
                .to_owned(),
        );
    }
    cures.push("in a reusable workflow, grant it in the calling workflow's job as well".to_owned());
    cures.push(forward);
    Absent { why, cures }
}

pub(super) fn job(env: &Env) -> Option<String> {
    let (server, repository, run) =
        (env.var("GITHUB_SERVER_URL")?, env.var("GITHUB_REPOSITORY")?, env.var("GITHUB_RUN_ID")?);
    let attempt = env.var("GITHUB_RUN_ATTEMPT").map(|n| format!("/attempts/{n}")).unwrap_or_default();
    Some(format!("{server}/{repository}/actions/runs/{run}{attempt}"))
}

pub(super) fn fold(title: &str, body: &str) -> String {
    let mut out = format!("::group::{}\n", escape_data(&text::one_line(title, 200)));
    for line in text::lines(body) {
        out.push_str(&text::without_commands(&line));
        out.push('\n');
    }
    out.push_str("::endgroup::\n");
    out
}

pub(super) fn error_command(title: &str, message: &str) -> String {
    format!("::error title={}::{}", escape_property(title), escape_data(message))
}

/// The line, without newline, after which the runner's log shows `***` in place of `value` (each of its
/// lines).
pub fn mask_command(value: &str) -> String {
    format!("::add-mask::{}", escape_data(value))
}

fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
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
    (!from.eq_ignore_ascii_case(here)).then(|| format!("the fork `{}`", text::one_line(from, 100)))
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
            let absent = absent(&Env::of(vars.iter().copied(), "/"));
            assert!(absent.why.contains(why), "{absent:?}");
            assert_eq!(absent.cures.len(), *count, "{absent:?}");
            assert!(absent.cures.iter().any(|c| c.contains(cure)), "{absent:?}");
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
            let env = Env::of(
                [
                    ("GITHUB_EVENT_NAME", event),
                    ("GITHUB_REPOSITORY", "O/r"),
                    ("GITHUB_EVENT_PATH", file.path().to_str().unwrap()),
                ],
                "/",
            );
            assert_eq!(fork(&env).as_deref(), want, "{event} {repo}");
            assert_eq!(absent(&env).cures[0].contains("id-token"), want.is_none());
        }
    }
}
