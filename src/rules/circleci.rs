//! `spec.circleci`: `CircleCI`'s cloud (Teleport `lib/join/circleci`).

use super::cause::{Cause, Context};
use super::claim::{find_claim, option, text_of};
use super::method::{Audience, Field, How, Method, Shape};
use super::proposal::{Item, Proposal, first_audience};
use crate::claims::UnverifiedClaims;

/// Tokens of `circleci run oidc get --root-issuer` have it as it is, all others with `/org/` and the organization's
/// UUID (circleci.com/docs/openid-connect-tokens).
const ROOT_ISSUER: &str = "https://oidc.circleci.com";
const PROJECT: &str = "oidc.circleci.com/project-id";
const CONTEXTS: &str = "oidc.circleci.com/context-ids";

pub(super) const METHOD: Method = Method {
    label: "CircleCI",
    section: Some("circleci"),
    options: &[("organization_id", Shape::Text)],
    required: &["organization_id"],
    fields: &[Field::exact("project_id", PROJECT), Field::new("context_id", CONTEXTS, How::Contained)],
    groups: &[&["project_id", "context_id"]],
    issuer: |spec| option(spec, "organization_id").map(|id| format!("{ROOT_ISSUER}/org/{id}")),
    audience: Audience::FromToken("organization_id"),
    owns_issuer: is_own,
    looks_like: |claims| claims.issuer().is_some_and(is_own),
    propose,
    lint_rule: |notes, rule| {
        if option(rule, "context_id").is_some() && option(rule, "project_id").is_none() {
            notes.warn("", "admits every project that may use this context; add `project_id`");
        }
    },
    causes,
    issuer_hint: |got| {
        if got == ROOT_ISSUER {
            "ask CircleCI for a token without `--root-issuer`".to_owned()
        } else {
            "set `spec.circleci.organization_id` in the token to the UUID at the end of the issuer".to_owned()
        }
    },
    audience_hint: |_| {
        "set `spec.circleci.organization_id` in the token to the UUID of this organization".to_owned()
    },
    expired_hint: "log in within an hour of the job's start, or use `--id-token-command` with `circleci run oidc get`",
    ..Method::BASE
};

fn is_own(issuer: &str) -> bool {
    issuer.strip_prefix(ROOT_ISSUER).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn propose(claims: &UnverifiedClaims) -> Option<Proposal> {
    let of_issuer = || claims.issuer()?.strip_prefix(ROOT_ISSUER)?.strip_prefix("/org/");
    let organization =
        text_of(claims, "oidc.circleci.com/org-id").or_else(of_issuer).or_else(|| first_audience(claims))?;
    let options = vec![("organization_id", Item::text(organization))];
    let mut found = Proposal::new(claims, options, &[("project_id", PROJECT)], &[])?;
    let context = find_claim(claims, CONTEXTS).and_then(|ids| ids.get(0)?.as_str());
    found.narrow.extend(context.filter(|id| !id.is_empty()).map(|id| ("context_id", Item::text(id))));
    Some(found)
}

fn causes(ctx: &Context<'_>) -> Vec<Cause> {
    let contexts = ctx.claim(CONTEXTS);
    vec![if contexts.is_empty() {
        Cause::new(
            "the job has no context",
            format!("`{CONTEXTS}` is empty, so a rule with `context_id` cannot match"),
            "add `context: NAME` to the job in the workflow, or write `project_id` in the rule",
        )
    } else {
        Cause::new(
            "another context or project",
            format!("the job has the contexts {contexts} and the project {}", ctx.claim(PROJECT)),
            "compare these ids with `context_id` and `project_id` of the rule: they are UUIDs, not names",
        )
        .guess()
    }]
}
