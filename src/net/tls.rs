//! TLS with an explicit provider; trust anchors and client certificate as each connection needs.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{AlertDescription, ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::error::{CertificateFault, NOT_TLS};
use super::trust::{Verifier, explain};
use super::{HostPort, NetError, Network, Stream};
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
    /// As for a web server: HTTP/1.1, its own name, web roots, no client certificate.
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
    /// The network's web roots.
    Web,
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

/// A configuration without client certificate and ALPN for the network's web roots; connections that share it share its resumption.
pub(super) fn web_config(roots: Arc<RootCertStore>) -> Result<ClientConfig, NetError> {
    let verifier = Verifier::with_roots(roots, provider()).ok_or_else(|| no_roots("web"))?;
    config(verifier, "web", None)
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
    let name = ServerName::try_from(spec.server_name.clone()).map_err(|_| NetError::Address {
        text: spec.server_name.clone(),
        reason: "it is neither a DNS name nor an IP address".to_owned(),
    })?;
    let verifier = match &spec.trust {
        Trust::Web => None,
        Trust::Only(authorities) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(
                authorities.iter().map(|der| CertificateDer::from(der.as_slice())),
            );
            Some(Verifier::with_roots(Arc::new(roots), provider()).ok_or_else(|| no_roots(peer))?)
        }
        Trust::Pin(pin) => Some(Verifier::with_pin(*pin, provider())),
        Trust::Blindly => Some(Verifier::blind(provider())),
    };
    let mut config = match (verifier, &spec.client) {
        (None, None) => network.web_config()?,
        (None, client) => {
            let verifier =
                Verifier::with_roots(network.web_roots()?, provider()).ok_or_else(|| no_roots(peer))?;
            config(verifier, peer, client.as_ref())?
        }
        (Some(verifier), client) => config(verifier, peer, client.as_ref())?,
    };
    config.alpn_protocols.clone_from(&spec.alpn);

    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let doing = "shaking hands (TLS)";
    let stream = network.deadline().try_within(LIMIT, peer, doing, connecting).await?;
    let stream = stream.map_err(|e| handshake_failure(&e, spec))?;
    let (_, session) = stream.get_ref();
    let alpn = session.alpn_protocol().map(<[u8]>::to_vec);
    let peer_chain = session.peer_certificates().unwrap_or_default().iter().map(|c| c.to_vec()).collect();
    Ok(TlsStream { stream: Box::new(stream), alpn, peer_chain })
}

fn config(verifier: Verifier, peer: &str, client: Option<&ClientIdentity>) -> Result<ClientConfig, NetError> {
    let tls = |reason: String| NetError::Tls { peer: peer.to_owned(), reason };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|_| tls("the cryptography built in lacks a cipher".to_owned()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let Some(client) = client else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = client.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(client.key.expose().to_vec()));
    // rustls names neither key nor certificate in these errors.
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|e| tls(format!("our own certificate cannot be used: {e}")))
}

fn no_roots(peer: &str) -> NetError {
    NetError::Certificate {
        peer: peer.to_owned(),
        reason: "there is no CA that could have issued it".to_owned(),
        fault: CertificateFault::Issuer,
    }
}

