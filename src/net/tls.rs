//! TLS with an explicit provider; trust anchors and client certificate as each connection needs.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{AlertDescription, ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier, WantsVersions};
use tokio_rustls::{Connect, TlsConnector};

use super::error::{CertificateFault, NOT_TLS};
use super::roots::Loaded;
use super::trust::{Verifier, explain};
use super::{HostPort, Io, NetError, Network, Stream};
use crate::env;
use crate::text::{io_reason, safe};

/// HTTP/1.1 in ALPN.
pub(super) const HTTP_1: &[u8] = b"http/1.1";

/// How long a handshake may take.
const LIMIT: Duration = Duration::from_secs(10);

/// The provider of all cryptography here. Never the process default.
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// The parameters of one TLS connection.
#[derive(Clone)]
pub struct TlsSpec {
    /// The peer in error texts: `proxy.example.com:443`.
    pub peer: String,
    /// Sent as SNI and verified: a DNS name or an IP address.
    pub server_name: String,
    /// Protocols offered, in order.
    pub alpn: Vec<Vec<u8>>,
    /// The trust anchors.
    pub trust: Trust,
    /// For mutual TLS.
    pub client: Option<ClientIdentity>,
}

impl TlsSpec {
    /// As for the cluster's web server: HTTP/1.1, its own name, web roots, no client certificate.
    pub fn web(target: &HostPort) -> Self {
        Self {
            peer: target.to_string(),
            server_name: target.host.clone(),
            alpn: vec![HTTP_1.to_vec()],
            trust: Trust::Web,
            client: None,
        }
    }
}

/// The trust anchors of one connection.
#[derive(Clone)]
pub enum Trust {
    /// The web roots for the cluster: `--ca-file`, else the system's.
    Web,
    /// The system's web roots, whatever `--ca-file` says: for every server that is not the cluster's.
    System,
    /// These CA certificates (DER) only, such as a cluster's host CA.
    Only(Vec<Vec<u8>>),
    /// A CA whose `SubjectPublicKeyInfo` has this SHA-256 (Teleport's `sha256:…` CA pin), found in the chain the server sends.
    Pin([u8; 32]),
    /// Nothing is verified (an explicit flag of the user's, or a probe that sends nothing).
    Blindly,
}

/// The client's certificate and key in mutual TLS.
#[derive(Clone)]
pub struct ClientIdentity {
    /// Leaf first, DER.
    pub chain: Vec<Vec<u8>>,
    /// PKCS#8.
    pub key: crate::secret::PrivateKey,
}

/// An established TLS connection.
pub struct TlsStream {
    /// The decrypted bytes.
    pub stream: super::Stream,
    /// The protocol that ALPN agreed on.
    pub alpn: Option<Vec<u8>>,
    /// The peer's chain as sent, DER.
    pub peer_chain: Vec<Vec<u8>>,
}

impl Network {
    /// A TLS handshake on a stream. `alpn` may be empty. Returns the stream and the protocol that was agreed.
    pub async fn tls(&self, stream: Stream, spec: &TlsSpec) -> Result<TlsStream, NetError> {
        handshake(self, stream, spec).await
    }

    /// Whether the chain of a server, leaf first, DER, stands for that name under those anchors: what a handshake with
    /// [`Trust::Blindly`] left open.
    pub fn accepts(
        &self,
        peer: &str,
        chain: &[Vec<u8>],
        server_name: &str,
        trust: &Trust,
    ) -> Result<(), NetError> {
        let (verifier, name) = (self.verifier(peer, trust)?, name(server_name)?);
        let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let (leaf, rest) = chain.split_first().ok_or_else(|| no_certificate(peer))?;
        let now = u64::try_from(env::now().as_second()).unwrap_or_default();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
        let verified = verifier.verify_server_cert(leaf, rest, &name, &[], now);
        verified.map(|_| ()).map_err(|error| failure(&error, peer.to_owned(), &[]))
    }

