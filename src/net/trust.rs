//! Whether a server's certificate is accepted, and if not, why, in plain words.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use const_oid::db::rfc5280::{ANY_EXTENDED_KEY_USAGE, ID_KP_SERVER_AUTH};
use der::{Decode, Encode};
use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use thiserror::Error;
use x509_cert::Certificate;
use x509_cert::ext::pkix::{ExtendedKeyUsage, NameConstraints};

use super::error::CertificateFault;
use crate::text::{hex, safe};

/// Names of a certificate shown in an error, at most.
const MAX_NAMES: usize = 5;

/// Checks the chain of a server in one of three ways.
#[derive(Debug)]
pub(super) struct Verifier {
    anchors: Anchors,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
enum Anchors {
    Roots {
        verifier: Arc<WebPkiServerVerifier>,
        /// Those that the user named one by one (DER).
        named: Arc<BTreeSet<Vec<u8>>>,
    },
    Pin([u8; 32]),
    /// The first for the server's name, or the second for this one.
    Either(Box<[Verifier; 2]>, ServerName<'static>),
    Blindly,
}

impl Verifier {
    /// Trusts these roots, and a server that shows one of `named` itself; `None` when there are none.
    pub(super) fn with_roots(
        roots: Arc<RootCertStore>,
        named: Arc<BTreeSet<Vec<u8>>>,
        provider: Arc<CryptoProvider>,
    ) -> Option<Self> {
        let anchors = Anchors::Roots { verifier: webpki(roots, &provider)?, named };
        Some(Self { anchors, provider })
    }

    /// Trusts the CA whose `SubjectPublicKeyInfo` has this SHA-256; it must be in the chain that the server sends.
    pub(super) fn with_pin(pin: [u8; 32], provider: Arc<CryptoProvider>) -> Self {
        Self { anchors: Anchors::Pin(pin), provider }
    }

    /// Accepts what one of the two does: `web` for the server's name, `own` for a name of its own.
    pub(super) fn either(
        web: Self,
        own: Self,
        name: ServerName<'static>,
        provider: Arc<CryptoProvider>,
    ) -> Self {
        Self { anchors: Anchors::Either(Box::new([web, own]), name), provider }
    }

    /// Accepts any certificate.
    pub(super) fn blind(provider: Arc<CryptoProvider>) -> Self {
        Self { anchors: Anchors::Blindly, provider }
    }

    /// Whether the server shows the very certificate that the user named, which is its own CA: no chain is needed then (Go's
    /// `Verify` says the same). Not one that may vouch for some names only.
    fn is_trusted_itself(&self, certificate: &CertificateDer<'_>) -> bool {
        let is_named = match &self.anchors {
            Anchors::Roots { named, .. } => named.contains(certificate.as_ref()),
            Anchors::Pin(pin) => public_key_hash(certificate) == Some(*pin) && is_self_signed(certificate),
            Anchors::Either(..) | Anchors::Blindly => false,
        };
        is_named && read(certificate).is_some_and(|c| has_no_name_constraints(&c))
    }

    /// The verifier whose only root is the pinned certificate of the chain.
    fn pinned(
        &self,
        pin: [u8; 32],
        chain: &[&CertificateDer<'_>],
    ) -> Result<Arc<WebPkiServerVerifier>, rustls::Error> {
        let pinned = chain.iter().find(|c| public_key_hash(c) == Some(pin));
        let why = |text: String| refused(CertificateFault::Pin, text);
        let pinned = pinned.ok_or_else(|| {
            why(format!(
                "none of the {} certificates it sent has the pinned key `sha256:{}`",
                chain.len(),
                hex(&pin)
            ))
        })?;
        let mut roots = RootCertStore::empty();
        roots
            .add((*pinned).clone())
            .map_err(|_| why("the certificate with the pinned key is not a CA".to_owned()))?;
        webpki(Arc::new(roots), &self.provider)
            .ok_or_else(|| why("the pinned certificate is not a root".to_owned()))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain: Vec<_> = std::iter::once(end_entity).chain(intermediates).collect();
        let verifier = match &self.anchors {
            Anchors::Blindly => return Ok(ServerCertVerified::assertion()),
            Anchors::Either(both, name) => {
                let [web, own] = both.as_ref();
                let by_web =
                    web.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
                return by_web.or_else(|refused| {
                    let by_own = own.verify_server_cert(end_entity, intermediates, name, ocsp_response, now);
                    by_own.map_err(|_| refused)
                });
            }
            _ if self.is_trusted_itself(end_entity) => return alone(end_entity, server_name, now),
            Anchors::Roots { verifier, .. } => verifier.clone(),
            Anchors::Pin(pin) => self.pinned(*pin, &chain)?,
        };
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now).map_err(
            |error| match error {
                rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                    refused(CertificateFault::Issuer, issuer(&chain))
                }
                // webpki's words for a CA's own certificate shown by a server.
                rustls::Error::InvalidCertificate(CertificateError::Other(_))
                    if is_self_signed(end_entity) =>
                {
                    refused(CertificateFault::Issuer, issuer(&[end_entity]))
                }
                // The root is found by its name, and only then is the signature checked.
                rustls::Error::InvalidCertificate(CertificateError::BadSignature) => {
                    let why = "a trusted CA has that name, but a different key";
                    refused(CertificateFault::Issuer, format!("{}: {why}", issuer(&chain)))
                }
                other => other,
            },
        )
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What is wrong with a certificate, in plain words.
pub(super) fn explain(error: &CertificateError) -> (CertificateFault, String) {
    use CertificateError as E;
    match error {
        E::Other(OtherError(inner)) => match inner.downcast_ref::<Refused>() {
            Some(refused) => (refused.fault, refused.text.clone()),
            None => (CertificateFault::Other, clean(&inner.to_string())),
        },
        E::UnknownIssuer => (CertificateFault::Issuer, "no trusted CA issued it".to_owned()),
        E::ExpiredContext { not_after, .. } => {
            (CertificateFault::Dates, format!("it expired at {}", date(*not_after)))
        }
        E::Expired => (CertificateFault::Dates, "it has expired".to_owned()),
        E::NotValidYetContext { not_before, .. } => {
            (CertificateFault::Dates, format!("it is not valid before {}", date(*not_before)))
        }
        E::NotValidYet => (CertificateFault::Dates, "it is not valid yet".to_owned()),
        E::NotValidForNameContext { expected, presented } => {
            let wanted = expected.to_str();
            let text = match names(presented) {
                names if names.is_empty() => format!("it names no host, so it is not for `{wanted}`"),
                names => format!("it is for {names}, not for `{wanted}`"),
            };
            (CertificateFault::Name, text)
        }
        E::NotValidForName => (CertificateFault::Name, "it is for another name".to_owned()),
        E::BadEncoding => (CertificateFault::Other, "it cannot be read".to_owned()),
        E::BadSignature => (CertificateFault::Issuer, "its signature is not valid".to_owned()),
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
            (CertificateFault::Other, "it is not for servers".to_owned())
        }
        other => (CertificateFault::Other, clean(&other.to_string())),
    }
}

/// A refusal in our own words; rustls carries it.
#[derive(Debug, Error)]
#[error("{text}")]
struct Refused {
    fault: CertificateFault,
    text: String,
}

fn refused(fault: CertificateFault, text: String) -> rustls::Error {
    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(Refused { fault, text }))))
}

