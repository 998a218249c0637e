//! What can go wrong with a cluster: it is not reached, or it refuses.

use thiserror::Error;
use tonic::{Code, Status};

use crate::error::{Exit, StageError};
use crate::net::NetError;
use crate::text::safe;

/// Why the cluster did not do what was asked.
#[derive(Debug, Clone, Error)]
pub enum ClusterError {
    /// No usable answer came from Teleport.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// Teleport refused: an answer, final, never asked for a second time.
    #[error("{call}: {message}")]
    Refused {
        /// The call, for people.
        call: &'static str,
        /// gRPC's code, or the one that an HTTP status stands for.
        code: Code,
        /// Teleport's words, all of them, on one line.
        message: String,
    },
}

/// Why there is no usable answer from Teleport.
#[derive(Debug, Clone, Error)]
#[allow(missing_docs)]
pub enum ConnectionError {
    /// The connection broke, or the stream ended without a status.
    #[error("{call} was interrupted: {reason}")]
    Interrupted { call: &'static str, reason: String },
    /// An answer with a field missing or malformed.
    #[error("{what} has no usable `{field}`")]
    Malformed { what: &'static str, field: String },
    /// The cluster goes by another address than the one given.
    #[error("{peer} redirects to another address: the cluster's public address is {public_address}")]
    Moved { peer: String, public_address: String },
    /// The network below. `service` says what was to be reached, where the address alone does not.
    #[error("{}", match service { Some(service) => format!("could not reach {service}"), None => source.to_string() })]
    Net {
        service: Option<&'static str>,
        #[source]
        source: NetError,
    },
    /// Neither Teleport's protocols nor a connection upgrade get through.
    #[error("{peer} passes neither Teleport's own protocols ({direct}) nor a connection upgrade ({upgrade})")]
    NoRoute { peer: String, direct: String, upgrade: String },
    /// TLS routing is off: the auth service is behind nested SSH only.
    #[error(
        "TLS routing is off at the proxy {peer}: its auth service is reachable only through an SSH tunnel, which jobpass does not support"
    )]
    NoTlsRouting { peer: String },
    /// The server at that address is not Teleport's.
    #[error("{peer} does not answer like a Teleport proxy: {found}")]
    NotTeleport { peer: String, found: String },
    /// An auth service without the join stream, or without this join's method in it.
    #[error(
        "the auth service at {peer} is older than Teleport 18.6 and takes this join through the proxy only"
    )]
    OldAuth { peer: String },
    /// A status that says so, or an answer of something before Teleport.
    #[error("{call} got no answer from the cluster: {reason}")]
    Unanswered { call: &'static str, reason: String },
}

impl ClusterError {
    /// Sorts a gRPC status: `UNAVAILABLE` and `DEADLINE_EXCEEDED`, a broken connection and what is not gRPC are no answers
    /// of Teleport's; the rest are refusals.
    pub fn from_status(call: &'static str, status: &Status) -> Self {
        let message = safe(status.message(), LONGEST_MESSAGE);
        if is_transport(status) {
            return ConnectionError::Interrupted { call, reason: message }.into();
        }
        match status.code() {
            Code::Unavailable | Code::DeadlineExceeded => {
                ConnectionError::Unanswered { call, reason: message }.into()
            }
            // tonic's words for an HTTP answer without a gRPC status (`tonic::status::infer_grpc_status`).
            _ if message.starts_with("grpc-status header missing") => {
                ConnectionError::Unanswered { call, reason: message }.into()
            }
            Code::Unknown if message.is_empty() => {
                let reason = "it failed for an unknown reason".to_owned();
                ConnectionError::Unanswered { call, reason }.into()
            }
            code => Self::Refused { call, code, message },
        }
    }

    /// An answer (`what`) whose `field` is missing or malformed.
    pub fn malformed(what: &'static str, field: impl Into<String>) -> Self {
        ConnectionError::Malformed { what, field: field.into() }.into()
    }

    /// Whether no answer came, so that a retry is safe and may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connection(error) => error.is_transient(),
            Self::Refused { .. } => false,
        }
    }
}

impl ConnectionError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Net { source, .. } => source.is_transient(),
            Self::Interrupted { .. } | Self::Unanswered { .. } => true,
            _ => false,
        }
    }
}

