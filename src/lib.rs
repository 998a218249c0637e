//! Short-lived Teleport credentials for CI jobs.
//!
//! ```text
//! environment ─► detect ─► token ─► join ─► issue ─► verify ─► write ─► export ─► report
//!                where     what     the     one per  read      a new    to the    one line
//!                am I?     proves   bot's   output   back and  private  later     for people,
//!                          it?      own id           checked   folder   steps     or JSON
//! ```
//!
//! | Word | Meaning |
//! |---|---|
//! | platform | the CI system the job runs on (GitHub Actions, GitLab CI, …) |
//! | identity token | the JWT the platform gives the job |
//! | join method | how Teleport is convinced: `github`, `gitlab`, … |
//! | join token | the *name* of a `kind: token` resource on the cluster; no secret for the methods served here |
//! | bot identity | what the join returns: only good for asking for outputs; lives in memory only |
//! | output | one issued credential with its roles and kind |
//! | issued | certificate, key and CAs of one output |
//!
//! Imports go downwards only: `main` → `run` → {`cli`, `report`} → stages (`detect`, `token`, `join`, `approval`, `issue`, `verify`, `write`,
//! `export`) → `output`, `refusal` and `tunnel` → {`platform`, `cloud`} and {`teleport`, `rules`, `sandbox`} → {`identity`, `net`} → {`claims`, `env`,
//! `error`, `log`, `secret`, `system`, `text`}. A stage may name the types of the stage before it, never call it. No files import each other.

pub mod approval;
pub mod claims;
pub mod cli;
pub mod cloud;
pub mod detect;
pub mod env;
pub mod error;
pub mod export;
pub mod identity;
pub mod issue;
pub mod join;
pub mod log;
pub mod net;
pub mod output;
pub mod platform;
pub mod refusal;
pub mod report;
pub mod rules;
pub mod run;
pub mod sandbox;
pub mod secret;
pub mod system;
pub mod teleport;
pub mod text;
pub mod token;
pub mod tunnel;
#[cfg(test)]
mod under_fire;
pub mod verify;
pub mod write;