    /// What checks a chain by those anchors.
    pub(super) fn verifier(&self, peer: &str, trust: &Trust) -> Result<Verifier, NetError> {
        match verifier(peer, trust)? {
            Some(verifier) => Ok(verifier),
            None if matches!(trust, Trust::System) => web_verifier(self.system_roots()?),
            None => web_verifier(self.cluster_roots()?),
        }
    }

    /// For the cluster's web certificate and no client certificate: built once, so that sessions are resumed.
    fn cluster_config(&self) -> Result<ClientConfig, NetError> {
        let new = || web_config(self.cluster_roots()?, None);
        built_once(&self.inner.cluster_config, new)
    }

    /// The same for all other servers.
    pub(super) fn system_config(&self) -> Result<ClientConfig, NetError> {
        let new = || web_config(self.system_roots()?, None);
        built_once(&self.inner.system_config, new)
    }
}

fn built_once(
    place: &OnceLock<ClientConfig>,
    new: impl FnOnce() -> Result<ClientConfig, NetError>,
) -> Result<ClientConfig, NetError> {
    if let Some(config) = place.get() {
        return Ok(config.clone());
    }
    let config = new()?;
    Ok(place.get_or_init(|| config).clone())
}

/// A configuration without ALPN for these web roots; connections that share it share its resumption.
pub(super) fn web_config(roots: &Loaded, client: Option<&ClientIdentity>) -> Result<ClientConfig, NetError> {
    config(web_verifier(roots)?, "web", client)
}

fn web_verifier(roots: &Loaded) -> Result<Verifier, NetError> {
    let (store, named) = (Arc::clone(&roots.store), Arc::clone(&roots.named));
    Verifier::with_roots(store, named, provider()).ok_or_else(|| no_roots("web"))
}

/// For anchors that are not the web's.
fn verifier(peer: &str, trust: &Trust) -> Result<Option<Verifier>, NetError> {
    Ok(match trust {
        Trust::Web | Trust::System => None,
        Trust::Only(authorities) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(
                authorities.iter().map(|der| CertificateDer::from(der.as_slice())),
            );
            let verifier = Verifier::with_roots(Arc::new(roots), Arc::default(), provider());
            Some(verifier.ok_or_else(|| no_roots(peer))?)
        }
        Trust::Pin(pin) => Some(Verifier::with_pin(*pin, provider())),
        Trust::Blindly => Some(Verifier::blind(provider())),
    })
}

pub(super) fn name(text: &str) -> Result<ServerName<'static>, NetError> {
    ServerName::try_from(text.to_owned()).map_err(|_| NetError::Address {
        text: text.to_owned(),
        reason: "it is neither a DNS name nor an IP address".to_owned(),
    })
}

/// A configuration for a client that must have one and never speaks TLS.
pub(super) fn config_that_trusts_nobody() -> Result<ClientConfig, NetError> {
    config(Verifier::with_pin([0; 32], provider()), "nobody", None)
}

/// The handshake of one connection.
pub(super) async fn handshake(
    network: &Network,
    stream: Stream,
    spec: &TlsSpec,
) -> Result<TlsStream, NetError> {
    let peer = &spec.peer;
    let name = name(&spec.server_name)?;
    let verifier = verifier(peer, &spec.trust)?;
    let is_system = matches!(spec.trust, Trust::System);
    let mut config = match (verifier, &spec.client) {
        (None, None) if is_system => network.system_config()?,
        (None, None) => network.cluster_config()?,
        (None, client) => {
            let roots = if is_system { network.system_roots()? } else { network.cluster_roots()? };
            web_config(roots, client.as_ref())?
        }
        (Some(verifier), client) => config(verifier, peer, client.as_ref())?,
    };
    config.alpn_protocols.clone_from(&spec.alpn);

    established(network, TlsConnector::from(Arc::new(config)).connect(name, stream), spec).await
}

