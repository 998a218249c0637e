//! Key pairs of the kinds Teleport's suites use, in the forms that TLS and SSH consumers read.

mod read;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsBigEndian as _, AsDer, Curve25519SeedBin, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA512,
};
use secrecy::SecretString;
use ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData};
use ssh_key::public::{EcdsaPublicKey, Ed25519PublicKey, KeyData, RsaPublicKey};
use ssh_key::{LineEnding, Mpint};
use thiserror::Error;

use super::pem;
use crate::error::{Exit, StageError};
use crate::secret::PrivateKey;

/// The kinds of keys Teleport's suites use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum KeyKind {
    Rsa2048,
    P256,
    Ed25519,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa2048 => "RSA-2048",
            Self::P256 => "P-256",
            Self::Ed25519 => "Ed25519",
        })
    }
}

/// A private key with its public half in both forms.
#[derive(Clone)]
pub struct KeyPair {
    key: Arc<Key>,
    private: PrivateKey,
    public_der: Vec<u8>,
    public_ssh: KeyData,
    ssh_pem: SecretString,
    tls_pem: SecretString,
}

/// The library's own form, which signs.
enum Key {
    Rsa2048(rsa::KeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl KeyPair {
    /// Generates a key. RSA takes 30–180 ms, the others less than 1.
    pub fn generate(kind: KeyKind) -> Result<Self, KeyError> {
        let key = match kind {
            KeyKind::Rsa2048 => rsa::KeyPair::generate(KeySize::Rsa2048).map(Key::Rsa2048),
            KeyKind::P256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map(Key::P256),
            KeyKind::Ed25519 => Ed25519KeyPair::generate().map(Key::Ed25519),
        };
        Self::new(key.map_err(|_| KeyError::Generate(kind))?)
    }

    /// The kind of both halves.
    pub fn kind(&self) -> KeyKind {
        match *self.key {
            Key::Rsa2048(_) => KeyKind::Rsa2048,
            Key::P256(_) => KeyKind::P256,
            Key::Ed25519(_) => KeyKind::Ed25519,
        }
    }

    /// The private key, PKCS#8 DER (for rustls).
    pub fn private(&self) -> &PrivateKey {
        &self.private
    }

    /// The public key, PKIX `SubjectPublicKeyInfo` DER.
    pub fn public_der(&self) -> &[u8] {
        &self.public_der
    }

    /// The same as PEM (`PUBLIC KEY`), ending in a newline, as Go writes it.
    pub fn public_pem(&self) -> String {
        pem::encode("PUBLIC KEY", &self.public_der).to_string()
    }

    /// The public key for SSH.
    pub fn public_ssh(&self) -> &KeyData {
        &self.public_ssh
    }

    /// The `authorized_keys` line of the public key, no comment, ending in a newline (as Teleport's client sends it).
    pub fn public_ssh_line(&self) -> String {
        let line = ssh_key::PublicKey::from(self.public_ssh.clone()).to_openssh();
        // Encoding a key of our own cannot fail; an empty line would be refused by whoever reads it.
        line.unwrap_or_default() + "\n"
    }

    /// The private key for a TLS consumer: PKCS#8 PEM.
    pub fn tls_pem(&self) -> SecretString {
        self.tls_pem.clone()
    }

    /// The private key for OpenSSH: Ed25519 in the OpenSSH container (9.2 cannot read it as PKCS#8), others PKCS#8.
    pub fn ssh_pem(&self) -> SecretString {
        self.ssh_pem.clone()
    }

    /// Signs: PKCS#1 v1.5 SHA-256 for RSA, ECDSA SHA-256 (ASN.1 DER) for P-256, pure Ed25519.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        let signature = match &*self.key {
            Key::Rsa2048(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map(|()| signature)
            }
            Key::P256(key) => key.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Key::Ed25519(key) => key.try_sign(message).map(|signature| signature.as_ref().to_vec()),
        };
        signature.map_err(|_| KeyError::Sign)
    }

    /// Signs with RSA, PKCS#1 v1.5 SHA-512; other kinds as [`KeyPair::sign`] does.
    pub fn sign_sha512(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let Key::Rsa2048(key) = &*self.key else { return self.sign(message) };
        let mut signature = vec![0; key.public_modulus_len()];
        let signed = key.sign(&RSA_PKCS1_SHA512, &SystemRandom::new(), message, &mut signature);
        signed.map(|()| signature).map_err(|_| KeyError::Sign)
    }

