//! X.509 certificates, put together and signed by hand.

use std::net::IpAddr;
use std::time::Duration;

use const_oid::AssociatedOid;
use const_oid::db::rfc5280::{ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH};
use const_oid::db::rfc5912::{ECDSA_WITH_SHA_256, ID_AD_CA_ISSUERS, SHA_256_WITH_RSA_ENCRYPTION};
use const_oid::db::rfc8410::ID_ED_25519;
use der::asn1::{Any, BitString, Ia5String, ObjectIdentifier, OctetString};
use der::{DateTime, Decode, Encode, Sequence, Tag};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::certificate::Version;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AccessDescription, AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage,
    KeyUsage, KeyUsages, SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, Extensions};
use x509_cert::name::{RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};

use super::error::SandboxError;
use super::random::random;
use crate::identity::keys::{KeyKind, KeyPair};

/// The fields of x509-cert's own `TbsCertificate` are private, so these are ours (RFC 5280, 4.1).
#[derive(Sequence)]
struct Tbs {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: Version,
    serial_number: SerialNumber,
    signature: AlgorithmIdentifierOwned,
    issuer: RdnSequence,
    validity: Validity,
    subject: RdnSequence,
    subject_public_key_info: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Extensions,
}

#[derive(Sequence)]
struct Certificate {
    tbs: Tbs,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

/// What a certificate is for.
pub(super) enum Purpose<'a> {
    /// A CA of its own: the authority key is left out.
    Ca,
    /// A CA below another one.
    Intermediate,
    /// A user: client and server authentication, as Teleport issues them.
    User,
    /// A TLS server with these names, IP addresses among them.
    Server(&'a [String]),
}

/// A certificate to be signed.
pub(super) struct Request<'a> {
    pub(super) serial: u128,
    pub(super) subject: RdnSequence,
    /// `SubjectPublicKeyInfo` DER.
    pub(super) public_key: &'a [u8],
    /// Unix seconds.
    pub(super) valid: (i64, i64),
    pub(super) purpose: Purpose<'a>,
    /// URL of the issuer's certificate.
    pub(super) issuer_address: Option<&'a str>,
}

/// Signs with the key of `issuer`, whose own public key is in its pair.
pub(super) fn sign(
    issuer: &RdnSequence,
    key: &KeyPair,
    request: Request<'_>,
) -> Result<Vec<u8>, SandboxError> {
    build(issuer, key, request).map_err(|e| SandboxError::create("X.509 certificate", e))
}

/// A random serial number, positive as RFC 5280 wants it.
pub(super) fn serial() -> Result<u128, SandboxError> {
    Ok((u128::from_be_bytes(random::<16>()?) >> 1) | 1 << 120)
}

/// One attribute. Printable text is a `PrintableString`, other text UTF-8, as Go encodes it.
pub(super) fn attribute(oid: ObjectIdentifier, value: &str) -> Result<AttributeTypeAndValue, SandboxError> {
    let printable = |b: u8| b.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&b);
    let tag = if value.bytes().all(printable) { Tag::PrintableString } else { Tag::Utf8String };
    let value = Any::new(tag, value.as_bytes()).map_err(|e| SandboxError::create("subject", e))?;
    Ok(AttributeTypeAndValue { oid, value })
}

/// One set of attributes; `None` when there is none.
pub(super) fn rdn(
    oid: ObjectIdentifier,
    values: &[String],
) -> Result<Option<RelativeDistinguishedName>, SandboxError> {
    if values.is_empty() {
        return Ok(None);
    }
    let mut unique = values.to_vec();
    unique.sort();
    unique.dedup();
    let attributes = unique.iter().map(|v| attribute(oid, v)).collect::<Result<Vec<_>, _>>()?;
    RelativeDistinguishedName::try_from(attributes).map(Some).map_err(|e| SandboxError::create("subject", e))
}

