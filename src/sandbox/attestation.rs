//! Azure's attested documents: signed for the sandbox's machine, and verified as a server does.
//!
//! The signer's certificate has two intermediates, as in regions with Azure's newer hierarchy; each names its issuer's address, the
//! last one outside Microsoft's (gravitational/teleport pull requests 66727 and 68004).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use const_oid::db::rfc4519::COMMON_NAME;
use const_oid::db::rfc5911::{ID_DATA, ID_SIGNED_DATA};
use const_oid::db::rfc5912::{ECDSA_WITH_SHA_256, ID_SHA_256};
use der::asn1::{Any, AnyRef, ObjectIdentifier, OctetStringRef};
use der::{Decode, Encode, Reader, SliceReader, Tag};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use serde_json::{Value, json};
use std::sync::Arc;
use x509_cert::Certificate;
use x509_cert::name::RdnSequence;

use super::error::SandboxError;
use super::refusal::Refusal;
use super::x509::{self, Purpose, Request};
use crate::cloud::azure::AttestedDocument;
use crate::cloud::azure::pkcs7::{CERTIFICATES, SignedData};
use crate::identity::keys::{KeyKind, KeyPair};
use crate::net::tls::provider;

/// The signer's name (learn.microsoft.com, "Azure Instance Metadata Service", attested data).
const SIGNER: &str = "metadata.azure.com";
/// Those that servers take (Teleport `lib/join/azurejoin`).
const ALLOWED: [&str; 4] = [SIGNER, "metadata.azure.us", "metadata.azure.cn", "metadata.microsoftazure.de"];
const ISSUING: &str = "Sandbox Azure TLS Issuing CA 01";
const SUBORDINATE: &str = "Sandbox Azure TLS Subordinate CA 01";
const ROOT: &str = "Sandbox Azure Root";
const LIFE: i64 = 24 * 3600;

