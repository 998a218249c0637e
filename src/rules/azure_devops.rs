//! `spec.azure_devops`: Azure Pipelines (Teleport `lib/join/azuredevops`).

use serde_json::Value;

use super::compare::Compared;
use super::method::{Field, How, Method, Shape, option};
use crate::claims::UnverifiedClaims;

pub(super) const METHOD: Method = Method {
    section: Some("azure_devops"),
    options: &[("organization_id", Shape::Text)],
    required: &["organization_id"],
    hosts: &[],
    fields: &[
        Field::exact("sub", "sub"),
        Field::new("project_name", "sub", How::Own(|want, claims| part(0, want, claims))),
        Field::new("pipeline_name", "sub", How::Own(|want, claims| part(1, want, claims))),
        Field::exact("project_id", "prj_id"),
        Field::exact("definition_id", "def_id"),
        Field::exact("repository_uri", "rpo_uri"),
        Field::exact("repository_version", "rpo_ver"),
        Field::exact("repository_ref", "rpo_ref"),
    ],
    groups: &[&["sub", "project_name", "project_id"]],
    claims: &["sub", "org_id", "prj_id", "def_id", "rpo_uri", "rpo_ver", "rpo_ref"],
    issuer: |spec| option(spec, "organization_id").map(|id| format!("https://vstoken.dev.azure.com/{id}")),
    // Fixed by the platform.
    audiences: |_, _| vec!["api://AzureADTokenExchange".to_owned()],
    blocked,
    refusal: "id token claims failed to match any allow rules",
};

/// `p://organisation/project/pipeline` → project, pipeline.
fn subject(sub: &str) -> Result<[&str; 2], &'static str> {
    let rest = sub.strip_prefix("p://").ok_or("id token is not of pipeline kind")?;
    let mut parts = rest.split('/').skip(1);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(project), Some(pipeline), None) => Ok([project, pipeline]),
        _ => Err("subject malformed, expected 2 path elements"),
    }
}

fn part(index: usize, want: &str, claims: &UnverifiedClaims) -> Compared {
    let parts = claims.subject().and_then(|sub| subject(sub).ok());
    let got = parts.as_ref().and_then(|p| p.get(index).copied());
    Compared::with(got, got == Some(want)).noted("taken from `sub`")
}

fn blocked(spec: &Value, claims: &UnverifiedClaims) -> Option<String> {
    if let Err(text) = subject(claims.subject().unwrap_or_default()) {
        return Some(text.to_owned());
    }
    let (want, got) = (option(spec, "organization_id")?, claims.text("org_id").unwrap_or_default());
    (got != want).then(|| {
        // The claim is anyone's text and goes to a terminal.
        let got: String = got.chars().filter(|c| !c.is_control()).take(200).collect();
        format!("organization ID in token ({got}) does not match configured ({want})")
    })
}
