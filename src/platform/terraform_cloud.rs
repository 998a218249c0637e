//! HCP Terraform and Terraform Enterprise.
//!
//! Names and claims from developer.hashicorp.com, "Workload identity" (hashicorp/terraform-docs-common).

use serde_json::{Value, json};

use super::facts::{Absent, Channel, Facts, LogSyntax, TokenPlace, how_missing, indented, one_of};
use super::simulation::{OWNER, Simulation};
use crate::env::Env;
use crate::text::{is_name, safe};

const TFC_RUN_ID: &str = "TFC_RUN_ID";
/// There where the workspace sets [`AUDIENCE`]; with a tag behind it (`_TELEPORT`), where that has the same tag.
const TOKEN: &str = "TFC_WORKLOAD_IDENTITY_TOKEN";
/// A variable of the workspace, not of the run.
const AUDIENCE: &str = "TFC_WORKLOAD_IDENTITY_AUDIENCE";
/// The tag by which a token is meant for us, whatever others there are.
const TELEPORT: &str = "TELEPORT";

pub(super) const FACTS: Facts = Facts {
    id: "terraform_cloud",
    title: "HCP Terraform",
    marker: |env| one_of(env, &[TFC_RUN_ID]),
    token_place: |env| variable(env).map(|name| TokenPlace::Variable(name.to_owned())),
    program: |_, _| None,
    absent,
    absent_variable: Some(|env, name| Absent {
        why: how_missing(env, name),
        hints: vec![set_audience(name.strip_prefix(TOKEN).unwrap_or_default(), "<cluster name>")],
    }),
    audience_hint: Some(|wanted| set_audience("", &safe(wanted, 200))),
    expired_hints: |_| {
        vec![
            "log in in the phase that needs it (plan, apply): a token ends with the time limit of its phase"
                .to_owned(),
        ]
    },
    // A machine for each run.
    temp_dir: None,
    checkout: |_| None,
    job: &["TFC_RUN_ID"],
    limit: None,
    log: LogSyntax { fold: indented, folds_details: false, annotate: None },
    channel: Channel::Script {
        hint: "load the variables in the program that Terraform runs: `eval \"$(jobpass login --export shell)\"`; a \
               provider reads the files by their paths, so pass `--dir`",
    },
    debug: None,
    protocol: None,
    simulation: Simulation {
        issuer: "https://app.terraform.io",
        audience: |_| None,
        claims,
        fixed: &VARIABLES,
        variables: |job| vec![(TOKEN, job.token.to_owned())],
        admitting_spec: || json!({"allow": [{"organization_name": OWNER, "project_name": "web", "workspace_name": "app"}]}),
        admits_one_branch: false,
    },
};

/// The variable that has our token: the one tagged for us, the one without a tag, or the only one.
fn variable(env: &Env) -> Option<&str> {
    let all = tagged(env);
    let ours = all.iter().copied().find(|name| name.strip_prefix(TOKEN) == Some("_TELEPORT"));
    let plain = env.var(TOKEN).map(|_| TOKEN);
    ours.or(plain).or(match all[..] {
        [only] => Some(only),
        _ => None,
    })
}

/// The names of the variables with a tag that are not empty.
fn tagged(env: &Env) -> Vec<&str> {
    let is_tagged = |name: &str| {
        let tag = name.strip_prefix(TOKEN).and_then(|rest| rest.strip_prefix('_'));
        tag.is_some_and(|tag| !tag.is_empty()) && is_name(name)
    };
    env.iter().filter(|(name, value)| is_tagged(name) && !value.is_empty()).map(|(name, _)| name).collect()
}

fn absent(env: &Env) -> Absent {
    let several = tagged(env);
    if several.len() > 1 {
        let choose =
            |name: &&str| format!("pass `--id-token-env {}` if that token is for Teleport", safe(name, 100));
        let mut hints: Vec<String> = several.iter().take(5).map(choose).collect();
        hints.push(format!("tag the one for Teleport: `{AUDIENCE}_{TELEPORT}` in the workspace"));
        let why = format!("{}, and several variables with a tag are", how_missing(env, TOKEN));
        return Absent { why, hints };
    }
    Absent {
        why: how_missing(env, TOKEN),
        hints: vec![
            set_audience("", "<cluster name>"),
            "on an agent of your own, use tfc-agent 1.7.0 or newer (1.12.0 for tags)".to_owned(),
        ],
    }
}

fn set_audience(tag: &str, audience: &str) -> String {
    let tag = safe(tag, 60);
    format!("set the workspace's environment variable `{AUDIENCE}{tag}` to `{audience}`")
}

const RUN: &str = "run-0123456789abcdef";

const VARIABLES: [(&str, &str); 4] = [
    (TFC_RUN_ID, RUN),
    ("TFC_PROJECT_NAME", "web"),
    ("TFC_WORKSPACE_NAME", "app"),
    ("TFC_WORKSPACE_SLUG", "acme/app"),
];

fn claims(_: &str, now: i64, _: &str) -> Value {
    json!({
        "nbf": now,
        "sub": format!("organization:{OWNER}:project:web:workspace:app:run_phase:apply"),
        "terraform_organization_id": "org-0123456789abcdef",
        "terraform_organization_name": OWNER,
        "terraform_project_id": "prj-0123456789abcdef",
        "terraform_project_name": "web",
        "terraform_workspace_id": "ws-0123456789abcdef",
        "terraform_workspace_name": "app",
        "terraform_full_workspace": "organization:acme:project:web:workspace:app",
        "terraform_run_id": RUN,
        "terraform_run_phase": "apply",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_for_us_the_plain_one_or_the_only_one() {
        const PLAIN: (&str, &str) = (TOKEN, "a");
        const OURS: (&str, &str) = ("TFC_WORKLOAD_IDENTITY_TOKEN_TELEPORT", "b");
        const VAULT: (&str, &str) = ("TFC_WORKLOAD_IDENTITY_TOKEN_VAULT", "c");
        const OTHER: (&str, &str) = ("TFC_WORKLOAD_IDENTITY_TOKEN_OTHER", "d");
        for (vars, want) in [
            (&[][..], None),
            (&[PLAIN, VAULT], Some(PLAIN.0)),
            (&[PLAIN, VAULT, OURS], Some(OURS.0)),
            (&[VAULT], Some(VAULT.0)),
            (&[(TOKEN, ""), VAULT], Some(VAULT.0)),
            (&[VAULT, OTHER], None),
            (&[("TFC_WORKLOAD_IDENTITY_TOKEN_", "x")], None),
            (&[("TFC_WORKLOAD_IDENTITY_TOKEN_X", "")], None),
        ] {
            let env = Env::new(vars.iter().copied(), "/");
            assert_eq!(variable(&env), want, "{vars:?}");
        }
        let both = absent(&Env::new([VAULT, OTHER], "/"));
        assert_eq!(both.hints.len(), 3);
        assert!(both.hints[1].contains("`--id-token-env TFC_WORKLOAD_IDENTITY_TOKEN_VAULT`"), "{both:?}");
        let named = FACTS.absent_variable.unwrap()(&Env::new([PLAIN], "/"), OURS.0);
        assert!(named.hints[0].contains("`TFC_WORKLOAD_IDENTITY_AUDIENCE_TELEPORT`"), "{named:?}");
    }
}
