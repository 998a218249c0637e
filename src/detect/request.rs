//! What the user said about where the proof comes from.

use std::path::PathBuf;

use crate::platform::Platform;
use crate::teleport::JoinMethod;

/// What the user said about it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `--platform`, `None` for auto.
    pub platform: Option<Platform>,
    /// `--join-method`, `None` for auto.
    pub method: Option<JoinMethod>,
    /// `--id-token-…`, so that no platform is needed.
    pub given: Option<GivenToken>,
}

/// Where the user says that the identity token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenToken {
    /// `--id-token-env NAME`.
    Variable(String),
    /// `--id-token-file PATH` (`-`: standard input).
    File(PathBuf),
    /// `--id-token-command WORDS…`: run without a shell, its standard output taken.
    Command(Vec<String>),
}
