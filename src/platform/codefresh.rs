//! Codefresh.
//!
//! Names and claims from codefresh.io/docs, "OpenID Connect for pipelines", and its step `obtain-oidc-id-token`.

use serde_json::{Value, json};

use super::endpoint::{AudienceIn, Protocol};
use super::facts::{
    Absent, Channel, Facts, LogSyntax, TokenPlace, how_missing, in_variable, indented, one_of,
};
use super::simulation::{BRANCH, SHA, Simulation};
use crate::env::Env;

const CF_BUILD_ID: &str = "CF_BUILD_ID";
const CF_OIDC_REQUEST_URL: &str = "CF_OIDC_REQUEST_URL";
/// Secret.
const CF_OIDC_REQUEST_TOKEN: &str = "CF_OIDC_REQUEST_TOKEN";

/// The secret stands in the header alone.
static PROTOCOL: Protocol = Protocol {
    posts: false,
    scheme: "",
    accept: "application/json",
    audience: AudienceIn::Query,
    field: "id_token",
    url: CF_OIDC_REQUEST_URL,
    secret: CF_OIDC_REQUEST_TOKEN,
    refuses_with: &[],
    refused_hint: "run jobpass in the pipeline itself, while it runs",
};

pub(super) const FACTS: Facts = Facts {
    id: "codefresh",
    title: "Codefresh",
    marker: |env| one_of(env, &[CF_BUILD_ID]),
    token_place: |env| {
        // What its step leaves has a name that others may use, too.
        let of_step = || env.var(CF_BUILD_ID).and_then(|_| in_variable(env, "ID_TOKEN"));
        PROTOCOL.endpoint(env).map(TokenPlace::Endpoint).or_else(of_step)
    },
    program: |_, _| None,
    absent,
    absent_variable: None,
    audience_hint: None,
    expired_hints: |_| {
        vec!["run jobpass in the step that needs it: Codefresh's tokens live for five minutes".to_owned()]
    },
    // The volume that steps share is kept for later builds: no place for keys.
    temp_dir: None,
    checkout: |env| Some(env.absolute(env.var("CF_VOLUME_PATH")?.as_ref())),
    log: LogSyntax { fold: indented, folds_details: false, annotate: None },
    // What `cf_export` writes to, too (codefresh.io/docs, "Variables in pipelines"): of use with a `--dir` on the volume only.
    channel: Channel::FolderFile {
        folder: "CF_VOLUME_PATH",
        name: "env_vars_to_export",
        hint: "load the variables for the next commands of the same step: \
               `eval \"$(jobpass login --export shell)\"`; each step is a container of its own and logs in for itself",
    },
    debug: None,
    protocol: Some(&PROTOCOL),
    simulation: Simulation {
        issuer: ISSUER,
        audience: |_| Some("https://g.codefresh.io".to_owned()),
        claims,
        fixed: &VARIABLES,
        variables: |job| {
            vec![
                (CF_OIDC_REQUEST_URL, job.token_endpoint.to_owned()),
                (CF_OIDC_REQUEST_TOKEN, job.bearer.to_owned()),
                ("CF_BRANCH", job.branch.to_owned()),
            ]
        },
        admitting_spec: || {
            json!({
                "issuer": ISSUER,
                "audience": "teleport.example.com",
                "must_match_fields": {"account_id": ACCOUNT, "pipeline_id": PIPELINE, "scm_ref": BRANCH},
            })
        },
        admits_one_branch: true,
    },
};

fn absent(env: &Env) -> Absent {
    let missing =
        [CF_OIDC_REQUEST_URL, CF_OIDC_REQUEST_TOKEN].into_iter().filter(|name| env.var(name).is_none());
    Absent {
        why: missing.map(|name| how_missing(env, name)).collect::<Vec<_>>().join(", "),
        hints: vec![
            "run the step `obtain-oidc-id-token` with the audience of the join token before it: `ID_TOKEN` is taken".to_owned(),
            format!(
                "inside a container of your own, forward both variables: `docker run -e {CF_OIDC_REQUEST_URL} -e \
                 {CF_OIDC_REQUEST_TOKEN}`"
            ),
        ],
    }
}

const ISSUER: &str = "https://oidc.codefresh.io";
const ACCOUNT: &str = "64f884faabbccddeeff00112";
const PIPELINE: &str = "64f884faabbccddeeff00334";

const VARIABLES: [(&str, &str); 4] = [
    (CF_BUILD_ID, "64f884faabbccddeeff00556"),
    ("CF_PIPELINE_NAME", "acme/deploy"),
    ("CF_REPO_NAME", "app"),
    ("CF_REVISION", SHA),
];

fn claims(_: &str, now: i64, branch: &str) -> Value {
    json!({
        "exp": now + 300,
        "sub": format!("account:{ACCOUNT}:pipeline:{PIPELINE}:scm_repo_url:https://github.com/acme/app:scm_ref:{branch}"),
        "account_id": ACCOUNT,
        "account_name": "acme",
        "pipeline_id": PIPELINE,
        "pipeline_name": "acme/deploy",
        "scm_repo_url": "https://github.com/acme/app",
        "scm_ref": branch,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_its_step_counts_in_its_builds_only() {
        for (vars, want) in [
            (&[("ID_TOKEN", "a")][..], false),
            (&[("ID_TOKEN", "a"), (CF_BUILD_ID, "1")], true),
            (&[(CF_BUILD_ID, "1")], false),
        ] {
            let place = (FACTS.token_place)(&Env::new(vars.iter().copied(), "/"));
            assert_eq!(
                matches!(place, Some(TokenPlace::Variable(name)) if name == "ID_TOKEN"),
                want,
                "{vars:?}"
            );
        }
    }
}
