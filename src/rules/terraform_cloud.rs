//! `spec.terraform_cloud`: HCP Terraform and Terraform Enterprise (Teleport `lib/join/terraformcloud`).

use super::cause::{Cause, ServerText};
use super::claim::{has_all, option};
use super::method::{Audience, Field, Method, Shape};
use super::proposal::{Item, Proposal, issuer_host};
use super::version::Since;

const HCP: &str = "app.terraform.io";
const JOINING: &str = "joining from a Terraform Enterprise server";

pub(super) const METHOD: Method = Method {
    label: "Terraform Cloud",
    section: Some("terraform_cloud"),
    options: &[("audience", Shape::Text), ("hostname", Shape::Text)],
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
    since: Some(Since::new(16, 0, 0)),
    enterprise: Some(JOINING),
    issuer: |spec| Some(format!("https://{}", option(spec, "hostname").unwrap_or(HCP))),
    audience: Audience::FromTokenOrClusterName("audience"),
    owns_issuer: |issuer| issuer.strip_prefix("https://") == Some(HCP),
    looks_like: |claims| has_all(claims, &["terraform_run_id"]),
    propose: |claims| {
        let host = issuer_host(claims).filter(|host| *host != HCP);
        Proposal::new(
            claims,
            host.map(|host| ("hostname", Item::text(host))).into_iter().collect(),
            &[("organization_id", "terraform_organization_id"), ("project_id", "terraform_project_id")],
            &[("workspace_id", "terraform_workspace_id"), ("run_phase", "terraform_run_phase")],
        )
    },
    refusals: &[ServerText::new("terraform_cloud joining for Terraform Enterprise", |_, _| {
        vec![Cause::enterprise(JOINING)]
    })],
    audience_hint: |want| format!("set `TFC_WORKLOAD_IDENTITY_AUDIENCE` to `{want}` in the workspace"),
    ..Method::BASE
};
