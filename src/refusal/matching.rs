//! Refusals by the token's rules, and by what a method asks for beside them (Teleport `lib/join/*`).

use super::catalogue::Entry;
use super::traps::{self, kubernetes_token};
use super::{Cause, Context, between, clean};

const NO_RULE: &str = "id token claims did not match any allow rules";
const NO_RULE_AZURE_DEVOPS: &str = "id token claims failed to match any allow rules";
const NO_RULE_KUBERNETES: &str = "kubernetes token did not match any allow rules";
const NO_RULE_IAM: &str = "instance ARN did not match any allow rules";
const NO_RULE_AZURE: &str = "instance ID did not match any allow rules";
const BROKEN_RULE: &str = "evaluating rule ( … match";

const ORGANISATION: &str = "organization ID in token ( … does not match configured";
const NOT_A_PIPELINE: &str = "id token is not of pipeline kind";
const SUBJECT: &str = "subject malformed, expected 2 path elements";

const PROJECTED: &str = "requires the use of a projected pod bound service account token";
const TTL: &str = "with a TTL of less than 30m0s";
const LEGACY: &str = "legacy SA tokens are not accepted";
const REVIEW_FAILED: &str = "kubernetes failed to validate token:";
const REVIEWING: &str = "reviewing kubernetes token with";

const DEFAULT_ACCOUNT: &str = "default compute engine service account … is not supported";
const EMAIL: &str = "invalid email claim";
const ZONE: &str = "\"google.compute_engine.zone\" claim is empty";

const STS_CHALLENGE: &str = "sts identity request does not include challenge header";
const STS_HOST: &str = "rejecting IAM join request using STS host";
const STS_BODY: &str = "sts request body … does not equal expected";
const STS_STATUS: &str = "aws sts api returned status";

const CHALLENGE: &str = "challenge is missing or does not match";
const COMMON_NAME: &str = "certificate common name does not match allow-list";
const TOKEN_AGE: &str = "token-only Azure join rejected: access token was issued … ago";
const SUBSCRIPTION: &str = "subscription ID mismatch";
const MACHINE: &str = "could not determine Azure identity from token claims";

const MISSING_KEY: &str = "claims missing expected key:";
const WRONG_VALUE: &str = "incorrect value in claim:";
const WRONG_TYPE: &str = "field must be a … but got";
const NO_ALTERNATIVE: &str = "claims matched no allow_any rules";
const NO_RULES: &str = "generic OIDC token has no rules configured";

pub(super) const ENTRIES: &[Entry] = &[
    Entry { text: NO_RULE, explain: |_, ctx| no_rule(ctx) },
    Entry { text: NO_RULE_AZURE_DEVOPS, explain: |_, ctx| no_rule(ctx) },
    Entry { text: NO_RULE_KUBERNETES, explain: |_, ctx| no_rule(ctx) },
    Entry { text: NO_RULE_IAM, explain: |_, ctx| no_rule(ctx) },
    Entry { text: NO_RULE_AZURE, explain: |_, ctx| no_rule(ctx) },
    Entry { text: BROKEN_RULE, explain: broken_rule },
    Entry { text: ORGANISATION, explain: organisation },
    Entry {
        text: NOT_A_PIPELINE,
        explain: |_, ctx| {
            one(
                "the identity token is a service connection's",
                format!("its `sub` is `{}`, a pipeline's begins with `p://`", ctx.claim("sub")),
                "Ask for the token without `serviceConnectionId`.",
            )
        },
    },
    Entry {
        text: SUBJECT,
        explain: |_, ctx| {
            one(
                "the pipeline's name has a slash, or it lies in a folder",
                format!(
                    "its `sub` is `{}`, the server wants `p://ORGANISATION/PROJECT/PIPELINE`",
                    ctx.claim("sub")
                ),
                "Rename the pipeline without `/`, or move it out of its folder.",
            )
        },
    },
    Entry { text: TTL, explain: |_, ctx| kubernetes_token(ctx) },
    Entry { text: PROJECTED, explain: |_, ctx| kubernetes_token(ctx) },
    Entry { text: LEGACY, explain: |_, ctx| kubernetes_token(ctx) },
    Entry {
        text: REVIEW_FAILED,
        explain: |message, _| {
            one(
                "the Kubernetes API server refused the token",
                between(message, REVIEW_FAILED, "\n").unwrap_or_else(|| "it gave no reason".to_owned()),
                "Check that the pod runs in the cluster of the Auth Service; otherwise use type `static_jwks` or `oidc`.",
            )
        },
    },
    Entry { text: REVIEWING, explain: |_, ctx| kubernetes_token(ctx) },
    Entry {
        text: DEFAULT_ACCOUNT,
        explain: |_, ctx| {
            one(
                "the default compute service account cannot join",
                format!("the job runs as `{}`, which does not name its project", ctx.claim("email")),
                "Run the job as a service account of its own.",
            )
        },
    },
    Entry {
        text: EMAIL,
        explain: |_, ctx| {
            one(
                "the token does not name a service account",
                format!("its `email` is `{}`", ctx.claim("email")),
                "Ask the metadata server for the token with `format=full`, as a service account.",
            )
        },
    },
    Entry {
        text: ZONE,
        explain: |_, _| {
            one(
                "the job does not run on Compute Engine",
                "the rule has `locations`, and the token has no zone",
                "Remove `locations` from the rule; off Compute Engine only projects and service accounts can be told apart.",
            )
        },
    },
    Entry { text: STS_CHALLENGE, explain: |_, _| sts("the signed request lacks the server's challenge") },
    Entry {
        text: STS_HOST,
        explain: |_, _| sts("the signed request is for a host that the server does not know"),
    },
    Entry {
        text: STS_BODY,
        explain: |_, _| sts("the signed request asks for something else than `GetCallerIdentity`"),
    },
    Entry {
        text: STS_STATUS,
        explain: |message, _| {
            one(
                "AWS did not accept the signed request",
                format!("its status was {}", between(message, STS_STATUS, "\n").unwrap_or_default()),
                "Check that the AWS credentials of this job are still valid with `aws sts get-caller-identity`.",
            )
        },
    },
    Entry { text: CHALLENGE, explain: |_, _| attestation("the attested document answers another challenge") },
    Entry {
        text: COMMON_NAME,
        explain: |_, _| attestation("the attested document is signed by a name outside Azure's list"),
    },
    Entry {
        text: TOKEN_AGE,
        explain: |message, _| {
            one(
                "Azure handed out an old access token",
                format!(
                    "it was issued {} ago, without an attested document the server takes 10 minutes at most",
                    between(message, "access token was issued", " ago").unwrap_or_else(|| "long".to_owned())
                ),
                "Run the job where the attested document can be had, or try again after Azure has renewed the token.",
            )
        },
    },
    Entry {
        text: SUBSCRIPTION,
        explain: |_, _| attestation("document and access token name different subscriptions"),
    },
    Entry {
        text: MACHINE,
        explain: |_, ctx| {
            one(
                "the access token does not name the machine",
                format!(
                    "`xms_az_rid` is `{}`, `xms_mirid` is `{}`",
                    ctx.claim("xms_az_rid"),
                    ctx.claim("xms_mirid")
                ),
                "Give the machine a system-assigned managed identity.",
            )
        },
    },
    Entry { text: MISSING_KEY, explain: |message, ctx| named(message, ctx, MISSING_KEY) },
    Entry { text: WRONG_VALUE, explain: |message, ctx| named(message, ctx, WRONG_VALUE) },
    Entry { text: WRONG_TYPE, explain: |message, ctx| named(message, ctx, "field must be") },
    Entry { text: NO_ALTERNATIVE, explain: |_, ctx| no_rule(ctx) },
    Entry {
        text: NO_RULES,
        explain: |_, _| {
            one(
                "the token has no rules",
                "a `generic_oidc` token admits nobody without them",
                "Add `must_match_fields` or `allow_any` to the token.",
            )
        },
    },
];

