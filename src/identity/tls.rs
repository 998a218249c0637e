//! An issued X.509 certificate: standard fields and Teleport's own attributes in the subject.

use const_oid::db::rfc4519::{COMMON_NAME, LOCALITY_NAME, ORGANIZATION_NAME, POSTAL_CODE, SERIAL_NUMBER};
use der::asn1::{Ia5StringRef, ObjectIdentifier, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use der::{Any, Decode as _, Encode as _, Tag, Tagged as _};
use jiff::Timestamp;
use thiserror::Error;
use x509_cert::Certificate;
use x509_cert::name::{Name, RelativeDistinguishedName};
use x509_cert::time::Time;

use super::logins::{self, Traits};
use super::pem;
use crate::error::{Exit, StageError};

/// A parsed client certificate. Its signature is *not* checked here.
#[derive(Debug, Clone)]
pub struct TlsCertificate {
    /// PEM with a trailing newline.
    pub pem: String,
    /// The same as DER.
    pub der: Vec<u8>,
    /// CN of the subject: the user.
    pub common_name: String,
    /// O values: roles.
    pub organizations: Vec<String>,
    /// L values: logins.
    pub localities: Vec<String>,
    /// `postalCode`: traits.
    pub traits: Traits,
    /// `serialNumber` of the subject, which Teleport does not use; ours marks dry runs with it.
    pub subject_serial: Option<String>,
    /// CN of the issuer, which is the cluster's name.
    pub issuer_common_name: String,
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
    /// `SubjectPublicKeyInfo` DER.
    pub public_key: Vec<u8>,
    /// Subject attributes under 1.3.9999 (Teleport `lib/tlsca`), by their dotted tail: `("1.7", "lab.example")`.
    pub attributes: Vec<(String, String)>,
}

/// Below which Teleport keeps its own attributes.
const TELEPORT: &str = "1.3.9999.";
/// No certificate in the field is near this.
const MAX_DER: usize = 64 * 1024;

impl TlsCertificate {
    /// Reads the first `CERTIFICATE` block.
    pub fn from_pem(pem: &str) -> Result<Self, TlsCertError> {
        let first = ders_of(pem)?.into_iter().next();
        Self::from_der(&first.ok_or(TlsCertError::Missing("PEM block"))?)
    }

    /// Reads DER.
    pub fn from_der(bytes: &[u8]) -> Result<Self, TlsCertError> {
        if bytes.len() > MAX_DER {
            return Err(TlsCertError::Malformed("larger than 64 KiB".into()));
        }
        let malformed = |e: der::Error| TlsCertError::Malformed(e.to_string());
        let certificate = Certificate::from_der(bytes).map_err(malformed)?;
        let tbs = certificate.tbs_certificate();
        let subject = values(tbs.subject());
        let values_of =
            |oid: ObjectIdentifier| subject.iter().filter(move |(o, _)| *o == oid).map(|(_, v)| v.clone());
        let teleport = |(oid, value): &(ObjectIdentifier, String)| {
            oid.to_string().strip_prefix(TELEPORT).map(|tail| (tail.to_owned(), value.clone()))
        };
        let issuer = values(tbs.issuer());
        Ok(Self {
            pem: pem_of(bytes),
            der: bytes.to_vec(),
            common_name: values_of(COMMON_NAME).next().ok_or(TlsCertError::Missing("common name"))?,
            organizations: values_of(ORGANIZATION_NAME).collect(),
            localities: values_of(LOCALITY_NAME).collect(),
            traits: values_of(POSTAL_CODE).next().map(|text| logins::traits(&text)).unwrap_or_default(),
            subject_serial: values_of(SERIAL_NUMBER).next(),
            issuer_common_name: issuer
                .into_iter()
                .find_map(|(oid, value)| (oid == COMMON_NAME).then_some(value))
                .unwrap_or_default(),
            not_before: timestamp(tbs.validity().not_before)?,
            not_after: timestamp(tbs.validity().not_after)?,
            public_key: tbs.subject_public_key_info().to_der().map_err(malformed)?,
            attributes: subject.iter().filter_map(teleport).collect(),
        })
    }

    /// The approved access requests that it was issued by (attribute 2.8; recorded with 15).
    pub fn access_requests(&self) -> Vec<String> {
        self.attributes.iter().filter(|(tail, _)| tail == "2.8").map(|(_, id)| id.clone()).collect()
    }

    /// The first value of an attribute under 1.3.9999, e.g. `1.7` (the Teleport cluster), `2.1` (database service).
    pub fn attribute(&self, tail: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name == tail).map(|(_, value)| value.as_str())
    }
}

