//! A machine of AWS, as the sandbox acts it out.

use serde_json::json;

use super::names;
use crate::platform::{SimulatedJob, Simulation};

pub(crate) const SIMULATION: Simulation = Simulation {
    issuer: "https://sts.amazonaws.com",
    audience: |_| None,
    // It has no identity token.
    claims: |_, _, _| json!({}),
    // What the machine below says of itself is not of this one.
    fixed: &[(names::METADATA_DISABLED, "true"), (names::REGION, "us-east-1")],
    variables,
    admitting_spec: || {
        json!({"allow": [{
            "aws_account": "123456789012",
            "aws_arn": "arn:aws:sts::123456789012:assumed-role/ci-runner/*",
        }]})
    },
    admits_one_branch: false,
};

/// The keys that the sandbox's STS knows are made of the bearer.
fn variables(job: &SimulatedJob<'_>) -> Vec<(&'static str, String)> {
    // STS is at the root of the same server.
    let origin = job.token_endpoint.split('/').take(3).collect::<Vec<_>>().join("/");
    vec![
        (names::ACCESS_KEY_ID, "ASIASANDBOXSANDBOX00".to_owned()),
        (names::SECRET_ACCESS_KEY, job.bearer.to_owned()),
        (names::SESSION_TOKEN, format!("session/{}", job.bearer)),
        (names::ENDPOINT_URL_STS, format!("{origin}/")),
        (names::PROFILE, String::new()),
        (names::CREDENTIAL_EXPIRATION, String::new()),
        (names::USE_FIPS_ENDPOINT, String::new()),
    ]
}
