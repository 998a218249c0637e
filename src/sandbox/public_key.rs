//! The public keys of requests, read from each form that a request has them in.

use const_oid::db::rfc5912::{ID_EC_PUBLIC_KEY, RSA_ENCRYPTION, SECP_256_R_1};
use const_oid::db::rfc8410::ID_ED_25519;
use der::asn1::{Any, BitString, Uint};
use der::{Decode as _, Encode as _, Sequence};
use ssh_key::public::KeyData;
use ssh_key::{EcdsaCurve, PublicKey};
use x509_cert::der::DecodePem as _;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::refusal::{Kind, Refusal};

/// An `authorized_keys` line.
pub(super) fn from_line(line: &[u8]) -> Result<KeyData, Refusal> {
    let text = std::str::from_utf8(line).unwrap_or_default().trim();
    PublicKey::from_openssh(text)
        .map(|key| key.key_data().clone())
        .map_err(|_| Refusal::new(Kind::Other, "ssh: no key found"))
}

/// SSH wire form.
pub(super) fn from_wire(bytes: &[u8]) -> Result<KeyData, Refusal> {
    PublicKey::from_bytes(bytes)
        .map(|key| key.key_data().clone())
        .map_err(|_| Refusal::bad("failed to parse SSH public key"))
}

/// PKIX PEM, into DER.
pub(super) fn from_pem(pem: &[u8]) -> Result<Vec<u8>, Refusal> {
    SubjectPublicKeyInfoOwned::from_pem(pem)
        .and_then(|key| key.to_der())
        .map_err(|_| Refusal::bad("expected PEM encoded public key"))
}

/// PKIX DER, checked.
pub(super) fn from_der(der: &[u8]) -> Result<Vec<u8>, Refusal> {
    SubjectPublicKeyInfoOwned::from_der(der)
        .and_then(|key| key.to_der())
        .map_err(|_| Refusal::bad("failed to parse public key"))
}

/// The same SSH key as PKIX DER; kinds that Teleport does not use are refused.
pub(super) fn to_der(key: &KeyData) -> Result<Vec<u8>, Refusal> {
    encode(key).ok_or_else(|| Refusal::bad("unsupported key type"))
}

fn encode(key: &KeyData) -> Option<Vec<u8>> {
    let (oid, parameters, bits) = match key {
        KeyData::Ed25519(key) => (ID_ED_25519, None, key.as_ref().to_vec()),
        KeyData::Ecdsa(key) if key.curve() == EcdsaCurve::NistP256 => {
            (ID_EC_PUBLIC_KEY, Some(Any::encode_from(&SECP_256_R_1).ok()?), key.as_sec1_bytes().to_vec())
        }
        KeyData::Rsa(key) => {
            let modulus = Uint::new(key.n.as_positive_bytes()?).ok()?;
            let exponent = Uint::new(key.e.as_positive_bytes()?).ok()?;
            (RSA_ENCRYPTION, Some(Any::null()), RsaPublicKey { modulus, exponent }.to_der().ok()?)
        }
        _ => return None,
    };
    let algorithm = AlgorithmIdentifierOwned { oid, parameters };
    SubjectPublicKeyInfoOwned { algorithm, subject_public_key: BitString::from_bytes(&bits).ok()? }
        .to_der()
        .ok()
}

/// RFC 8017, A.1.1.
#[derive(Sequence)]
struct RsaPublicKey {
    modulus: Uint,
    exponent: Uint,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::keys::{KeyKind, KeyPair};

    #[test]
    fn public_keys_under_fire() {
        let key = KeyPair::generate(KeyKind::P256).unwrap();
        let line = key.public_ssh_line();
        let rsa = include_str!("../../tests/data/teleport/tbot_output/known_hosts");
        let rsa = &rsa[rsa.find("ssh-rsa").unwrap()..];
        let seeds = [line.as_bytes(), rsa.trim().as_bytes(), key.public_der(), key.public_pem().as_bytes()]
            .map(<[u8]>::to_vec);
        // ssh-key makes room for a length before it looks what is there: 1 MiB at most.
        crate::under_fire::parser("public keys", seeds).slow(2).memory(64, 2 << 20).bytes(|bytes| {
            for key in [from_line(bytes), from_wire(bytes)].into_iter().flatten() {
                let _ = to_der(&key);
            }
            let _ = (from_pem(bytes), from_der(bytes));
        });
    }
}
