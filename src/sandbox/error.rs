//! Why a sandbox does not run.

use thiserror::Error;

use crate::error::{Exit, StageError};

/// A sandbox that cannot start, or something it was asked for that it cannot make.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum SandboxError {
    /// No loopback port.
    #[error("could not listen on loopback")]
    Listen(#[source] std::io::Error),
    /// Keys or certificates could not be created, or an option makes no sense.
    #[error("could not create the sandbox's {what}")]
    Create { what: &'static str, reason: String },
}

impl SandboxError {
    pub(super) fn create(what: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Create { what, reason: reason.to_string() }
    }
}

impl StageError for SandboxError {
    fn exit(&self) -> Exit {
        match self {
            Self::Listen(_) => Exit::Network,
            Self::Create { .. } => Exit::Internal,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Listen(error) => vec![crate::text::io_reason(error)],
            Self::Create { reason, .. } => vec![reason.clone()],
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Listen(_) => vec!["leave out `--port` to take a free one".to_owned()],
            Self::Create { .. } => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_what_the_system_said() {
        let listen = SandboxError::Listen(std::io::ErrorKind::AddrInUse.into());
        assert!(listen.in_one_line().to_lowercase().contains("in use"), "{}", listen.in_one_line());
        assert_eq!(SandboxError::create("a key", "no random bytes").causes(), ["no random bytes"]);
    }
}
