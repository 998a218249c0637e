//! `spec.bitbucket`: Bitbucket Pipelines (Teleport `lib/join/bitbucket`). UUIDs keep their braces.

use super::claim::{has_all, option, text_of};
use super::finding::text;
use super::method::{Audience, Field, Method, Shape};
use super::proposal::{Item, Proposal, first_audience};
use super::version::Since;

pub(super) const METHOD: Method = Method {
    label: "Bitbucket",
    section: Some("bitbucket"),
    options: &[("audience", Shape::Text), ("identity_provider_url", Shape::Text)],
    required: &["audience", "identity_provider_url"],
    fields: &[
        Field::exact("workspace_uuid", "workspaceUuid"),
        Field::exact("repository_uuid", "repositoryUuid"),
        Field::exact("deployment_environment_uuid", "deploymentEnvironmentUuid"),
        Field::exact("branch_name", "branchName"),
    ],
    groups: &[&["workspace_uuid", "repository_uuid"]],
    since: Some(Since::new(16, 0, 0)),
    issuer: |spec| option(spec, "identity_provider_url").map(str::to_owned),
    audience: Audience::FromToken("audience"),
    looks_like: |claims| has_all(claims, &["repositoryUuid", "workspaceUuid"]),
    propose: |claims| {
        let options = vec![
            ("audience", Item::text(first_audience(claims)?)),
            ("identity_provider_url", Item::text(text_of(claims, "iss")?)),
        ];
        Proposal::new(
            claims,
            options,
            &[("repository_uuid", "repositoryUuid")],
            &[("deployment_environment_uuid", "deploymentEnvironmentUuid"), ("branch_name", "branchName")],
        )
    },
    audience_hint: |want| {
        format!("set `oidc: {{ audiences: [{want}] }}` on the step, or change the audience of the join token")
    },
    one_audience_hint: "list one audience only under `audiences:` of the step",
    lint_rule: |notes, rule| {
        for name in ["workspace_uuid", "repository_uuid", "deployment_environment_uuid"] {
            let uuid = text(rule, name);
            let is_braced = uuid.starts_with('{') && uuid.ends_with('}');
            if !uuid.is_empty() && !is_braced {
                notes.error(name, "can never match: Bitbucket's UUIDs are written in braces, `{…}`");
            }
        }
    },
    ..Method::BASE
};
