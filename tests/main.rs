//! All integration tests, in one binary.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, missing_docs, unreachable_pub)]

mod doctor;
mod inspect;
mod layering;
mod login;
mod recorded;
mod support;
