//! `spec.azure`: a machine's managed identity (Teleport `lib/join/azurejoin`).

use super::cause::{Cause, ServerText};
use super::claim::text_of;
use super::flaw::Flaw;
use super::message::{SHOWN, between};
use super::method::{Audience, Field, How, Method};
use super::proposal::{Item, Proposal};
use super::verdict::Compared;
use super::version::Since;
use crate::claims::UnverifiedClaims;
use crate::text::safe;

/// Before the tenant.
const ISSUER: &str = "https://sts.windows.net/";
/// Of a user-assigned identity: the machine's resource id.
const MACHINE: &str = "xms_az_rid";
/// The identity's own resource id; of a system-assigned identity: the machine's.
const IDENTITY: &str = "xms_mirid";

/// Resource types whose id names the machine itself.
const MACHINES: [&str; 4] =
    ["virtualMachines", "virtualMachineScaleSets", "containerGroups", "managedClusters"];

pub(super) const METHOD: Method = Method {
    label: "Azure",
    section: Some("azure"),
    fields: &[
        Field::exact("tenant", "tid").since(Since::new(18, 7, 6)),
        Field::new("subscription", MACHINE, How::Own(subscription)),
        Field::new("resource_groups", MACHINE, How::OneOf(resource_group)),
    ],
    groups: &[&["subscription", "tenant"]],
    more_claims: &[IDENTITY],
    // No issuer to compare: the server builds it from the token's own `tid`.
    audience: Audience::Literal("https://management.azure.com/"),
    owns_issuer: |issuer| issuer.starts_with(ISSUER),
    looks_like: |claims| claims.issuer().is_some_and(|issuer| issuer.starts_with(ISSUER)),
    // The server names the machine by its VM id, which only the attested document has; here: by its resource id.
    refusal: |claims, token| {
        let id = [MACHINE, IDENTITY].into_iter().find_map(|claim| text_of(claims, claim)).unwrap_or_default();
        format!("instance {} did not match any allow rules in token {token}", safe(id, SHOWN))
    },
    flaws,
    propose: |claims| {
        let [subscription, group] = machine(claims)?;
        let rule = || vec![("subscription", Item::text(subscription))];
        let group = ("resource_groups", Item::Texts(group.to_owned()));
        let narrow = rule().into_iter().chain([group]).collect();
        Some(Proposal { options: Vec::new(), narrow, wide: rule() })
    },
    refusals: &[
        ServerText::no_rule("instance … did not match any allow rules in token"),
        ServerText::new("client did not send intermediate CAs", |_, _| {
            attestation(
                "the certificates that issued its signer's were not sent: they are fetched from `www.microsoft.com`",
            )
        }),
        // Servers before the first that takes an access token alone.
        ServerText::new("AttestedData is required", |_, ctx| {
            let server =
                ctx.server_version.map_or_else(|| "this server".to_owned(), |v| format!("Teleport {v}"));
            vec![Cause::new(
                "this machine has no attested document",
                format!(
                    "{server} does not take an access token alone, which is all that this kind of machine has"
                ),
                "run the job on a virtual machine, or join with another method",
            )]
        }),
        ServerText::new("challenge is missing or does not match", |_, _| {
            attestation("the attested document answers another challenge")
        }),
        ServerText::new("certificate common name does not match allow-list", |_, _| {
            attestation("the attested document is signed by a name outside Azure's list")
        }),
        ServerText::new("token-only Azure join rejected: access token was issued … ago", |message, _| {
            let age =
                between(message, "access token was issued", " ago").unwrap_or_else(|| "long".to_owned());
            vec![Cause::new(
                "Azure returned an old access token",
                format!(
                    "it was issued {age} ago; without an attested document the server takes 10 minutes at most"
                ),
                "run the job where the attested document is available, or try again after Azure has renewed the token",
            )]
        }),
        ServerText::new("subscription ID mismatch", |_, _| {
            attestation("the attested document and the access token name different subscriptions")
        }),
        ServerText::new("could not determine Azure identity from token claims", |_, ctx| {
            vec![Cause::new(
                "the access token does not name the machine",
                format!("`{MACHINE}` is `{}`, `{IDENTITY}` is `{}`", ctx.claim(MACHINE), ctx.claim(IDENTITY)),
                "give the machine a system-assigned managed identity",
            )]
        }),
    ],
    ..Method::BASE
};

/// `/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/NAME` → S, G.
fn machine(claims: &UnverifiedClaims) -> Option<[&str; 2]> {
    let id = [MACHINE, IDENTITY].into_iter().find_map(|claim| text_of(claims, claim))?;
    let parts: Vec<&str> = id.trim_start_matches('/').split('/').collect();
    let [subscriptions, subscription, groups, group, rest @ ..] = parts.as_slice() else { return None };
    let known = subscriptions.eq_ignore_ascii_case("subscriptions")
        && groups.eq_ignore_ascii_case("resourceGroups")
        && rest.iter().skip(2).step_by(2).any(|kind| MACHINES.contains(kind));
    known.then_some([subscription, group])
}

/// The subscription that the claims of an access token name, if they name the machine.
pub fn subscription_of(claims: &UnverifiedClaims) -> Option<&str> {
    machine(claims).map(|[subscription, _]| subscription)
}

/// A machine of another kind than Teleport knows: servers with the attested document ask Azure about it, the others refuse.
fn flaws(claims: &UnverifiedClaims) -> Vec<Flaw> {
    let id = [MACHINE, IDENTITY].into_iter().find_map(|claim| text_of(claims, claim)).unwrap_or_default();
    let is_identity = id.to_ascii_lowercase().contains("/providers/microsoft.managedidentity/");
    if id.is_empty() || is_identity || machine(claims).is_some() {
        return Vec::new();
    }
    vec![Flaw {
        problem: format!("it is of `{}`, a kind of machine that Teleport does not know", safe(id, SHOWN)),
        hint: "expect a refusal: Teleport admits virtual machines and scale sets; join with another method"
            .to_owned(),
        is_certain: false,
    }]
}

fn unknown() -> Compared {
    Compared::left_to_the_server(
        "not evaluated here: the claims do not name the machine, the server asks Azure",
    )
}

fn subscription(want: &str, claims: &UnverifiedClaims) -> Compared {
    machine(claims).map_or_else(unknown, |[got, _]| Compared::new(Some(got), got == want))
}

fn resource_group(want: &str, claims: &UnverifiedClaims) -> Compared {
    machine(claims)
        .map_or_else(unknown, |[_, got]| Compared::new(Some(got), got.to_lowercase() == want.to_lowercase()))
}

fn attestation(detail: &str) -> Vec<Cause> {
    vec![Cause::new(
        "Azure's attested document was not accepted",
        detail,
        "run the job on the machine itself, with nothing between it and Azure's metadata address",
    )]
}
