//! `spec.env0` (Teleport `lib/join/env0`).

use super::method::{Field, Method, NO_RULE, never};

pub(super) const METHOD: Method = Method {
    section: Some("env0"),
    options: &[],
    required: &[],
    hosts: &[],
    fields: &[
        Field::exact("organization_id", "organizationId"),
        Field::exact("project_id", "projectId"),
        Field::exact("project_name", "projectName"),
        Field::exact("template_id", "templateId"),
        Field::exact("template_name", "templateName"),
        Field::exact("environment_id", "environmentId"),
        Field::exact("environment_name", "environmentName"),
        Field::exact("workspace_name", "workspaceName"),
        Field::exact("deployment_type", "deploymentType"),
        Field::exact("deployer_email", "deployerEmail"),
        Field::exact("env0_tag", "env0Tag"),
    ],
    groups: &[&["organization_id"], &["project_id", "project_name"]],
    claims: &[
        "organizationId",
        "projectId",
        "projectName",
        "templateId",
        "templateName",
        "environmentId",
        "environmentName",
        "workspaceName",
        "deploymentType",
        "deployerEmail",
        "env0Tag",
    ],
    // With the slash at its end (docs.envzero.com, "OIDC integrations").
    issuer: |_| Some("https://login.app.env0.com/".to_owned()),
    // Teleport's constant; env0's own page lists another, so a real token may be refused for it.
    audiences: |_, _| vec!["https://app.env0.com".to_owned()],
    blocked: never,
    refusal: NO_RULE,
};
