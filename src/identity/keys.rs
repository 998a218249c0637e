//! Key pairs: made with aws-lc-rs, written as OpenSSH or PKCS#8.

use std::fmt::Write as _;

use aws_lc_rs::encoding::{AsBigEndian as _, AsDer, Curve25519SeedBin, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use ssh_key::private::{EcdsaKeypair, Ed25519Keypair, Ed25519PrivateKey, KeypairData};
use ssh_key::public::{EcdsaPublicKey, Ed25519PublicKey, KeyData, RsaPublicKey};
use ssh_key::{LineEnding, Mpint};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::secret::PrivateKey;

/// The kinds of keys Teleport's suites use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum KeyKind {
    Rsa2048,
    P256,
    Ed25519,
}

/// Length of the one RSA modulus there is a kind for.
const RSA_BYTES: usize = 256;

/// A private key with its public half in both forms.
#[derive(Debug, Clone)]
pub struct KeyPair {
    kind: KeyKind,
    private: PrivateKey,
    public_der: Vec<u8>,
    public_ssh: KeyData,
    ssh_pem: SecretString,
    tls_pem: SecretString,
}

impl KeyPair {
    /// Makes a new key. RSA takes 30–180 ms, the others less than 1.
    pub fn generate(kind: KeyKind) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Generate(kind);
        let pkcs8 = match kind {
            KeyKind::Rsa2048 => {
                let key = rsa::KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                AsDer::<Pkcs8V1Der<'_>>::as_der(&key).map_err(failed)?.as_ref().to_vec()
            }
            KeyKind::P256 => {
                let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(failed)?;
                key.to_pkcs8v1().map_err(failed)?.as_ref().to_vec()
            }
            KeyKind::Ed25519 => {
                let key = Ed25519KeyPair::generate().map_err(failed)?;
                key.to_pkcs8v1().map_err(failed)?.as_ref().to_vec()
            }
        };
        Self::of(kind, PrivateKey::from_pkcs8(pkcs8))
    }

    /// Reads PKCS#8 PEM, PKCS#1 PEM (`RSA PRIVATE KEY`, as older tbot writes), SEC1 (`EC PRIVATE KEY`) or an unencrypted
    /// OpenSSH container with an Ed25519 or P-256 key. The first such block counts; what is around it does not.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let (label, der) = first_key(pem)?;
        match label.as_str() {
            "PRIVATE KEY" => Self::from_pkcs8(&der),
            "RSA PRIVATE KEY" => {
                let key = rsa::KeyPair::from_der(&der)
                    .map_err(|_| KeyError::Unreadable("its PKCS#1 is damaged"))?;
                let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&key)
                    .map_err(|_| KeyError::Unreadable("an odd RSA key"))?;
                Self::from_pkcs8(pkcs8.as_ref())
            }
            "EC PRIVATE KEY" => {
                let key = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, &der)
                    .map_err(|_| KeyError::Unreadable("its SEC1 is damaged, or not P-256"))?;
                let pkcs8 = key.to_pkcs8v1().map_err(|_| KeyError::Unreadable("an odd EC key"))?;
                Self::from_pkcs8(pkcs8.as_ref())
            }
            "OPENSSH PRIVATE KEY" => {
                let key = ssh_key::PrivateKey::from_bytes(&der)
                    .map_err(|_| KeyError::Unreadable("its OpenSSH container is damaged"))?;
                Self::from_container(key.key_data())
            }
            _ => Err(KeyError::Unreadable("an encrypted or unknown kind of key")),
        }
    }

    fn from_container(key: &KeypairData) -> Result<Self, KeyError> {
        match key {
            KeypairData::Ed25519(pair) => {
                let odd = |_| KeyError::Unreadable("an odd Ed25519 key");
                let seed = Zeroizing::new(pair.private.to_bytes());
                let key = Ed25519KeyPair::from_seed_and_public_key(&*seed, &pair.public.0).map_err(odd)?;
                let pkcs8 = key.to_pkcs8v1().map_err(|_| KeyError::Unreadable("an odd Ed25519 key"))?;
                Self::from_pkcs8(pkcs8.as_ref())
            }
            KeypairData::Ecdsa(EcdsaKeypair::NistP256 { public, private }) => {
                let (algorithm, private) = (&ECDSA_P256_SHA256_ASN1_SIGNING, private.as_slice());
                let key =
                    EcdsaKeyPair::from_private_key_and_public_key(algorithm, private, public.as_bytes())
                        .map_err(|_| KeyError::Unreadable("an odd EC key"))?;
                let pkcs8 = key.to_pkcs8v1().map_err(|_| KeyError::Unreadable("an odd EC key"))?;
                Self::from_pkcs8(pkcs8.as_ref())
            }
            _ => Err(KeyError::Unreadable(
                "an OpenSSH container that is encrypted, or not of Ed25519 or P-256",
            )),
        }
    }

    /// Reads PKCS#8 DER, whichever kind it holds. An Ed25519 key is kept in version 1: OpenSSL and Go refuse version 2.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let private = PrivateKey::from_pkcs8(der.to_vec());
        if EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der).is_ok() {
            return Self::of(KeyKind::P256, private);
        }
        if let Ok(key) = Ed25519KeyPair::from_pkcs8(der) {
            let v1 = key.to_pkcs8v1().map_err(|_| KeyError::Unreadable("an odd Ed25519 key"))?;
            return Self::of(KeyKind::Ed25519, PrivateKey::from_pkcs8(v1.as_ref().to_vec()));
        }
        if let Ok(key) = rsa::KeyPair::from_pkcs8(der) {
            if key.public_modulus_len() != RSA_BYTES {
                return Err(KeyError::Unreadable("an RSA key of another size than 2048 bits"));
            }
            return Self::of(KeyKind::Rsa2048, private);
        }
        Err(KeyError::Unreadable("its PKCS#8 is damaged, or of a kind jobpass does not know"))
    }

    /// What kind it is.
    pub fn kind(&self) -> KeyKind {
        self.kind
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
        pem("PUBLIC KEY", &self.public_der).to_string()
    }

    /// The public key for SSH.
    pub fn public_ssh(&self) -> &KeyData {
        &self.public_ssh
    }

    /// The `authorized_keys` line of the public key, no comment, ending in a newline (as Teleport's client sends it).
    pub fn public_ssh_line(&self) -> String {
        let line = ssh_key::PublicKey::from(self.public_ssh.clone()).to_openssh();
        // Encoding a key of our own making cannot fail; an empty line would be refused by whoever reads it.
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
        let (random, der) = (SystemRandom::new(), self.private.expose());
        match self.kind {
            KeyKind::Rsa2048 => {
                let key = rsa::KeyPair::from_pkcs8(der).map_err(|_| KeyError::Sign)?;
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(|_| KeyError::Sign)?;
                Ok(signature)
            }
            KeyKind::P256 => {
                let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der)
                    .map_err(|_| KeyError::Sign)?;
                Ok(key.sign(&random, message).map_err(|_| KeyError::Sign)?.as_ref().to_vec())
            }
            KeyKind::Ed25519 => {
                let key = Ed25519KeyPair::from_pkcs8(der).map_err(|_| KeyError::Sign)?;
                Ok(key.try_sign(message).map_err(|_| KeyError::Sign)?.as_ref().to_vec())
            }
        }
    }

    /// Works out the public half and the text forms.
    fn of(kind: KeyKind, private: PrivateKey) -> Result<Self, KeyError> {
        let odd = |_| KeyError::Unreadable("its public half cannot be worked out");
        let der = private.expose();
        let tls_pem = secret(&pem("PRIVATE KEY", der));
        let (public_der, public_ssh) = match kind {
            KeyKind::Rsa2048 => {
                let key =
                    rsa::KeyPair::from_pkcs8(der).map_err(|_| KeyError::Unreadable("an odd RSA key"))?;
                let public = key.public_key();
                let positive = |bytes: &[u8]| {
                    Mpint::from_positive_bytes(bytes).map_err(|_| KeyError::Unreadable("an odd RSA key"))
                };
                let (e, n) = (
                    positive(public.exponent().big_endian_without_leading_zero())?,
                    positive(public.modulus().big_endian_without_leading_zero())?,
                );
                let der = AsDer::<PublicKeyX509Der<'_>>::as_der(public).map_err(odd)?.as_ref().to_vec();
                (der, KeyData::Rsa(RsaPublicKey { e, n }))
            }
            KeyKind::P256 => {
                let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der)
                    .map_err(|_| KeyError::Unreadable("an odd EC key"))?;
                let public = key.public_key();
                let ssh = EcdsaPublicKey::from_sec1_bytes(public.as_ref())
                    .map_err(|_| KeyError::Unreadable("an odd EC key"))?;
                let der = AsDer::<PublicKeyX509Der<'_>>::as_der(public).map_err(odd)?.as_ref().to_vec();
                (der, KeyData::Ecdsa(ssh))
            }
            KeyKind::Ed25519 => {
                let key = Ed25519KeyPair::from_pkcs8(der)
                    .map_err(|_| KeyError::Unreadable("an odd Ed25519 key"))?;
                let public = key.public_key();
                let bytes: [u8; 32] =
                    public.as_ref().try_into().map_err(|_| KeyError::Unreadable("an odd Ed25519 key"))?;
                let der = AsDer::<PublicKeyX509Der<'_>>::as_der(public).map_err(odd)?.as_ref().to_vec();
                let ssh_pem = container(&key, bytes)?;
                let public_ssh = KeyData::Ed25519(Ed25519PublicKey(bytes));
                return Ok(Self { kind, private, public_der: der, public_ssh, ssh_pem, tls_pem });
            }
        };
        Ok(Self { kind, private, public_der, public_ssh, ssh_pem: tls_pem.clone(), tls_pem })
    }
}

