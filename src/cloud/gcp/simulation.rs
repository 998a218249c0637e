//! A virtual machine of Google Cloud's, as the sandbox acts it out. Claims as in cloud.google.com, "Verify the identity of
//! instances", payload with `format=full`.

use serde_json::{Value, json};

use super::GCE_METADATA_HOST;
use crate::platform::Simulation;

const PROJECT: &str = "acme-ci";
const ACCOUNT: &str = "deployer@acme-ci.iam.gserviceaccount.com";
/// The number of the service account.
const NUMBER: &str = "112233445566778899001";

pub(crate) const SIMULATION: Simulation = Simulation {
    issuer: "https://accounts.google.com",
    // The metadata server gives none without one.
    audience: |_| None,
    claims,
    fixed: &[],
    variables: |job| vec![(GCE_METADATA_HOST, job.metadata.to_owned())],
    admitting_spec: || json!({"allow": [{"project_ids": [PROJECT], "service_accounts": [ACCOUNT]}]}),
    admits_one_branch: false,
};

fn claims(_: &str, now: i64, _: &str) -> Value {
    json!({
        "sub": NUMBER,
        "azp": NUMBER,
        "email": ACCOUNT,
        "email_verified": true,
        "google": {"compute_engine": {
            "instance_creation_timestamp": now - 86_400,
            "instance_id": "1234567890123456789",
            "instance_name": "runner-1",
            "project_id": PROJECT,
            "project_number": 123_456_789_012_i64,
            "zone": "europe-west1-b",
        }},
    })
}
