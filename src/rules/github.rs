//! `spec.github`: GitHub Actions, also of a GitHub Enterprise Server (Teleport `lib/join/githubactions`).

use serde_json::Value;

use super::ServerVersion;
use super::method::{ANY_CLUSTER, Field, How, Method, NO_RULE, Shape, never, option};

/// About the first release with globs in GitHub rules. Teleport's pull request 65525 was merged to master and to
/// the v18 branch in April 2026, between 18.7 and 18.11; which release had it first was not looked up, so a
/// verdict on a pattern always carries a note.
pub const GITHUB_GLOBS_SINCE: ServerVersion = ServerVersion { major: 18, minor: 8, patch: 0 };

/// The issuer of github.com's tokens (docs.github.com).
pub(super) const ISSUER: &str = "https://token.actions.githubusercontent.com";

pub(super) const METHOD: Method = Method {
    section: Some("github"),
    options: &[
        ("enterprise_server_host", Shape::Text),
        ("enterprise_slug", Shape::Text),
        ("static_jwks", Shape::Text),
    ],
    required: &[],
    hosts: &["enterprise_server_host"],
    fields: &[
        Field::new("sub", "sub", How::NewGlob),
        Field::new("repository", "repository", How::NewGlob),
        Field::new("repository_owner", "repository_owner", How::NewGlob),
        Field::new("workflow", "workflow", How::NewGlob),
        Field::new("environment", "environment", How::NewGlob),
        Field::new("actor", "actor", How::NewGlob),
        Field::new("ref", "ref", How::NewGlob),
        Field::exact("ref_type", "ref_type"),
        Field::exact("enterprise", "enterprise"),
        Field::exact("enterprise_id", "enterprise_id"),
    ],
    groups: &[&["repository", "repository_owner", "sub"]],
    claims: &[
        "sub",
        "repository",
        "repository_owner",
        "workflow",
        "environment",
        "actor",
        "ref",
        "ref_type",
        "enterprise",
        "enterprise_id",
    ],
    issuer,
    audiences: |_, _| vec![ANY_CLUSTER.to_owned()],
    blocked: never,
    refusal: NO_RULE,
};

fn issuer(spec: &Value) -> Option<String> {
    if option(spec, "static_jwks").is_some() {
        return None;
    }
    Some(match (option(spec, "enterprise_server_host"), option(spec, "enterprise_slug")) {
        (Some(host), _) => format!("https://{host}/_services/token"),
        (None, Some(slug)) => format!("{ISSUER}/{slug}"),
        (None, None) => ISSUER.to_owned(),
    })
}
