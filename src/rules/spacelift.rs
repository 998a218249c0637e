//! `spec.spacelift` (Teleport `lib/join/spacelift`).

use super::cause::{Cause, Context, ServerText};
use super::claim::{has_all, option};
use super::method::{Audience, Field, How, Method, Shape};
use super::proposal::{Item, Proposal, first_audience, issuer_host};
use super::version::{ServerVersion, Since};

/// Globs, and the flag that turns them on (Teleport pull request 56836).
const GLOBS: How =
    How::GlobIf("enable_glob_matching", Since::new(18, 0, 2).and(&[ServerVersion::new(17, 5, 6)]));
const JOINING: &str = "joining from Spacelift";

pub(super) const METHOD: Method = Method {
    label: "Spacelift",
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
    enterprise: Some(JOINING),
    always_enterprise: true,
    issuer: |spec| option(spec, "hostname").map(|host| format!("https://{host}")),
    audience: Audience::FromToken("hostname"),
    owns_issuer: |issuer| issuer.ends_with(".spacelift.io"),
    looks_like: |claims| has_all(claims, &["spaceId", "callerType"]),
    propose: |claims| {
        let host = first_audience(claims).or_else(|| issuer_host(claims))?;
        let options = vec![("hostname", Item::text(host))];
        Proposal::new(
            claims,
            options,
            &[("caller_id", "callerId")],
            &[("space_id", "spaceId"), ("scope", "scope")],
        )
    },
    causes,
    refusals: &[ServerText::new("spacelift joining", |_, _| vec![Cause::enterprise(JOINING)])],
    issuer_hint: |got| {
        let host = got.strip_prefix("https://").unwrap_or(got);
        format!("set `spec.spacelift.hostname: {host}` in the token")
    },
    expired_hint: "log in again in each phase: Spacelift's token lives for one hour",
    ..Method::BASE
};

fn causes(ctx: &Context<'_>) -> Vec<Cause> {
    let mut found = Vec::new();
    if ctx.claim("scope") == "read" {
        found.push(Cause::new(
            "the run may only read",
            format!(
                "`scope` is `read` in this phase (run type `{}`), so a rule with `scope: write` cannot match",
                ctx.claim("runType")
            ),
            "log in from `before_apply`, or leave `scope` out of the rule",
        ));
    }
    found.push(
        Cause::new(
            "names instead of ids",
            format!(
                "the claims have the ids `{}` (space) and `{}` (stack or module), not the names shown in Spacelift",
                ctx.claim("spaceId"),
                ctx.claim("callerId")
            ),
            "write these ids in the rule, and set `enable_glob_matching` if it has a `*`",
        )
        .guess(),
    );
    found
}
