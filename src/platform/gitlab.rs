//! GitLab CI.
//!
//! Names and claims from docs.gitlab.com, "Predefined CI/CD variables" and the page on ID tokens.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::facts::{Absent, Channel, Facts, LogSyntax, TimeLimit, exactly_true, how_missing, in_variable};
use super::simulation::{BRANCH, OWNER, REPOSITORY, RUN, SHA, Simulation, host};
use crate::claims::UnverifiedClaims;
use crate::env::Env;
use crate::secret::Jwt;
use crate::text::{safe, safe_lines};

const GITLAB_CI: &str = "GITLAB_CI";
/// The name Teleport's own client uses; any other has to be named with `--id-token-env`.
const TBOT_GITLAB_JWT: &str = "TBOT_GITLAB_JWT";
/// The instance, and normally the issuer of its tokens.
const CI_SERVER_URL: &str = "CI_SERVER_URL";

pub(super) const FACTS: Facts = Facts {
    id: "gitlab",
    title: "GitLab CI",
    marker: |env| exactly_true(env, GITLAB_CI),
    token_place: |env| in_variable(env, TBOT_GITLAB_JWT),
    program: |_, _| None,
    absent: |env| absent(env, TBOT_GITLAB_JWT),
    absent_variable: Some(absent),
    audience_hint: Some(|wanted| {
        format!("set it in `.gitlab-ci.yml`: `id_tokens: {{ {TBOT_GITLAB_JWT}: {{ aud: {wanted} }} }}`")
    }),
    expired_hints: |_| {
        vec![
            "raise the job's `timeout:` or run jobpass earlier: GitLab's tokens expire with the job's time limit"
                .to_owned(),
        ]
    },
    // `$CI_PROJECT_DIR.tmp`, shared by `script` and `after_script` (gitlab-runner `common/build.go`).
    temp_dir: Some("RUNNER_TEMP_PROJECT_DIR"),
    checkout: |env| Some(env.absolute(env.var("CI_PROJECT_DIR")?.as_ref())),
    job: &["CI_SERVER_URL", "CI_JOB_ID"],
    // docs.gitlab.com, "Predefined CI/CD variables": seconds; GitLab 15.7, the time from 13.10.
    limit: Some(TimeLimit { variable: "CI_JOB_TIMEOUT", unit: 1, began: Some("CI_JOB_STARTED_AT") }),
    log: LogSyntax { fold, folds_details: true, annotate: None },
    // Runner 16.4 and later (gitlab-runner `shells/abstract.go`).
    channel: Channel::EnvFile {
        variable: "GITLAB_ENV",
        hint: "load the variables in the shell for the next lines of `script`: \
               `eval \"$(jobpass login --export shell)\"`; `GITLAB_ENV` reaches later stages of this job only, such as \
               `after_script`",
    },
    // Debug tracing.
    debug: Some(("CI_DEBUG_TRACE", "true")),
    protocol: None,
    simulation: Simulation {
        issuer: "https://gitlab.com",
        audience: |_| None,
        claims,
        fixed: &VARIABLES,
        variables: |job| {
            vec![
                ("CI_SERVER_HOST", host(job.issuer).to_owned()),
                (CI_SERVER_URL, job.issuer.to_owned()),
                (TBOT_GITLAB_JWT, job.token.to_owned()),
                ("CI_COMMIT_BRANCH", job.branch.to_owned()),
                ("CI_COMMIT_REF_NAME", job.branch.to_owned()),
                ("CI_COMMIT_REF_PROTECTED", (job.branch == BRANCH).to_string()),
            ]
        },
        admitting_spec: || json!({"allow": [{"project_path": REPOSITORY, "ref": BRANCH, "ref_type": "branch"}]}),
        admits_one_branch: true,
    },
};

/// Why the variable `name` is not there: `id_tokens:` is missing, or has another name in it.
fn absent(env: &Env, name: &str) -> Absent {
    let mut hints: Vec<String> = candidates(env)
        .map(|other| {
            format!("pass `--id-token-env {other}`: that variable has an identity token of this GitLab")
        })
        .collect();
    hints.push(format!(
        "add to the job: `id_tokens: {{ {name}: {{ aud: <cluster name> }} }}` (the Teleport cluster's bare name, \
         no `https://`, no port)"
    ));
    Absent { why: how_missing(env, name), hints }
}

