//! What the tests share: jobs run in the built binary, real sshd, folders.

pub mod front;
pub mod cluster;
pub mod command;
pub mod sshd;
