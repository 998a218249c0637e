//! `CircleCI`.
//!
//! Names and claims from circleci.com/docs, "Project values and variables" and the page on OIDC tokens.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::facts::{Absent, Channel, Facts, LogSyntax, exactly_true, how_missing, in_variable, indented};
use super::simulation::{REPOSITORY, SHA, Simulation};
use crate::env::Env;
use crate::text::safe;

const CIRCLECI: &str = "CIRCLECI";
/// Lives for an hour from the job's start.
const CIRCLE_OIDC_TOKEN: &str = "CIRCLE_OIDC_TOKEN";
/// The same issuer and audience; only `sub` differs, which Teleport's rules do not use.
const CIRCLE_OIDC_TOKEN_V2: &str = "CIRCLE_OIDC_TOKEN_V2";
/// A UUID, and the audience of the token in the variable.
const CIRCLE_ORGANIZATION_ID: &str = "CIRCLE_ORGANIZATION_ID";

pub(super) const FACTS: Facts = Facts {
    id: "circleci",
    title: "CircleCI",
    marker: |env| exactly_true(env, CIRCLECI),
    token_place: |env| in_variable(env, CIRCLE_OIDC_TOKEN).or_else(|| in_variable(env, CIRCLE_OIDC_TOKEN_V2)),
    program,
    absent,
    absent_variable: None,
    audience_hint: Some(|wanted| {
        format!(
            "get a token for it from the program `circleci` of the job: `--audience {}`",
            safe(wanted, 200)
        )
    }),
    expired_hints: |_| {
        vec![
            "run jobpass in the job's own container, where `circleci run oidc get` makes new tokens: those in the \
             variables live for an hour from the job's start"
                .to_owned(),
        ]
    },
    temp_dir: None,
    checkout,
    job: &["CIRCLE_WORKFLOW_JOB_ID"],
    limit: None,
    log: LogSyntax { fold: indented, folds_details: false, annotate: None },
    channel: Channel::BashFile { variable: "BASH_ENV" },
    debug: None,
    protocol: None,
    simulation: Simulation {
        issuer: ISSUER,
        audience: |issuer| Some(organization(issuer).to_owned()),
        claims,
        fixed: &VARIABLES,
        variables: |job| {
            vec![
                (CIRCLE_ORGANIZATION_ID, organization(job.issuer).to_owned()),
                (CIRCLE_OIDC_TOKEN, job.token.to_owned()),
                (CIRCLE_OIDC_TOKEN_V2, job.token.to_owned()),
                ("CIRCLE_BRANCH", job.branch.to_owned()),
            ]
        },
        admitting_spec: || json!({"organization_id": organization(ISSUER), "allow": [{"project_id": PROJECT}]}),
        admits_one_branch: false,
    },
};

/// The program is in every job ("OIDC tokens with custom claims"). Without `--root-issuer`: Teleport expects the
/// organisation's issuer, and its method the organisation as the audience.
fn program(env: &Env, audience: Option<&str>) -> Option<Vec<String>> {
    let audience = audience.or_else(|| env.var(CIRCLE_ORGANIZATION_ID))?;
    let claims = json!({ "aud": audience }).to_string();
    Some(["circleci", "run", "oidc", "get", "--claims", &claims].map(str::to_owned).to_vec())
}

fn absent(env: &Env) -> Absent {
    let own_container =
        "run jobpass in the job's own container: the program `circleci`, which makes new tokens, is in its `PATH`"
            .to_owned();
    let self_hosted =
        "on a self-hosted runner, make the temp folder writable and not `noexec`: the program that \
                       issues the tokens is unpacked there"
            .to_owned();
    let is_fork = env.var("CIRCLE_PR_NUMBER").is_some() || env.var("CIRCLE_PR_REPONAME").is_some();
    let hints = if is_fork {
        let fork =
            "run the step for your own branches only: this pull request is from a fork, which gets a token \
                    only where the project passes secrets to builds from forked pull requests"
                .to_owned();
        vec![fork, own_container, self_hosted]
    } else {
        let fork =
            "for pull requests from forks, see \"Pass secrets to builds from forked pull requests\" in the \
                    project's settings"
                .to_owned();
        vec![own_container, fork, self_hosted]
    };
    Absent { why: how_missing(env, CIRCLE_OIDC_TOKEN), hints }
}