/// A PEM block (64 columns) with a trailing newline.
pub fn pem_of(der: &[u8]) -> String {
    pem::encode("CERTIFICATE", der).to_string()
}

/// All `CERTIFICATE` blocks of a bundle as DER; what is between them is skipped.
pub fn ders_of(text: &str) -> Result<Vec<Vec<u8>>, TlsCertError> {
    let blocks = pem::blocks(text).filter(|block| block.label == "CERTIFICATE");
    blocks.map(|block| block.decode().map(|der| der.to_vec()).map_err(|_| TlsCertError::Pem)).collect()
}

/// Why a certificate could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TlsCertError {
    /// A PEM block that has no end, or is not base64.
    #[error("the PEM of the certificate is damaged")]
    Pem,
    /// Not X.509, with the parser's reason.
    #[error("not an X.509 certificate")]
    Malformed(String),
    /// A field every Teleport certificate has is missing.
    #[error("the certificate has no {0}")]
    Missing(&'static str),
}

impl StageError for TlsCertError {
    fn exit(&self) -> Exit {
        Exit::Files
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Malformed(reason) => vec![reason.clone()],
            Self::Pem | Self::Missing(_) => Vec::new(),
        }
    }
}

/// All attributes of a name, in order; several may share one RDN.
fn values(name: &Name) -> Vec<(ObjectIdentifier, String)> {
    name.iter_rdn()
        .flat_map(RelativeDistinguishedName::iter)
        .filter_map(|at| Some((at.oid, text(&at.value)?)))
        .collect()
}

fn text(value: &Any) -> Option<String> {
    match value.tag() {
        Tag::Utf8String => value.decode_as::<Utf8StringRef<'_>>().ok().map(|s| s.as_str().to_owned()),
        Tag::PrintableString => {
            value.decode_as::<PrintableStringRef<'_>>().ok().map(|s| s.as_str().to_owned())
        }
        Tag::Ia5String => value.decode_as::<Ia5StringRef<'_>>().ok().map(|s| s.as_str().to_owned()),
        Tag::TeletexString => value.decode_as::<TeletexStringRef<'_>>().ok().map(|s| s.as_str().to_owned()),
        _ => None,
    }
}

fn timestamp(time: Time) -> Result<Timestamp, TlsCertError> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_err(|_| TlsCertError::Missing("usable date"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the first certificate on: the key before it was blotted out.
    fn recorded() -> &'static str {
        let text = include_str!("../../tests/data/teleport/tbot_output/identity.txt");
        &text[text.find("-----BEGIN CERTIFICATE").unwrap()..]
    }

    #[test]
    fn reads_a_recorded_certificate() {
        let cert = TlsCertificate::from_pem(recorded()).unwrap();
        assert_eq!((cert.common_name.as_str(), cert.issuer_common_name.as_str()), ("bot-ci", "lab.example"));
        assert_eq!(cert.organizations, ["ci-read", "ci-deploy"]);
        assert_eq!(cert.localities, ["root", "deploy", "reader", "trait-login", "-teleport-internal-join"]);
        assert_eq!(cert.not_before.to_string(), "2026-11-21T04:53:59Z");
        assert_eq!(cert.not_after.to_string(), "2026-11-21T05:54:59Z");
        for (tail, want) in
            [("1.7", Some("lab.example")), ("2.7", Some("bot-ci")), ("2.9", Some("true")), ("1.4", None)]
        {
            assert_eq!(cert.attribute(tail), want, "{tail}");
        }
        assert!(recorded().contains(&cert.pem), "the PEM form is Go's");
        assert_eq!(ders_of(recorded()).unwrap().len(), 2);
    }

    #[test]
    fn refuses_what_is_none() {
        assert!(matches!(TlsCertificate::from_pem("hello"), Err(TlsCertError::Missing("PEM block"))));
        assert!(matches!(TlsCertificate::from_der(&[0x30, 0x03, 1, 2]), Err(TlsCertError::Malformed(_))));
        assert!(matches!(TlsCertificate::from_der(&vec![0; MAX_DER + 1]), Err(TlsCertError::Malformed(_))));
        assert!(ders_of("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").is_err());
    }

    proptest::proptest! {
        #[test]
        fn never_panics_on_bent_bytes(at in 0_usize..1_000, byte: u8) {
            let mut der = ders_of(recorded()).unwrap().remove(0);
            let at = at % der.len();
            der[at] = byte;
            let _ = TlsCertificate::from_der(&der);
        }
    }
}
