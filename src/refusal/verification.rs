//! Refusals while the server verifies the identity token (zitadel/oidc, coreos/go-oidc and go-jose in Teleport;
//! the `oidc: …` texts were recorded with version 15).

use super::catalogue::Entry;
use super::traps::{self, expired};
use super::{Cause, Context, between, clean};
use crate::teleport::JoinMethod;

const ENTRY_ISSUER: &str = "issuer does not match: Expected: … got:";
const ENTRY_ISSUER_15: &str = "id token issued by a different provider, expected … got";
const ENTRY_AUDIENCE: &str = "audience is not valid: Audience must contain client_id";
const ENTRY_AUDIENCE_15: &str = "oidc: expected audience … got";
const AZP_MISSING: &str = "authorized party is not set";
const AZP_INVALID: &str = "authorized party is not valid";
const EXPIRED: &str = "token has expired";
const EXPIRED_15: &str = "oidc: token is expired";
const FUTURE: &str = "issuedAt of token is in the future";
const ALGORITHM: &str = "signature algorithm not supported";
const SIGNATURE: &str = "invalid signature";
const PAYLOAD: &str = "signature does not match Payload";
const SEGMENTS: &str = "token contains an invalid number of segments";
const MALFORMED_15: &str = "oidc: malformed jwt";
const PARSING: &str = "parsing jwt";
const DISCOVERY: &str = "discovering oidc document";
const DISCOVERY_HTML: &str = "failed to decode provider discovery object";
const WITH_OIDC: &str = "validating with oidc";
const WITH_JWKS: &str = "validating with jwks";
const WITH_STATIC: &str = "validating with static jwks";

pub(super) const ENTRIES: &[Entry] = &[
    Entry { text: ENTRY_ISSUER, explain: issuer },
    Entry { text: ENTRY_ISSUER_15, explain: issuer },
    Entry { text: ENTRY_AUDIENCE, explain: audience },
    Entry { text: ENTRY_AUDIENCE_15, explain: audience },
    Entry { text: AZP_MISSING, explain: authorized_party },
    Entry { text: AZP_INVALID, explain: authorized_party },
    Entry { text: EXPIRED, explain: |_, ctx| expired(ctx) },
    Entry { text: EXPIRED_15, explain: |_, ctx| expired(ctx) },
    Entry { text: FUTURE, explain: future },
    Entry { text: ALGORITHM, explain: algorithm },
    Entry { text: SIGNATURE, explain: signature },
    Entry { text: PAYLOAD, explain: signature },
    Entry { text: SEGMENTS, explain: malformed },
    Entry { text: MALFORMED_15, explain: malformed },
    Entry { text: PARSING, explain: malformed },
    Entry { text: DISCOVERY_HTML, explain: not_discovery },
    Entry { text: DISCOVERY, explain: unreachable },
];

/// They only say which way the server went.
pub(super) const PREFIXES: &[Entry] = &[
    Entry { text: WITH_STATIC, explain: static_keys },
    Entry { text: WITH_JWKS, explain: static_keys },
    Entry { text: WITH_OIDC, explain: by_discovery },
];

fn issuer(message: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let (want, got) = if message.contains("different provider") {
        (between(message, "provider, expected", " got"), between(message, "\" got", "\n"))
    } else {
        (between(message, "Expected:", ", got:"), between(message, "got:", "\n"))
    };
    let want = want.unwrap_or_else(|| "another".to_owned());
    let got = got
        .or_else(|| Some(ctx.claim("iss")).filter(|i| !i.is_empty()))
        .unwrap_or_else(|| "unknown".to_owned());
    let cure = match ctx.method {
        Some(ours) if method_of(&want).is_some_and(|theirs| theirs != ours) => {
            let theirs = method_of(&want).unwrap_or(ours);
            format!("Name a join token of the method `{ours}`: this one is for the jobs of `{theirs}`.")
        }
        Some(JoinMethod::GitHub) => github_issuer(&got),
        Some(JoinMethod::GitLab) => match got.strip_prefix("https://").filter(|host| !host.contains('/')) {
            Some(host) => format!("Set `spec.gitlab.domain: {host}` in the token."),
            None => "Make a `generic_oidc` token for this issuer: `spec.gitlab.domain` can only be a host."
                .to_owned(),
        },
        Some(JoinMethod::CircleCi) if got == "https://oidc.circleci.com" => {
            "Ask CircleCI for a token without `--root-issuer`.".to_owned()
        }
        Some(JoinMethod::CircleCi) => {
            "Set `spec.circleci.organization_id` in the token to the UUID at the end of the issuer."
                .to_owned()
        }
        Some(JoinMethod::Spacelift) => {
            let host = got.strip_prefix("https://").unwrap_or(&got);
            format!("Set `spec.spacelift.hostname: {host}` in the token.")
        }
        _ => format!("Set the issuer in the join token to `{got}`, or name the token made for it."),
    };
    vec![Cause::new(
        "the identity token is another issuer's",
        format!("the join token takes `{want}`, the job's is `{got}`"),
        cure,
    )]
}

const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// Whose issuer that is, where it is one of those that are nobody else's.
fn method_of(issuer: &str) -> Option<JoinMethod> {
    if issuer.starts_with(GITHUB) || issuer.ends_with("/_services/token") {
        Some(JoinMethod::GitHub)
    } else if issuer == "https://gitlab.com" {
        Some(JoinMethod::GitLab)
    } else if issuer.starts_with("https://oidc.circleci.com") {
        Some(JoinMethod::CircleCi)
    } else if issuer.ends_with(".spacelift.io") {
        Some(JoinMethod::Spacelift)
    } else {
        None
    }
}

