//! All integration tests, in one binary.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, missing_docs, unreachable_pub)]

mod auth_server;
mod azure_devops;
mod bitbucket;
mod bitrise;
mod buildkite;
mod circleci;
mod circles;
mod codefresh;
mod command_line;
mod completions;
mod doctor;
mod dry_run;
mod env0;
mod examples;
mod explain;
mod failures;
mod faults;
mod foreign_text;
mod forgejo;
mod github;
mod gitlab;
mod inspect;
mod jenkins;
mod join_stream;
mod layering;
mod login;
mod network;
mod order;
mod package;
mod policy;
mod recorded;
mod refusals;
mod retries;
mod round_trips;
mod sandbox;
mod semaphore;
mod spacelift;
mod ssh_proxy;
mod supply;
mod support;
mod teamcity;
mod terraform_cloud;
mod trust;
