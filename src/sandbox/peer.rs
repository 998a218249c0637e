//! The client of a connection, as the services see it.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::identity::route::Route;
use crate::identity::tls::TlsCertificate;

/// One connection's client.
pub(super) struct Peer {
    /// The number of the connection in the records.
    pub(super) number: usize,
    /// Asks for the connection to be closed at once.
    pub(super) cut: Arc<Notify>,
    pub(super) ip: IpAddr,
    /// Set where mutual TLS says who it is.
    pub(super) caller: Option<Caller>,
}

/// Who calls, by its verified client certificate.
#[derive(Clone)]
pub(super) struct Caller {
    /// CN.
    pub(super) user: String,
    /// O.
    pub(super) roles: Vec<String>,
    /// Issued with impersonated roles, and so not to ask for more.
    pub(super) issued: bool,
    /// The access requests that its certificate was issued by.
    pub(super) requests: Vec<String>,
    /// The certificate's end, Unix seconds.
    pub(super) expires: i64,
    /// What the certificate is for.
    pub(super) route: Route,
}

impl Caller {
    /// Reads a certificate that TLS has verified.
    pub(super) fn from_certificate(der: &[u8]) -> Option<Self> {
        let cert = TlsCertificate::from_der(der).ok()?;
        let issued = cert.attribute("2.9") == Some("true");
        let route = Route::of(&cert);
        let (requests, expires) = (cert.access_requests(), cert.not_after.as_second());
        Some(Self { user: cert.common_name, roles: cert.organizations, issued, requests, expires, route })
    }
}