fn github_issuer(got: &str) -> String {
    let base = GITHUB;
    if let Some(slug) = got.strip_prefix(base).and_then(|rest| rest.strip_prefix('/')) {
        return format!("Set `spec.github.enterprise_slug: {slug}` in the token.");
    }
    if let Some(host) = got.strip_prefix("https://").and_then(|rest| rest.strip_suffix("/_services/token")) {
        return format!("Set `spec.github.enterprise_server_host: {host}` in the token.");
    }
    if got == base {
        return "Remove `enterprise_server_host` and `enterprise_slug` from the token: this job runs on plain github.com."
            .to_owned();
    }
    // Among them `token.actions.NAME.ghe.com`, Forgejo and Gitea.
    "Make a `generic_oidc` token for this issuer: the `github` method cannot name it.".to_owned()
}

fn audience(message: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let want = between(message, "must contain client_id", "\n")
        .or_else(|| between(message, "expected audience", " got"));
    let got: Vec<String> = ctx.audiences().into_iter().map(clean).collect();
    let got =
        if got.is_empty() { between(message, "\" got", "\n").unwrap_or_default() } else { got.join(", ") };
    let want = want.or_else(|| ctx.cluster.map(clean)).unwrap_or_else(|| "another".to_owned());
    let cure = match ctx.method {
        Some(JoinMethod::GitLab) => format!("Set `aud: {want}` under `id_tokens:` in `.gitlab-ci.yml`."),
        Some(JoinMethod::GitHub) => {
            format!("Leave `--audience` away: GitHub's method always takes `{want}`.")
        }
        Some(JoinMethod::CircleCi) => {
            "Set `spec.circleci.organization_id` in the token to this organisation's UUID.".to_owned()
        }
        Some(JoinMethod::Kubernetes) => {
            format!("Mount a projected token with `audience: {want}` and `expirationSeconds: 600`.")
        }
        Some(JoinMethod::TerraformCloud) => {
            format!("Set `TFC_WORKLOAD_IDENTITY_AUDIENCE` to `{want}` in the workspace.")
        }
        _ => {
            format!("Ask the platform for a token with the audience `{want}`, or set that of the join token.")
        }
    };
    let mut found = traps::audience(ctx, &want);
    found.push(Cause::new(
        "the identity token is made for somebody else",
        format!("the server wants the audience `{want}`, the job's token has `{got}`"),
        cure,
    ));
    found
}

fn authorized_party(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let got: Vec<String> = ctx.audiences().into_iter().map(clean).collect();
    let cure = if ctx.is(JoinMethod::GitLab) {
        "Write `aud:` under `id_tokens:` as one value, not as a list; other systems can have an entry of their own."
    } else {
        "Ask for a token with one audience only."
    };
    vec![Cause::new(
        "the identity token has more than one audience, or a foreign authorized party",
        format!("its audiences are `{}`, its `azp` is `{}`", got.join("`, `"), ctx.claim("azp")),
        cure,
    )]
}

fn future(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let skew = ctx
        .clock_skew
        .map_or_else(String::new, |s| format!("; the server's clock is {s} s from this machine's"));
    vec![Cause::new(
        "the server's clock is behind",
        format!("the token was made at {}, which is still to come for the server{skew}", ctx.claim("iat")),
        "Have the clock of the Auth Service set by NTP.",
    )]
}

fn algorithm(_: &str, _: &Context<'_>) -> Vec<Cause> {
    vec![Cause::new(
        "the token's signature algorithm is not accepted",
        "the server takes RS256, ES256 and PS256, and with `static_jwks` a few more",
        "Have the issuer sign with RS256.",
    )]
}

fn signature(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    vec![
        Cause::new(
            "the issuer's keys have changed",
            "with `static_jwks` the token must be updated by hand whenever the issuer changes keys; otherwise the server keeps keys for up to a day",
            "Copy the issuer's present keys into `static_jwks`, or leave it out if the server can reach the issuer.",
        ),
        Cause::new(
            "another system signed the token",
            format!("its issuer claims to be `{}`", ctx.claim("iss")),
            "Check that the token comes from this job's platform and was not altered on the way.",
        ),
    ]
}

fn malformed(_: &str, _: &Context<'_>) -> Vec<Cause> {
    vec![Cause::new(
        "what was sent is no identity token",
        "the variable or file may hold a mask (`***`), quotes, a cut value or something else",
        "Run `jobpass explain` in this job to see what the variable holds.",
    )]
}

fn not_discovery(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    vec![Cause::new(
        "the issuer's discovery page is not JSON for the server",
        format!(
            "`{}/.well-known/openid-configuration` gave the Auth Service something else, often a login page",
            ctx.claim("iss")
        ),
        "Let the Auth Service read that page without a login, or put the keys into `static_jwks`.",
    )]
}

fn unreachable(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    vec![Cause::new(
        "the Auth Service cannot reach the issuer",
        format!(
            "it fetches `{}/.well-known/openid-configuration` itself, from its own network",
            ctx.claim("iss")
        ),
        "Open that address to the Auth Service, or put the issuer's keys into `static_jwks`.",
    )]
}

fn static_keys(_: &str, _: &Context<'_>) -> Vec<Cause> {
    vec![Cause::new(
        "the token was checked against `static_jwks`",
        "the keys stand in the join token itself and are not fetched",
        "Compare `static_jwks` with the keys that the issuer publishes now.",
    )]
}

fn by_discovery(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    vec![Cause::new(
        "verifying the identity token failed",
        format!("the server checked it with the keys of `{}`", ctx.claim("iss")),
        "Run `jobpass explain` in this job and compare issuer, audience and dates.",
    )]
}
