//! What kind of key a public key is, in the words people use: `RSA-2048`, `P-256`, `Ed25519`.

use der::asn1::{ObjectIdentifier, UintRef};
use der::{Decode as _, Sequence};
use ssh_key::EcdsaCurve;
use ssh_key::public::KeyData;
use x509_cert::spki::SubjectPublicKeyInfoRef;

/// RFC 8017, 5480, 8410.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// Of an SSH public key.
pub fn of_ssh(key: &KeyData) -> String {
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

/// Of a `SubjectPublicKeyInfo` (DER).
pub fn of_tls(der: &[u8]) -> String {
    let unknown = || "an unknown kind".to_owned();
    let Ok(info) = SubjectPublicKeyInfoRef::from_der(der) else { return unknown() };
    match info.algorithm.oid {
        ED25519 => "Ed25519".to_owned(),
        EC => match info.algorithm.parameters_oid() {
            Ok(P256) => "P-256".to_owned(),
            Ok(P384) => "P-384".to_owned(),
            Ok(P521) => "P-521".to_owned(),
            _ => unknown(),
        },
        RSA => match RsaPublicKey::from_der(info.subject_public_key.raw_bytes()) {
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
            assert_eq!((of_ssh(key.public_ssh()).as_str(), of_tls(key.public_der()).as_str()), (want, want));
        }
        assert_eq!(of_tls(&[0x30, 0]), "an unknown kind");
    }
}
