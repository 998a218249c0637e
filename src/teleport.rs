//! Talking to a Teleport cluster: what its web ping says, how to reach its auth service, and the calls we need.

pub mod auth_service;
pub mod cluster;
pub mod dial;
pub mod fault;
pub mod grpc;
pub mod host_credentials;
pub mod join;
pub mod join_service;
pub mod method;
pub mod ping;
pub mod probe;
pub mod transport;
pub mod upgrade;
pub mod wire;

pub use cluster::Cluster;
pub use fault::ClusterError;
pub use method::JoinMethod;
