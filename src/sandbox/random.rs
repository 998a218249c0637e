//! Random bytes for serial numbers, nonces and names.

use super::error::SandboxError;

/// `N` bytes of the crypto library's generator.
pub(super) fn random<const N: usize>() -> Result<[u8; N], SandboxError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|e| SandboxError::create("random numbers", e))?;
    Ok(bytes)
}
