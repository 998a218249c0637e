//! The network: addresses, trust anchors, HTTP proxies, TLS, HTTP, one deadline. Knows nothing of Teleport or platforms.

pub mod address;
pub mod deadline;
mod dial;
pub mod error;
pub mod held;
pub mod http;
mod network;
mod options;
pub mod proxies;
mod proxy;
pub mod retry;
pub mod roots;
mod stream;
#[cfg(test)]
mod testing;
pub mod tls;
mod trust;
pub mod web_client;

pub use address::HostPort;
pub use deadline::Deadline;
pub use error::{CertificateFault, NetError};
pub use network::Network;
pub use options::Options;
pub use retry::{Retry, retry};
pub use stream::{Io, Stream};
