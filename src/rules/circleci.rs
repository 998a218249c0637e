//! `spec.circleci`: `CircleCI`'s cloud (Teleport `lib/join/circleci`).

use super::method::{Field, How, Method, NO_RULE, Shape, never, option};

/// Before the organisation's UUID (circleci.com/docs/openid-connect-tokens).
pub(super) const ISSUER: &str = "https://oidc.circleci.com/org/";
pub(super) const PROJECT: &str = "oidc.circleci.com/project-id";
pub(super) const CONTEXTS: &str = "oidc.circleci.com/context-ids";

pub(super) const METHOD: Method = Method {
    section: Some("circleci"),
    options: &[("organization_id", Shape::Text)],
    required: &["organization_id"],
    hosts: &[],
    fields: &[Field::exact("project_id", PROJECT), Field::new("context_id", CONTEXTS, How::Contained)],
    groups: &[&["project_id", "context_id"]],
    claims: &[PROJECT, CONTEXTS],
    issuer: |spec| option(spec, "organization_id").map(|id| format!("{ISSUER}{id}")),
    audiences: |spec, _| option(spec, "organization_id").map(str::to_owned).into_iter().collect(),
    blocked: never,
    refusal: NO_RULE,
};
