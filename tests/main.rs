//! All integration tests, in one binary.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, missing_docs, unreachable_pub)]

mod auth_server;
mod azure;
mod challenge;
mod circleci;
mod circles;
mod client_certificates;
mod command_line;
mod completions;
mod config;
mod consumers;
mod doctor;
mod dry_run;
mod examples;
mod explain;
mod failures;
mod faults;
mod foreign_text;
mod gcp;
mod github;
mod gitlab;
mod inspect;
mod join_stream;
mod kube;
mod kubernetes;
mod layering;
mod login;
mod network;
mod order;
mod outputs;
mod package;
mod policy;
mod recorded;
mod refusals;
mod retries;
mod round_trips;
mod sandbox;
mod spacelift;
mod ssh_proxy;
mod supply;
mod support;
mod trust;
