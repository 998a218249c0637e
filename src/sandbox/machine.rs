//! The one machine that the simulated AWS has.

use super::error::SandboxError;
use super::random::random;
use crate::text::hex;

pub(super) const ACCOUNT: &str = "123456789012";
pub(super) const ARN: &str = "arn:aws:sts::123456789012:assumed-role/ci-runner/i-0123456789abcdef0";

/// The keys of the one role that the simulated AWS has. Secret as far as a sandbox has any.
pub(super) struct Keys {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: String,
    pub(super) session_token: String,
}

impl Keys {
    pub(super) fn new() -> Result<Self, SandboxError> {
        Ok(Self {
            access_key_id: format!("ASIA{}", hex(&random::<8>()?).to_uppercase()),
            secret_access_key: hex(&random::<20>()?),
            session_token: hex(&random::<64>()?),
        })
    }
}