impl From<NetError> for ClusterError {
    /// A failure that names all there is to say.
    fn from(source: NetError) -> Self {
        ConnectionError::Net { service: None, source }.into()
    }
}

impl StageError for ClusterError {
    fn exit(&self) -> Exit {
        match self {
            Self::Connection(error) => error.exit(),
            Self::Refused { .. } => Exit::Refused,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Connection(error) => error.causes(),
            Self::Refused { .. } => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Connection(error) => error.hints(),
            Self::Refused { .. } => Vec::new(),
        }
    }
}

impl StageError for ConnectionError {
    fn exit(&self) -> Exit {
        match self {
            Self::Net { source, .. } => source.exit(),
            _ => Exit::Network,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Net { service: Some(_), source } => source.chain(),
            // A failure of the network's is one sentence.
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Net { source, .. } => return source.hints(),
            Self::Interrupted { .. } | Self::Unanswered { .. } => {
                "run the job again later: the cluster or a load balancer before it is not well".to_owned()
            }
            Self::Malformed { .. } => {
                "report this with the server's version: this Teleport may be newer or older than jobpass knows".to_owned()
            }
            Self::Moved { public_address, .. } => format!("pass `--proxy {public_address}`"),
            Self::NoRoute { .. } => "let the load balancer pass TLS on to the proxy as it is (layer 4), \
                 or pass requests for `/webapi/connectionupgrade` on to it"
                .to_owned(),
            Self::NoTlsRouting { .. } => {
                "use `--auth-server HOST:3025` with `--ca-pin` if that port is reachable from here, \
                 or turn on TLS routing (`proxy_listener_mode: multiplex`)"
                    .to_owned()
            }
            Self::NotTeleport { .. } => {
                "check `--proxy`: it takes the proxy's web address, `HOST` or `HOST:PORT` (the port defaults to 443)".to_owned()
            }
            Self::OldAuth { .. } => "use `--proxy HOST[:PORT]`, the proxy's web address".to_owned(),
        };
        vec![hint]
    }
}

/// The longest message of a server that is shown, in characters.
const LONGEST_MESSAGE: usize = 2_000;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_silence_is_retried() {
        for (status, transient) in [
            (Status::unavailable("no auth servers"), true),
            (Status::deadline_exceeded("x"), true),
            (Status::permission_denied("x"), false),
            (Status::invalid_argument("x"), false),
            (Status::unknown("token expired or not found"), false),
            (Status::unknown(""), true),
            (Status::permission_denied("grpc-status header missing, mapped from HTTP status code 403"), true),
            (Status::not_found("x"), false),
        ] {
            assert_eq!(ClusterError::from_status("Join", &status).is_transient(), transient, "{status:?}");
        }
    }

    #[test]
    fn a_servers_text_is_whole_and_on_one_line() {
        let tree =
            Status::unknown("verifying OIDC token\n\tvalidating with oidc\n\t\toidc: token is expired");
        let error = ClusterError::from_status("the join", &tree);
        assert_eq!(
            error.to_string(),
            "the join: verifying OIDC token validating with oidc oidc: token is expired"
        );
        let long = ClusterError::from_status("the join", &Status::unknown("x".repeat(5_000))).to_string();
        assert_eq!(long.chars().count(), "the join: ".len() + LONGEST_MESSAGE);
    }

    #[test]
    fn what_is_said_once_is_not_said_again() {
        let source = NetError::Closed { peer: "p:443".into(), during: String::new() };
        let plain = ClusterError::from(source.clone());
        assert_eq!(plain.chain(), ["p:443 closed the connection"]);
        let service = Some("the auth service");
        let of_service = ClusterError::from(ConnectionError::Net { service, source });
        assert_eq!(of_service.chain(), ["could not reach the auth service", "p:443 closed the connection"]);
        assert_eq!(of_service.hints(), plain.hints());
        // Nor is the exit another one for being said of a service.
        let (source_name, reason) = ("--ca-file `f`".into(), "no such file".into());
        let named = ClusterError::from(NetError::Roots { source_name, reason });
        assert_eq!((plain.exit(), named.exit()), (Exit::Network, Exit::Usage));
    }
}
