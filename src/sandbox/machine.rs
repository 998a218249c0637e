//! Whether a machine of Azure's may use a join token: its attested document, its access token, then the rules (Teleport
//! `lib/join/azurejoin`).

use serde_json::Value;

use super::cluster::Cluster;
use super::policy;
use super::refusal::Refusal;
use crate::claims::UnverifiedClaims;
use crate::rules::{ProvisionToken, azure_subscription};
use crate::teleport::wire::join::AzureChallengeSolution;

/// The first major version that takes an access token alone (gravitational/teleport pull request 69771, not released when this was
/// written).
const TOKEN_ONLY: u32 = 19;
/// The longest such a token may have been out, seconds.
const OLDEST: i64 = 600;

pub(super) fn admit(
    cluster: &Cluster,
    token: &ProvisionToken,
    challenge: &str,
    solution: &AzureChallengeSolution,
    by_older_stream: bool,
) -> Result<(), Refusal> {
    let AzureChallengeSolution { attested_data, intermediate, access_token } = solution;
    if access_token.is_empty() {
        return Err(Refusal::bad("AccessToken is required"));
    }
    if attested_data.is_empty() {
        if cluster.version.major < TOKEN_ONLY {
            return Err(Refusal::bad("AttestedData is required"));
        }
        let claims = policy::verified(cluster, token, access_token)?;
        fresh(&claims)?;
        return policy::judge(cluster, token, &claims);
    }
    // Servers fetch them for clients of the older stream.
    let intermediate = (!by_older_stream).then_some(intermediate.as_slice());
    let attested = cluster.attester.verify(attested_data, challenge, intermediate)?;
    let claims = policy::verified(cluster, token, access_token)?;
    let subscription = attested.get("subscriptionId").and_then(Value::as_str);
    if azure_subscription(&claims).is_some_and(|own| Some(own) != subscription) {
        return Err(Refusal::denied("subscription ID mismatch between attested data and access token"));
    }
    policy::judge(cluster, token, &claims)
}

fn fresh(claims: &UnverifiedClaims) -> Result<(), Refusal> {
    let age = claims.issued_at().map_or(i64::MAX, |at| crate::env::now().as_second() - at.as_second());
    if age > OLDEST {
        let text =
            format!("token-only Azure join rejected: access token was issued {age}s ago (max allowed 10m0s)");
        return Err(Refusal::denied(text));
    }
    Ok(())
}
