//! Private keys read from the forms that OpenSSL, OpenSSH, Go and tbot write.

use aws_lc_rs::rsa;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use ssh_key::private::{EcdsaKeypair, KeypairData};
use zeroize::Zeroizing;

use super::{Key, KeyError, KeyPair};
use crate::identity::pem::{self, PemError};

/// Length of the modulus of [`super::KeyKind::Rsa2048`].
const RSA_BYTES: usize = 256;

impl KeyPair {
    /// Reads PKCS#8 PEM, PKCS#1 PEM (`RSA PRIVATE KEY`, as older tbot writes), SEC1 (`EC PRIVATE KEY`) or an unencrypted
    /// OpenSSH container with an Ed25519 or P-256 key. The first such block counts; what is around it does not.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = pem::blocks(text)
            .find(|block| block.label.ends_with("PRIVATE KEY"))
            .ok_or(KeyError::Unreadable("it has no PEM block of a private key"))?;
        let der = block.decode().map_err(|error| match error {
            PemError::Unfinished => KeyError::Unreadable("its PEM block has no end"),
            PemError::Damaged => KeyError::Unreadable("its PEM is damaged"),
        })?;
        match block.label {
            "PRIVATE KEY" => Self::from_pkcs8(&der),
            "RSA PRIVATE KEY" => {
                rsa(rsa::KeyPair::from_der(&der)
                    .map_err(|_| KeyError::Unreadable("its PKCS#1 is damaged"))?)
            }
            "EC PRIVATE KEY" => {
                let key = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, &der)
                    .map_err(|_| KeyError::Unreadable("its SEC1 is damaged, or not P-256"))?;
                Self::new(Key::P256(key))
            }
            "OPENSSH PRIVATE KEY" => {
                let key = ssh_key::PrivateKey::from_bytes(&der)
                    .map_err(|_| KeyError::Unreadable("its OpenSSH container is damaged"))?;
                container(key.key_data())
            }
            _ => Err(KeyError::Unreadable("it is encrypted, or of an unknown kind")),
        }
    }

    /// Reads PKCS#8 DER of any [`super::KeyKind`].
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(key) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der) {
            return Self::new(Key::P256(key));
        }
        if let Ok(key) = Ed25519KeyPair::from_pkcs8(der) {
            return Self::new(Key::Ed25519(key));
        }
        rsa(rsa::KeyPair::from_pkcs8(der)
            .map_err(|_| KeyError::Unreadable("its PKCS#8 is damaged, or of an unknown kind"))?)
    }
}

fn rsa(key: rsa::KeyPair) -> Result<KeyPair, KeyError> {
    if key.public_modulus_len() != RSA_BYTES {
        return Err(KeyError::Unreadable("it is an RSA key of another size than 2048 bits"));
    }
    KeyPair::new(Key::Rsa2048(key))
}

/// The key in an OpenSSH container.
fn container(key: &KeypairData) -> Result<KeyPair, KeyError> {
    let inconsistent = |_| KeyError::Unreadable("the halves of its OpenSSH container do not match");
    match key {
        KeypairData::Ed25519(pair) => {
            let seed = Zeroizing::new(pair.private.to_bytes());
            let key =
                Ed25519KeyPair::from_seed_and_public_key(&*seed, &pair.public.0).map_err(inconsistent)?;
            KeyPair::new(Key::Ed25519(key))
        }
        KeypairData::Ecdsa(EcdsaKeypair::NistP256 { public, private }) => {
            let (algorithm, private) = (&ECDSA_P256_SHA256_ASN1_SIGNING, private.as_slice());
            let key = EcdsaKeyPair::from_private_key_and_public_key(algorithm, private, public.as_bytes())
                .map_err(inconsistent)?;
            KeyPair::new(Key::P256(key))
        }
        _ => Err(KeyError::Unreadable("its OpenSSH container is encrypted, or not of Ed25519 or P-256")),
    }
}
