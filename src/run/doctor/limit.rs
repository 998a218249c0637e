//! How long a check may take.

use std::time::Duration;

use crate::net::{NetError, Network};

/// How long one check may take.
pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// Runs one check within its own limit and the whole run's.
pub(super) async fn within<T>(
    network: &Network,
    limit: Duration,
    peer: &str,
    doing: &str,
    work: impl Future<Output = T>,
) -> Result<T, NetError> {
    network.deadline().try_within(limit, peer, doing, work).await
}