/// Why a key could not be made, read or used. Never carries key material.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The crypto library refused to make a key.
    #[error("no {0:?} key could be generated")]
    Generate(KeyKind),
    /// A form we do not read.
    #[error("not a private key we can read: {0}")]
    Unreadable(&'static str),
    /// Signing failed.
    #[error("signing failed")]
    Sign,
}

/// The OpenSSH container of an Ed25519 key.
fn container(key: &Ed25519KeyPair, public: [u8; 32]) -> Result<SecretString, KeyError> {
    let odd = || KeyError::Unreadable("an odd Ed25519 key");
    let seed = key.seed().map_err(|_| odd())?;
    let seed: Curve25519SeedBin<'_> = seed.as_be_bytes().map_err(|_| odd())?;
    let private = Ed25519PrivateKey::try_from(seed.as_ref()).map_err(|_| odd())?;
    let pair = Ed25519Keypair { public: Ed25519PublicKey(public), private };
    let key = ssh_key::PrivateKey::new(KeypairData::Ed25519(pair), "").map_err(|_| odd())?;
    Ok(secret(&key.to_openssh(LineEnding::LF).map_err(|_| odd())?))
}

fn secret(text: &Zeroizing<String>) -> SecretString {
    SecretString::from(text.as_str())
}

/// PEM with 64 columns (RFC 7468).
fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = Zeroizing::new(String::with_capacity(body.len() + body.len() / 64 + 64));
    let _ = writeln!(text, "-----BEGIN {label}-----");
    for line in body.as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap_or_default());
        text.push('\n');
    }
    let _ = writeln!(text, "-----END {label}-----");
    text
}

