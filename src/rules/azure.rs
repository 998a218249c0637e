//! `spec.azure`: a machine's managed identity (Teleport `lib/join/azurejoin`).

use super::compare::Compared;
use super::method::{Field, How, Method, never};
use crate::claims::UnverifiedClaims;

/// Of a user-assigned identity: the machine's resource id.
const MACHINE: &str = "xms_az_rid";
/// The identity's own resource id; of a system-assigned identity: the machine's.
const IDENTITY: &str = "xms_mirid";

/// Resource types whose id names the machine itself.
const MACHINES: [&str; 4] =
    ["virtualMachines", "virtualMachineScaleSets", "containerGroups", "managedClusters"];

pub(super) const METHOD: Method = Method {
    section: Some("azure"),
    options: &[],
    required: &[],
    hosts: &[],
    fields: &[
        Field::new("tenant", "tid", How::Exact),
        Field::new("subscription", MACHINE, How::Own(subscription)),
        Field::new("resource_groups", MACHINE, How::OneOf(resource_group)),
    ],
    groups: &[&["subscription", "tenant"]],
    claims: &["tid", MACHINE, IDENTITY],
    // It is built from the token's own `tid`.
    issuer: |_| None,
    audiences: |_, _| vec!["https://management.azure.com/".to_owned()],
    blocked: never,
    refusal: "instance ID did not match any allow rules",
};

/// `/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/NAME` → S, G.
fn machine(claims: &UnverifiedClaims) -> Option<[&str; 2]> {
    let id = [MACHINE, IDENTITY].into_iter().filter_map(|c| claims.text(c)).find(|id| !id.is_empty())?;
    let parts: Vec<&str> = id.trim_start_matches('/').split('/').collect();
    let [subscriptions, subscription, groups, group, rest @ ..] = parts.as_slice() else { return None };
    let known = subscriptions.eq_ignore_ascii_case("subscriptions")
        && groups.eq_ignore_ascii_case("resourceGroups")
        && rest.iter().skip(2).step_by(2).any(|kind| MACHINES.contains(kind));
    known.then_some([subscription, group])
}

fn unknown() -> Compared {
    Compared::left_to_the_server(
        "not evaluated here: the claims do not name the machine, the server asks Azure",
    )
}

fn subscription(want: &str, claims: &UnverifiedClaims) -> Compared {
    machine(claims).map_or_else(unknown, |[got, _]| Compared::with(Some(got), got == want))
}

fn resource_group(want: &str, claims: &UnverifiedClaims) -> Compared {
    machine(claims)
        .map_or_else(unknown, |[_, got]| Compared::with(Some(got), got.to_lowercase() == want.to_lowercase()))
}
