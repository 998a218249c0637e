//! What the tests share: jobs run in the built binary, real sshd, networks, folders.

pub mod aws;
pub mod background;
pub mod balancer;
pub mod cluster;
pub mod command;
pub mod front;
pub mod http_proxy;
pub mod kubectl;
pub mod metadata;
pub mod mirror;
pub mod nginx;
pub mod postgres;
pub mod program;
pub mod relay;
pub mod rounds;
pub mod schema;
pub mod sshd;
pub mod stand_in;
pub mod web_certificate;
