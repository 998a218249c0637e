//! All integration tests, in one binary.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, missing_docs, unreachable_pub)]

mod doctor;
mod explain;
mod inspect;
mod layering;
mod login;
mod policy;
mod recorded;
mod refusals;
mod ssh_proxy;
mod support;
