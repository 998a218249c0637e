//! What AWS STS says to a signed `GetCallerIdentity`, and the server's checks of the request before it goes there.

use serde_json::json;

use super::cluster::Cluster;
use super::policy;
use super::refusal::{Kind, Refusal};
use crate::claims::UnverifiedClaims;
use crate::rules::ProvisionToken;

/// Teleport `lib/join/iamjoin`: the one header that makes the request an answer.
const CHALLENGE: &str = "x-teleport-challenge";
/// The machine that every simulated request is of.
const ACCOUNT: &str = "123456789012";
const ARN: &str = "arn:aws:sts::123456789012:assumed-role/ci-runner/i-0123456789abcdef0";

/// Verifies the request and compares the caller with the token's rules.
pub(super) fn admit(
    cluster: &Cluster,
    token: &ProvisionToken,
    challenge: &str,
    request: &[u8],
) -> Result<(), Refusal> {
    let text = std::str::from_utf8(request).map_err(|_| Refusal::bad("malformed HTTP request"))?;
    let sent = text.lines().take_while(|line| !line.is_empty()).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(CHALLENGE).then_some(value.trim())
    });
    if sent != Some(challenge) {
        let text = format!("sts identity request does not include challenge header {CHALLENGE:?}");
        return Err(Refusal::bad(text));
    }
    let caller = json!({"Account": ACCOUNT, "Arn": ARN}).to_string();
    let caller = UnverifiedClaims::from_json(caller.as_bytes())
        .map_err(|e| Refusal::new(Kind::Other, e.to_string()))?;
    policy::judge(cluster, token, &caller)
}
