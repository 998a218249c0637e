//! `spec.gcp`: Google Compute Engine and GKE workload identity (Teleport `lib/join/gcp`).

use serde_json::Value;

use super::cause::{Cause, ServerText};
use super::claim::{find_claim, text_of};
use super::flaw::Flaw;
use super::message::SHOWN;
use super::method::{ANY_CLUSTER, Field, How, Method};
use super::proposal::{Item, Proposal};
use super::verdict::Compared;
use crate::claims::UnverifiedClaims;
use crate::text::safe;

const ISSUER: &str = "https://accounts.google.com";
const PROJECT: &str = "google.compute_engine.project_id";
const ZONE: &str = "google.compute_engine.zone";

pub(super) const METHOD: Method = Method {
    label: "GCP",
    section: Some("gcp"),
    fields: &[
        Field::new("project_ids", PROJECT, How::OneOf(project_id)),
        Field::new("service_accounts", "email", How::OneOf(service_account)),
        Field::new("locations", ZONE, How::OneOf(location)),
    ],
    groups: &[&["project_ids"]],
    issuer: |_| Some(ISSUER.to_owned()),
    audience: ANY_CLUSTER,
    ignores_authorized_party: true,
    owns_issuer: |issuer| issuer == ISSUER,
    looks_like: |claims| claims.issuer() == Some(ISSUER),
    flaws,
    blocked,
    propose: |claims| {
        let email = text_of(claims, "email");
        let project = text_of(claims, PROJECT).or_else(|| email.and_then(project_of))?;
        let rule = || vec![("project_ids", Item::Texts(project.to_owned()))];
        let account = email.map(|email| ("service_accounts", Item::Texts(email.to_owned())));
        let narrow = rule().into_iter().chain(account).collect();
        Some(Proposal { options: Vec::new(), narrow, wide: rule() })
    },
    refusals: &[
        ServerText::new("default compute engine service account … is not supported", |_, ctx| {
            vec![Cause::new(
                "the default compute service account cannot join",
                format!("the job runs as `{}`, which does not name its project", ctx.claim("email")),
                "run the job as a service account of its own",
            )]
        }),
        ServerText::new("invalid email claim", |_, ctx| {
            vec![Cause::new(
                "the token does not name a service account",
                format!("its `email` is `{}`", ctx.claim("email")),
                "ask the metadata server for the token with `format=full`, as a service account",
            )]
        }),
        ServerText::new("\"google.compute_engine.zone\" claim is empty", |_, _| {
            vec![Cause::new(
                "the job does not run on Compute Engine",
                "the rule has `locations`, and the token has no zone",
                "remove `locations` from the rule: off Compute Engine only projects and service accounts are known",
            )]
        }),
    ],
    ..Method::BASE
};

/// Outside of Compute Engine the project is read from the service account's address.
fn project_id(want: &str, claims: &UnverifiedClaims) -> Compared {
    if let Some(project) = find_claim(claims, PROJECT).and_then(Value::as_str) {
        return Compared::new(Some(project), project == want);
    }
    let project = claims.text("email").and_then(project_of);
    Compared::new(project, project == Some(want))
        .noted("taken from `email`: there is no `google.compute_engine`")
}

fn service_account(want: &str, claims: &UnverifiedClaims) -> Compared {
    let email = claims.text("email");
    Compared::new(email, email == Some(want))
}

/// A zone (`us-west1-a`) or the region it lies in (`us-west1`).
fn location(want: &str, claims: &UnverifiedClaims) -> Compared {
    let Some(zone) = find_claim(claims, ZONE).and_then(Value::as_str) else {
        return Compared::new(None, false).noted("locations work on Compute Engine only");
    };
    let region = zone.rsplit_once('-').map(|(region, _)| region);
    Compared::new(Some(zone), zone == want || region == Some(want))
}

fn project_of(email: &str) -> Option<&str> {
    email.split_once('@')?.1.strip_suffix(".iam.gserviceaccount.com").filter(|p| !p.is_empty())
}

/// What no server admits: off Compute Engine the project is read from the service account's address.
fn flaws(claims: &UnverifiedClaims) -> Vec<Flaw> {
    if blocked(&Value::Null, claims).is_none() {
        return Vec::new();
    }
    let email = safe(claims.text("email").unwrap_or_default(), SHOWN);
    let problem = if email.is_empty() {
        "it names no service account (`email`) and no machine (`google.compute_engine`)".to_owned()
    } else {
        format!("it is of `{email}`, which does not name its project, and of no machine of Compute Engine")
    };
    let hint = "run the job as a service account of your own (`NAME@PROJECT.iam.gserviceaccount.com`): on GKE by workload \
                identity, on Cloud Build by `serviceAccount`";
    vec![Flaw { problem, hint: hint.to_owned(), is_certain: true }]
}

fn blocked(_: &Value, claims: &UnverifiedClaims) -> Option<String> {
    if find_claim(claims, "google.compute_engine").is_some() {
        return None;
    }
    match claims.text("email") {
        Some(email) if email.ends_with("@developer.gserviceaccount.com") => Some(format!(
            "default compute engine service account \"{}\" is not supported",
            safe(email, SHOWN)
        )),
        Some(email) if project_of(email).is_some() => None,
        _ => Some("invalid email claim".to_owned()),
    }
}
