//! The kind of a public key, in the words people use: `RSA-2048`, `P-256`, `Ed25519`.

use const_oid::db::rfc5912::{ID_EC_PUBLIC_KEY, RSA_ENCRYPTION, SECP_256_R_1, SECP_384_R_1, SECP_521_R_1};
use const_oid::db::rfc8410::ID_ED_25519;
use der::asn1::UintRef;
use der::{Decode as _, Sequence};
use ssh_key::EcdsaCurve;
use ssh_key::public::KeyData;
use x509_cert::spki::SubjectPublicKeyInfoRef;

/// The kind of an SSH public key.
pub fn from_ssh(key: &KeyData) -> String {
    match key {
        KeyData::Ed25519(_) => "Ed25519".to_owned(),
        KeyData::Rsa(key) => rsa(key.n.as_positive_bytes().unwrap_or_default()),
        KeyData::Ecdsa(key) => match key.curve() {
            EcdsaCurve::NistP256 => "P-256",
            EcdsaCurve::NistP384 => "P-384",
            EcdsaCurve::NistP521 => "P-521",
        }
        .to_owned(),
        other => other.algorithm().as_str().to_owned(),
    }
}

/// The kind of a `SubjectPublicKeyInfo` (DER).
pub fn from_tls(der: &[u8]) -> String {
    let unknown = || "an unknown kind".to_owned();
    let Ok(info) = SubjectPublicKeyInfoRef::from_der(der) else { return unknown() };
    match info.algorithm.oid {
        ID_ED_25519 => "Ed25519".to_owned(),
        ID_EC_PUBLIC_KEY => match info.algorithm.parameters_oid() {
            Ok(SECP_256_R_1) => "P-256".to_owned(),
            Ok(SECP_384_R_1) => "P-384".to_owned(),
            Ok(SECP_521_R_1) => "P-521".to_owned(),
            _ => unknown(),
        },
        RSA_ENCRYPTION => match RsaPublicKey::from_der(info.subject_public_key.raw_bytes()) {
            Ok(key) => rsa(key.modulus.as_bytes()),
            Err(_) => unknown(),
        },
        _ => unknown(),
    }
}

/// RFC 8017, A.1.1.
#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    #[allow(dead_code)] // it must be there, but says nothing
    exponent: UintRef<'a>,
}

/// By the modulus, big endian without leading zeros.
fn rsa(modulus: &[u8]) -> String {
    let unused = modulus.first().map_or(0, |b| b.leading_zeros() as usize);
    format!("RSA-{}", modulus.len() * 8 - unused.min(modulus.len() * 8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::keys::{KeyKind, KeyPair};

    #[test]
    fn names_every_kind() {
        for (kind, want) in
            [(KeyKind::Rsa2048, "RSA-2048"), (KeyKind::P256, "P-256"), (KeyKind::Ed25519, "Ed25519")]
        {
            let key = KeyPair::generate(kind).unwrap();
            assert_eq!(
                (from_ssh(key.public_ssh()).as_str(), from_tls(key.public_der()).as_str()),
                (want, want)
            );
        }
        assert_eq!(from_tls(&[0x30, 0]), "an unknown kind");
    }

    #[test]
    fn names_kinds_that_we_do_not_make() {
        // SEC 1: the identifiers of the curves, and points of their sizes.
        for (head, point, want) in [
            (&b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00"[..], 97, "P-384"),
            (b"\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23\x03\x81\x86\x00", 133, "P-521"),
        ] {
            assert_eq!(from_tls(&[head, &vec![4; point]].concat()), want);
        }
    }
}