fn build(
    issuer: &RdnSequence,
    key: &KeyPair,
    request: Request<'_>,
) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let (oid, parameters) = match key.kind() {
        KeyKind::P256 => (ECDSA_WITH_SHA_256, None),
        KeyKind::Ed25519 => (ID_ED_25519, None),
        KeyKind::Rsa2048 => (SHA_256_WITH_RSA_ENCRYPTION, Some(Any::null())),
    };
    let algorithm = AlgorithmIdentifierOwned { oid, parameters };
    let extensions = extensions(&request, key)?;
    let tbs = Tbs {
        version: Version::V3,
        serial_number: SerialNumber::new(&request.serial.to_be_bytes())?,
        signature: algorithm.clone(),
        issuer: issuer.clone(),
        validity: Validity::new(time(request.valid.0)?, time(request.valid.1)?),
        subject: request.subject,
        subject_public_key_info: SubjectPublicKeyInfoOwned::from_der(request.public_key)?,
        extensions,
    };
    let signature = BitString::from_bytes(&key.sign(&tbs.to_der()?)?)?;
    Ok(Certificate { tbs, signature_algorithm: algorithm, signature }.to_der()?)
}

fn time(seconds: i64) -> Result<Time, Box<dyn std::error::Error>> {
    Ok(Time::from(DateTime::from_unix_duration(Duration::from_secs(u64::try_from(seconds)?))?))
}

fn extensions(request: &Request<'_>, issuer: &KeyPair) -> Result<Extensions, Box<dyn std::error::Error>> {
    let purpose = &request.purpose;
    let usage = KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment;
    let ca = matches!(purpose, Purpose::Ca | Purpose::Intermediate);
    let usage = if ca { usage | KeyUsages::KeyCertSign | KeyUsages::CRLSign } else { usage };
    let mut all = vec![
        extension(true, &KeyUsage(usage))?,
        extension(true, &BasicConstraints { ca, path_len_constraint: None })?,
    ];
    if ca {
        let own = OctetString::new(key_id(request.public_key)?)?;
        all.push(extension(false, &SubjectKeyIdentifier(own))?);
    }
    if let Some(address) = request.issuer_address {
        let access_location = GeneralName::UniformResourceIdentifier(Ia5String::new(address)?);
        let access = AccessDescription { access_method: ID_AD_CA_ISSUERS, access_location };
        all.push(extension(false, &AuthorityInfoAccessSyntax(vec![access]))?);
    }
    if matches!(purpose, Purpose::Ca) {
        return Ok(all);
    }
    let key_identifier = Some(OctetString::new(key_id(issuer.public_der())?)?);
    let authority = AuthorityKeyIdentifier { key_identifier, ..AuthorityKeyIdentifier::default() };
    all.push(extension(false, &authority)?);
    if matches!(purpose, Purpose::User | Purpose::Server(_)) {
        all.push(extension(false, &ExtendedKeyUsage(vec![ID_KP_SERVER_AUTH, ID_KP_CLIENT_AUTH]))?);
    }
    if let Purpose::Server(names) = purpose {
        let names = names.iter().map(|n| general_name(n)).collect::<Result<Vec<_>, _>>()?;
        all.push(extension(false, &SubjectAltName(names))?);
    }
    Ok(all)
}

fn extension<T: AssociatedOid + Encode>(critical: bool, value: &T) -> der::Result<Extension> {
    Ok(Extension { extn_id: T::OID, critical, extn_value: OctetString::new(value.to_der()?)? })
}

fn general_name(name: &str) -> der::Result<GeneralName> {
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => Ok(GeneralName::IpAddress(OctetString::new(ip.octets().to_vec())?)),
        Ok(IpAddr::V6(ip)) => Ok(GeneralName::IpAddress(OctetString::new(ip.octets().to_vec())?)),
        Err(_) => Ok(GeneralName::DnsName(Ia5String::new(name)?)),
    }
}

/// 160 bits of the SHA-256 of the public key (RFC 7093, 2).
fn key_id(public_key: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let spki = SubjectPublicKeyInfoOwned::from_der(public_key)?;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, spki.subject_public_key.raw_bytes());
    Ok(hash.as_ref().iter().take(20).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_positive_and_differ() {
        let (one, other) = (serial().unwrap(), serial().unwrap());
        assert_ne!(one, other);
        assert!([one, other].iter().all(|serial| (1 << 120..1 << 127).contains(serial)), "{one:x} {other:x}");
    }
}
