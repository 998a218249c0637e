//! What is proposed admits the job it was made for.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::rules::{ServerVersion, parse};

const NEW: ServerVersion = ServerVersion::new(18, 11, 0);

fn claims(value: &serde_json::Value) -> UnverifiedClaims {
    UnverifiedClaims::from_json(value.to_string().as_bytes()).unwrap()
}

#[test]
fn letters_stay_readable_in_quotes() {
    for (text, want) in [
        ("o/r", "o/r"),
        ("prod: été 七", "\"prod: été 七\""),
        ("a \"b\\", "\"a \\\"b\\\\\""),
        ("a\u{7f}\u{2028}", "\"a\\u007F\\u2028\""),
        ("a\u{1f600}", "\"a\\U0001F600\""),
    ] {
        assert_eq!(quote(text), want);
    }
}

#[test]
fn reads_like_a_document_by_hand() {
    let job = claims(&json!({"iss": "https://token.actions.githubusercontent.com", "repository": "o/r",
        "ref": "refs/heads/main", "environment": "prod: eu", "workflow": "on"}));
    let found = suggest(JoinMethod::GitHub, &job, "gh", "ci").unwrap();
    let head = "kind: token\nversion: v2\nmetadata:\n  name: gh\nspec:\n  roles: [Bot]\n  bot_name: ci\n  \
        join_method: github\n  github:\n    allow:\n    - repository: o/r\n";
    assert_eq!(found.wide, head);
    assert_eq!(
        found.narrow,
        format!(
            "{head}      ref: refs/heads/main\n      environment: \"prod: eu\"\n      workflow: \"on\"\n"
        )
    );
    assert_eq!((found.list.as_str(), found.wide_rule.as_str()), ("spec.github.allow", "- repository: o/r\n"));
    let narrow =
        "- repository: o/r\n  ref: refs/heads/main\n  environment: \"prod: eu\"\n  workflow: \"on\"\n";
    assert_eq!(found.narrow_rule, narrow);
    let iam = claims(&json!({"Account": "1", "Arn": "arn:aws:sts::1:assumed-role/r/i"}));
    assert_eq!(suggest(JoinMethod::Iam, &iam, "", "").unwrap().list, "spec.allow");
}

/// Claims of a job of each method, made of `t`.
fn job(method: JoinMethod, t: &str) -> serde_json::Value {
    match method {
        JoinMethod::GitHub => json!({"iss": format!("https://token.actions.githubusercontent.com/{t}"),
            "repository": t, "ref": t, "environment": t, "workflow": t}),
        JoinMethod::GitLab => json!({"iss": "https://git.example", "project_path": t, "ref": t,
            "ref_type": "branch", "environment": t, "ref_protected": "true"}),
        JoinMethod::CircleCi => json!({"oidc.circleci.com/org-id": t, "oidc.circleci.com/project-id": t,
            "oidc.circleci.com/context-ids": [t]}),
        JoinMethod::Spacelift => json!({"aud": t, "callerId": t, "spaceId": t, "scope": t}),
        JoinMethod::Bitbucket => json!({"aud": [t], "iss": t, "repositoryUuid": t, "branchName": t}),
        JoinMethod::TerraformCloud => {
            json!({"iss": "https://tfe.example", "terraform_organization_id": t,
            "terraform_project_id": t, "terraform_workspace_id": t, "terraform_run_phase": t})
        }
        JoinMethod::AzureDevops => {
            json!({"sub": "p://o/p/q", "org_id": t, "prj_id": t, "def_id": t, "rpo_ref": t})
        }
        JoinMethod::Env0 => json!({"organizationId": t, "projectId": t, "environmentId": t}),
        JoinMethod::Iam => json!({"Account": t, "Arn": t}),
        JoinMethod::Gcp => json!({"email": t, "google": {"compute_engine": {"project_id": t}}}),
        JoinMethod::Kubernetes => json!({"sub": format!("system:serviceaccount:{t}"), "iat": 0, "exp": 600,
            "kubernetes.io": {"pod": {"name": t}}}),
        JoinMethod::Azure => {
            // Parts of an id have no slash.
            let group = t.replace('/', "");
            let id = format!(
                "/subscriptions/s/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/v"
            );
            json!({ "xms_mirid": id })
        }
        JoinMethod::GenericOidc => json!({}),
    }
}

proptest! {
    #[test]
    fn admits_the_job_it_was_made_for(
        t in "[\\PC\u{0}-\u{1f}\u{7f}-\u{9f}\u{2028}\u{feff}'\"\\\\:#{}*?!&%@`|>\n\t -]{1,12}|true|~|1e3|0x1|---|\\.\\.\\.|=|<<",
        name in "\\PC{0,8}",
    ) {
        for &method in JoinMethod::ALL {
            let job = claims(&job(method, &t));
            let Some(found) = suggest(method, &job, &name, &t) else {
                prop_assert!(matches!(method, JoinMethod::GenericOidc), "{}", method);
                continue;
            };
            for text in [&found.narrow, &found.wide] {
                let token = parse(text).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?.remove(0);
                prop_assert_eq!(token.evaluate(&job, NEW).matched(), Some(0), "{}", text);
                prop_assert_eq!(token.bot_name.as_deref(), Some(t.as_str()));
                // The same for a reader of the older YAML, which sees more words as booleans or numbers.
                prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", text);
            }
        }
    }
}
