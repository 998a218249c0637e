//! Certificates, keys, tokens and the files that have them.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::parser;
use crate::claims::UnverifiedClaims;
use crate::cloud::azure::AttestedDocument;
use crate::cloud::azure::pkcs7::SignedData;
use crate::identity::keys::{KeyKind, KeyPair};
use crate::identity::logins;
use crate::identity::ssh::SshCertificate;
use crate::identity::tls::{TlsCertificate, ders_of};
use crate::run::inspect::{key_kind, kubeconfig};
use crate::secret::Jwt;

/// From `tests/data`.
macro_rules! data {
    ($path:literal) => {
        include_str!(concat!("../../tests/data/", $path))
    };
}

const BUNDLE: &str = data!("teleport/tbot_output/identity.txt");

#[test]
fn ssh_certificates() {
    let line = BUNDLE.lines().find(|line| line.starts_with("ssh-rsa-cert")).unwrap();
    let blob = line.split(' ').nth(1).unwrap().to_owned();
    // ssh-key makes room for a length before it looks what is there: 1 MiB at most.
    let room = 2 << 20;
    parser("SSH certificates, lines", [line, data!("teleport/tbot_output/key-cert.txt")])
        .slow(2)
        .memory(64, room)
        .text(|text| drop(SshCertificate::from_line(text)));
    // Bent below the base64, which hides nearly all of it else.
    parser("SSH certificates, blobs", [STANDARD.decode(blob).unwrap()]).slow(2).memory(64, room).bytes(
        |bytes| {
            let line = format!("ssh-rsa-cert-v01@openssh.com {}", STANDARD.encode(bytes));
            if let Ok(certificate) = SshCertificate::from_line(&line) {
                let _ = (certificate.logins(), certificate.roles(), certificate.traits());
            }
        },
    );
}

#[test]
fn x509_certificates() {
    let pem = &BUNDLE[BUNDLE.find("-----BEGIN CERTIFICATE").unwrap()..];
    let ders = ders_of(pem).unwrap();
    parser("X.509 certificates, DER", &ders).bytes(|bytes| {
        if let Ok(certificate) = TlsCertificate::from_der(bytes) {
            let _ = (certificate.attribute("1.7"), key_kind::from_tls(&certificate.public_key));
        }
    });
    parser("X.509 certificates, PEM", [pem]).slow(4).text(|text| {
        let _ = (TlsCertificate::from_pem(text), ders_of(text));
    });
}

/// Boundaries without end, each of which could be looked for to the end of the file.
#[test]
fn bundles_of_pem_under_fire() {
    let block = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
    parser("bundles of PEM", ["-----BEGIN A-----", block]).slow(4).text(|text| {
        let _ = (ders_of(text), KeyPair::from_pem(text));
    });
    for part in ["-----BEGIN CERTIFICATE-----", "-----BEGIN A-----\n-----END B-----\n", block] {
        let text = part.repeat(1024 * 1024 / part.len());
        let _ = ders_of(&text);
    }
    let text = (0..30_000).fold(String::new(), |text, number| text + &format!("-----BEGIN {number}-----"));
    assert!(ders_of(&text).unwrap().is_empty() && KeyPair::from_pem(&text).is_err());
}

#[test]
fn private_keys() {
    use secrecy::ExposeSecret as _;
    let keys = [KeyKind::P256, KeyKind::Ed25519].map(|kind| KeyPair::generate(kind).unwrap());
    let pems: Vec<String> = keys
        .iter()
        .flat_map(|key| [key.tls_pem(), key.ssh_pem()])
        .map(|pem| pem.expose_secret().to_owned())
        .collect();
    // `ssh-encoding` takes the memory that a length asks for, 1 MiB at most, before it has the bytes.
    let pem = parser("private keys, PEM", &pems).memory(64, 1280 * 1024);
    pem.slow(4).text(|text| drop(KeyPair::from_pem(text)));
    let ders: Vec<Vec<u8>> = keys.iter().map(|key| key.private().expose().to_vec()).collect();
    parser("private keys, PKCS#8", ders).slow(4).bytes(|bytes| drop(KeyPair::from_pkcs8(bytes)));
}

#[test]
fn identity_tokens() {
    let claims = r#"{"iss":"https://a","sub":"repo:a/b","aud":["x"],"exp":1795237031,"nbf":1.5e300,"oidc.circleci.com/project-id":"p"}"#;
    parser("claims", [claims]).memory(200, 256 * 1024).bytes(|bytes| {
        let Ok(claims) = UnverifiedClaims::from_json(bytes) else { return };
        let _ =
            (claims.audiences(), claims.expires(), claims.issued_at(), claims.not_before(), claims.subject());
    });
    let payload = URL_SAFE_NO_PAD.encode(claims);
    parser("identity tokens", [format!("eyJhbGciOiJSUzI1NiJ9.{payload}.c2ln"), "***".into()]).text(|text| {
        if let Ok(jwt) = Jwt::parse(text) {
            let _ = UnverifiedClaims::decode(&jwt);
        }
    });
}

#[test]
fn traits_and_names() {
    parser("traits", [r#"{"logins":["a","b"],"odd":1,"mixed":["x",2]}"#])
        .memory(200, 256 * 1024)
        .text(|text| drop(logins::traits(text)));
}

#[test]
fn kubeconfigs() {
    let file = "apiVersion: v1\nkind: Config\ncurrent-context: b\ncontexts:\n- {name: a, context: {cluster: a, user: u}}\nusers:\n\
                - {name: u, user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}}\n";
    parser("kubeconfigs", [file]).slow(4).memory(2_000, 16 << 20).text(|text| {
        let _ = (kubeconfig::is_kubeconfig(text), kubeconfig::read(text));
    });
}

#[test]
fn attested_documents() {
    let sample: Value = serde_json::from_str(data!("azure/attested.json")).unwrap();
    let message = STANDARD.decode(sample["signature"].as_str().unwrap()).unwrap();
    parser("attested documents", [data!("azure/attested.json")])
        .bytes(|bytes| drop(AttestedDocument::parse(bytes.to_vec())));
    parser("PKCS#7", [message]).bytes(|bytes| {
        if let Ok(signed) = SignedData::parse(bytes) {
            assert!(signed.certificates.iter().map(Vec::len).sum::<usize>() <= bytes.len());
        }
    });
}

/// A folder that `inspect` reads, with what somebody left in it.
#[test]
fn folders() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = r#"{"jobpass":"0.1.0","dry_run":true,"files":["key","../x","jobpass.json"],"outputs":[{"logins":[{"login":"a"}]}]}"#;
    parser("folders", [manifest, BUNDLE]).slow(20).memory(2_000, 16 << 20).bytes(move |bytes| {
        for name in ["jobpass.json", "identity", "tlscert", "kubeconfig.yaml"] {
            write(&folder.path().join(name), bytes);
        }
        let _ = crate::run::inspect::material::Material::read(folder.path());
    });
}

#[allow(clippy::disallowed_methods)]
fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}
