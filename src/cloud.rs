//! Proof of a machine: what a cloud says of the machine that a job runs on. Knows nothing of Teleport.

pub mod azure;
mod error;
pub mod gcp;
pub mod metadata;

pub use error::CloudError;
