//! Keys as `openssl` and `ssh-keygen` read and write them.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Command, Stdio};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
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
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
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
    let key = KeyPair::from_pem(&pem::encode("PRIVATE KEY", v2.as_ref())).unwrap();
    let tls = file(&dir, "v1", key.tls_pem().expose_secret());
    assert_eq!(output("openssl", &["pkey", "-in", &tls, "-pubout"]), key.public_pem());

    let path = dir.path().join("p256").display().to_string();
    output("ssh-keygen", &["-q", "-t", "ecdsa", "-b", "256", "-N", "", "-C", "", "-f", &path]);
    let key = KeyPair::from_pem(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let line = std::fs::read_to_string(path + ".pub").unwrap();
    assert_eq!((key.kind(), key.public_ssh_line().trim()), (KeyKind::P256, line.trim()));

    let large = output("openssl", &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"]);
    assert!(KeyPair::from_pem(&large).unwrap_err().in_one_line().contains("2048"));
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
        (p256.replace("END", "ENDE"), "has no end"),
        ("-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----".into(), "PEM is damaged"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----".into(), "PKCS#8 is damaged"),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----".into(),
            "encrypted",
        ),
    ] {
        let error = KeyPair::from_pem(&text).unwrap_err().in_one_line();
        assert!(error.contains(want), "{error}");
    }
}

#[test]
fn debug_shows_no_key() {
    let key = KeyPair::generate(KeyKind::Ed25519).unwrap();
    let shown = format!("{key:?}");
    let body = key.tls_pem().expose_secret().lines().nth(1).unwrap().to_owned();
    assert!(!shown.contains(&body) && shown.contains("Ed25519"), "{shown}");
}
