//! SSH certificates signed with our own keys, and public keys from one form to the other.

use der::asn1::{Any, BitString, ObjectIdentifier, Uint};
use der::{Decode, Encode, Sequence};
use signature::Signer;
use ssh_key::certificate::{Builder, CertType};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, Certificate, EcdsaCurve, HashAlg, Signature};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::SandboxError;
use super::ca::Ca;
use crate::identity::keys::{KeyKind, KeyPair};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// A user certificate to be signed.
pub(super) struct UserRequest<'a> {
    pub(super) key: &'a KeyData,
    pub(super) key_id: &'a str,
    pub(super) principals: &'a [String],
    /// Unix seconds.
    pub(super) valid: (i64, i64),
    /// Name and value; an empty value is a flag, others get Teleport's inner length prefix.
    pub(super) extensions: &'a [(&'a str, String)],
}

/// Signs a user certificate.
pub(super) fn user(ca: &Ca, request: &UserRequest<'_>) -> Result<Certificate, SandboxError> {
    let build = || {
        let mut builder = builder(request.key, request.valid, CertType::User)?;
        builder.key_id(request.key_id)?;
        for principal in request.principals {
            builder.valid_principal(principal)?;
        }
        for (name, value) in request.extensions {
            builder.extension(*name, value.as_str())?;
        }
        builder.sign(&ca.ssh_signer())
    };
    build().map_err(|e| SandboxError::make("SSH certificate", e))
}

/// Signs a host certificate: one line.
pub(super) fn host(
    ca: &Ca,
    key: &KeyData,
    principals: &[&str],
    valid: (i64, i64),
) -> Result<String, SandboxError> {
    let build = || {
        let mut builder = builder(key, valid, CertType::Host)?;
        builder.key_id(principals.first().copied().unwrap_or_default())?;
        for principal in principals {
            builder.valid_principal(*principal)?;
        }
        builder.sign(&ca.ssh_signer())?.to_openssh()
    };
    build().map_err(|e| SandboxError::make("host certificate", e))
}

/// Random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], SandboxError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|e| SandboxError::make("random numbers", e))?;
    Ok(bytes)
}

/// The `SubjectPublicKeyInfo` DER of an SSH key; `None` for kinds Teleport does not use.
pub(super) fn spki(key: &KeyData) -> Option<Vec<u8>> {
    let (oid, parameters, bits) = match key {
        KeyData::Ed25519(key) => (ED25519, None, key.as_ref().to_vec()),
        KeyData::Ecdsa(key) if key.curve() == EcdsaCurve::NistP256 => {
            (EC, Some(Any::encode_from(&P256).ok()?), key.as_sec1_bytes().to_vec())
        }
        KeyData::Rsa(key) => {
            let modulus = Uint::new(key.n.as_positive_bytes()?).ok()?;
            let exponent = Uint::new(key.e.as_positive_bytes()?).ok()?;
            (RSA, Some(Any::null()), RsaPublicKey { modulus, exponent }.to_der().ok()?)
        }
        _ => return None,
    };
    let algorithm = AlgorithmIdentifierOwned { oid, parameters };
    SubjectPublicKeyInfoOwned { algorithm, subject_public_key: BitString::from_bytes(&bits).ok()? }
        .to_der()
        .ok()
}

/// A CA's key as ssh-key wants it for signing.
pub(super) struct CaSigner<'a>(pub(super) &'a KeyPair);

impl From<&CaSigner<'_>> for KeyData {
    fn from(signer: &CaSigner<'_>) -> Self {
        signer.0.public_ssh().clone()
    }
}

impl Signer<Signature> for CaSigner<'_> {
    fn try_sign(&self, message: &[u8]) -> Result<Signature, signature::Error> {
        let raw = self.0.sign(message).map_err(signature::Error::from_source)?;
        let (algorithm, data) = match self.0.kind() {
            KeyKind::Ed25519 => (Algorithm::Ed25519, raw),
            KeyKind::Rsa2048 => (Algorithm::Rsa { hash: Some(HashAlg::Sha256) }, raw),
            KeyKind::P256 => {
                let parsed = EcdsaSignature::from_der(&raw).map_err(signature::Error::from_source)?;
                let data = [mpint(parsed.r.as_bytes()), mpint(parsed.s.as_bytes())].concat();
                (Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 }, data)
            }
        };
        Signature::new(algorithm, data).map_err(signature::Error::from_source)
    }
}

#[derive(Sequence)]
struct RsaPublicKey {
    modulus: Uint,
    exponent: Uint,
}

#[derive(Sequence)]
struct EcdsaSignature {
    r: Uint,
    s: Uint,
}

fn builder(key: &KeyData, valid: (i64, i64), kind: CertType) -> Result<Builder, ssh_key::Error> {
    let seconds = |s: i64| u64::try_from(s).map_err(|_| ssh_key::Error::Time);
    let nonce = random::<32>().map_err(|_| ssh_key::Error::Crypto)?;
    let mut builder = Builder::new(nonce.to_vec(), key.clone(), seconds(valid.0)?, seconds(valid.1)?)?;
    builder.cert_type(kind)?;
    Ok(builder)
}

/// An SSH `mpint` (RFC 4251, 5) of a positive number without leading zeros.
fn mpint(bytes: &[u8]) -> Vec<u8> {
    let pad = usize::from(bytes.first().is_some_and(|b| b & 0x80 != 0));
    let length = u32::try_from(bytes.len() + pad).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], &[0][..pad], bytes].concat()
}
