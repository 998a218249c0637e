//! `spec.github`: GitHub Actions, also of a GitHub Enterprise Server (Teleport `lib/join/githubactions`).

use serde_json::Value;

use super::cause::{Cause, Context, ServerText};
use super::claim::{has_all, option};
use super::finding::{Notes, text};
use super::glob;
use super::method::{ANY_CLUSTER, Field, How, Method, Shape};
use super::proposal::{Item, Proposal};
use super::version::Since;
use crate::claims::UnverifiedClaims;

/// Globs (Teleport pull requests 65525 and 65539), `enterprise` and `enterprise_id` (65700); not in 17.
const GLOBS: Since = Since::new(18, 7, 6);
const GLOB: How = How::GlobSince(GLOBS);

/// The issuer of github.com's tokens; an enterprise may have its slug behind a slash (docs.github.com, "`OpenID`
/// Connect reference").
const ISSUER: &str = "https://token.actions.githubusercontent.com";
/// The path of the issuer of a GitHub Enterprise Server.
const SERVER_PATH: &str = "/_services/token";

const SERVER: &str = "joining from a GitHub Enterprise Server";

pub(super) const METHOD: Method = Method {
    // Recorded.
    label: "Github",
    section: Some("github"),
    options: &[
        ("enterprise_server_host", Shape::Text),
        ("enterprise_slug", Shape::Text),
        ("static_jwks", Shape::Text),
    ],
    hosts: &["enterprise_server_host"],
    fields: &[
        Field::new("sub", "sub", GLOB),
        Field::new("repository", "repository", GLOB),
        Field::new("repository_owner", "repository_owner", GLOB),
        Field::new("workflow", "workflow", GLOB),
        Field::new("environment", "environment", GLOB),
        Field::new("actor", "actor", GLOB),
        Field::new("ref", "ref", GLOB),
        Field::exact("ref_type", "ref_type"),
        Field::exact("enterprise", "enterprise").since(GLOBS),
        Field::exact("enterprise_id", "enterprise_id").since(GLOBS),
    ],
    groups: &[&["repository", "repository_owner", "sub"]],
    enterprise: Some(SERVER),
    issuer,
    audience: ANY_CLUSTER,
    owns_issuer: |issuer| Issuer::parse(issuer).is_some(),
    // Forgejo and Gitea have the same claims, but issuers that this method cannot name.
    looks_like: |claims| {
        claims.issuer().and_then(Issuer::parse).is_some() && has_all(claims, &["repository"])
    },
    propose,
    lint_section: |notes, spec| {
        if ["enterprise_server_host", "enterprise_slug"].iter().all(|name| option(spec, name).is_some()) {
            notes.error("enterprise_slug", "cannot be set together with `enterprise_server_host`");
        }
    },
    lint_rule,
    causes,
    refusals: &[ServerText::new("github enterprise server joining", |_, _| vec![Cause::enterprise(SERVER)])],
    issuer_hint: |got| {
        match Issuer::parse(got) {
        Some(Issuer::Slug(slug)) => format!("set `spec.github.enterprise_slug: {slug}` in the token"),
        Some(Issuer::Server(host)) => format!("set `spec.github.enterprise_server_host: {host}` in the token"),
        Some(Issuer::GitHubCom) => {
            "remove `enterprise_server_host` and `enterprise_slug` from the token: this job runs on github.com"
                .to_owned()
        }
        // Among them `token.actions.NAME.ghe.com`, Forgejo and Gitea.
        None => "create a `generic_oidc` token for this issuer: the `github` method cannot name it".to_owned(),
    }
    },
    audience_hint: |want| format!("leave out `--audience`: the `github` method always takes `{want}`"),
    expired_hint: "let jobpass ask GitHub for a new token instead of passing one with `--id-token-…`",
    ..Method::BASE
};

