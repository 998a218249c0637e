//! What can go wrong on the network, whether a retry may help, and what the user can do.

use thiserror::Error;

use crate::error::{Exit, StageError};

/// A failure up to HTTP. Each names the peer; none carries a URL's query or a credential.
#[derive(Debug, Clone, Error)]
#[allow(missing_docs)]
pub enum NetError {
    /// The peer ended the connection early.
    #[error("{peer} closed the connection{during}")]
    Closed { peer: String, during: String },
    /// The whole run's deadline (`--timeout`) ran out.
    #[error("the deadline of {limit}s ran out while {doing}")]
    Deadline { doing: String, limit: u64 },
    /// The name does not resolve.
    #[error("the name `{host}` does not resolve: {reason}")]
    Dns { host: String, reason: String },
    /// TCP was not established.
    #[error("no connection to {peer}: {reason}")]
    Connect { peer: String, reason: String, refused: bool },
    /// The HTTP proxy refused (with this status), or did not answer as one.
    #[error("the HTTP proxy {proxy} did not connect to {peer}: {reason}")]
    Proxy { proxy: String, peer: String, reason: String, status: Option<u16> },
    /// The variable that names the HTTP proxy is not the URL of one.
    #[error("`{variable}` cannot be used: {reason}")]
    ProxySetting { variable: String, reason: String },
    /// Roots named by the user or the environment cannot be read.
    #[error("{source_name} cannot be used: {reason}")]
    Roots { source_name: String, reason: String },
    /// One attempt took too long.
    #[error("{peer} did not answer within {seconds}s while {doing}")]
    Timeout { peer: String, doing: String, seconds: u64 },
    /// The peer's certificate is not trusted, is for another name, or is out of date.
    #[error("the certificate of {peer} is not accepted: {reason}")]
    Certificate { peer: String, reason: String, fault: CertificateFault },
    /// Any other failure of the handshake (no common protocol, alert, not TLS at all).
    #[error("TLS with {peer} failed: {reason}")]
    Tls { peer: String, reason: String },
    /// A malformed HTTP response.
    #[error("the response from {peer} is not valid HTTP: {reason}")]
    Http { peer: String, reason: String },
    /// A body longer than we read.
    #[error("the response from {peer} is larger than {limit} bytes")]
    TooLarge { peer: String, limit: usize },
    /// Not an address, or not one that may be used here.
    #[error("`{text}` is not a valid address: {reason}")]
    Address { text: String, reason: String },
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFault {
    /// No trusted CA issued it.
    Issuer,
    /// It has expired or is not valid yet.
    Dates,
    /// It is for other hosts.
    Name,
    /// No certificate of the chain has the pinned key.
    Pin,
    /// Anything else.
    Other,
}

/// The reason of `NetError::Tls` when the peer speaks something else.
pub(super) const NOT_TLS: &str = "the answer is not TLS";

impl NetError {
    /// Whether nothing was heard at all, so that a retry is safe and may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Closed { .. } | Self::Connect { .. } | Self::Timeout { .. } => true,
            Self::Dns { reason, .. } => temporary(reason),
            Self::Proxy { status, .. } => matches!(status, Some(502..=504)),
            Self::Deadline { .. }
            | Self::ProxySetting { .. }
            | Self::Roots { .. }
            | Self::Certificate { .. }
            | Self::Tls { .. }
            | Self::Http { .. }
            | Self::TooLarge { .. }
            | Self::Address { .. } => false,
        }
    }
}

