//! The methods whose proof answers a challenge: the challenge, and who verifies the answer.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::cluster::Cluster;
use super::error::SandboxError;
use super::random::random;
use super::refusal::Refusal;
use super::{machine, sts};
use crate::rules::ProvisionToken;
use crate::teleport::challenge::Kind;
use crate::teleport::wire::join::Solution;

/// A new one, in the form that servers give it (Teleport `lib/join/iamjoin`, `lib/join/azurejoin`).
pub(super) fn new(cluster: &Cluster, kind: Kind) -> Result<String, SandboxError> {
    match (&cluster.options.inject.challenge, kind) {
        (Some(injected), _) => Ok(injected.clone()),
        (None, Kind::Iam) => Ok(STANDARD_NO_PAD.encode(random::<32>()?)),
        (None, Kind::Azure) => Ok(URL_SAFE_NO_PAD.encode(random::<24>()?)),
    }
}

/// Whether the answer is the right one, and the join token's rules let the machine in.
pub(super) fn admit(
    cluster: &Cluster,
    token: &ProvisionToken,
    challenge: &str,
    solution: &Solution,
    by_older_stream: bool,
) -> Result<(), Refusal> {
    match solution {
        Solution::Iam(iam) => sts::admit(cluster, token, challenge, &iam.sts_identity_request),
        Solution::Azure(azure) => machine::admit(cluster, token, challenge, azure, by_older_stream),
    }
}