/// The issuers that the section can name.
enum Issuer<'a> {
    GitHubCom,
    Slug(&'a str),
    Server(&'a str),
}

impl<'a> Issuer<'a> {
    fn parse(issuer: &'a str) -> Option<Self> {
        if let Some(rest) = issuer.strip_prefix(ISSUER) {
            return if rest.is_empty() {
                Some(Self::GitHubCom)
            } else {
                rest.strip_prefix('/').map(Self::Slug)
            };
        }
        issuer.strip_prefix("https://")?.strip_suffix(SERVER_PATH).map(Self::Server)
    }
}

fn issuer(spec: &Value) -> Option<String> {
    if option(spec, "static_jwks").is_some() {
        return None;
    }
    Some(match (option(spec, "enterprise_server_host"), option(spec, "enterprise_slug")) {
        (Some(host), _) => format!("https://{host}{SERVER_PATH}"),
        (None, Some(slug)) => format!("{ISSUER}/{slug}"),
        (None, None) => ISSUER.to_owned(),
    })
}

/// `sub` is left alone: its format differs with the age of the repository.
fn propose(claims: &UnverifiedClaims) -> Option<Proposal> {
    let options = match claims.issuer().and_then(Issuer::parse) {
        Some(Issuer::Slug(slug)) => vec![("enterprise_slug", Item::text(slug))],
        Some(Issuer::Server(host)) => vec![("enterprise_server_host", Item::text(host))],
        Some(Issuer::GitHubCom) | None => Vec::new(),
    };
    let more = [("ref", "ref"), ("environment", "environment"), ("workflow", "workflow")];
    Proposal::new(claims, options, &[("repository", "repository")], &more)
}

fn lint_rule(notes: &mut Notes, rule: &Value) {
    let [repository, owner, sub, git_ref, actor] =
        ["repository", "repository_owner", "sub", "ref", "actor"].map(|name| text(rule, name));
    if !repository.is_empty() {
        lint_repository(notes, repository, owner);
    }
    if !git_ref.is_empty() && !git_ref.starts_with("refs/") && !git_ref.starts_with(['*', '?']) {
        let meant = match git_ref.strip_prefix("ref/") {
            Some(rest) => format!("refs/{rest}"),
            None => format!("refs/heads/{git_ref}"),
        };
        notes.error("ref", format!("can never match: the claim is a full ref; did you mean `{meant}`?"));
    }
    if !sub.is_empty() && !sub.starts_with("repo:") && !sub.starts_with('*') {
        notes.warn("sub", "matches only a customized subject: the default one begins with `repo:`");
    }
    if sub.ends_with(":pull_request") {
        notes.warn("sub", "admits every pull request from a branch of the repository, whoever opens it");
    } else if sub.starts_with("repo:") && !sub.contains('@') && !glob::is_pattern(sub) {
        notes.warn(
            "sub",
            "fits the old subject format only: repositories created, renamed or transferred after 15 July 2026 have \
             `OWNER@ID/REPO@ID` in it; `repository` stays the same",
        );
    }
    let narrow = ["ref", "environment", "workflow", "actor"].iter().any(|name| !text(rule, name).is_empty());
    match (repository.is_empty(), sub.is_empty()) {
        (true, true) if !owner.is_empty() => {
            notes.warn("", "admits every repository of the owner; add `repository`");
        }
        (true, true) if !actor.is_empty() => {
            notes.warn("", "admits every repository in which this person starts a workflow");
        }
        (false, true) if !narrow => {
            notes.warn(
                "",
                "admits every branch and every workflow of the repository; add `ref` or `environment`",
            );
        }
        _ => {}
    }
}

fn lint_repository(notes: &mut Notes, repository: &str, owner: &str) {
    match repository.split_once('/') {
        None if !glob::is_pattern(repository) => {
            notes.error("repository", "can never match: the claim is `OWNER/REPOSITORY`");
        }
        Some((of, _))
            if !owner.is_empty() && ![of, owner].iter().any(|t| glob::is_pattern(t)) && of != owner =>
        {
            let message =
                format!("can never match together with `repository: {repository}`, whose owner is `{of}`");
            notes.error("repository_owner", message);
        }
        _ => {}
    }
    if repository.contains("://") {
        notes.error("repository", "can never match: the claim has no scheme and no host");
    }
}

fn causes(ctx: &Context<'_>) -> Vec<Cause> {
    let mut found = Vec::new();
    let [sub, repository, environment, git_ref] =
        ["sub", "repository", "environment", "ref"].map(|name| ctx.claim(name));
    if is_immutable(&sub) {
        found.push(Cause::new(
            "GitHub's immutable subject",
            format!(
                "the `sub` of this repository contains ids, `{sub}`, so a rule on the old form cannot match"
            ),
            format!(
                "write `repository: {repository}` in the rule instead of `sub`, or copy the `sub` as it is"
            ),
        ));
    }
    if git_ref.starts_with("refs/pull/") || ctx.claim("event_name") == "pull_request" {
        found.push(Cause::new(
            "the job belongs to a pull request",
            format!(
                "its `ref` is `{git_ref}` and its `sub` is `{sub}`, so rules on a branch do not match; pull requests \
                 from forks get no identity token at all"
            ),
            "run the job on `push` to the branch that the rule names, or create a token for pull requests with fewer \
             permissions",
        ));
    }
    let called = ctx.claim("job_workflow_ref");
    // `OWNER/REPO/.github/workflows/FILE@REF`
    let called = called.split_once("/.github/").map_or("", |(of, _)| of);
    if !called.is_empty() && !repository.is_empty() && called != repository {
        found.push(Cause::new(
            "the job is in a reusable workflow",
            format!(
                "the file belongs to `{called}`, but `repository` and `workflow` are the caller's: `{repository}`, `{}`",
                ctx.claim("workflow")
            ),
            "write the rule for the calling repository; only a customized `sub` or `generic_oidc` can name the \
             called one",
        ));
    }
    if environment.is_empty() {
        found.push(
            Cause::new(
                "the job has no environment",
                "the claim `environment` is absent, so a rule that has one cannot match",
                "add `environment: NAME` to the job, or remove the field from the rule",
            )
            .guess(),
        );
    } else {
        found.push(Cause::new(
            "an environment changes `sub`",
            format!("the job's environment is `{environment}`, so `sub` is `{sub}`, without the branch"),
            "write `environment` and `ref` in the rule rather than `sub`",
        ));
    }
    if ctx.server_version.is_some_and(|version| !GLOBS.includes(version)) {
        found.push(
            Cause::new(
                "no globs on this server",
                format!("globs in `github` rules need {GLOBS}; this server compares `*` and `?` as they are"),
                "write the values out in full",
            )
            .guess(),
        );
    }
    if !git_ref.is_empty() {
        found.push(
            Cause::new(
                "the ref is not written in full",
                format!(
                    "the claim is `{git_ref}`; the sample in Teleport's documentation says `ref/heads/main`, which \
                     never matches"
                ),
                format!("write `ref: {git_ref}` in the rule"),
            )
            .guess(),
        );
    }
    found
}

/// `repo:OWNER@ID/REPO@ID:…` (docs.github.com, "`OpenID` Connect reference", 2026).
fn is_immutable(sub: &str) -> bool {
    let Some((owner, rest)) = sub.strip_prefix("repo:").and_then(|s| s.split_once('/')) else { return false };
    let has_id = |text: &str| {
        text.split_once('@').is_some_and(|(_, id)| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
    };
    has_id(owner) && has_id(rest.split(':').next().unwrap_or_default())
}
