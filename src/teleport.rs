//! One Teleport cluster: what it says of itself, how its services are reached, the join, and the calls of its auth service.

pub mod access_requests;
pub mod auth_service;
pub mod challenge;
pub mod cluster;
pub mod database_protocol;
pub mod dial;
pub mod error;
pub mod grpc;
pub mod host_credentials;
pub mod join;
pub mod join_service;
pub mod kube;
pub mod method;
mod parked;
pub mod ping;
pub mod probe;
pub mod registration;
pub mod request_id;
pub mod resources;
pub mod target;
pub mod transport;
pub mod upgrade;
pub mod wire;

pub use cluster::Cluster;
pub use error::{ClusterError, ConnectionError};
pub use method::JoinMethod;
pub use request_id::RequestId;
