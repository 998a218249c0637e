//! Refusals while the server verifies the identity token (zitadel/oidc, coreos/go-oidc and go-jose in Teleport;
//! the `oidc: …` texts were recorded with version 15).

use super::traps;
use crate::claims::UnverifiedClaims;
use crate::rules::message::{SHOWN, between};
use crate::rules::{Cause, Context, ServerText, hints, owner_of_issuer};
use crate::text::{clocks, duration, safe};

const ISSUER: &str = "issuer does not match: Expected: … got:";
const ISSUER_15: &str = "id token issued by a different provider, expected … got";
const AUDIENCE: &str = "audience is not valid: Audience must contain client_id";
const AUDIENCE_15: &str = "oidc: expected audience … got";
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
/// As `generic_oidc` says it.
const VIA_OIDC: &str = "validating via oidc";
const VIA_STATIC: &str = "validating via static_jwks";

/// Clocks that differ by more seconds than these are named.
const MAX_SKEW: i64 = 30;

pub(super) const ENTRIES: &[ServerText] = &[
    ServerText::new(ISSUER, issuer),
    ServerText::new(ISSUER_15, issuer),
    ServerText::new(AUDIENCE, audience),
    ServerText::new(AUDIENCE_15, audience),
    ServerText::new(AZP_MISSING, authorized_party),
    ServerText::new(AZP_INVALID, authorized_party),
    ServerText::new(EXPIRED, expired),
    ServerText::new(EXPIRED_15, expired),
    ServerText::new(FUTURE, future),
    ServerText::new(ALGORITHM, algorithm),
    ServerText::new(SIGNATURE, signature),
    ServerText::new(PAYLOAD, signature),
    ServerText::new(SEGMENTS, malformed),
    ServerText::new(MALFORMED_15, malformed),
    ServerText::new(PARSING, malformed),
    ServerText::new(DISCOVERY_HTML, not_discovery),
    ServerText::new(DISCOVERY, unreachable),
    ServerText::prefix(WITH_STATIC, static_keys),
    ServerText::prefix(WITH_JWKS, static_keys),
    ServerText::prefix(WITH_OIDC, by_discovery),
    ServerText::prefix(VIA_STATIC, static_keys),
    ServerText::prefix(VIA_OIDC, by_discovery),
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
    let hint = match (ctx.method, owner_of_issuer(&want)) {
        (Some(ours), Some(theirs)) if theirs != ours => {
            format!("name a join token of the method `{ours}`: this one is for jobs of `{theirs}`")
        }
        _ => hints(ctx.method).issuer(&got),
    };
    vec![Cause::new(
        "the identity token is from another issuer",
        format!("the join token takes `{want}`, the job's is `{got}`"),
        hint,
    )]
}

fn audience(message: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let want = between(message, "must contain client_id", "\n")
        .or_else(|| between(message, "expected audience", " got"));
    let mut got = audiences(ctx).join(", ");
    if got.is_empty() {
        got = between(message, "\" got", "\n").unwrap_or_default();
    }
    let want = want.or_else(|| ctx.cluster.map(|c| safe(c, SHOWN))).unwrap_or_else(|| "another".to_owned());
    let mut found = traps::audience(ctx, &want);
    found.push(Cause::new(
        "the identity token has the wrong audience",
        format!("the server wants the audience `{want}`, the job's token has `{got}`"),
        hints(ctx.method).audience(&want),
    ));
    found
}

fn authorized_party(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    vec![Cause::new(
        "the identity token has more than one audience, or a foreign authorized party",
        format!("its audiences are `{}`, its `azp` is `{}`", audiences(ctx).join("`, `"), ctx.claim("azp")),
        hints(ctx.method).one_audience(),
    )]
}

fn audiences(ctx: &Context<'_>) -> Vec<String> {
    ctx.audiences().into_iter().map(|audience| safe(audience, SHOWN)).collect()
}

fn expired(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let left = ctx.claims.and_then(UnverifiedClaims::expires).map(|at| at.duration_since(ctx.now));
    let mut found = Vec::new();
    if let (Some(skew), Some(left)) = (ctx.clock_skew, left.filter(|left| !left.is_negative()))
        && skew.abs() > MAX_SKEW
    {
        found.push(Cause::new(
            "the clocks differ",
            format!("here the token is valid for another {}, but {}", duration(left), clocks(skew, 0)),
            "set both clocks with NTP",
        ));
    }
    let detail = match left {
        Some(left) if left.is_negative() => format!("it expired {} ago", duration(left.abs())),
        Some(left) => format!("by this machine's clock it is valid for another {}", duration(left)),
        None => "its `exp` has passed".to_owned(),
    };
    found.push(Cause::new("the identity token has expired", detail, hints(ctx.method).expired()));
    found
}

fn future(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let skew = ctx.clock_skew.map_or_else(String::new, |skew| format!("; {}", clocks(skew, 1)));
    vec![Cause::new(
        "the server's clock is behind",
        format!("the token was issued at {}, which is in the future for the server{skew}", ctx.claim("iat")),
        "set the clock of the Auth Service with NTP",
    )]
}

fn algorithm(_: &str, _: &Context<'_>) -> Vec<Cause> {
    vec![Cause::new(
        "the token's signature algorithm is not accepted",
        "the server takes RS256, ES256 and PS256, and with `static_jwks` a few more",
        "have the issuer sign with RS256",
    )]
}

fn signature(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    vec![
        Cause::new(
            "the issuer's keys have changed",
            "with `static_jwks` the token must be updated by hand whenever the issuer changes keys; otherwise the server caches keys for up to a day",
            "copy the issuer's current keys into `static_jwks`, or leave it out if the server can reach the issuer",
        ),
        Cause::new(
            "another system signed the token",
            format!("its issuer claims to be `{}`", ctx.claim("iss")),
            "check that the token comes from this job's platform and was not altered on the way",
        )
        .guess(),
    ]
}

fn malformed(_: &str, _: &Context<'_>) -> Vec<Cause> {
    vec![Cause::new(
        "what was sent is not an identity token",
        "the variable or file may contain a mask (`***`), quotes, a truncated value or something else",
        "run `jobpass explain` in this job to see what the variable contains",
    )]
}

fn not_discovery(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    vec![Cause::new(
        "the server did not get JSON from the issuer's discovery page",
        format!(
            "`{}/.well-known/openid-configuration` returned something else to the Auth Service, often a login page",
            ctx.claim("iss")
        ),
        "let the Auth Service read that page without a login, or put the keys into `static_jwks`",
    )]
}

fn unreachable(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    vec![Cause::new(
        "the Auth Service cannot reach the issuer",
        format!(
            "it fetches `{}/.well-known/openid-configuration` itself, from its own network",
            ctx.claim("iss")
        ),
        "open that address to the Auth Service, or put the issuer's keys into `static_jwks`",
    )]
}

fn static_keys(_: &str, _: &Context<'_>) -> Vec<Cause> {
    vec![Cause::new(
        "the token was checked against `static_jwks`",
        "the keys are in the join token itself and are not fetched",
        "compare `static_jwks` with the keys that the issuer publishes now",
    )]
}

fn by_discovery(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    vec![Cause::new(
        "verifying the identity token failed",
        format!("the server checked it with the keys of `{}`", ctx.claim("iss")),
        "run `jobpass explain` in this job and compare issuer, audience and dates",
    )]
}
