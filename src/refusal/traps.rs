//! Traps that show in the job's own claims: what to look at first.

use super::{Cause, Context, clean};
use crate::rules::GITHUB_GLOBS_SINCE;
use crate::teleport::JoinMethod;

const NO_ENVIRONMENT: &str = "the job has no environment";
const NO_GLOBS: &str = "no globs on this server";
const SHORT_REF: &str = "the ref is not written in full";
const LONG_REF: &str = "the ref has no prefix";

/// Whether the cause depends on what the rules say, and the job's claims alone make it no likelier than any other.
pub(super) fn is_a_guess(cause: &Cause) -> bool {
    [NO_ENVIRONMENT, NO_GLOBS, SHORT_REF, LONG_REF].contains(&cause.title.as_str())
}

/// Why no rule may match, the most telling first.
pub(super) fn rules(ctx: &Context<'_>) -> Vec<Cause> {
    match ctx.method {
        Some(JoinMethod::GitHub) => github(ctx),
        Some(JoinMethod::GitLab) => gitlab(ctx),
        Some(JoinMethod::CircleCi) => circleci(ctx),
        Some(JoinMethod::Spacelift) => spacelift(ctx),
        Some(JoinMethod::Iam) => vec![Cause::new(
            "the ARN of an assumed role is not that of the role",
            format!("the server sees `{}`", ctx.claim("Arn")),
            "Write `aws_arn: arn:aws:sts::ACCOUNT:assumed-role/ROLE/*` in the rule.",
        )],
        Some(JoinMethod::Kubernetes) => vec![Cause::new(
            "another service account",
            format!("the token's `sub` is `{}`", ctx.claim("sub")),
            "Write `service_account: NAMESPACE:NAME` of the pod in the rule, without a glob.",
        )],
        _ => Vec::new(),
    }
}

fn github(ctx: &Context<'_>) -> Vec<Cause> {
    let mut found = Vec::new();
    let [sub, repository, environment, git_ref] =
        ["sub", "repository", "environment", "ref"].map(|name| ctx.claim(name));
    if immutable(&sub) {
        found.push(Cause::new(
            "GitHub's immutable subject",
            format!(
                "the `sub` of this repository carries ids, `{sub}`, so a rule on the old form cannot match"
            ),
            format!(
                "Write `repository: {repository}` in the rule instead of `sub`, or copy the `sub` as it is."
            ),
        ));
    }
    if git_ref.starts_with("refs/pull/") || ctx.claim("event_name") == "pull_request" {
        found.push(Cause::new(
            "the job belongs to a pull request",
            format!(
                "its `ref` is `{git_ref}` and its `sub` `{sub}`, so rules on a branch do not match; pull requests from forks get no identity token at all"
            ),
            "Run the job on `push` to the branch the rule names, or make a token for pull requests with less rights.",
        ));
    }
    if let Some(called) = called_workflow(&ctx.claim("job_workflow_ref"))
        .filter(|of| !repository.is_empty() && *of != repository)
    {
        found.push(Cause::new(
            "the job is in a reusable workflow",
            format!("the file is `{called}`'s, but `repository` and `workflow` are the caller's: `{repository}`, `{}`", ctx.claim("workflow")),
            "Write the rule for the calling repository; the called one can be told only in a customised `sub` or by `generic_oidc`.",
        ));
    }
    if environment.is_empty() {
        found.push(Cause::new(
            NO_ENVIRONMENT,
            "there is no claim `environment`, so a rule that has one cannot match",
            "Add `environment: NAME` to the job, or remove the field from the rule.",
        ));
    } else {
        found.push(Cause::new(
            "an environment changes `sub`",
            format!(
                "the job's environment is `{environment}`, which makes `sub` `{sub}`, without the branch"
            ),
            "Write `environment` and `ref` in the rule rather than `sub`.",
        ));
    }
    if ctx.server_version.is_some_and(|version| version < GITHUB_GLOBS_SINCE) {
        found.push(Cause::new(
            NO_GLOBS,
            format!("before about {GITHUB_GLOBS_SINCE} the fields of a `github` rule are compared exactly, `*` included"),
            "Write the values out in full.",
        ));
    }
    if !git_ref.is_empty() {
        found.push(Cause::new(
            SHORT_REF,
            format!("the claim is `{git_ref}`; the sample in Teleport's documentation says `ref/heads/main`, which never matches"),
            format!("Write `ref: {git_ref}` in the rule."),
        ));
    }
    found
}