fn webpki(roots: Arc<RootCertStore>, provider: &Arc<CryptoProvider>) -> Option<Arc<WebPkiServerVerifier>> {
    WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build().ok()
}

/// Checks name, purpose and dates of a certificate that needs no CA.
fn alone(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, rustls::Error> {
    verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
    let read = read(certificate).ok_or(CertificateError::BadEncoding)?;
    if !is_for_servers(&read) {
        return Err(CertificateError::InvalidPurpose.into());
    }
    let validity = *read.tbs_certificate().validity();
    let not_before = UnixTime::since_unix_epoch(validity.not_before.to_unix_duration());
    let not_after = UnixTime::since_unix_epoch(validity.not_after.to_unix_duration());
    if now > not_after {
        return Err(CertificateError::ExpiredContext { time: now, not_after }.into());
    }
    if now < not_before {
        return Err(CertificateError::NotValidYetContext { time: now, not_before }.into());
    }
    Ok(ServerCertVerified::assertion())
}

/// As Teleport computes a CA pin: over the DER of the `SubjectPublicKeyInfo` (lib/utils/pin.go, v18).
fn public_key_hash(certificate: &CertificateDer<'_>) -> Option<[u8; 32]> {
    digest(&SHA256, &public_key(certificate)?).as_ref().try_into().ok()
}

/// The DER of the `SubjectPublicKeyInfo`.
fn public_key(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    read(certificate)?.tbs_certificate().subject_public_key_info().to_der().ok()
}

/// Extensions that cannot be read count as constraints.
fn has_no_name_constraints(certificate: &Certificate) -> bool {
    matches!(certificate.tbs_certificate().get_extension::<NameConstraints>(), Ok(None))
}

fn is_for_servers(certificate: &Certificate) -> bool {
    match certificate.tbs_certificate().get_extension::<ExtendedKeyUsage>() {
        Ok(None) => true,
        Ok(Some((_, ExtendedKeyUsage(usages)))) => {
            usages.contains(&ID_KP_SERVER_AUTH) || usages.contains(&ANY_EXTENDED_KEY_USAGE)
        }
        Err(_) => false,
    }
}

fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    read(certificate).is_some_and(|c| c.tbs_certificate().issuer() == c.tbs_certificate().subject())
}

fn read(certificate: &CertificateDer<'_>) -> Option<Certificate> {
    Certificate::from_der(certificate).ok()
}

/// Who issued the last certificate of the chain: the CA that is missing, often that of an inspecting proxy.
fn issuer(chain: &[&CertificateDer<'_>]) -> String {
    let Some(last) = chain.last().and_then(|c| read(c)) else {
        return "no trusted CA issued it".to_owned();
    };
    let last = last.tbs_certificate();
    let name = clean(&last.issuer().to_string());
    if chain.len() == 1 && last.issuer() == last.subject() {
        format!("it is self-signed (`{name}`)")
    } else {
        format!("its issuer `{name}` is not trusted")
    }
}

/// The names as rustls hands them on, `DnsName("example.com")` or `IpAddress(192.0.2.1)`.
fn names(presented: &[String]) -> String {
    let bare = |n: &str| {
        n.split_once('(').and_then(|(_, n)| n.strip_suffix(')')).map(|n| n.trim_matches('"').to_owned())
    };
    let name = |n: &String| format!("`{}`", clean(&bare(n).unwrap_or_else(|| n.clone())));
    let mut names: Vec<_> = presented.iter().take(MAX_NAMES).map(name).collect();
    if presented.len() > MAX_NAMES {
        names.push(format!("{} more", presented.len() - MAX_NAMES));
    }
    names.join(", ")
}

/// A peer's text, to stand between back-ticks.
fn clean(text: &str) -> String {
    safe(&text.replace('`', ""), 200)
}

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).ok();
    let time = seconds.and_then(|s| Timestamp::from_second(s).ok());
    time.map_or_else(|| "a distant date".to_owned(), |t| t.to_string())
}

#[cfg(test)]
mod tests;
