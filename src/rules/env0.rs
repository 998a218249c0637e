//! `spec.env0` (Teleport `lib/join/env0`).

use super::method::{Audience, Field, Method};
use super::proposal::Proposal;
use super::version::Since;

/// With the slash at its end (docs.envzero.com, "OIDC integrations").
const ISSUER: &str = "https://login.app.env0.com/";

pub(super) const METHOD: Method = Method {
    label: "env0",
    section: Some("env0"),
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
    since: Some(Since::new(18, 4, 0)),
    stream_only: true,
    ignores_authorized_party: true,
    issuer: |_| Some(ISSUER.to_owned()),
    // Teleport's constant, tried with a live tenant (Teleport issues 60386, 60710); env0's own page lists another.
    audience: Audience::Literal("https://app.env0.com"),
    owns_issuer: |issuer| issuer == ISSUER,
    looks_like: |claims| claims.issuer() == Some(ISSUER),
    propose: |claims| {
        Proposal::new(
            claims,
            Vec::new(),
            &[("organization_id", "organizationId"), ("project_id", "projectId")],
            &[("environment_id", "environmentId"), ("deployment_type", "deploymentType")],
        )
    },
    ..Method::BASE
};
