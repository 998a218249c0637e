//! A virtual machine of Azure's with a system-assigned identity, as the sandbox acts it out. Claims as in learn.microsoft.com,
//! "Access token claims reference", and Teleport's `lib/join/azurejoin`.

use serde_json::{Value, json};

use super::source::{AZURE_POD_IDENTITY_AUTHORITY_HOST, RESOURCE};
use crate::platform::Simulation;

/// The machine's subscription.
pub const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";
/// What Azure calls the machine itself.
pub const VM_ID: &str = "5a7c6a3e-0b1c-4d2e-8f3a-6b7c8d9e0f1a";
/// The client id of the one user-assigned identity that the machine has.
pub const CLIENT_ID: &str = "99999999-8888-7777-6666-555555555555";
const TENANT: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
const GROUP: &str = "ci-runners";

pub(crate) const SIMULATION: Simulation = Simulation {
    issuer: "https://sts.windows.net/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/",
    audience: |_| Some(RESOURCE.to_owned()),
    claims,
    fixed: &[],
    variables: |job| vec![(AZURE_POD_IDENTITY_AUTHORITY_HOST, format!("http://{}", job.metadata))],
    admitting_spec: || json!({"allow": [{"subscription": SUBSCRIPTION, "resource_groups": [GROUP]}]}),
    admits_one_branch: false,
};

fn claims(issuer: &str, now: i64, _: &str) -> Value {
    json!({
        "nbf": now,
        "appid": "00000000-1111-2222-3333-444444444444",
        "appidacr": "2",
        "idp": issuer,
        "idtyp": "app",
        "oid": "77777777-6666-5555-4444-333333333333",
        "sub": "77777777-6666-5555-4444-333333333333",
        "tid": TENANT,
        "ver": "1.0",
        "xms_mirid": machine(),
    })
}

/// What differs for the user-assigned identity.
pub fn user_assigned() -> Value {
    let identity = format!(
        "/subscriptions/{SUBSCRIPTION}/resourcegroups/{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/ci"
    );
    json!({"appid": CLIENT_ID, "xms_mirid": identity, "xms_az_rid": machine()})
}

fn machine() -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Compute/virtualMachines/runner-1"
    )
}
