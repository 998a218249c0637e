//! All integration tests, in one binary.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, missing_docs, unreachable_pub)]

mod faults;
mod layering;
mod login;
mod network;
mod recorded;
mod round_trips;
mod support;