/// Label and DER of the first private key block.
fn first_key(text: &str) -> Result<(String, Zeroizing<Vec<u8>>), KeyError> {
    let begin = "-----BEGIN ";
    for (at, _) in text.match_indices(begin) {
        let rest = text.get(at + begin.len()..).unwrap_or_default();
        let Some((label, rest)) = rest.split_once("-----") else { break };
        if !label.ends_with("PRIVATE KEY") {
            continue;
        }
        let end = format!("-----END {label}-----");
        let Some((body, _)) = rest.split_once(&end) else {
            return Err(KeyError::Unreadable("its PEM block does not end"));
        };
        let body: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
        let der = STANDARD.decode(body.as_bytes()).map_err(|_| KeyError::Unreadable("its PEM is damaged"))?;
        return Ok((label.to_owned(), Zeroizing::new(der)));
    }
    Err(KeyError::Unreadable("no PEM block of a private key"))
}

impl crate::error::StageError for KeyError {
    fn exit(&self) -> crate::error::Exit {
        crate::error::Exit::Internal
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    use std::process::{Command, Stdio};

    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    };
    use secrecy::ExposeSecret as _;

    use super::*;

    const KINDS: [KeyKind; 3] = [KeyKind::Rsa2048, KeyKind::P256, KeyKind::Ed25519];

