//! Recorded certificates, changed one fact at a time.

use prost::Message as _;
use serde_json::Value;

use super::*;
use crate::identity::keys::{KeyKind, KeyPair};
use crate::identity::{Authority, SshIdentity, TlsIdentity};
use crate::teleport::auth_service::authority;
use crate::teleport::wire::GetCertAuthoritiesResponse;

/// A recorded output of 2026-11-21, 04:53:59 to 05:54:59.
const IDENTITY: &str = include_str!("../../../tests/data/teleport/tbot_output/identity.txt");

pub(in crate::verify) fn at(time: &str) -> Timestamp {
    format!("2026-11-21T{time}Z").parse().unwrap()
}

fn certificates() -> (SshCertificate, TlsCertificate) {
    let line = IDENTITY.lines().find(|l| l.starts_with("ssh-rsa-cert")).unwrap();
    let pem = &IDENTITY[IDENTITY.find("-----BEGIN CERTIFICATE").unwrap()..];
    (SshCertificate::from_line(line).unwrap(), TlsCertificate::from_pem(pem).unwrap())
}

/// The recorded certificates as if they were for keys of ours.
pub(in crate::verify) fn identity() -> Identity {
    let (mut ssh, mut tls) = certificates();
    let key = KeyPair::generate(KeyKind::P256).unwrap();
    ssh.public_key = key.public_ssh().clone();
    tls.public_key = key.public_der().to_vec();
    Identity {
        bundle_ssh_cert: Some(ssh.clone()),
        ssh: Some(SshIdentity { key: key.clone(), cert: ssh }),
        tls: TlsIdentity { key, cert: tls },
    }
}

/// The user CA that the cluster of the recording lists.
pub(in crate::verify) fn authorities() -> Authorities {
    let recorded: Vec<Value> =
        serde_json::from_str(include_str!("../../../tests/data/teleport/auth_service.json")).unwrap();
    let listed = recorded.iter().find(|e| {
        e["case"] == "user" && e["method"].as_str().is_some_and(|m| m.ends_with("GetCertAuthorities"))
    });
    let hex = listed.unwrap()["response_hex"].as_str().unwrap();
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect();
    let answer = GetCertAuthoritiesResponse::decode(&bytes[..]).unwrap();
    let user: Vec<Authority> =
        answer.cert_authorities_v2.into_iter().map(|ca| authority(ca).unwrap()).collect();
    assert_eq!(user.len(), 1);
    Authorities { user, ..Authorities::default() }
}

pub(in crate::verify) const ROLES: [&str; 2] = ["ci-deploy", "ci-read"];

fn found(identity: &Identity, authorities: &Authorities, now: &str, roles: &[&str], asked: &str) -> String {
    let roles: Vec<String> = roles.iter().map(|r| (*r).to_owned()).collect();
    let request = Request {
        user: "bot-ci",
        route: &Route::Cluster,
        is_approved: false,
        roles: &roles,
        asked: at(asked),
        now: at(now),
    };
    check(identity, authorities, &request)
        .err()
        .map_or_else(|| "right".to_owned(), |(what, found)| format!("{what}: {found}"))
}

#[test]
fn recorded_certificates_are_right() {
    let (identity, cas) = (identity(), authorities());
    for now in ["05:00:00", "05:54:58", "04:52:30"] {
        assert_eq!(found(&identity, &cas, now, &ROLES, "05:54:59"), "right", "{now}");
    }
}

type Change = fn(&mut SshCertificate, &KeyPair);
type TlsChange = fn(&mut TlsCertificate, &KeyPair);

