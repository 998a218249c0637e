//! `spec.spacelift` (Teleport `lib/join/spacelift`).

use super::method::{Field, How, Method, NO_RULE, Shape, never, option};

const GLOBS: How = How::GlobIf("enable_glob_matching");

pub(super) const METHOD: Method = Method {
    section: Some("spacelift"),
    options: &[("hostname", Shape::Text), ("enable_glob_matching", Shape::Flag)],
    required: &["hostname"],
    hosts: &["hostname"],
    fields: &[
        Field::new("space_id", "spaceId", GLOBS),
        Field::new("caller_id", "callerId", GLOBS),
        Field::exact("caller_type", "callerType"),
        Field::exact("scope", "scope"),
    ],
    groups: &[&["space_id", "caller_id"]],
    claims: &["spaceId", "callerId", "callerType", "scope"],
    issuer: |spec| option(spec, "hostname").map(|host| format!("https://{host}")),
    audiences: |spec, _| option(spec, "hostname").map(str::to_owned).into_iter().collect(),
    blocked: never,
    refusal: NO_RULE,
};
