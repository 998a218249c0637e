//! `spec.kubernetes`: a pod's service account (Teleport `lib/join/kubernetes`, `lib/kube/token/validator.go`).

use serde_json::Value;

use super::compare::{Compared, find_claim};
use super::method::{Field, How, Method, Shape, option};
use crate::claims::UnverifiedClaims;

/// The longest life, in seconds, of a token that is checked against keys or an issuer.
pub(crate) const MAX_TTL: i64 = 30 * 60;

pub(super) const METHOD: Method = Method {
    section: Some("kubernetes"),
    options: &[
        ("type", Shape::Text),
        ("static_jwks", Shape::Object(&[("jwks", Shape::Text)])),
        ("oidc", Shape::Object(&[("issuer", Shape::Text), ("insecure_allow_http_issuer", Shape::Flag)])),
    ],
    required: &[],
    hosts: &[],
    fields: &[Field::new("service_account", "sub", How::Own(service_account))],
    groups: &[&["service_account"]],
    claims: &["sub"],
    issuer: |spec| match kind(spec) {
        "oidc" => option(spec.get("oidc")?, "issuer").map(str::to_owned),
        _ => None,
    },
    // In the cluster, the API server's own audience will do as well, and only the server knows it.
    audiences: |spec, cluster| match kind(spec) {
        "in_cluster" => Vec::new(),
        _ => vec![cluster.to_owned()],
    },
    blocked,
    refusal: "kubernetes token did not match any allow rules",
};

fn kind(spec: &Value) -> &str {
    option(spec, "type").unwrap_or("in_cluster")
}

/// The rule says `namespace:name`, the claim `system:serviceaccount:namespace:name`.
fn service_account(want: &str, claims: &UnverifiedClaims) -> Compared {
    let sub = claims.subject();
    Compared::with(sub, sub.and_then(|s| s.strip_prefix("system:serviceaccount:")) == Some(want))
}

/// The audience is compared by who knows the cluster's name, see `expected_audiences`.
fn blocked(spec: &Value, claims: &UnverifiedClaims) -> Option<String> {
    let kind = kind(spec);
    if kind == "in_cluster" {
        return None;
    }
    let projected = format!(
        "reviewing kubernetes token with {kind}: {kind} joining requires the use of a projected pod bound service account token"
    );
    if find_claim(claims, "kubernetes.io").and_then(|k| k.get("pod")).is_none() {
        return Some(projected);
    }
    match (claims.issued_at(), claims.expires()) {
        (Some(from), Some(to)) if to.as_second() - from.as_second() <= MAX_TTL => None,
        _ => Some(format!("{projected} with a TTL of less than 30m0s")),
    }
}