    /// Derives the public half and the text forms.
    fn new(key: Key) -> Result<Self, KeyError> {
        let odd = || KeyError::Unreadable("its public half cannot be derived");
        let private = PrivateKey::from_pkcs8(key.pkcs8().map_err(|_| odd())?);
        let tls_pem = SecretString::from(pem::encode("PRIVATE KEY", private.expose()).as_str());
        let (public_der, public_ssh) = key.public().ok_or_else(odd)?;
        let ssh_pem = match &key {
            Key::Ed25519(key) => container(key).ok_or_else(odd)?,
            Key::Rsa2048(_) | Key::P256(_) => tls_pem.clone(),
        };
        Ok(Self { key: Arc::new(key), private, public_der, public_ssh, ssh_pem, tls_pem })
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("kind", &self.kind()).finish_non_exhaustive()
    }
}

impl Key {
    /// PKCS#8 version 1: OpenSSL and Go refuse version 2.
    fn pkcs8(&self) -> Result<Vec<u8>, Unspecified> {
        Ok(match self {
            Self::Rsa2048(key) => AsDer::<Pkcs8V1Der<'_>>::as_der(key)?.as_ref().to_vec(),
            Self::P256(key) => key.to_pkcs8v1()?.as_ref().to_vec(),
            Self::Ed25519(key) => key.to_pkcs8v1()?.as_ref().to_vec(),
        })
    }

    /// The public half: `SubjectPublicKeyInfo` DER, and for SSH.
    fn public(&self) -> Option<(Vec<u8>, KeyData)> {
        let (der, ssh) = match self {
            Self::Rsa2048(key) => {
                let public = key.public_key();
                let e = public.exponent().big_endian_without_leading_zero();
                let n = public.modulus().big_endian_without_leading_zero();
                let (e, n) = (Mpint::from_positive_bytes(e).ok()?, Mpint::from_positive_bytes(n).ok()?);
                (AsDer::<PublicKeyX509Der<'_>>::as_der(public), KeyData::Rsa(RsaPublicKey { e, n }))
            }
            Self::P256(key) => {
                let public = key.public_key();
                let ssh = EcdsaPublicKey::from_sec1_bytes(public.as_ref()).ok()?;
                (AsDer::<PublicKeyX509Der<'_>>::as_der(public), KeyData::Ecdsa(ssh))
            }
            Self::Ed25519(key) => {
                let public = key.public_key();
                let ssh = Ed25519PublicKey(public.as_ref().try_into().ok()?);
                (AsDer::<PublicKeyX509Der<'_>>::as_der(public), KeyData::Ed25519(ssh))
            }
        };
        Some((der.ok()?.as_ref().to_vec(), ssh))
    }
}

/// The OpenSSH container of an Ed25519 key.
fn container(key: &Ed25519KeyPair) -> Option<SecretString> {
    let seed = key.seed().ok()?;
    let seed: Curve25519SeedBin<'_> = seed.as_be_bytes().ok()?;
    let private = Ed25519PrivateKey::try_from(seed.as_ref()).ok()?;
    let public = Ed25519PublicKey(key.public_key().as_ref().try_into().ok()?);
    let key = ssh_key::PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair { public, private }), "").ok()?;
    Some(SecretString::from(key.to_openssh(LineEnding::LF).ok()?.as_str()))
}

/// Why a key could not be generated, read or used. Never carries key material.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The crypto library failed.
    #[error("could not generate a key ({0})")]
    Generate(KeyKind),
    /// A form that is not read, and why.
    #[error("could not read the private key")]
    Unreadable(&'static str),
    /// The crypto library failed.
    #[error("could not sign")]
    Sign,
}

impl StageError for KeyError {
    fn exit(&self) -> Exit {
        match self {
            Self::Generate(_) | Self::Sign => Exit::Internal,
            Self::Unreadable(_) => Exit::Files,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Unreadable(why) => vec![(*why).to_owned()],
            Self::Generate(_) | Self::Sign => Vec::new(),
        }
    }
}