    fn output(program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn file(dir: &tempfile::TempDir, name: &str, content: &str) -> String {
        let path = dir.path().join(name);
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
        file.write_all(content.as_bytes()).unwrap();
        path.display().to_string()
    }

    #[test]
    fn openssh_and_openssl_read_every_kind() {
        let dir = tempfile::tempdir().unwrap();
        for kind in KINDS {
            let key = KeyPair::generate(kind).unwrap();
            let ssh = file(&dir, &format!("{kind:?}.ssh"), key.ssh_pem().expose_secret());
            assert_eq!(
                output("ssh-keygen", &["-y", "-f", &ssh]).trim(),
                key.public_ssh_line().trim(),
                "{kind:?}"
            );
            let tls = file(&dir, &format!("{kind:?}.tls"), key.tls_pem().expose_secret());
            assert_eq!(output("openssl", &["pkey", "-in", &tls, "-pubout"]), key.public_pem(), "{kind:?}");
        }
    }

    #[test]
    fn reads_back_what_it_and_others_wrote() {
        let dir = tempfile::tempdir().unwrap();
        for kind in KINDS {
            let key = KeyPair::generate(kind).unwrap();
            for pem in [key.ssh_pem(), key.tls_pem()] {
                let again = KeyPair::from_pem(&format!("# before\n{}after", pem.expose_secret())).unwrap();
                assert_eq!((again.kind(), again.public_der()), (kind, key.public_der()));
                assert_eq!(again.public_ssh(), key.public_ssh());
            }
            let tls = file(&dir, &format!("{kind:?}"), key.tls_pem().expose_secret());
            if kind != KeyKind::Ed25519 {
                // PKCS#1 and SEC1.
                let old = output("openssl", &["pkey", "-in", &tls, "-traditional"]);
                assert!(!old.contains("BEGIN PRIVATE KEY"), "{old}");
                assert_eq!(KeyPair::from_pem(&old).unwrap().public_der(), key.public_der(), "{kind:?}");
            }
        }
    }

    #[test]
    fn keeps_keys_in_the_form_others_read() {
        let dir = tempfile::tempdir().unwrap();
        let v2 = Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap();
        let key = KeyPair::from_pem(&pem("PRIVATE KEY", v2.as_ref())).unwrap();
        let tls = file(&dir, "v1", key.tls_pem().expose_secret());
        assert_eq!(output("openssl", &["pkey", "-in", &tls, "-pubout"]), key.public_pem());

        let path = dir.path().join("p256").display().to_string();
        output("ssh-keygen", &["-q", "-t", "ecdsa", "-b", "256", "-N", "", "-C", "", "-f", &path]);
        let key = KeyPair::from_pem(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let line = std::fs::read_to_string(path + ".pub").unwrap();
        assert_eq!((key.kind(), key.public_ssh_line().trim()), (KeyKind::P256, line.trim()));

        let large = output("openssl", &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"]);
        assert!(KeyPair::from_pem(&large).unwrap_err().to_string().contains("2048"));
    }

    #[test]
    fn signs() {
        for kind in KINDS {
            let key = KeyPair::generate(kind).unwrap();
            let signature = key.sign(b"message").unwrap();
            let spki = x509_cert::spki::SubjectPublicKeyInfoRef::try_from(key.public_der()).unwrap();
            let raw = spki.subject_public_key.raw_bytes();
            let algorithm: &dyn aws_lc_rs::signature::VerificationAlgorithm = match kind {
                KeyKind::Rsa2048 => &RSA_PKCS1_2048_8192_SHA256,
                KeyKind::P256 => &ECDSA_P256_SHA256_ASN1,
                KeyKind::Ed25519 => &ED25519,
            };
            UnparsedPublicKey::new(algorithm, raw).verify(b"message", &signature).unwrap();
            assert!(UnparsedPublicKey::new(algorithm, raw).verify(b"massage", &signature).is_err());
        }
    }

    #[test]
    fn says_why_a_key_cannot_be_read() {
        let p256 = KeyPair::generate(KeyKind::P256).unwrap().tls_pem().expose_secret().to_owned();
        for (text, want) in [
            (String::new(), "no PEM block"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----".into(), "no PEM block"),
            (p256.replace("END", "ENDE"), "does not end"),
            ("-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----".into(), "PEM is damaged"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----".into(), "PKCS#8 is damaged"),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----".into(),
                "encrypted",
            ),
        ] {
            let error = KeyPair::from_pem(&text).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let key = KeyPair::generate(KeyKind::Ed25519).unwrap();
        let shown = format!("{key:?}");
        let body = key.tls_pem().expose_secret().lines().nth(1).unwrap().to_owned();
        assert!(!shown.contains(&body) && shown.contains("redacted"), "{shown}");
    }
}