#[test]
fn each_fact_of_each_certificate_counts() {
    let cas = authorities();
    let other = KeyPair::generate(KeyKind::P256).unwrap();
    let changes: [(Change, &str); 8] = [
        (|c, other| c.public_key = other.public_ssh().clone(), "it is for a different key"),
        (|c, other| c.signed_by = other.public_ssh().clone(), "none of the cluster's user CAs signed it"),
        (|c, _| c.key_id = "bot-other".into(), "it is for the user `bot-other`"),
        (|c, _| c.valid_before = at("04:59:59"), "it expired at 2026-11-21T04:59:59Z"),
        (|c, _| c.valid_after = at("05:02:01"), "it is not valid before 2026-11-21T05:02:01Z"),
        (
            |c, _| c.principals.push("a\u{1b}[2J".into()),
            "it has a name that Teleport would not allow: `a\u{1b}[2J`",
        ),
        (|c, _| c.valid_before = at("05:57:00"), "it expires at 2026-11-21T05:57:00Z, later than asked"),
        (
            |c, _| {
                c.extensions.iter_mut().filter(|(n, _)| n == "teleport-roles").for_each(|(_, v)| {
                    *v = r#"{"version":"v1","roles":["ci-deploy","ci-read","editor"]}"#.into();
                });
            },
            "it has the role `editor`, which was not asked for",
        ),
    ];
    for (change, wanted) in changes {
        let mut ssh = identity();
        change(&mut ssh.ssh.as_mut().unwrap().cert, &other);
        let shown = found(&ssh, &cas, "05:00:00", &ROLES, "05:54:59");
        assert_eq!(shown, format!("SSH certificate: {wanted}"));
        let mut bundle = identity();
        change(bundle.bundle_ssh_cert.as_mut().unwrap(), &other);
        let shown = found(&bundle, &cas, "05:00:00", &ROLES, "05:54:59");
        assert_eq!(shown, format!("SSH certificate of the `identity` file: {wanted}"));
    }
    let changes: [(TlsChange, &str); 9] = [
        (|c, other| c.public_key = other.public_der().to_vec(), "it is for a different key"),
        (
            |c, _| {
                c.der = {
                    let n = c.der.len();
                    let mut d = c.der.clone();
                    d[n - 1] ^= 1;
                    d
                }
            },
            "none of the cluster's user CAs signed it",
        ),
        (|c, _| c.common_name = "bot-other".into(), "it is for the user `bot-other`"),
        (|c, _| c.not_after = at("04:59:59"), "it expired at 2026-11-21T04:59:59Z"),
        (|c, _| c.not_before = at("05:02:01"), "it is not valid before 2026-11-21T05:02:01Z"),
        (|c, _| c.organizations.push("editor".into()), "it has the role `editor`, which was not asked for"),
        (|c, _| c.organizations.push("##[a]".into()), "it has a name that Teleport would not allow: `##[a]`"),
        (
            |c, _| c.localities.push("\n::error::x".into()),
            "it has a name that Teleport would not allow: `\n::error::x`",
        ),
        (|c, _| c.organizations.retain(|r| r != "ci-read"), "it lacks the role `ci-read`"),
    ];
    for (change, wanted) in changes {
        let mut tls = identity();
        change(&mut tls.tls.cert, &other);
        let shown = found(&tls, &cas, "05:00:00", &ROLES, "05:54:59");
        assert_eq!(shown, format!("TLS certificate: {wanted}"));
    }
}

#[test]
fn what_was_asked_for_counts() {
    let (identity, cas) = (identity(), authorities());
    let shown = found(&identity, &cas, "05:00:00", &["ci-deploy"], "05:54:59");
    assert_eq!(shown, "TLS certificate: it has the role `ci-read`, which was not asked for");
    let shown = found(&identity, &cas, "05:00:00", &["ci-deploy", "ci-read", "db"], "05:54:59");
    assert_eq!(shown, "TLS certificate: it lacks the role `db`");
    let shown = found(&identity, &cas, "05:00:00", &ROLES, "05:50:00");
    assert_eq!(shown, "TLS certificate: it expires at 2026-11-21T05:54:59Z, later than asked");
    let mut long = self::identity();
    let ssh = &mut long.ssh.as_mut().unwrap().cert;
    ssh.valid_after = "2026-11-20T05:00:00Z".parse().unwrap();
    let shown = found(&long, &cas, "05:00:00", &ROLES, "05:54:59");
    assert_eq!(shown, "SSH certificate: it is valid for more than 24h, until 2026-11-21T05:54:59Z");
    // Our clock may be behind the cluster's.
    let mut ahead = self::identity();
    ahead.tls.cert.not_before = at("05:02:00");
    assert_eq!(found(&ahead, &cas, "05:00:00", &ROLES, "05:54:59"), "right");
    // Teleport's certificates begin a minute early.
    let day = |begin: &str| {
        let mut long = self::identity();
        long.tls.cert.not_before = begin.parse().unwrap();
        found(&long, &cas, "05:00:00", &ROLES, "05:54:59")
    };
    assert_eq!(day("2026-11-20T05:52:59Z"), "right");
    assert_eq!(
        day("2026-11-20T05:52:58Z"),
        "TLS certificate: it is valid for more than 24h, until 2026-11-21T05:54:59Z"
    );
    let none = Authorities::default();
    let shown = found(&identity, &none, "05:00:00", &ROLES, "05:54:59");
    assert_eq!(shown, "TLS certificate: none of the cluster's user CAs signed it");
}
