//! `spec.gcp`: Google Compute Engine and GKE workload identity (Teleport `lib/join/gcp`).

use serde_json::Value;

use super::compare::{Compared, find_claim};
use super::method::{ANY_CLUSTER, Field, How, Method, NO_RULE};
use crate::claims::UnverifiedClaims;

const PROJECT: &str = "google.compute_engine.project_id";
const ZONE: &str = "google.compute_engine.zone";

pub(super) const METHOD: Method = Method {
    section: Some("gcp"),
    options: &[],
    required: &[],
    hosts: &[],
    fields: &[
        Field::new("project_ids", PROJECT, How::OneOf(project_id)),
        Field::new("service_accounts", "email", How::OneOf(service_account)),
        Field::new("locations", ZONE, How::OneOf(location)),
    ],
    groups: &[&["project_ids"]],
    claims: &["email", PROJECT, ZONE],
    issuer: |_| Some("https://accounts.google.com".to_owned()),
    audiences: |_, _| vec![ANY_CLUSTER.to_owned()],
    blocked,
    refusal: NO_RULE,
};

/// Outside of Compute Engine the project is read from the service account's address.
fn project_id(want: &str, claims: &UnverifiedClaims) -> Compared {
    if let Some(project) = find_claim(claims, PROJECT).and_then(Value::as_str) {
        return Compared::with(Some(project), project == want);
    }
    let project = claims.text("email").and_then(project_of);
    Compared::with(project, project == Some(want))
        .noted("taken from `email`: there is no `google.compute_engine`")
}

fn service_account(want: &str, claims: &UnverifiedClaims) -> Compared {
    let email = claims.text("email");
    Compared::with(email, email == Some(want))
}

/// A zone (`us-west1-a`) or the region it lies in (`us-west1`).
fn location(want: &str, claims: &UnverifiedClaims) -> Compared {
    let Some(zone) = find_claim(claims, ZONE).and_then(Value::as_str) else {
        return Compared::with(None, false).noted("locations work on Compute Engine only");
    };
    let region = zone.rsplit_once('-').map(|(region, _)| region);
    Compared::with(Some(zone), zone == want || region == Some(want))
}

fn project_of(email: &str) -> Option<&str> {
    email.split_once('@')?.1.strip_suffix(".iam.gserviceaccount.com").filter(|p| !p.is_empty())
}

fn blocked(_: &Value, claims: &UnverifiedClaims) -> Option<String> {
    if find_claim(claims, "google.compute_engine").is_some() {
        return None;
    }
    match claims.text("email") {
        Some(email) if email.ends_with("@developer.gserviceaccount.com") => {
            let email: String = email.chars().filter(|c| !c.is_control()).take(200).collect();
            Some(format!("default compute engine service account \"{email}\" is not supported"))
        }
        Some(email) if project_of(email).is_some() => None,
        _ => Some("invalid email claim".to_owned()),
    }
}
