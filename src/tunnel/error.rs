//! Why there is no tunnel.

use jiff::Timestamp;
use thiserror::Error;

use crate::error::{Exit, StageError};
use crate::text::io_reason;

/// Why there is no tunnel, or no longer one.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum TunnelError {
    /// A port is not to be had.
    #[error("tunnel `{name}` cannot listen at {place}")]
    Port {
        name: String,
        place: String,
        #[source]
        source: std::io::Error,
    },
    /// A socket cannot be made.
    #[error("tunnel `{name}` cannot listen at {place}")]
    Socket {
        name: String,
        place: String,
        #[source]
        source: std::io::Error,
    },
    /// Something that is no tunnel of the past is where the socket should be.
    #[error("tunnel `{name}` cannot listen at {place}: {what} is there")]
    Occupied { name: String, place: String, what: &'static str },
    /// No plain client reaches it.
    #[error("tunnel `{name}` cannot serve {what}: {reason}")]
    Unserved { name: String, what: String, reason: String, hint: String },
    /// The certificates have ended, and the tunnels with them.
    #[error("the tunnels are closed: their certificate expired at {ended}")]
    Expired { ended: Timestamp, hint: &'static str },
    /// Who waits for the tunnels cannot be told.
    #[error("could not write to {place}")]
    Ready {
        place: String,
        #[source]
        source: std::io::Error,
    },
}

impl StageError for TunnelError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unserved { .. } => Exit::Usage,
            Self::Port { .. } => Exit::Network,
            Self::Expired { .. } => Exit::Refused,
            Self::Socket { .. } | Self::Occupied { .. } | Self::Ready { .. } => Exit::Files,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Port { source, .. } | Self::Socket { source, .. } | Self::Ready { source, .. } => {
                vec![io_reason(source)]
            }
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        use std::io::ErrorKind;
        let hint = match self {
            Self::Port { .. } => "choose another port, or leave it out to take a free one",
            Self::Socket { source, .. } => match source.kind() {
                ErrorKind::InvalidInput => "choose a shorter path: systems take about 100 bytes",
                _ => "choose another path",
            },
            Self::Occupied { .. } => "choose another path, or remove what is there if nobody needs it",
            Self::Unserved { hint, .. } => return vec![hint.clone()],
            Self::Expired { hint, .. } => hint,
            Self::Ready { .. } => "check that the descriptor is open for writing: `3>FILE`, or a pipe",
        };
        vec![hint.to_owned()]
    }
}
