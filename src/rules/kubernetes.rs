//! `spec.kubernetes`: a pod's service account (Teleport `lib/join/kubernetes`, `lib/kube/token/validator.go`).

use jiff::SignedDuration;
use serde_json::Value;

use super::cause::{Cause, Context, ServerText};
use super::claim::{find_claim, is_unset, option};
use super::finding::text;
use super::flaw::Flaw;
use super::message::{SHOWN, between};
use super::method::{Audience, Field, How, Method, Shape};
use super::proposal::{Item, Line, Proposal};
use super::verdict::Compared;
use super::version::{ServerVersion, Since};
use crate::claims::UnverifiedClaims;
use crate::text::{duration, safe};

/// The longest life of a token that is checked against keys or an issuer.
const MAX_TTL: SignedDuration = SignedDuration::from_mins(30);
const IN_CLUSTER: &str = "in_cluster";
const ACCOUNT: &str = "system:serviceaccount:";
/// The issuer of tokens in secrets, which never expire (kubernetes.io, "Managing Service Accounts").
const LEGACY: &str = "kubernetes/serviceaccount";
/// In issuers that only the cluster itself can reach.
const PRIVATE: &str = "://kubernetes.default";
const MOUNT: &str = "mount a projected token into the pod: `serviceAccountToken` with `audience` (the cluster's name) and \
     `expirationSeconds: 600`";
/// Name and namespace as fields of their own.
const APART: Since = Since::new(18, 8, 1);
const OIDC: Since = Since::new(18, 1, 5).and(&[ServerVersion::new(17, 7, 3)]);
const NO_RULE: &str = "kubernetes token did not match any allow rules";

pub(super) const METHOD: Method = Method {
    label: "Kubernetes",
    section: Some("kubernetes"),
    options: &[
        ("type", Shape::Text),
        ("static_jwks", Shape::Object(&[("jwks", Shape::Text)])),
        ("oidc", Shape::Object(&[("issuer", Shape::Text), ("insecure_allow_http_issuer", Shape::Flag)])),
    ],
    fields: &[
        Field::new("service_account", "sub", How::Own(service_account)),
        Field::new("service_account_namespace", "sub", How::GlobOn(|claims| Some(account(claims)?.0)))
            .since(APART),
        Field::new("service_account_name", "sub", How::GlobOn(|claims| Some(account(claims)?.1)))
            .since(APART),
    ],
    groups: &[&["service_account", "service_account_name"]],
    together: &[
        ("service_account_name", "service_account_namespace"),
        ("service_account_namespace", "service_account_name"),
    ],
    more_claims: &["kubernetes.io.namespace", "kubernetes.io.pod.name"],
    unsupported: |spec, version| {
        let lacks = kind(spec) == "oidc" && !OIDC.includes(version);
        lacks.then(|| format!("`kubernetes` with type `oidc` needs {OIDC}, the server is {version}"))
    },
    issuer: |spec| match kind(spec) {
        "oidc" => option(spec.get("oidc")?, "issuer").map(str::to_owned),
        _ => None,
    },
    audience: Audience::ClusterNameUnless("type", IN_CLUSTER),
    looks_like: |claims| claims.subject().is_some_and(|sub| sub.starts_with(ACCOUNT)),
    flaws,
    blocked,
    refusal: |_, _| NO_RULE.to_owned(),
    propose: |claims| {
        let name = claims.subject()?.strip_prefix(ACCOUNT)?;
        let rule = || vec![("service_account", Item::text(name))];
        Some(Proposal { options: proposed_type(claims), narrow: rule(), wide: rule() })
    },
    lint_section: |notes, spec| {
        let kind = kind(spec);
        let has = |name: &str| spec.get(name).is_some_and(|value| !is_unset(value));
        let inner = |section: &str, name: &str| spec.get(section).and_then(|section| option(section, name));
        match kind {
            IN_CLUSTER => {}
            "static_jwks" if inner("static_jwks", "jwks").is_none() => {
                notes.error("static_jwks.jwks", "is missing: type `static_jwks` has no keys to check with");
            }
            "oidc" if inner("oidc", "issuer").is_none() => {
                notes.error("oidc.issuer", "is missing: type `oidc` has no issuer to ask for keys");
            }
            "static_jwks" | "oidc" => {}
            _ => notes.error("type", "must be `in_cluster`, `static_jwks` or `oidc`"),
        }
        for other in ["static_jwks", "oidc"].into_iter().filter(|other| *other != kind && has(other)) {
            notes.warn(other, format!("is not looked at: the type is `{}`", safe(kind, SHOWN)));
        }
    },
    lint_rule: |notes, rule| {
        let account = text(rule, "service_account");
        if !account.is_empty() && account.split(':').filter(|part| !part.is_empty()).count() != 2 {
            notes.error("service_account", "must be `namespace:name`");
        }
    },
    causes: |ctx| {
        vec![
            Cause::new(
                "another service account",
                format!("the token's `sub` is `{}`", ctx.claim("sub")),
                "write `service_account: NAMESPACE:NAME` of the pod in the rule; it is compared exactly",
            )
            .guess(),
        ]
    },
    refusals: &[
        // `kubernetes token user info …`, `kubernetes OIDC token …`
        ServerText::no_rule("kubernetes … token … did not match any allow rules"),
        ServerText::new("with a TTL of less than 30m0s", |_, ctx| projected(ctx)),
        ServerText::new("requires the use of a projected pod bound service account token", |_, ctx| {
            projected(ctx)
        }),
        ServerText::new("legacy SA tokens are not accepted", |_, ctx| projected(ctx)),
        ServerText::new("kubernetes failed to validate token:", |message, _| {
            let why = between(message, "kubernetes failed to validate token:", "\n");
            vec![Cause::new(
                "the Kubernetes API server refused the token",
                why.unwrap_or_else(|| "it gave no reason".to_owned()),
                "check that the pod runs in the cluster of the Auth Service; otherwise use type `static_jwks` or `oidc`",
            )]
        }),
        ServerText::prefix("reviewing kubernetes token with", |_, ctx| projected(ctx)),
    ],
    audience_hint: |want| {
        format!("mount a projected token with `audience: {want}` and `expirationSeconds: 600`")
    },
    ..Method::BASE
};

