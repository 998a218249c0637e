//! What a server of the sandbox shows, and whom it lets in.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use super::ca::{Ca, Cas};
use super::error::SandboxError;
use crate::identity::keys::KeyPair;
use crate::net::tls::provider;

/// A server certificate with its key.
pub(super) struct Certificate {
    key: KeyPair,
    chain: Vec<CertificateDer<'static>>,
}

impl Certificate {
    pub(super) fn new(ca: &Ca, names: &[String], with_ca: bool) -> Result<Self, SandboxError> {
        let (key, der) = ca.server(names)?;
        let mut chain = vec![CertificateDer::from(der)];
        if with_ca {
            chain.push(CertificateDer::from(ca.der.clone()));
        }
        Ok(Self { key, chain })
    }
}

/// Who may connect.
#[derive(Clone, Copy)]
pub(super) enum Clients<'a> {
    /// Anyone; no certificate is asked for.
    Any,
    /// Anyone; a certificate that is shown must be one of the user CA.
    AnyOrOf(&'a Cas),
    /// Who has a certificate of the user CA.
    Of(&'a Cas),
}

/// The set-up of a service.
pub(super) fn config(
    certificate: &Certificate,
    alpn: &[&[u8]],
    clients: Clients<'_>,
) -> Result<Arc<ServerConfig>, SandboxError> {
    config_by(provider(), rustls::ALL_VERSIONS, certificate, alpn, clients)
}

/// The same with another provider and other versions.
pub(super) fn config_by(
    provider: Arc<CryptoProvider>,
    versions: &[&'static SupportedProtocolVersion],
    certificate: &Certificate,
    alpn: &[&[u8]],
    clients: Clients<'_>,
) -> Result<Arc<ServerConfig>, SandboxError> {
    let failed = |e: &dyn std::fmt::Display| SandboxError::create("TLS setup", e);
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .map_err(|e| failed(&e))?;
    let verifier = |cas: &Cas, optional: bool| {
        let mut roots = RootCertStore::empty();
        for ca in cas.users() {
            roots.add(CertificateDer::from(ca.der.clone())).map_err(|e| failed(&e))?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let verifier = if optional { verifier.allow_unauthenticated() } else { verifier };
        verifier.build().map_err(|e| failed(&e))
    };
    let builder = match clients {
        Clients::Any => builder.with_no_client_auth(),
        Clients::AnyOrOf(cas) => builder.with_client_cert_verifier(verifier(cas, true)?),
        Clients::Of(cas) => builder.with_client_cert_verifier(verifier(cas, false)?),
    };
    let key = PrivatePkcs8KeyDer::from(certificate.key.private().expose().to_vec());
    let mut config = builder
        .with_single_cert(certificate.chain.clone(), PrivateKeyDer::Pkcs8(key))
        .map_err(|e| failed(&e))?;
    config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
    Ok(Arc::new(config))
}