impl StageError for NetError {
    fn exit(&self) -> Exit {
        match self {
            // What the user wrote.
            Self::Address { .. } | Self::Roots { .. } => Exit::Usage,
            _ => Exit::Network,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Closed { .. } => {
                "check that the port is right, and that no firewall or load balancer cuts the connection"
                    .to_owned()
            }
            Self::Deadline { .. } => {
                "raise `--timeout`, or see with `-v` which step takes so long".to_owned()
            }
            Self::Dns { reason, .. } if temporary(reason) => {
                "check that this job has a network and a DNS server that answers".to_owned()
            }
            Self::Dns { .. } => {
                "check the spelling of the name (`--proxy` for the cluster), and that this job's DNS knows it"
                    .to_owned()
            }
            Self::Connect { refused: true, peer, .. } => {
                format!("check the port: nothing listens at {peer}, or a firewall rejects connections to it")
            }
            Self::Connect { peer, .. } | Self::Timeout { peer, .. } => format!(
                "check that this job may reach {peer}; if only an HTTP proxy leads out, set `HTTPS_PROXY`"
            ),
            Self::Proxy { status: Some(401 | 407), .. } => {
                "put the user and password into the proxy's URL: `HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT`"
                    .to_owned()
            }
            Self::Proxy { status: Some(_), peer, .. } => {
                format!("allow the HTTP proxy to connect to {peer}, or add the host to `NO_PROXY`")
            }
            Self::Proxy { status: None, .. } => {
                "check the scheme, host and port of the proxy's URL in `HTTPS_PROXY`".to_owned()
            }
            Self::ProxySetting { variable, .. } => format!(
                "set `{variable}` to `http://HOST:PORT` (special characters of a password as `%40`), or unset it"
            ),
            Self::Roots { .. } => {
                "name a file of PEM certificates (`-----BEGIN CERTIFICATE-----`) that this job may read"
                    .to_owned()
            }
            Self::Certificate { fault, .. } => fault.hint().to_owned(),
            Self::Tls { reason, .. } if reason == NOT_TLS => {
                "check the port: the web port of a Teleport proxy (443 or 3080) speaks TLS".to_owned()
            }
            Self::Tls { .. } => {
                "check whether a load balancer or an inspecting proxy on the way terminates or changes TLS"
                    .to_owned()
            }
            Self::Http { peer, .. } | Self::TooLarge { peer, .. } => {
                format!("check the address: {peer} seems to be something else")
            }
            Self::Address { .. } => "write it as `HOST` or `HOST:PORT`".to_owned(),
        };
        vec![hint]
    }
}

impl CertificateFault {
    fn hint(self) -> &'static str {
        match self {
            Self::Issuer => {
                "pass the CA that issued it, a PEM file, with `--ca-file` if this is the cluster, else with `SSL_CERT_FILE`: then the only trusted roots"
            }
            Self::Dates => {
                "ask the server's operator to renew the certificate, and check this machine's clock"
            }
            Self::Name => "use a name that the certificate has, or ask its operator to add this one",
            Self::Pin => "check the pin with `tctl status` on the cluster: it changes when the CA is rotated",
            Self::Other => "ask the server's operator to look at the certificate",
        }
    }
}

/// `EAI_AGAIN` in the words of glibc and macOS, musl, and Windows.
fn temporary(reason: &str) -> bool {
    ["emporary failure", "ry again", "emporary error"].iter().any(|words| reason.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_retried() {
        let dns = |reason: &str| NetError::Dns { host: "h".to_owned(), reason: reason.to_owned() };
        assert!(dns("Temporary failure in name resolution").is_transient());
        assert!(dns("Try again").is_transient());
        assert!(!dns("Name or service not known").is_transient());
        let proxy = |status| NetError::Proxy {
            proxy: "http://p:1".to_owned(),
            peer: "h:1".to_owned(),
            reason: String::new(),
            status,
        };
        let tried: Vec<_> = [None, Some(403), Some(407), Some(500), Some(502), Some(503), Some(504)]
            .map(|status| proxy(status).is_transient())
            .into();
        assert_eq!(tried, [false, false, false, false, true, true, true]);
    }

    #[test]
    fn what_is_no_tls_at_all_points_to_the_port() {
        let hint = |reason: &str| NetError::Tls { peer: "h:1".to_owned(), reason: reason.to_owned() }.hints();
        assert!(hint(NOT_TLS)[0].starts_with("check the port"));
        assert!(hint("handshake failure")[0].starts_with("check whether a load balancer"));
    }
}
