//! `spec.terraform_cloud`: HCP Terraform and Terraform Enterprise (Teleport `lib/join/terraformcloud`).

use super::method::{Field, Method, NO_RULE, Shape, never, option};

pub(super) const METHOD: Method = Method {
    section: Some("terraform_cloud"),
    options: &[("audience", Shape::Text), ("hostname", Shape::Text)],
    required: &[],
    hosts: &["hostname"],
    fields: &[
        Field::exact("organization_id", "terraform_organization_id"),
        Field::exact("organization_name", "terraform_organization_name"),
        Field::exact("project_id", "terraform_project_id"),
        Field::exact("project_name", "terraform_project_name"),
        Field::exact("workspace_id", "terraform_workspace_id"),
        Field::exact("workspace_name", "terraform_workspace_name"),
        Field::exact("run_phase", "terraform_run_phase"),
    ],
    groups: &[
        &["organization_id", "organization_name"],
        &["project_id", "project_name", "workspace_id", "workspace_name"],
    ],
    claims: &[
        "terraform_organization_id",
        "terraform_organization_name",
        "terraform_project_id",
        "terraform_project_name",
        "terraform_workspace_id",
        "terraform_workspace_name",
        "terraform_run_phase",
    ],
    issuer: |spec| Some(format!("https://{}", option(spec, "hostname").unwrap_or("app.terraform.io"))),
    audiences: |spec, cluster| vec![option(spec, "audience").unwrap_or(cluster).to_owned()],
    blocked: never,
    refusal: NO_RULE,
};
