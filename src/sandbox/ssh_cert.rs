//! SSH certificates, signed with our own keys.

use der::asn1::Uint;
use der::{Decode as _, Sequence};
use signature::Signer;
use ssh_key::certificate::{Builder, CertType};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, Certificate, EcdsaCurve, HashAlg, Signature};

use super::error::SandboxError;
use super::random::random;
use crate::identity::keys::{KeyKind, KeyPair};

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

/// Signs a user certificate with the key of a CA.
pub(super) fn user(ca: &KeyPair, request: &UserRequest<'_>) -> Result<Certificate, SandboxError> {
    let build = || {
        let mut builder = builder(request.key, request.valid, CertType::User)?;
        builder.key_id(request.key_id)?;
        for principal in request.principals {
            builder.valid_principal(principal)?;
        }
        for (name, value) in request.extensions {
            builder.extension(*name, value.as_str())?;
        }
        builder.sign(&CaSigner(ca))
    };
    build().map_err(|e| SandboxError::create("SSH certificate", e))
}

/// Signs a host certificate, valid from and to Unix seconds: one line.
pub(super) fn host(
    ca: &KeyPair,
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
        builder.sign(&CaSigner(ca))?.to_openssh()
    };
    build().map_err(|e| SandboxError::create("host certificate", e))
}

/// A CA's key as ssh-key wants it for signing.
struct CaSigner<'a>(&'a KeyPair);

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

/// RFC 3279, 2.2.3.
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
