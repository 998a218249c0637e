//! Proof of a machine: what a cloud says of the machine that a job runs on. Knows nothing of Teleport.

pub mod metadata;