/// What a handshake comes to, within its limit.
pub(super) async fn established<S: Io + 'static>(
    network: &Network,
    connecting: Connect<S>,
    spec: &TlsSpec,
) -> Result<TlsStream, NetError> {
    let doing = "the TLS handshake";
    let stream = network.deadline().try_within(LIMIT, &spec.peer, doing, connecting).await?;
    let stream = stream.map_err(|e| handshake_failure(&e, &spec.peer, &spec.alpn))?;
    let (_, session) = stream.get_ref();
    let alpn = session.alpn_protocol().map(<[u8]>::to_vec);
    let peer_chain = session.peer_certificates().unwrap_or_default().iter().map(|c| c.to_vec()).collect();
    Ok(TlsStream { stream: Box::new(stream), alpn, peer_chain })
}

fn config(verifier: Verifier, peer: &str, client: Option<&ClientIdentity>) -> Result<ClientConfig, NetError> {
    let builder = protocols(peer, ClientConfig::builder_with_provider(provider()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let Some(client) = client else {
        return Ok(builder.with_no_client_auth());
    };
    Ok(builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified(client, peer)?))))
}

/// TLS 1.3 and 1.2.
pub(super) fn protocols(
    peer: &str,
    builder: ConfigBuilder<ClientConfig, WantsVersions>,
) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, NetError> {
    let reason = || "the cryptography built in lacks a cipher".to_owned();
    builder
        .with_safe_default_protocol_versions()
        .map_err(|_| NetError::Tls { peer: peer.to_owned(), reason: reason() })
}

/// A client's certificate as rustls takes it.
pub(super) fn certified(client: &ClientIdentity, peer: &str) -> Result<Arc<CertifiedKey>, NetError> {
    let chain = client.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(client.key.expose().to_vec()));
    // rustls names neither key nor certificate in these errors.
    let certified = CertifiedKey::from_der(chain, key, &provider());
    certified.map(Arc::new).map_err(|e| NetError::Tls {
        peer: peer.to_owned(),
        reason: format!("our own certificate cannot be used: {e}"),
    })
}

fn no_certificate(peer: &str) -> NetError {
    let reason = "it sent none".to_owned();
    NetError::Certificate { peer: peer.to_owned(), reason, fault: CertificateFault::Other }
}

fn no_roots(peer: &str) -> NetError {
    NetError::Certificate {
        peer: peer.to_owned(),
        reason: "there is no CA that could have issued it".to_owned(),
        fault: CertificateFault::Issuer,
    }
}

/// What a failed handshake means.
pub(super) fn handshake_failure(error: &io::Error, peer: &str, alpn: &[Vec<u8>]) -> NetError {
    let peer = peer.to_owned();
    if let Some(cause) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        return failure(cause, peer, alpn);
    }
    let during = match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            String::new()
        }
        _ => format!(" ({})", io_reason(error)),
    };
    NetError::Closed { peer, during: format!(" during the TLS handshake{during}") }
}

/// What an error of rustls means; `alpn` is what was offered.
pub(super) fn failure(cause: &rustls::Error, peer: String, alpn: &[Vec<u8>]) -> NetError {
    use rustls::Error as E;
    let reason = match cause {
        E::InvalidCertificate(certificate) => {
            let (fault, reason) = explain(certificate);
            return NetError::Certificate { peer, reason, fault };
        }
        E::NoCertificatesPresented => return no_certificate(&peer),
        E::InvalidMessage(_) => NOT_TLS.to_owned(),
        E::NoApplicationProtocol | E::AlertReceived(AlertDescription::NoApplicationProtocol) => {
            format!("it speaks none of the protocols offered ({})", offered(alpn))
        }
        E::AlertReceived(alert) => format!("it sent the alert `{alert:?}`"),
        E::PeerIncompatible(_) => "it has no TLS version or cipher in common with us".to_owned(),
        other => safe(&other.to_string(), 200),
    };
    NetError::Tls { peer, reason }
}

fn offered(alpn: &[Vec<u8>]) -> String {
    alpn.iter().map(|p| format!("`{}`", p.escape_ascii())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
