//! Jenkins, with the plugin that issues identity tokens.
//!
//! Names from jenkins.io, "Using environment variables", jenkinsci/jenkins `CoreEnvironmentContributor`, and
//! jenkinsci/oidc-provider-plugin.

use serde_json::{Value, json};

use super::facts::{Absent, Channel, Facts, LogSyntax, Marker, how_missing, in_variable, indented, one_of};
use super::simulation::Simulation;
use crate::env::Env;

const JENKINS_URL: &str = "JENKINS_URL";
const BUILD_ID: &str = "BUILD_ID";
/// A pipeline binds the plugin's credential to this variable, or to one that the user says.
const JENKINS_ID_TOKEN: &str = "JENKINS_ID_TOKEN";

pub(super) const FACTS: Facts = Facts {
    id: "jenkins",
    title: "Jenkins",
    marker,
    token_place: |env| in_variable(env, JENKINS_ID_TOKEN),
    program: |_, _| None,
    absent: |env| absent(env, JENKINS_ID_TOKEN),
    absent_variable: Some(absent),
    audience_hint: Some(|_| "set the audience of the credential in Jenkins".to_owned()),
    expired_hints: |_| {
        vec![
            "log in inside of `withCredentials`, which makes a new token: it lives for an hour unless the administrator \
             says otherwise"
                .to_owned(),
        ]
    },
    // Beside the workspace; nothing removes it, so a later login there replaces what an earlier one left.
    temp_dir: Some("WORKSPACE_TMP"),
    checkout: |env| Some(env.absolute(env.var("WORKSPACE")?.as_ref())),
    // There where `JENKINS_URL` is. Not `BUILD_TAG`: it has `-` for each `/` of the job's name, so that `app/deploy` and
    // `app-deploy` share one.
    job: &["BUILD_URL"],
    limit: None,
    log: LogSyntax { fold: indented, folds_details: false, annotate: None },
    channel: Channel::Script {
        hint: "load the variables for the next lines of the same `sh`: `eval \"$(jobpass login --export shell)\"`",
    },
    debug: None,
    protocol: None,
    simulation: Simulation {
        issuer: ISSUER,
        audience: |_| Some("teleport.example.com".to_owned()),
        claims,
        fixed: &VARIABLES,
        variables: |job| vec![(JENKINS_ID_TOKEN, job.token.to_owned())],
        admitting_spec: || {
            json!({
                "issuer": ISSUER,
                "audience": "teleport.example.com",
                "must_match_fields": {"sub": JOB_URL},
            })
        },
        admits_one_branch: false,
    },
};

/// Both: others set `BUILD_ID`, too.
fn marker(env: &Env) -> Marker {
    let missing = [JENKINS_URL, BUILD_ID].into_iter().find(|name| env.var(name).is_none());
    match missing {
        Some(name) => one_of(env, &[name]),
        None => {
            Marker { why: format!("{JENKINS_URL} and {BUILD_ID} are set"), ..one_of(env, &[JENKINS_URL]) }
        }
    }
}

fn absent(env: &Env, name: &str) -> Absent {
    Absent {
        why: how_missing(env, name),
        hints: vec![
            format!(
                "bind the credential in the pipeline: `withCredentials([string(credentialsId: 'teleport', variable: \
                 '{name}')])`"
            ),
            "install the plugin \"OpenID Connect Provider\" and create a credential of the kind \"OpenID Connect id token\": \
             Jenkins itself gives jobs no identity"
                .to_owned(),
        ],
    }
}

const ISSUER: &str = "https://jenkins.example.com/oidc";
const JOB_URL: &str = "https://jenkins.example.com/job/app/job/deploy/";

const VARIABLES: [(&str, &str); 6] = [
    ("BUILD_URL", "https://jenkins.example.com/job/app/job/deploy/42/"),
    (JENKINS_URL, "https://jenkins.example.com/"),
    (BUILD_ID, "42"),
    ("BUILD_NUMBER", "42"),
    ("JOB_NAME", "app/deploy"),
    ("JOB_URL", JOB_URL),
];

fn claims(_: &str, _: i64, _: &str) -> Value {
    json!({ "sub": JOB_URL, "build_number": 42 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_marker_is_two_variables() {
        for (vars, present, why) in [
            (&[(JENKINS_URL, "https://j/"), (BUILD_ID, "1")][..], true, "JENKINS_URL and BUILD_ID are set"),
            (&[(BUILD_ID, "1")], false, "JENKINS_URL is not set"),
            (&[(JENKINS_URL, "https://j/")], false, "BUILD_ID is not set"),
            (&[], false, "JENKINS_URL is not set"),
        ] {
            let marker = marker(&Env::new(vars.iter().copied(), "/"));
            assert_eq!((marker.present, marker.why.as_str()), (present, why));
        }
    }
}
