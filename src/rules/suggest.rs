//! A `kind: token` that would have admitted this job, ready to paste: one narrow, one wide.

use std::fmt::Write as _;

use super::compare::find_claim;
use super::{circleci, github};
use crate::claims::UnverifiedClaims;
use crate::teleport::JoinMethod;

/// Two complete documents for `tctl create -f`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// As much as this job's claims pin down: this branch, this environment, ….
    pub narrow: String,
    /// The project or repository as a whole.
    pub wide: String,
}

/// Writes rules for the job that has these claims; `None`: they are not those of such a job. The claims are
/// anyone's text: all are quoted.
pub fn suggest(
    method: JoinMethod,
    claims: &UnverifiedClaims,
    token_name: &str,
    bot_name: &str,
) -> Option<Suggestion> {
    let parts = Parts::of(method, claims)?;
    let document = |rule: &[Line]| document(method, token_name, bot_name, &parts.options, rule);
    Some(Suggestion { narrow: document(&parts.narrow), wide: document(&parts.wide) })
}

/// A field and its value.
type Line = (&'static str, Value);

enum Value {
    Text(String),
    Texts(String),
    Flag(bool),
}

#[derive(Default)]
struct Parts {
    options: Vec<Line>,
    narrow: Vec<Line>,
    wide: Vec<Line>,
}

impl Parts {
    fn of(method: JoinMethod, claims: &UnverifiedClaims) -> Option<Self> {
        let mut parts = Self::default();
        match method {
            JoinMethod::GitHub => parts.github(claims)?,
            JoinMethod::GitLab => parts.gitlab(claims)?,
            JoinMethod::CircleCi => parts.circleci(claims)?,
            JoinMethod::Spacelift => {
                parts.options =
                    vec![("hostname", first_audience(claims).or_else(|| host_of_issuer(claims))?)];
                parts.rule(
                    claims,
                    &[("caller_id", "callerId")],
                    &[("space_id", "spaceId"), ("scope", "scope")],
                )?;
            }
            JoinMethod::Bitbucket => {
                parts.options = vec![
                    ("audience", first_audience(claims)?),
                    ("identity_provider_url", text(claims, "iss")?),
                ];
                parts.rule(
                    claims,
                    &[("repository_uuid", "repositoryUuid")],
                    &[
                        ("deployment_environment_uuid", "deploymentEnvironmentUuid"),
                        ("branch_name", "branchName"),
                    ],
                )?;
            }
            JoinMethod::TerraformCloud => {
                if let Some(host) =
                    host_of_issuer(claims).filter(|h| !matches!(h, Value::Text(t) if t == "app.terraform.io"))
                {
                    parts.options = vec![("hostname", host)];
                }
                parts.rule(
                    claims,
                    &[
                        ("organization_id", "terraform_organization_id"),
                        ("project_id", "terraform_project_id"),
                    ],
                    &[("workspace_id", "terraform_workspace_id"), ("run_phase", "terraform_run_phase")],
                )?;
            }
            JoinMethod::AzureDevops => {
                parts.options = vec![("organization_id", text(claims, "org_id")?)];
                parts.rule(
                    claims,
                    &[("project_id", "prj_id")],
                    &[("definition_id", "def_id"), ("repository_ref", "rpo_ref")],
                )?;
            }
            JoinMethod::Env0 => parts.rule(
                claims,
                &[("organization_id", "organizationId"), ("project_id", "projectId")],
                &[("environment_id", "environmentId"), ("deployment_type", "deploymentType")],
            )?,
            JoinMethod::Iam => parts.rule(claims, &[("aws_account", "Account")], &[("aws_arn", "Arn")])?,
            JoinMethod::Gcp => {
                let project = listed(claims, "google.compute_engine.project_id")?;
                parts.wide = vec![("project_ids", project)];
                parts.narrow = vec![("project_ids", listed(claims, "google.compute_engine.project_id")?)];
                parts.narrow.extend(listed(claims, "email").map(|email| ("service_accounts", email)));
            }
            JoinMethod::Kubernetes => {
                let account = || {
                    let name = claims.subject()?.strip_prefix("system:serviceaccount:")?;
                    Some(("service_account", Value::Text(name.to_owned())))
                };
                parts.options = vec![("type", Value::Text("in_cluster".to_owned()))];
                (parts.narrow, parts.wide) = (vec![account()?], vec![account()?]);
            }
            // Subscription and group stand inside a resource id; a good rule for claims of any kind is not ours to guess.
            JoinMethod::Azure | JoinMethod::GenericOidc => return None,
        }
        Some(parts)
    }

    /// The wide rule needs all of `wide`; the narrow one adds what is there of `more`.
    fn rule(
        &mut self,
        claims: &UnverifiedClaims,
        wide: &[(&'static str, &str)],
        more: &[(&'static str, &str)],
    ) -> Option<()> {
        for &(field, claim) in wide {
            self.wide.push((field, text(claims, claim)?));
            self.narrow.push((field, text(claims, claim)?));
        }
        self.narrow.extend(more.iter().filter_map(|&(field, claim)| Some((field, text(claims, claim)?))));
        Some(())
    }

    fn github(&mut self, claims: &UnverifiedClaims) -> Option<()> {
        let issuer = claims.issuer().unwrap_or_default();
        if let Some(slug) = issuer.strip_prefix(github::ISSUER).and_then(|rest| rest.strip_prefix('/')) {
            self.options = vec![("enterprise_slug", Value::Text(slug.to_owned()))];
        } else if let Some(host) =
            issuer.strip_prefix("https://").and_then(|i| i.strip_suffix("/_services/token"))
        {
            self.options = vec![("enterprise_server_host", Value::Text(host.to_owned()))];
        }
        // `sub` is left alone: its format differs with the age of the repository.
        self.rule(
            claims,
            &[("repository", "repository")],
            &[("ref", "ref"), ("environment", "environment"), ("workflow", "workflow")],
        )
    }

    fn gitlab(&mut self, claims: &UnverifiedClaims) -> Option<()> {
        if let Some(Value::Text(host)) =
            host_of_issuer(claims).filter(|h| !matches!(h, Value::Text(t) if t == "gitlab.com"))
        {
            self.options = vec![("domain", Value::Text(host))];
        }
        self.rule(
            claims,
            &[("project_path", "project_path")],
            &[("ref", "ref"), ("ref_type", "ref_type"), ("environment", "environment")],
        )?;
        if claims.text("ref_protected") == Some("true") {
            self.narrow.push(("ref_protected", Value::Flag(true)));
        }
        Some(())
    }

    fn circleci(&mut self, claims: &UnverifiedClaims) -> Option<()> {
        let organization = text(claims, "oidc.circleci.com/org-id")
            .or_else(|| Some(Value::Text(claims.issuer()?.strip_prefix(circleci::ISSUER)?.to_owned())))
            .or_else(|| first_audience(claims))?;
        self.options = vec![("organization_id", organization)];
        self.rule(claims, &[("project_id", circleci::PROJECT)], &[])?;
        let context = find_claim(claims, circleci::CONTEXTS).and_then(|ids| ids.get(0)?.as_str());
        if let Some(context) = context.filter(|id| !id.is_empty()) {
            self.narrow.push(("context_id", Value::Text(context.to_owned())));
        }
        Some(())
    }
}

fn text(claims: &UnverifiedClaims, claim: &str) -> Option<Value> {
    let found = find_claim(claims, claim)?.as_str().filter(|t| !t.is_empty())?;
    Some(Value::Text(found.to_owned()))
}

fn listed(claims: &UnverifiedClaims, claim: &str) -> Option<Value> {
    let found = find_claim(claims, claim)?.as_str().filter(|t| !t.is_empty())?;
    Some(Value::Texts(found.to_owned()))
}

fn first_audience(claims: &UnverifiedClaims) -> Option<Value> {
    claims.audiences().first().filter(|a| !a.is_empty()).map(|a| Value::Text((*a).to_owned()))
}

fn host_of_issuer(claims: &UnverifiedClaims) -> Option<Value> {
    let host = claims.issuer()?.strip_prefix("https://")?;
    (!host.is_empty() && !host.contains('/')).then(|| Value::Text(host.to_owned()))
}

fn document(method: JoinMethod, token: &str, bot: &str, options: &[Line], rule: &[Line]) -> String {
    let or = |name: &str, other: &str| quote(if name.is_empty() { other } else { name });
    let mut out = format!(
        "kind: token\nversion: v2\nmetadata:\n  name: {}\nspec:\n  roles: [Bot]\n  bot_name: {}\n  join_method: {method}\n",
        or(token, "my-token"),
        or(bot, "my-bot"),
    );
    let indent = if method == JoinMethod::Iam {
        "  "
    } else {
        let _ = writeln!(out, "  {method}:");
        "    "
    };
    for (name, value) in options {
        let _ = writeln!(out, "{indent}{name}: {value}");
    }
    let _ = writeln!(out, "{indent}allow:");
    for (index, (name, value)) in rule.iter().enumerate() {
        let dash = if index == 0 { "- " } else { "  " };
        let _ = writeln!(out, "{indent}{dash}{name}: {value}");
    }
    out
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&quote(text)),
            Self::Texts(text) => write!(f, "[{}]", quote(text)),
            Self::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

/// A YAML scalar that is this string for every reader: plain where nobody could take it for anything else,
/// otherwise in double quotes with all that is not printable escaped.
fn quote(text: &str) -> String {
    let plain_byte = |b: u8| b.is_ascii_alphanumeric() || b"-_./@".contains(&b);
    let word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"];
    let plain = text.bytes().all(plain_byte)
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.starts_with("---")
        && !word.iter().any(|w| text.eq_ignore_ascii_case(w));
    if plain {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c if (c as u32) < 0x1_0000 && !c.is_alphanumeric() => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c if !c.is_alphanumeric() => {
                let _ = write!(out, "\\U{:08X}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::rules::{ServerVersion, parse};

    const NEW: ServerVersion = ServerVersion { major: 18, minor: 11, patch: 0 };

    fn claims(value: &serde_json::Value) -> UnverifiedClaims {
        UnverifiedClaims::from_json(value.to_string().as_bytes()).unwrap()
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
            JoinMethod::Kubernetes => json!({"sub": format!("system:serviceaccount:{t}")}),
            JoinMethod::Azure | JoinMethod::GenericOidc => json!({}),
        }
    }

    proptest! {
        #[test]
        fn admits_the_job_it_was_made_for(
            t in "[\\PC\u{0}-\u{1f}\u{7f}-\u{9f}\u{2028}\u{feff}'\"\\\\:#{}*?!&%@`|>\n\t -]{1,12}|true|~|1e3|0x1|---|\\.\\.\\.|=|<<",
            name in "\\PC{0,8}",
        ) {
            for method in JoinMethod::ALL {
                let job = claims(&job(method, &t));
                let Some(found) = suggest(method, &job, &name, &t) else {
                    prop_assert!(matches!(method, JoinMethod::Azure | JoinMethod::GenericOidc), "{}", method);
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
}
