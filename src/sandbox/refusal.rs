//! A refusal with its text, and the status each protocol gives it.

use tonic::{Code, Status};

use super::error::SandboxError;

/// What a refusal is, which decides the status. Recorded: an identity token that does not verify comes as 500 over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    BadParameter,
    Denied,
    NotFound,
    /// A plain error of the server's libraries.
    Other,
    /// The identity token does not verify.
    Unverified,
}

/// The server said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) kind: Kind,
    pub(super) text: String,
}

impl Refusal {
    pub(super) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::new(Kind::BadParameter, text)
    }

    pub(super) fn denied(text: impl Into<String>) -> Self {
        Self::new(Kind::Denied, text)
    }

    pub(super) fn not_found(text: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, text)
    }

    /// The HTTP status of the old join path.
    pub(super) fn http_status(&self) -> u16 {
        match self.kind {
            Kind::BadParameter => 400,
            Kind::Denied => 403,
            Kind::NotFound => 404,
            Kind::Other | Kind::Unverified => 500,
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.kind {
            Kind::BadParameter => Code::InvalidArgument,
            Kind::Denied | Kind::Unverified => Code::PermissionDenied,
            Kind::NotFound => Code::NotFound,
            Kind::Other => Code::Unknown,
        };
        Self::new(code, refusal.text)
    }
}

impl From<SandboxError> for Refusal {
    fn from(error: SandboxError) -> Self {
        Self::new(Kind::Other, error.to_string())
    }
}
