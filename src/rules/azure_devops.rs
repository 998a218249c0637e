//! `spec.azure_devops`: Azure Pipelines (Teleport `lib/join/azuredevops`).

use serde_json::Value;

use super::cause::{Cause, Context, ServerText};
use super::claim::{option, text_of};
use super::message::{SHOWN, between};
use super::method::{Audience, Field, How, Method, Shape};
use super::proposal::{Item, Proposal};
use super::verdict::Compared;
use super::version::Since;
use crate::claims::UnverifiedClaims;
use crate::text::safe;

/// Before the organization's UUID.
const ISSUER: &str = "https://vstoken.dev.azure.com/";
const NO_RULE: &str = "id token claims failed to match any allow rules";
const NOT_A_PIPELINE: &str = "id token is not of pipeline kind";
const MALFORMED: &str = "subject malformed, expected 2 path elements";

pub(super) const METHOD: Method = Method {
    label: "Azure DevOps",
    section: Some("azure_devops"),
    options: &[("organization_id", Shape::Text)],
    required: &["organization_id"],
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
    more_claims: &["org_id"],
    since: Some(Since::new(17, 5, 1)),
    issuer: |spec| option(spec, "organization_id").map(|id| format!("{ISSUER}{id}")),
    // Fixed by the platform.
    audience: Audience::Literal("api://AzureADTokenExchange"),
    owns_issuer: |issuer| issuer.starts_with(ISSUER),
    looks_like: |claims| claims.issuer().is_some_and(|issuer| issuer.starts_with(ISSUER)),
    blocked,
    refusal: |_, _| NO_RULE.to_owned(),
    propose: |claims| {
        let options = vec![("organization_id", Item::text(text_of(claims, "org_id")?))];
        Proposal::new(
            claims,
            options,
            &[("project_id", "prj_id")],
            &[("definition_id", "def_id"), ("repository_ref", "rpo_ref")],
        )
    },
    refusals: &[
        ServerText::no_rule(NO_RULE),
        ServerText::new("organization ID in token ( … does not match configured", organization),
        ServerText::new(NOT_A_PIPELINE, |_, ctx| {
            vec![Cause::new(
                "the identity token is that of a service connection",
                format!("its `sub` is `{}`, that of a pipeline begins with `p://`", ctx.claim("sub")),
                "ask for the token without `serviceConnectionId`",
            )]
        }),
        ServerText::new(MALFORMED, |_, ctx| {
            vec![Cause::new(
                "the pipeline's name contains a slash, or it is in a folder",
                format!(
                    "its `sub` is `{}`, the server wants `p://ORGANIZATION/PROJECT/PIPELINE`",
                    ctx.claim("sub")
                ),
                "rename the pipeline without `/`, or move it out of its folder",
            )]
        }),
    ],
    ..Method::BASE
};

/// `p://organization/project/pipeline` → project, pipeline.
fn subject(sub: &str) -> Result<[&str; 2], &'static str> {
    let rest = sub.strip_prefix("p://").ok_or(NOT_A_PIPELINE)?;
    let mut parts = rest.split('/').skip(1);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(project), Some(pipeline), None) => Ok([project, pipeline]),
        _ => Err(MALFORMED),
    }
}

fn part(index: usize, want: &str, claims: &UnverifiedClaims) -> Compared {
    let parts = claims.subject().and_then(|sub| subject(sub).ok());
    let got = parts.as_ref().and_then(|p| p.get(index).copied());
    Compared::new(got, got == Some(want)).noted("taken from `sub`")
}

fn blocked(spec: &Value, claims: &UnverifiedClaims) -> Option<String> {
    if let Err(text) = subject(claims.subject().unwrap_or_default()) {
        return Some(text.to_owned());
    }
    let (want, got) = (option(spec, "organization_id")?, claims.text("org_id").unwrap_or_default());
    (got != want).then(|| {
        format!("organization ID in token ({}) does not match configured ({want})", safe(got, SHOWN))
    })
}

fn organization(message: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let got = between(message, "organization ID in token (", ")").unwrap_or_else(|| ctx.claim("org_id"));
    let want = between(message, "does not match configured (", ")").unwrap_or_default();
    vec![Cause::new(
        "the pipeline belongs to another organization",
        format!("the job's is `{got}`, the token takes `{want}`"),
        format!("set `spec.azure_devops.organization_id: {got}` in the token"),
    )]
}
