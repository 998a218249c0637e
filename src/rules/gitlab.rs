//! `spec.gitlab`: GitLab CI (Teleport `lib/join/gitlab`).

use serde_json::Value;

use super::method::{Field, How, Method, NO_RULE, Shape, never, option};

pub(super) const METHOD: Method = Method {
    section: Some("gitlab"),
    options: &[("domain", Shape::Text), ("static_jwks", Shape::Text)],
    required: &[],
    hosts: &["domain"],
    fields: &[
        Field::new("sub", "sub", How::Glob),
        Field::new("ref", "ref", How::Glob),
        Field::exact("ref_type", "ref_type"),
        Field::new("namespace_path", "namespace_path", How::Glob),
        Field::new("project_path", "project_path", How::Glob),
        Field::exact("pipeline_source", "pipeline_source"),
        Field::exact("environment", "environment"),
        Field::exact("user_login", "user_login"),
        Field::exact("user_id", "user_id"),
        Field::exact("user_email", "user_email"),
        Field::new("ref_protected", "ref_protected", How::Flag),
        Field::new("environment_protected", "environment_protected", How::Flag),
        Field::exact("ci_config_sha", "ci_config_sha"),
        Field::exact("ci_config_ref_uri", "ci_config_ref_uri"),
        Field::exact("deployment_tier", "deployment_tier"),
        Field::exact("project_visibility", "project_visibility"),
    ],
    groups: &[&["sub", "project_path", "namespace_path", "ci_config_ref_uri"]],
    claims: &[
        "sub",
        "project_path",
        "namespace_path",
        "ref",
        "ref_type",
        "ref_protected",
        "environment",
        "environment_protected",
        "deployment_tier",
        "pipeline_source",
        "user_login",
        "user_id",
        "user_email",
        "ci_config_ref_uri",
        "ci_config_sha",
        "project_visibility",
    ],
    issuer,
    // The cluster's bare name: no scheme, no port.
    audiences: |_, cluster| vec![cluster.to_owned()],
    blocked: never,
    refusal: NO_RULE,
};

fn issuer(spec: &Value) -> Option<String> {
    if option(spec, "static_jwks").is_some() {
        return None;
    }
    Some(format!("https://{}", option(spec, "domain").unwrap_or("gitlab.com")))
}