fn kind(spec: &Value) -> &str {
    option(spec, "type").unwrap_or(IN_CLUSTER)
}

/// Only an Auth Service in the same cluster takes a token that is for the API server. Otherwise it needs the keys: from
/// the issuer where that is a public one, else in the join token.
fn proposed_type(claims: &UnverifiedClaims) -> Vec<Line> {
    if is_for_api_server(claims) {
        return vec![("type", Item::text(IN_CLUSTER))];
    }
    let is_public = |issuer: &&str| issuer.starts_with("https://") && !issuer.contains(PRIVATE);
    if let Some(issuer) = claims.issuer().filter(is_public) {
        return vec![("type", Item::text("oidc")), ("oidc", Item::Section("issuer", issuer.to_owned()))];
    }
    let keys = "what `kubectl get --raw /openid/v1/jwks` prints".to_owned();
    vec![("type", Item::text("static_jwks")), ("static_jwks", Item::Section("jwks", keys))]
}

fn is_for_api_server(claims: &UnverifiedClaims) -> bool {
    claims.audiences().iter().any(|audience| audience.contains("://"))
}

/// The rule says `namespace:name`, the claim `system:serviceaccount:namespace:name`.
fn service_account(want: &str, claims: &UnverifiedClaims) -> Compared {
    let sub = claims.subject();
    Compared::new(sub, sub.and_then(|s| s.strip_prefix(ACCOUNT)) == Some(want))
}

/// A token that has the API server's audience is for `in_cluster`, which has no limit of its own on its life.
fn flaws(claims: &UnverifiedClaims) -> Vec<Flaw> {
    let subject = claims.subject().unwrap_or_default();
    let certain = |problem: String| vec![Flaw { problem, hint: MOUNT.to_owned(), is_certain: true }];
    if !subject.starts_with(ACCOUNT) {
        let shown = safe(subject, SHOWN);
        return certain(format!(
            "it is not of a service account: its `sub` is `{shown}`, not `{ACCOUNT}NAMESPACE:NAME`"
        ));
    }
    if pod(claims).is_none() {
        let kind =
            if claims.issuer() == Some(LEGACY) { "it is from a secret" } else { "it is not bound to a pod" };
        return certain(format!("{kind}, and Teleport takes only tokens that Kubernetes mounts into a pod"));
    }
    match life(claims).filter(|life| *life > MAX_TTL && !is_for_api_server(claims)) {
        Some(life) => vec![Flaw {
            problem: format!(
                "it lives for {}, and join tokens of type `static_jwks` or `oidc` take {} at most",
                duration(life),
                duration(MAX_TTL)
            ),
            hint: "set `expirationSeconds: 600` in the projected volume".to_owned(),
            is_certain: false,
        }],
        None => Vec::new(),
    }
}

/// The pod that the token is bound to.
fn pod(claims: &UnverifiedClaims) -> Option<&Value> {
    find_claim(claims, "kubernetes.io")?.get("pod").filter(|pod| pod.is_object())
}

fn blocked(spec: &Value, claims: &UnverifiedClaims) -> Option<String> {
    let kind = kind(spec);
    if kind == IN_CLUSTER {
        return None;
    }
    let projected = format!(
        "reviewing kubernetes token with {kind}: {kind} joining requires the use of a projected pod bound service account token"
    );
    if pod(claims).is_none() {
        return Some(projected);
    }
    match life(claims) {
        Some(life) if life <= MAX_TTL => None,
        _ => Some(format!("{projected} with a TTL of less than 30m0s")),
    }
}