/// The working directory as written in the configuration; may begin with `~/`.
fn checkout(env: &Env) -> Option<PathBuf> {
    let written = env.var("CIRCLE_WORKING_DIRECTORY")?;
    let path = match written.strip_prefix('~') {
        Some("") => PathBuf::from(env.var("HOME")?),
        Some(rest) if rest.starts_with('/') => {
            PathBuf::from(env.var("HOME")?).join(rest.trim_start_matches('/'))
        }
        _ => PathBuf::from(written),
    };
    Some(env.absolute(&path))
}

const ISSUER: &str = "https://oidc.circleci.com/org/11111111-2222-3333-4444-555555555555";
const PROJECT: &str = "66666666-7777-8888-9999-000000000000";
const WORKFLOW: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
const JOB: &str = "bbbbbbbb-cccc-dddd-eeee-ffffffffffff";

const VARIABLES: [(&str, &str); 7] = [
    (CIRCLECI, "true"),
    ("CIRCLE_BUILD_NUM", "42"),
    ("CIRCLE_JOB", "deploy"),
    ("CIRCLE_PROJECT_ID", PROJECT),
    ("CIRCLE_SHA1", SHA),
    ("CIRCLE_WORKFLOW_ID", WORKFLOW),
    ("CIRCLE_WORKFLOW_JOB_ID", JOB),
];

/// The organisation's UUID, the last part of its issuer.
fn organization(issuer: &str) -> &str {
    issuer.rsplit('/').next().unwrap_or_default()
}

fn claims(issuer: &str, _: i64, branch: &str) -> Value {
    let org = organization(issuer);
    json!({
        "sub": format!("org/{org}/project/{PROJECT}/user/cccccccc-dddd-eeee-ffff-000000000000"),
        "oidc.circleci.com/context-ids": [],
        "oidc.circleci.com/job-id": JOB,
        "oidc.circleci.com/org-id": org,
        "oidc.circleci.com/project-id": PROJECT,
        "oidc.circleci.com/ssh-rerun": false,
        "oidc.circleci.com/vcs-origin": format!("github.com/{REPOSITORY}"),
        "oidc.circleci.com/vcs-ref": format!("refs/heads/{branch}"),
        "oidc.circleci.com/workflow-id": WORKFLOW,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::TokenPlace;

    #[test]
    fn takes_the_first_variable_else_the_second() {
        for (vars, want) in [
            (&[("CIRCLE_OIDC_TOKEN", "a"), ("CIRCLE_OIDC_TOKEN_V2", "b")][..], Some("CIRCLE_OIDC_TOKEN")),
            (&[("CIRCLE_OIDC_TOKEN", ""), ("CIRCLE_OIDC_TOKEN_V2", "b")], Some("CIRCLE_OIDC_TOKEN_V2")),
            (&[], None),
        ] {
            let found = (FACTS.token_place)(&Env::new(vars.iter().copied(), "/"));
            let name = found.map(|place| match place {
                TokenPlace::Variable(name) => name,
                other => panic!("{other:?}"),
            });
            assert_eq!(name.as_deref(), want);
        }
    }

    #[test]
    fn asks_its_program_for_the_audience_else_for_the_organization() {
        let env = Env::new([("CIRCLE_ORGANIZATION_ID", "d1a3")], "/");
        for (env, audience, want) in [
            (&env, None, Some(r#"{"aud":"d1a3"}"#)),
            (&env, Some(r#"a"b"#), Some(r#"{"aud":"a\"b"}"#)),
            (&Env::new::<&str, &str>([], "/"), None, None),
        ] {
            let words = program(env, audience);
            let claims = words.as_ref().map(|words| {
                assert_eq!(words[..5], ["circleci", "run", "oidc", "get", "--claims"]);
                words[5].as_str()
            });
            assert_eq!(claims, want);
        }
    }

    #[test]
    fn hints_name_the_program_and_forks() {
        let plain = absent(&Env::new([("CIRCLE_ORGANIZATION_ID", "d1a3")], "/"));
        assert!(plain.hints[0].contains("`circleci`"), "{plain:?}");
        assert!(
            plain.hints.iter().any(|c| c.contains("noexec"))
                && plain.hints.iter().any(|c| c.contains("forks"))
        );
        let fork = absent(&Env::new([("CIRCLE_PR_NUMBER", "7")], "/"));
        assert!(fork.hints[0].contains("from a fork"), "{fork:?}");
    }
}
