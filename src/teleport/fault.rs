//! What can go wrong with a cluster, apart from what the stages say of it.

use thiserror::Error;
use tonic::{Code, Status};

use crate::net::NetError;

/// A cluster that cannot be reached, makes no sense, or says no.
#[derive(Debug, Clone, Error)]
#[allow(missing_docs)]
pub enum ClusterError {
    /// An answer that has a field missing or malformed.
    #[error("{what} has no usable `{field}`")]
    Field { what: &'static str, field: String },
    /// The network below.
    #[error("{doing} failed")]
    Net {
        doing: String,
        #[source]
        source: NetError,
    },
    /// The web page at that address is not Teleport's.
    #[error("{peer} does not answer like a Teleport proxy: {found}")]
    NotTeleport { peer: String, found: String },
    /// TLS routing is off, so the auth service is behind nested SSH only.
    #[error(
        "the proxy {peer} has TLS routing off, so its auth service is reachable through an SSH tunnel only, which jobpass does not speak"
    )]
    NoTlsRouting { peer: String },
    /// An auth service from before the join stream.
    #[error(
        "the auth service at {peer} is older than Teleport 18, and those take joins through the proxy only"
    )]
    OldAuth { peer: String },
    /// Neither the protocols of Teleport nor a connection upgrade get through.
    #[error(
        "{peer} lets neither Teleport's own protocols through ({direct}) nor a connection upgrade ({upgrade})"
    )]
    NoWay { peer: String, direct: String, upgrade: String },
    /// An answer, and it is no. Final: never tried again.
    #[error("{call}: {message}")]
    Refused { call: &'static str, code: Code, message: String },
    /// No answer to that call, or one of a balancer's; trying again may help.
    #[error("{call} got no answer from the cluster: {reason}")]
    Unanswered { call: &'static str, reason: String },
}

impl ClusterError {
    /// Sorts a gRPC status: `UNAVAILABLE`, `CANCELLED` by the transport, `DEADLINE_EXCEEDED` are no answers; the rest are.
    pub fn from_status(call: &'static str, status: &Status) -> Self {
        let message = plain(status.message());
        match status.code() {
            Code::Unavailable | Code::DeadlineExceeded => Self::Unanswered { call, reason: message },
            Code::Unknown | Code::Internal | Code::Cancelled if is_transport(status) => {
                Self::Unanswered { call, reason: message }
            }
            code => Self::Refused { call, code, message },
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Field { .. } => Some("a newer or older Teleport than jobpass knows: please report the server's version".into()),
            Self::Net { source, .. } => source.hint(),
            Self::NotTeleport { .. } => {
                Some("check `--proxy`: it wants the proxy's web address, `HOST` or `HOST:PORT` (443 when left out)".into())
            }
            Self::NoTlsRouting { .. } => Some(
                "use `--auth-server HOST:3025` with `--ca-pin` if that port is reachable from here, \
                 or turn on TLS routing (`proxy_listener_mode: multiplex`)"
                    .into(),
            ),
            Self::OldAuth { .. } => Some("use `--proxy HOST[:PORT]`, the proxy's web address".into()),
            Self::NoWay { .. } => Some(
                "let the load balancer pass TLS on to the proxy as it is (layer 4), \
                 or let requests for `/webapi/connectionupgrade` through to it"
                    .into(),
            ),
            Self::Refused { .. } => None,
            Self::Unanswered { .. } => Some("the cluster or a balancer before it is not well: run the job again later".into()),
        }
    }

    /// Whether no answer came, so that the step may be tried again.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Net { source, .. } => source.is_transient(),
            Self::Unanswered { .. } => true,
            _ => false,
        }
    }
}

/// The longest part of a server's message we show: 2,000 characters.
const MAX_MESSAGE: usize = 2_000;

/// A peer's text made safe to show: one line, no control characters, bounded.
pub fn plain(text: &str) -> String {
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    folded.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect()
}

/// Whether tonic made this status itself because the connection broke.
fn is_transport(status: &Status) -> bool {
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        if error.is::<hyper::Error>() || error.is::<std::io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

impl crate::error::StageError for ClusterError {
    fn exit(&self) -> crate::error::Exit {
        match self {
            Self::Refused { .. } => crate::error::Exit::Refused,
            Self::Net { source, .. } => source.exit(),
            _ => crate::error::Exit::Network,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Net { source, .. } => source.chain(),
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        self.hint().into_iter().collect()
    }

    fn chain(&self) -> Vec<String> {
        if let Self::Net { doing, source } = self
            && doing.split(' ').next_back().is_some_and(|name| source.to_string().contains(name))
        {
            return source.chain();
        }
        std::iter::once(self.to_string()).chain(self.causes()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_silence_is_tried_again() {
        for (status, transient) in [
            (Status::unavailable("no auth servers"), true),
            (Status::deadline_exceeded("x"), true),
            (Status::permission_denied("x"), false),
            (Status::invalid_argument("x"), false),
            (Status::unknown("token expired or not found"), false),
            (Status::not_found("x"), false),
        ] {
            assert_eq!(ClusterError::from_status("Join", &status).is_transient(), transient, "{status:?}");
        }
    }

    #[test]
    fn a_servers_text_stays_on_one_line() {
        assert_eq!(plain("a\n\tb\u{1b}[31m c"), "a b[31m c");
        assert_eq!(plain(&"x".repeat(5_000)).len(), MAX_MESSAGE);
    }
}