/// Who signs attested documents.
pub(super) struct Attester {
    key: KeyPair,
    /// DER: the signer's own.
    signer: Vec<u8>,
    /// DER, from the signer upwards, with the last part of their addresses.
    intermediates: [(&'static str, Vec<u8>); 2],
    root: Vec<u8>,
}

/// Something is not to be signed or verified.
type Broken = Box<dyn std::error::Error>;

impl Attester {
    pub(super) fn new() -> Result<Self, SandboxError> {
        let generate =
            || KeyPair::generate(KeyKind::P256).map_err(|e| SandboxError::create("attester's key", e));
        let (root_key, upper_key, lower_key, key) = (generate()?, generate()?, generate()?, generate()?);
        let now = crate::env::now().as_second();
        let sign =
            |issuer: &str, by: &KeyPair, subject: &str, public: &KeyPair, purpose, address: Option<&str>| {
                let request = Request {
                    serial: x509::serial()?,
                    subject: named(subject)?,
                    public_key: public.public_der(),
                    valid: (now - 60, now + LIFE),
                    purpose,
                    issuer_address: address,
                };
                x509::sign(&named(issuer)?, by, request)
            };
        let microsofts = |name: &str| format!("http://www.microsoft.com/pkiops/certs/{}", file(name));
        let names = [SIGNER.to_owned()];
        let (at_issuing, at_subordinate) = (microsofts(ISSUING), microsofts(SUBORDINATE));
        let elsewhere = "http://cacerts.digicert.com/SandboxRoot.crt";
        Ok(Self {
            signer: sign(ISSUING, &lower_key, SIGNER, &key, Purpose::Server(&names), Some(&at_issuing))?,
            intermediates: [
                (
                    ISSUING,
                    sign(
                        SUBORDINATE,
                        &upper_key,
                        ISSUING,
                        &lower_key,
                        Purpose::Intermediate,
                        Some(&at_subordinate),
                    )?,
                ),
                (
                    SUBORDINATE,
                    sign(ROOT, &root_key, SUBORDINATE, &upper_key, Purpose::Intermediate, Some(elsewhere))?,
                ),
            ],
            root: sign(ROOT, &root_key, ROOT, &root_key, Purpose::Ca, None)?,
            key,
        })
    }

    /// The paths at `www.microsoft.com` that the certificates name, with what is there.
    pub(super) fn published(&self) -> Vec<(String, Vec<u8>)> {
        self.intermediates
            .iter()
            .map(|(name, der)| (format!("/pkiops/certs/{}", file(name)), der.clone()))
            .collect()
    }

    /// The answer of the metadata service: a document that repeats the nonce, signed. Real ones have the signer's certificate only;
    /// with the intermediates in it nothing has to be fetched.
    pub(super) fn document(
        &self,
        nonce: &str,
        machine: &Value,
        with_intermediates: bool,
    ) -> Result<Value, SandboxError> {
        let mut content =
            json!({"nonce": nonce, "plan": {"name": "", "product": "", "publisher": ""}, "sku": "22_04-lts"});
        if let (Value::Object(content), Value::Object(machine)) = (&mut content, machine) {
            content.extend(machine.clone());
        }
        let message = self.message(content.to_string().as_bytes(), with_intermediates);
        let message = message.map_err(|e| SandboxError::create("attested document", e))?;
        Ok(json!({"encoding": "pkcs7", "signature": STANDARD.encode(message)}))
    }

    fn message(&self, content: &[u8], with_intermediates: bool) -> Result<Vec<u8>, Broken> {
        let algorithm = |oid: ObjectIdentifier| tlv(Tag::Sequence, &oid.to_der()?);
        let octets = OctetStringRef::new(content)?.to_der()?;
        let data = [ID_DATA.to_der()?, tlv(CERTIFICATES, &octets)?].concat();
        let others = self.intermediates.iter().filter(|_| with_intermediates).map(|(_, der)| der.clone());
        let certificates: Vec<u8> = std::iter::once(self.signer.clone()).chain(others).flatten().collect();
        let own = Certificate::from_der(&self.signer)?;
        let (issuer, serial) = (own.tbs_certificate().issuer(), own.tbs_certificate().serial_number());
        let signer = [
            1u8.to_der()?,
            tlv(Tag::Sequence, &[issuer.to_der()?, serial.to_der()?].concat())?,
            algorithm(ID_SHA_256)?,
            algorithm(ECDSA_WITH_SHA_256)?,
            OctetStringRef::new(&self.key.sign(content)?)?.to_der()?,
        ];
        let fields = [
            1u8.to_der()?,
            tlv(Tag::Set, &algorithm(ID_SHA_256)?)?,
            tlv(Tag::Sequence, &data)?,
            tlv(CERTIFICATES, &certificates)?,
            tlv(Tag::Set, &tlv(Tag::Sequence, &signer.concat())?)?,
        ];
        let signed = tlv(Tag::Sequence, &fields.concat())?;
        tlv(Tag::Sequence, &[ID_SIGNED_DATA.to_der()?, tlv(CERTIFICATES, &signed)?].concat())
    }

    /// Verifies a document that must repeat the challenge; `intermediates` as a client sends them, `None` where the server gets them
    /// itself. What is signed comes back.
    pub(super) fn verify(
        &self,
        document: &[u8],
        challenge: &str,
        intermediates: Option<&[u8]>,
    ) -> Result<Value, Refusal> {
        let invalid = |e: &dyn std::fmt::Display| Refusal::denied(format!("pkcs7: {e}"));
        let read = AttestedDocument::parse(document.to_vec()).map_err(|e| invalid(&e))?;
        if read.nonce != challenge {
            return Err(Refusal::denied("challenge is missing or does not match"));
        }
        let signer = read.certificates.first().map(Vec::as_slice).unwrap_or_default();
        let certificate = Certificate::from_der(signer).map_err(|e| invalid(&e))?;
        let name = certificate.tbs_certificate().subject().common_name().ok().flatten();
        let name = name.map(|name| name.value().into_owned()).unwrap_or_default();
        if !ALLOWED.contains(&name.as_str()) {
            return Err(Refusal::denied(format!(
                "certificate common name does not match allow-list ({name})"
            )));
        }
        let chain = match intermediates {
            Some([]) => return Err(Refusal::bad("client did not send intermediate CAs")),
            Some(sent) => taken_apart(sent).map_err(|e| invalid(&e))?,
            None => self.intermediates.iter().map(|(_, der)| der.clone()).collect(),
        };
        self.verify_chain(signer, &chain, &name).map_err(|e| invalid(&e))?;
        signed_by(&certificate, document).map_err(|e| invalid(&e))
    }

    fn verify_chain(&self, signer: &[u8], chain: &[Vec<u8>], name: &str) -> Result<(), Broken> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.root.clone()))?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build()?;
        let (signer, name) = (CertificateDer::from(signer), ServerName::try_from(name.to_owned())?);
        let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let seconds = u64::try_from(crate::env::now().as_second())?;
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        verifier.verify_server_cert(&signer, &chain, &name, &[], now)?;
        Ok(())
    }
}

/// The signed content, if this certificate's key signed it.
fn signed_by(certificate: &Certificate, document: &[u8]) -> Result<Value, Broken> {
    let envelope: Value = serde_json::from_slice(document)?;
    let message = STANDARD.decode(envelope.get("signature").and_then(Value::as_str).unwrap_or_default())?;
    let signed = SignedData::parse(&message)?;
    let mut signers = SliceReader::new(signed.signers)?;
    let signer = AnyRef::decode(&mut signers)?;
    let mut fields = SliceReader::new(signer.value())?;
    let mut signature = None;
    while !fields.is_finished() {
        let field = AnyRef::decode(&mut fields)?;
        // Attributes would be what is signed; Azure signs the content itself.
        if field.header().tag() == CERTIFICATES {
            return Err("signed attributes".into());
        }
        signature = (field.header().tag() == Tag::OctetString).then(|| field.value());
    }
    let key = certificate.tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes();
    let algorithm = &aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1;
    let key = aws_lc_rs::signature::UnparsedPublicKey::new(algorithm, key);
    key.verify(signed.content, signature.unwrap_or_default()).map_err(|_| "verification failure")?;
    Ok(serde_json::from_slice(signed.content)?)
}