/// Namespace and name.
fn account(claims: &UnverifiedClaims) -> Option<(&str, &str)> {
    claims.subject()?.strip_prefix(ACCOUNT)?.split_once(':')
}

fn life(claims: &UnverifiedClaims) -> Option<SignedDuration> {
    Some(claims.expires()?.duration_since(claims.issued_at()?))
}

/// What Teleport asks of a service account's token.
fn projected(ctx: &Context<'_>) -> Vec<Cause> {
    let mut found = Vec::new();
    let cluster = ctx.cluster.map_or_else(|| "CLUSTER-NAME".to_owned(), |name| safe(name, SHOWN));
    let hint = format!(
        "mount a projected token with `audience: {cluster}` and `expirationSeconds: 600`, and set `KUBERNETES_TOKEN_PATH` to it"
    );
    if let Some(life) = ctx.claims.and_then(life).filter(|life| *life > MAX_TTL) {
        found.push(Cause::new(
            "the service account's token lives too long",
            format!(
                "it lives for {}, the server takes {} at most; the default token lives for an hour",
                duration(life),
                duration(MAX_TTL)
            ),
            hint.clone(),
        ));
    }
    let audiences = ctx.audiences();
    if !audiences.is_empty() && ctx.cluster.is_some_and(|cluster| !audiences.contains(&cluster)) {
        found.push(Cause::new(
            "the service account's token has the wrong audience",
            format!("it has `{}`, the server wants `{cluster}`", safe(&audiences.join(", "), SHOWN)),
            hint.clone(),
        ));
    }
    found.push(Cause::new(
        "the token is not a projected one of a pod",
        "tokens from secrets and from `kubectl create token` are not bound to a pod, and the default mount has the API server's audience",
        hint,
    ));
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::{flaws, suggest};
    use crate::teleport::JoinMethod;

    fn token(change: &Value) -> UnverifiedClaims {
        let mut claims = json!({
            "iss": "https://kubernetes.default.svc", "aud": ["c.example"], "iat": 1_000, "exp": 1_600,
            "sub": "system:serviceaccount:ns:sa", "kubernetes.io": {"namespace": "ns", "pod": {"name": "p"}},
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        UnverifiedClaims::from_json(claims.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn flaws_are_seen_before_a_server_sees_them() {
        let api_server = "https://kubernetes.default.svc";
        for (change, want) in [
            (json!({}), None),
            (json!({"exp": 2_800}), None),
            (json!({"exp": 2_801}), Some((false, "it lives for 30m"))),
            (json!({"exp": 4_607}), Some((false, "it lives for 1h"))),
            // That of every pod, for type `in_cluster`.
            (json!({"exp": 4_607, "aud": [api_server]}), None),
            (json!({"exp": 4_607, "aud": api_server}), None),
            (json!({"sub": "repo:o/r"}), Some((true, "it is not of a service account"))),
            (json!({"sub": null}), Some((true, "it is not of a service account"))),
            (json!({"kubernetes.io": {"namespace": "ns"}}), Some((true, "it is not bound to a pod"))),
            (json!({"kubernetes.io": null}), Some((true, "it is not bound to a pod"))),
            (json!({"kubernetes.io": {"pod": null}}), Some((true, "it is not bound to a pod"))),
            (json!({"iss": LEGACY, "kubernetes.io": null}), Some((true, "it is from a secret"))),
        ] {
            let found = flaws(JoinMethod::Kubernetes, &token(&change));
            let seen = found.first().map(|flaw| (flaw.is_certain, flaw.problem.as_str()));
            let right = match (seen, want) {
                (Some(seen), Some(want)) => seen.0 == want.0 && seen.1.starts_with(want.1),
                (seen, want) => seen.is_none() && want.is_none(),
            };
            assert!(right && found.len() <= 1, "{change}: {found:?}");
            // The token of another method has none of these.
            assert!(flaws(JoinMethod::GitHub, &token(&change)).is_empty());
        }
    }

    #[test]
    fn the_proposed_type_is_the_one_that_takes_such_a_token() {
        for (change, lines) in [
            (json!({"aud": ["https://kubernetes.default.svc"]}), &["type: in_cluster"][..]),
            (json!({}), &["type: static_jwks", "static_jwks: {jwks: "]),
            (json!({"iss": null}), &["type: static_jwks"]),
            (
                json!({"iss": "https://oidc.eks.eu-north-1.amazonaws.com/id/A"}),
                &["type: oidc", r#"oidc: {issuer: "https://oidc.eks.eu-north-1.amazonaws.com/id/A"}"#],
            ),
        ] {
            let found = suggest(JoinMethod::Kubernetes, &token(&change), "t", "b").unwrap();
            for line in lines {
                assert!(found.narrow.contains(line), "{change}: {}", found.narrow);
            }
            let parsed = crate::rules::parse(&found.narrow).unwrap();
            assert!(parsed[0].evaluate(&token(&change), ServerVersion::new(18, 8, 1)).matched().is_some());
        }
    }
}