/// `repo:OWNER@ID/REPO@ID:…` (docs.github.com, "`OpenID` Connect reference", 2026).
fn immutable(sub: &str) -> bool {
    let Some((owner, rest)) = sub.strip_prefix("repo:").and_then(|s| s.split_once('/')) else { return false };
    let has_id = |text: &str| {
        text.split_once('@').is_some_and(|(_, id)| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
    };
    has_id(owner) && has_id(rest.split(':').next().unwrap_or_default())
}

/// `OWNER/REPO/.github/workflows/FILE@REF` → `OWNER/REPO`.
fn called_workflow(job_workflow_ref: &str) -> Option<String> {
    let (repository, _) = job_workflow_ref.split_once("/.github/")?;
    (!repository.is_empty()).then(|| repository.to_owned())
}

fn gitlab(ctx: &Context<'_>) -> Vec<Cause> {
    let mut found = Vec::new();
    let [project, job_project, git_ref] =
        ["project_path", "job_project_path", "ref"].map(|name| ctx.claim(name));
    if !job_project.is_empty() && job_project != project {
        found.push(Cause::new(
            "the merge request comes from a fork",
            format!("`project_path` is the fork's, `{project}`; the job runs in `{job_project}`"),
            "Run the job on a branch of the project itself, or make a token for the fork.",
        ));
    }
    if ctx.claim("ref_protected") == "false" {
        found.push(Cause::new(
            "the branch is not protected",
            format!("`ref_protected` is `false` for `{git_ref}`, so a rule with `ref_protected: true` cannot match"),
            "Protect the branch or tag in the project's settings, or remove the field from the rule.",
        ));
    }
    if ctx.claim("environment").is_empty() {
        found.push(Cause::new(
            NO_ENVIRONMENT,
            "there is no claim `environment`, so a rule with `environment` or `environment_protected` cannot match, not even with `false`",
            "Add `environment:` to the job, or remove the fields from the rule.",
        ));
    }
    if !git_ref.is_empty() {
        found.push(Cause::new(
            LONG_REF,
            format!("GitLab's claim is `{git_ref}`, without `refs/heads/`"),
            format!("Write `ref: {git_ref}` in the rule."),
        ));
    }
    found
}

fn circleci(ctx: &Context<'_>) -> Vec<Cause> {
    let contexts = ctx.claim("oidc.circleci.com/context-ids");
    if contexts.is_empty() {
        return vec![Cause::new(
            "the job has no context",
            "`oidc.circleci.com/context-ids` is empty, so a rule with `context_id` cannot match",
            "Add `context: NAME` to the job in the workflow, or write `project_id` in the rule.",
        )];
    }
    vec![Cause::new(
        "another context or project",
        format!(
            "the job has the contexts {contexts} and the project {}",
            ctx.claim("oidc.circleci.com/project-id")
        ),
        "Compare these ids with `context_id` and `project_id` of the rule: they are UUIDs, not names.",
    )]
}

fn spacelift(ctx: &Context<'_>) -> Vec<Cause> {
    let mut found = Vec::new();
    if ctx.claim("scope") == "read" {
        found.push(Cause::new(
            "the run may only read",
            format!(
                "`scope` is `read` in this phase (run type `{}`), so a rule with `scope: write` cannot match",
                ctx.claim("runType")
            ),
            "Log in from `before_apply`, or leave `scope` out of the rule.",
        ));
    }
    found.push(Cause::new(
        "names in place of ids",
        format!("the claims have the ids `{}` (space) and `{}` (stack or module), not the names shown in Spacelift", ctx.claim("spaceId"), ctx.claim("callerId")),
        "Write these ids in the rule, and set `enable_glob_matching` if it has a `*`.",
    ));
    found
}

/// What is wrong with an audience by its looks. `want` is what the server wants.
pub(super) fn audience(ctx: &Context<'_>, want: &str) -> Vec<Cause> {
    let mut found = Vec::new();
    let audiences = ctx.audiences();
    let bare = |aud: &&&str| {
        let host = aud.strip_prefix("https://").or_else(|| aud.strip_prefix("http://")).unwrap_or(aud);
        **aud != want && host.split(['/', ':']).next() == Some(want)
    };
    if let Some(aud) = audiences.iter().find(bare) {
        found.push(Cause::new(
            "the audience has a scheme, a port or a path",
            format!("the token's audience is `{}`, the server wants the bare name `{want}`", clean(aud)),
            format!("Write the audience as `{want}`, without `https://` and without a port."),
        ));
    }
    if audiences.len() > 1 {
        found.push(Cause::new(
            "the identity token has more than one audience",
            format!("it has {}, which the server takes only together with `azp`", audiences.len()),
            "Write the audience as one value, not as a list.",
        ));
    }
    found
}

/// The token's time is over.
pub(super) fn expired(ctx: &Context<'_>) -> Vec<Cause> {
    let expires = ctx.claims.and_then(crate::claims::UnverifiedClaims::expires);
    let ago = expires.map(|at| ctx.now.as_second() - at.as_second());
    let mut found = Vec::new();
    if let (Some(skew), Some(ago)) = (ctx.clock_skew.filter(|s| s.abs() > 30), ago.filter(|ago| *ago <= 0)) {
        found.push(Cause::new(
            "the clocks differ",
            format!(
                "here the token has {} s to live, but the server's clock is {skew} s from this machine's",
                -ago
            ),
            "Have both clocks set by NTP.",
        ));
    }
    let detail = match ago {
        Some(ago) if ago > 0 => format!("it expired {ago} s ago"),
        Some(ago) => format!("it has {} s to live by this machine's clock", -ago),
        None => "its end has passed".to_owned(),
    };
    let cure = match ctx.method {
        Some(JoinMethod::CircleCi) => {
            "Log in within an hour of the job's start, or use `--id-token-command` with `circleci run oidc get`."
        }
        Some(JoinMethod::Spacelift) => "Log in again in each phase: Spacelift's token lives one hour.",
        Some(JoinMethod::GitLab) => "Raise the job's `timeout:`, which is also the life of its token.",
        Some(JoinMethod::GitHub) => {
            "Let jobpass ask GitHub for a fresh token instead of passing one on with `--id-token…`."
        }
        _ => {
            "Get a fresh token right before the login; a variable set when the job began does not renew itself."
        }
    };
    found.push(Cause::new("the identity token has expired", detail, cure));
    found
}

/// What Teleport asks of a service account's token.
pub(super) fn kubernetes_token(ctx: &Context<'_>) -> Vec<Cause> {
    let mut found = Vec::new();
    let cluster = ctx.cluster.map_or_else(|| "CLUSTER-NAME".to_owned(), clean);
    let cure = format!(
        "Mount a projected token with `audience: {cluster}` and `expirationSeconds: 600`, and set `KUBERNETES_TOKEN_PATH` to it."
    );
    if let Some((from, to)) = ctx.claims.and_then(|c| Some((c.issued_at()?, c.expires()?))) {
        let life = to.as_second() - from.as_second();
        if life > 30 * 60 {
            found.push(Cause::new(
                "the service account's token lives too long",
                format!("it lives {life} s, the server takes 1800 s at most; the default one lives an hour"),
                cure.clone(),
            ));
        }
    }
    let audiences = ctx.audiences();
    if !audiences.is_empty() && ctx.cluster.is_some_and(|cluster| !audiences.contains(&cluster)) {
        found.push(Cause::new(
            "the service account's token is for another audience",
            format!("it has `{}`, the server wants `{cluster}`", clean(&audiences.join(", "))),
            cure.clone(),
        ));
    }
    found.push(Cause::new(
        "the token is not a projected one of a pod",
        "tokens from secrets and from `kubectl create token` are not bound to a pod, and the default mount has the API server's audience",
        cure,
    ));
    found
}