/// A collapsed section (docs.gitlab.com, "Job logs"). Names have letters, digits, `_`, `.` and `-` only.
fn fold(title: &str, body: &str, now: Timestamp) -> String {
    let title = safe(title, 200);
    let name: String = title
        .chars()
        .take(60)
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    let time = now.as_second();
    let mut out = format!("\u{1b}[0Ksection_start:{time}:jobpass_{name}[collapsed=true]\r\u{1b}[0K{title}\n");
    for line in safe_lines(body) {
        out.push_str(&line);
        out.push('\n');
    }
    out + &format!("\u{1b}[0Ksection_end:{time}:jobpass_{name}\r\u{1b}[0K\n")
}

/// Names of variables with a token of this instance, never their values.
fn candidates(env: &Env) -> impl Iterator<Item = &str> {
    let issuer = env.var(CI_SERVER_URL).map(|url| url.trim_end_matches('/'));
    env.iter()
        .filter(move |(_, value)| {
            let claims = Jwt::parse(value).ok().and_then(|jwt| UnverifiedClaims::decode(&jwt).ok());
            let found =
                claims.as_ref().and_then(UnverifiedClaims::issuer).map(|iss| iss.trim_end_matches('/'));
            found.is_some() && found == issuer
        })
        .map(|(name, _)| name)
        .filter(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

const VARIABLES: [(&str, &str); 10] = [
    (GITLAB_CI, "true"),
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

fn claims(issuer: &str, now: i64, branch: &str) -> Value {
    json!({
        "nbf": now - 5,
        "sub": format!("project_path:{REPOSITORY}:ref_type:branch:ref:{branch}"),
        "namespace_id": "72",
        "namespace_path": OWNER,
        "project_id": "20",
        "project_path": REPOSITORY,
        "user_id": "1",
        "user_login": "octocat",
        "user_email": "octocat@example.com",
        "pipeline_id": "42",
        "pipeline_source": "push",
        "job_id": RUN,
        "ref": branch,
        "ref_type": "branch",
        "ref_path": format!("refs/heads/{branch}"),
        "ref_protected": (branch == BRANCH).to_string(),
        "runner_id": 1,
        "runner_environment": "gitlab-hosted",
        "sha": SHA,
        "project_visibility": "private",
        "ci_config_ref_uri": format!("{}/{REPOSITORY}//.gitlab-ci.yml@refs/heads/{branch}", host(issuer)),
        "ci_config_sha": SHA,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    #[test]
    fn finds_tokens_under_another_name() {
        let jwt = |iss: &str| {
            format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", URL_SAFE_NO_PAD.encode(format!(r#"{{"iss":"{iss}"}}"#)))
        };
        let (ours, other) = (jwt("https://gitlab.example.com"), jwt("https://vault.example.com"));
        let env = Env::new(
            [
                ("CI_SERVER_URL", "https://gitlab.example.com/"),
                ("SIGSTORE_ID_TOKEN", &ours),
                ("VAULT_TOKEN", &other),
                ("NO_TOKEN", "a.b.c"),
            ],
            "/",
        );
        let absent = absent(&env, "TBOT_GITLAB_JWT");
        assert_eq!(absent.why, "`TBOT_GITLAB_JWT` is not set");
        assert_eq!(absent.hints.len(), 2, "{absent:?}");
        assert!(absent.hints[0].contains("`--id-token-env SIGSTORE_ID_TOKEN`"), "{absent:?}");
        assert!(
            absent.hints[1].contains("`id_tokens: { TBOT_GITLAB_JWT: { aud: <cluster name> } }`"),
            "{absent:?}"
        );
        assert!(!format!("{absent:?}").contains("eyJ"));

        let without_server = Env::new([("SIGSTORE_ID_TOKEN", ours.as_str())], "/");
        assert_eq!(super::absent(&without_server, "X").hints.len(), 1);
    }
}