fn taken_apart(mut certificates: &[u8]) -> der::Result<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    while !certificates.is_empty() {
        let mut reader = SliceReader::new(certificates)?;
        let der = reader.tlv_bytes()?;
        all.push(der.to_vec());
        certificates = certificates.get(der.len()..).unwrap_or_default();
    }
    Ok(all)
}

fn tlv(tag: Tag, value: &[u8]) -> Result<Vec<u8>, Broken> {
    Ok(Any::new(tag, value)?.to_der()?)
}

fn named(name: &str) -> Result<RdnSequence, SandboxError> {
    let mut subject = RdnSequence::default();
    if let Some(rdn) = x509::rdn(COMMON_NAME, &[name.to_owned()])? {
        subject.push(rdn);
    }
    Ok(subject)
}

/// The file that a certificate of that name is in.
fn file(name: &str) -> String {
    format!("{}.crt", name.replace(' ', "%20"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(attester: &Attester, nonce: &str, with_intermediates: bool) -> Vec<u8> {
        let document = attester.document(nonce, &json!({"vmId": "v"}), with_intermediates).unwrap();
        document.to_string().into_bytes()
    }

    fn chain(attester: &Attester) -> Vec<u8> {
        attester.intermediates.iter().flat_map(|(_, der)| der.clone()).collect()
    }

    #[test]
    fn what_it_signs_is_verified_and_nothing_else() {
        let (attester, other) = (Attester::new().unwrap(), Attester::new().unwrap());
        let good = made(&attester, "n", true);
        let full = chain(&attester);
        assert_eq!(attester.verify(&good, "n", Some(&full)).unwrap()["vmId"], "v");
        assert_eq!(attester.verify(&good, "n", None).unwrap()["vmId"], "v");
        let half = &attester.intermediates[0].1;
        // Another document under the same certificates.
        let envelope: Value = serde_json::from_slice(&good).unwrap();
        let message = STANDARD.decode(envelope["signature"].as_str().unwrap()).unwrap();
        let at = message.windows(3).position(|w| w == b"\"v\"").unwrap();
        let mut changed = message;
        changed[at + 1] = b'w';
        let changed =
            json!({"encoding": "pkcs7", "signature": STANDARD.encode(changed)}).to_string().into_bytes();
        for (document, challenge, chain, want) in [
            (&good, "m", Some(&full[..]), "challenge is missing or does not match"),
            (&good, "n", Some(&[]), "client did not send intermediate CAs"),
            (&good, "n", Some(half), "pkcs7: "),
            (&good, "n", Some(&full[..full.len() - 1]), "pkcs7: "),
            (&made(&other, "n", true), "n", Some(&full), "pkcs7: "),
            (&changed, "n", Some(&full), "pkcs7: verification failure"),
            (&b"{}".to_vec(), "n", Some(&full), "pkcs7: "),
        ] {
            let refusal = attester.verify(document, challenge, chain).unwrap_err();
            assert!(refusal.text.starts_with(want), "{want}: {}", refusal.text);
        }
    }

    /// Another implementation takes it for what it is.
    #[test]
    #[allow(clippy::disallowed_methods)]
    fn openssl_verifies_it() {
        let attester = Attester::new().unwrap();
        for with_intermediates in [true, false] {
            let document: Value = serde_json::from_slice(&made(&attester, "n", with_intermediates)).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name).display().to_string();
            let message = STANDARD.decode(document["signature"].as_str().unwrap()).unwrap();
            std::fs::write(path("message"), message).unwrap();
            // It takes intermediates from the message or from among the roots.
            let fetched = attester.intermediates.iter().map(|(_, der)| der).filter(|_| !with_intermediates);
            let known = [&attester.root].into_iter().chain(fetched);
            let known: String = known.map(|der| crate::identity::tls::pem_of(der)).collect();
            std::fs::write(path("known"), known).unwrap();
            let out = std::process::Command::new("openssl")
                .args([
                    "cms",
                    "-verify",
                    "-binary",
                    "-inform",
                    "DER",
                    "-purpose",
                    "any",
                    "-in",
                    &path("message"),
                ])
                .args(["-CAfile", &path("known")])
                .output()
                .unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            assert!(String::from_utf8_lossy(&out.stdout).contains(r#""nonce":"n""#));
        }
    }
}
