//! TeamCity, with the plugin that issues identity tokens.
//!
//! Names from jetbrains.com/help/teamcity, "Predefined build parameters" and "Service messages"; the plugin is
//! OctopusDeploy/teamcity-oidc-plugin.

use serde_json::{Value, json};

use super::facts::{Absent, Channel, Dialect, Facts, LogSyntax, how_missing, in_variable, indented, one_of};
use super::simulation::Simulation;
use crate::env::Env;

const TEAMCITY_VERSION: &str = "TEAMCITY_VERSION";
/// The build configuration hands the plugin's parameter `jwt.token` over by this name, or by one that the user says.
const TEAMCITY_ID_TOKEN: &str = "TEAMCITY_ID_TOKEN";

pub(super) const FACTS: Facts = Facts {
    id: "teamcity",
    title: "TeamCity",
    marker: |env| one_of(env, &[TEAMCITY_VERSION]),
    token_place: |env| in_variable(env, TEAMCITY_ID_TOKEN),
    program: |_, _| None,
    absent: |env| absent(env, TEAMCITY_ID_TOKEN),
    absent_variable: Some(absent),
    audience_hint: Some(|_| "set the audience in the plugin's build feature".to_owned()),
    expired_hints: |_| {
        vec!["log in in the first step of the build: its identity token lives for ten minutes".to_owned()]
    },
    // `TMPDIR` is the build's own there, and emptied after it.
    temp_dir: None,
    checkout: |_| None,
    // "Predefined build parameters": the link to the build. Its unique number is no variable, and `BUILD_NUMBER` is one
    // per configuration only.
    job: &["BUILD_URL"],
    limit: None,
    log: LogSyntax { fold: indented, folds_details: false, annotate: None },
    channel: Channel::Commands(Dialect::TeamCity),
    debug: None,
    protocol: None,
    simulation: Simulation {
        issuer: ISSUER,
        audience: |_| Some("teleport.example.com".to_owned()),
        claims,
        fixed: &VARIABLES,
        variables: |job| vec![(TEAMCITY_ID_TOKEN, job.token.to_owned())],
        admitting_spec: || {
            json!({
                "issuer": ISSUER,
                "audience": "teleport.example.com",
                "must_match_fields": {"sub": BUILD_TYPE},
            })
        },
        admits_one_branch: false,
    },
};

fn absent(env: &Env, name: &str) -> Absent {
    Absent {
        why: how_missing(env, name),
        hints: vec![
            format!("add a parameter to the build configuration: `env.{name}` with the value `%jwt.token%`"),
            "install the plugin OctopusDeploy/teamcity-oidc-plugin (TeamCity 2025.11 or newer) and add its build \
             feature: TeamCity itself gives builds no identity"
                .to_owned(),
        ],
    }
}

/// The server's root URL.
const ISSUER: &str = "https://teamcity.example.com";
const BUILD_TYPE: &str = "App_Deploy";

const VARIABLES: [(&str, &str); 5] = [
    ("BUILD_URL", "https://teamcity.example.com/build/42"),
    (TEAMCITY_VERSION, "2025.11"),
    ("BUILD_NUMBER", "42"),
    ("TEAMCITY_BUILDCONF_NAME", "Deploy"),
    ("TEAMCITY_PROJECT_NAME", "App"),
];

fn claims(_: &str, now: i64, _: &str) -> Value {
    json!({ "exp": now + 600, "nbf": now, "sub": BUILD_TYPE })
}
