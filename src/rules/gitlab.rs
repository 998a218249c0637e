//! `spec.gitlab`: GitLab CI (Teleport `lib/join/gitlab`).

use serde_json::Value;

use super::cause::{Cause, Context};
use super::claim::{has_all, option};
use super::finding::{Notes, text};
use super::method::{Audience, Field, How, Method, Shape};
use super::proposal::{Item, Proposal, issuer_host};
use crate::claims::UnverifiedClaims;

const GITLAB_COM: &str = "gitlab.com";

pub(super) const METHOD: Method = Method {
    label: "GitLab",
    section: Some("gitlab"),
    options: &[("domain", Shape::Text), ("static_jwks", Shape::Text)],
    hosts: &["domain"],
    fields: &[
        Field::new("sub", "sub", How::Glob),
        Field::new("project_path", "project_path", How::Glob),
        Field::new("namespace_path", "namespace_path", How::Glob),
        Field::new("ref", "ref", How::Glob),
        Field::exact("ref_type", "ref_type"),
        Field::new("ref_protected", "ref_protected", How::Flag),
        Field::exact("environment", "environment"),
        Field::new("environment_protected", "environment_protected", How::Flag),
        Field::exact("deployment_tier", "deployment_tier"),
        Field::exact("pipeline_source", "pipeline_source"),
        Field::exact("user_login", "user_login"),
        Field::exact("user_id", "user_id"),
        Field::exact("user_email", "user_email"),
        Field::exact("ci_config_ref_uri", "ci_config_ref_uri"),
        Field::exact("ci_config_sha", "ci_config_sha"),
        Field::exact("project_visibility", "project_visibility"),
    ],
    groups: &[&["sub", "project_path", "namespace_path", "ci_config_ref_uri"]],
    issuer: |spec| match option(spec, "static_jwks") {
        Some(_) => None,
        None => Some(format!("https://{}", option(spec, "domain").unwrap_or(GITLAB_COM))),
    },
    audience: Audience::ClusterName,
    owns_issuer: |issuer| issuer.strip_prefix("https://") == Some(GITLAB_COM),
    looks_like: |claims| has_all(claims, &["project_path", "pipeline_source"]),
    propose,
    lint_rule,
    causes,
    issuer_hint: |got| match got.strip_prefix("https://").filter(|host| !host.contains('/')) {
        Some(host) => format!("set `spec.gitlab.domain: {host}` in the token"),
        None => "create a `generic_oidc` token for this issuer: `spec.gitlab.domain` can only be a host"
            .to_owned(),
    },
    audience_hint: |want| format!("set `aud: {want}` under `id_tokens:` in `.gitlab-ci.yml`"),
    one_audience_hint: "write `aud:` under `id_tokens:` as one value, not as a list; other systems can have an entry \
                        of their own",
    expired_hint: "raise the job's `timeout:`, which is also the lifetime of its token",
    ..Method::BASE
};

fn propose(claims: &UnverifiedClaims) -> Option<Proposal> {
    let host = issuer_host(claims).filter(|host| *host != GITLAB_COM);
    let options = host.map(|host| ("domain", Item::text(host))).into_iter().collect();
    let more = [("ref", "ref"), ("ref_type", "ref_type"), ("environment", "environment")];
    let mut found = Proposal::new(claims, options, &[("project_path", "project_path")], &more)?;
    if claims.text("ref_protected") == Some("true") {
        found.narrow.push(("ref_protected", Item::Flag(true)));
    }
    Some(found)
}

fn lint_rule(notes: &mut Notes, rule: &Value) {
    let [git_ref, project, namespace, sub, environment] =
        ["ref", "project_path", "namespace_path", "sub", "environment"].map(|name| text(rule, name));
    if let Some(name) = git_ref.strip_prefix("refs/heads/").or_else(|| git_ref.strip_prefix("refs/tags/")) {
        let message = format!(
            "can never match: GitLab's claim has no `refs/…/` before the name; did you mean `{name}`?"
        );
        notes.error("ref", message);
    }
    if rule.get("environment_protected").is_some_and(Value::is_boolean) && environment.is_empty() {
        notes
            .warn("environment_protected", "never matches a job without `environment:`, not even as `false`");
    }
    let narrow = ["ref", "environment", "ref_type"].iter().any(|name| !text(rule, name).is_empty())
        || rule.get("ref_protected") == Some(&Value::Bool(true));
    if !sub.is_empty() {
        return;
    }
    if !project.is_empty() && !narrow {
        notes.warn("", "admits every branch of the project; add `ref` or `ref_protected: true`");
    } else if project.is_empty() && !namespace.is_empty() {
        notes.warn("", "admits every project of the namespace; add `project_path`");
    }
}

fn causes(ctx: &Context<'_>) -> Vec<Cause> {
    let mut found = Vec::new();
    let [project, job_project, git_ref] =
        ["project_path", "job_project_path", "ref"].map(|name| ctx.claim(name));
    if !job_project.is_empty() && job_project != project {
        found.push(Cause::new(
            "the merge request comes from a fork",
            format!("`project_path` is that of the fork, `{project}`; the job runs in `{job_project}`"),
            "run the job on a branch of the project itself, or create a token for the fork",
        ));
    }
    if ctx.claim("ref_protected") == "false" {
        found.push(Cause::new(
            "the branch is not protected",
            format!(
                "`ref_protected` is `false` for `{git_ref}`, so a rule with `ref_protected: true` cannot match"
            ),
            "protect the branch or tag in the project's settings, or remove the field from the rule",
        ));
    }
    if ctx.claim("environment").is_empty() {
        found.push(
            Cause::new(
                "the job has no environment",
                "the claim `environment` is absent, so a rule with `environment` or `environment_protected` cannot \
                 match, not even with `false`",
                "add `environment:` to the job, or remove the fields from the rule",
            )
            .guess(),
        );
    }
    if !git_ref.is_empty() {
        found.push(
            Cause::new(
                "the ref has no prefix",
                format!("GitLab's claim is `{git_ref}`, without `refs/heads/`"),
                format!("write `ref: {git_ref}` in the rule"),
            )
            .guess(),
        );
    }
    found
}
