//! `spec.bitbucket`: Bitbucket Pipelines (Teleport `lib/join/bitbucket`). UUIDs keep their braces.

use super::method::{Field, Method, NO_RULE, Shape, never, option};

pub(super) const METHOD: Method = Method {
    section: Some("bitbucket"),
    options: &[("audience", Shape::Text), ("identity_provider_url", Shape::Text)],
    required: &["audience", "identity_provider_url"],
    hosts: &[],
    fields: &[
        Field::exact("workspace_uuid", "workspaceUuid"),
        Field::exact("repository_uuid", "repositoryUuid"),
        Field::exact("deployment_environment_uuid", "deploymentEnvironmentUuid"),
        Field::exact("branch_name", "branchName"),
    ],
    groups: &[&["workspace_uuid", "repository_uuid"]],
    claims: &["workspaceUuid", "repositoryUuid", "deploymentEnvironmentUuid", "branchName"],
    issuer: |spec| option(spec, "identity_provider_url").map(str::to_owned),
    audiences: |spec, _| option(spec, "audience").map(str::to_owned).into_iter().collect(),
    blocked: never,
    refusal: NO_RULE,
};