/// What a failed handshake means.
fn handshake_failure(error: &io::Error, spec: &TlsSpec) -> NetError {
    let peer = spec.peer.clone();
    if let Some(cause) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        return failure(cause, peer, &spec.alpn);
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
        E::NoCertificatesPresented => {
            let reason = "it sent none".to_owned();
            return NetError::Certificate { peer, reason, fault: CertificateFault::Other };
        }
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
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::net::testing::{Pki, Server, VALID};
    use CertificateFault as Fault;

    fn spec(server_name: &str, trust: Trust) -> TlsSpec {
        let (peer, server_name) = ("the-peer:443".to_owned(), server_name.to_owned());
        TlsSpec { peer, server_name, alpn: Vec::new(), trust, client: None }
    }

    async fn connect(network: &Network, server: &Server, spec: &TlsSpec) -> Result<TlsStream, NetError> {
        network.tls(network.tcp(&server.target()).await.unwrap(), spec).await
    }

    async fn says_hi(mut stream: Stream) {
        let _ = stream.write_all(b"hi").await;
        let _ = stream.shutdown().await;
    }

    async fn fault(pki: &Pki, server: &Server, name: &str, trust: Trust) -> (Fault, String) {
        match connect(&pki.network(&[]), server, &spec(name, trust)).await {
            Err(NetError::Certificate { fault, reason, peer }) => {
                assert_eq!(peer, "the-peer:443");
                (fault, reason)
            }
            Err(other) => panic!("{name}: {other}"),
            Ok(_) => panic!("{name}: accepted"),
        }
    }

    #[tokio::test]
    async fn accepts_a_server_by_each_kind_of_trust() {
        let (pki, other) = (Pki::new(), Pki::new());
        let server = Server::start(Some(pki.server()), says_hi).await;
        let network = pki.network(&[]);
        for (network, name, trust) in [
            (&network, "localhost", Trust::Web),
            (&network, "127.0.0.1", Trust::Web),
            (&other.network(&[]), "localhost", Trust::Only(vec![pki.ca_der()])),
            (&other.network(&[]), "localhost", Trust::Pin(pki.pin())),
            (&other.network(&[]), "elsewhere.example", Trust::Blindly),
        ] {
            let mut made = connect(network, &server, &spec(name, trust)).await.unwrap();
            let mut text = String::new();
            made.stream.read_to_string(&mut text).await.unwrap();
            assert_eq!((text.as_str(), made.alpn, made.peer_chain.last()), ("hi", None, Some(&pki.ca_der())));
        }
        assert_eq!(network.connections(), 2);
    }

    #[tokio::test]
    async fn says_why_a_certificate_is_not_accepted() {
        let (pki, other, twin) = (Pki::new(), Pki::named("Other Root"), Pki::new());
        let server = Server::start(Some(pki.server()), says_hi).await;
        let chain = |(mut chain, key): (Vec<_>, _), len| {
            chain.truncate(len);
            pki.server_of((chain, key), false)
        };
        let names = "DNS:localhost,IP:127.0.0.1";
        let old = chain(pki.leaf(names, ("20200101000000Z", "20200203040506Z")), 1);
        let old = Server::start(Some(old), says_hi).await;
        let early = chain(pki.leaf(names, ("20480101000000Z", "20490101000000Z")), 1);
        let early = Server::start(Some(early), says_hi).await;
        let short = Server::start(Some(chain(pki.leaf(names, VALID), 1)), says_hi).await;
        let (web, pin) = (Trust::Web, Trust::Pin(pki.pin()));
        let (not_other, none) = (Trust::Pin(other.pin()), Trust::Only(Vec::new()));
        let only_other = Trust::Only(vec![other.ca_der()]);
        let own_names = "it is for `localhost`, `127.0.0.1`, not for `a.example`";
        let unknown = "its issuer `CN=Test Root` is not trusted";
        for (trusting, server, name, trust, want, text) in [
            (&pki, &server, "a.example", &web, Fault::Name, own_names),
            (&pki, &server, "::1", &web, Fault::Name, "not for `::1`"),
            (&other, &server, "localhost", &web, Fault::Issuer, unknown),
            (&pki, &server, "localhost", &only_other, Fault::Issuer, unknown),
            (&twin, &server, "localhost", &web, Fault::Issuer, "has that name, but a different key"),
            (&pki, &server, "localhost", &none, Fault::Issuer, "there is no CA"),
            (&pki, &old, "localhost", &web, Fault::Dates, "it expired at 2020-02-03T04:05:06Z"),
            (&pki, &early, "localhost", &web, Fault::Dates, "not valid before 2048-01-01"),
            (&pki, &server, "localhost", &not_other, Fault::Pin, "none of the 2 certificates"),
            (&pki, &server, "a.example", &pin, Fault::Name, own_names),
            // The right CA, but it is not sent: nothing is known of who signed.
            (&pki, &short, "localhost", &pin, Fault::Pin, "none of the 1 certificates"),
        ] {
            let (got, reason) = fault(trusting, server, name, trust.clone()).await;
            assert_eq!(got, want, "{text}: {reason}");
            assert!(reason.contains(text), "{text}: {reason}");
        }
    }

    /// Anyone can send a pinned certificate along; the leaf must be signed by it.
    #[tokio::test]
    async fn a_pinned_certificate_beside_a_foreign_leaf_is_not_enough() {
        let (pki, attacker) = (Pki::new(), Pki::new());
        let (mut chain, key) = attacker.leaf("DNS:localhost", VALID);
        chain.push(CertificateDer::from(pki.ca_der()));
        let server = Server::start(Some(pki.server_of((chain, key), false)), says_hi).await;
        let (got, _) = fault(&pki, &server, "localhost", Trust::Pin(pki.pin())).await;
        assert_eq!(got, Fault::Issuer);
    }

    /// As Go does; a cluster without a real certificate makes itself one that is its own CA.
    #[tokio::test]
    async fn a_self_signed_certificate_is_trusted_by_itself() {
        let (pki, old, other) =
            (Pki::self_signed("DNS:localhost", 2), Pki::self_signed("DNS:localhost", -1), Pki::new());
        let server = Server::start(Some(pki.self_server()), says_hi).await;
        let old_server = Server::start(Some(old.self_server()), says_hi).await;
        for trust in [Trust::Web, Trust::Only(vec![pki.ca_der()]), Trust::Pin(pki.pin())] {
            connect(&pki.network(&[]), &server, &spec("localhost", trust.clone())).await.unwrap();
            assert_eq!(fault(&pki, &server, "a.example", trust).await.0, Fault::Name);
        }
        assert_eq!(fault(&old, &old_server, "localhost", Trust::Web).await.0, Fault::Dates);
        let (got, reason) = fault(&other, &server, "localhost", Trust::Web).await;
        assert_eq!((got, reason.as_str()), (Fault::Issuer, "it is self-signed (`CN=self`)"));
    }

    #[tokio::test]
    async fn agrees_on_a_protocol_and_shows_a_client_certificate() {
        let pki = Pki::new();
        let (chain, key) = pki.leaf("DNS:client", VALID);
        let mut config = pki.server_of(pki.leaf("DNS:localhost", VALID), true);
        config.alpn_protocols = vec![b"b".to_vec()];
        let server = Server::start(Some(config), says_hi).await;
        let mut spec = spec("localhost", Trust::Web);
        spec.alpn = vec![b"a".to_vec(), b"b".to_vec()];
        spec.client = Some(ClientIdentity {
            chain: chain.iter().map(|c| c.to_vec()).collect(),
            key: crate::secret::PrivateKey::from_pkcs8(key.secret_der().to_vec()),
        });
        let network = pki.network(&[]);
        let mut made = connect(&network, &server, &spec).await.unwrap();
        let mut text = String::new();
        made.stream.read_to_string(&mut text).await.unwrap();
        assert_eq!((text.as_str(), made.alpn.as_deref()), ("hi", Some(&b"b"[..])));

        spec.alpn = vec![b"c".to_vec()];
        match connect(&network, &server, &spec).await {
            Err(NetError::Tls { reason, .. }) => {
                assert_eq!(reason, "it speaks none of the protocols offered (`c`)");
            }
            other => panic!("{:?}", other.err()),
        }
        if let Some(client) = &mut spec.client {
            client.chain = vec![pki.ca_der()];
        }
        match connect(&network, &server, &spec).await {
            Err(NetError::Tls { reason, .. }) => {
                assert!(reason.starts_with("our own certificate"), "{reason}");
            }
            other => panic!("{:?}", other.err()),
        }
    }

    #[tokio::test]
    async fn a_peer_without_tls_is_reported() {
        let pki = Pki::new();
        let html = Server::saying(None, b"HTTP/1.1 400 Bad Request\r\n\r\n<html>plain HTTP</html>").await;
        let error = connect(&pki.network(&[]), &html, &spec("localhost", Trust::Web)).await.err().unwrap();
        assert_eq!(error.to_string(), "TLS with the-peer:443 failed: the answer is not TLS");
        assert!(error.hint().unwrap().contains("port") && !error.is_transient());
        let silent = Server::saying(None, b"").await;
        let error = connect(&pki.network(&[]), &silent, &spec("localhost", Trust::Web)).await.err().unwrap();
        assert_eq!(error.to_string(), "the-peer:443 closed the connection during the TLS handshake");
        assert!(error.is_transient());
        let error = connect(&pki.network(&[]), &silent, &spec("not a name", Trust::Web)).await.err().unwrap();
        assert!(matches!(error, NetError::Address { .. }), "{error}");
    }
}