fn one(title: &str, detail: impl Into<String>, cure: &str) -> Vec<Cause> {
    vec![Cause::new(title, detail, cure)]
}

/// The server never says which rule or field failed; the job's own claims often do.
fn no_rule(ctx: &Context<'_>) -> Vec<Cause> {
    let (guesses, mut found): (Vec<_>, Vec<_>) = traps::rules(ctx).into_iter().partition(traps::is_a_guess);
    let token = ctx.token_name.map_or_else(|| "the token".to_owned(), |name| format!("`{}`", clean(name)));
    found.push(Cause::new(
        "no rule of the token fits this job",
        format!("in no rule of {token} do all fields agree with the job's claims, and the server does not say which one fails"),
        "Save the token with `tctl get token/NAME` and run `jobpass explain` with it to see each field.",
    ));
    found.extend(guesses);
    found
}

fn broken_rule(message: &str, _: &Context<'_>) -> Vec<Cause> {
    let number = between(message, "evaluating rule (", ")").unwrap_or_else(|| "of the token".to_owned());
    one(
        "a pattern in the token is broken",
        format!("rule {number} (counted from 0) cannot be evaluated"),
        "Write the rule's pattern with `*` and `?` only.",
    )
}

fn organisation(message: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let got = between(message, "organization ID in token (", ")").unwrap_or_else(|| ctx.claim("org_id"));
    let want = between(message, "does not match configured (", ")").unwrap_or_default();
    one(
        "the pipeline is another organisation's",
        format!("the job is of `{got}`, the token takes `{want}`"),
        &format!("Set `spec.azure_devops.organization_id: {got}` in the token."),
    )
}

fn sts(detail: &str) -> Vec<Cause> {
    one(
        "the signed AWS request has not the form the server wants",
        detail,
        "Use a newer jobpass, and unset variables that redirect the STS endpoint.",
    )
}

fn attestation(detail: &str) -> Vec<Cause> {
    one(
        "Azure's attested document was not accepted",
        detail,
        "Run the job on the machine itself, with nothing in between it and Azure's metadata address.",
    )
}

/// `generic_oidc` names the field.
fn named(message: &str, ctx: &Context<'_>, marker: &str) -> Vec<Cause> {
    let words = message.find(marker).and_then(|at| message.get(at..)).unwrap_or(message);
    let words = clean(words.lines().next().unwrap_or_default());
    let seen = ctx.claims.map_or_else(String::new, |claims| {
        let names: Vec<&str> = claims.iter().map(|(name, _)| name).take(30).collect();
        format!("; the job's claims are {}", clean(&names.join(", ")))
    });
    one(
        "a claim is not what `must_match_fields` wants",
        format!("{words}{seen}"),
        "Change that field of the token's `must_match_fields`, type included: `\"7\"` and `7` differ.",
    )
}
