//! Each fault does what it says.

use jiff::Timestamp;

use super::client::{Channel, bot, http, json_of, tls, web_root};
use super::*;
use crate::identity::keys::{KeyKind, KeyPair};
use crate::identity::ssh::SshCertificate;
use crate::identity::tls::TlsCertificate;
use crate::sandbox::fault_injection::{CertificateKind, FaultInjection, Flaw, RefusedCall};
use crate::teleport::wire::join as wire;
use crate::teleport::wire::{Certs, Empty, PingResponse, UserCertsRequest};

async fn with(inject: FaultInjection) -> Sandbox {
    Sandbox::start(SandboxOptions { inject, ..options("18.2.0") }).await.unwrap()
}

#[tokio::test]
async fn pages_in_place_of_answers() {
    for (inject, find, other) in [
        (
            FaultInjection { html: true, ..FaultInjection::default() },
            "text/html; charset=utf-8",
            "application/json",
        ),
        (
            FaultInjection { html_everywhere: true, ..FaultInjection::default() },
            "text/html; charset=utf-8",
            "text/html; charset=utf-8",
        ),
    ] {
        let sandbox = with(inject).await;
        assert_eq!(http(&sandbox, "GET", "/webapi/find", &[], String::new()).await.1, find);
        assert_eq!(http(&sandbox, "GET", "/jwks", &[], String::new()).await.1, other);
    }
}

#[tokio::test]
async fn ping_with_less_and_with_more() {
    let inject = FaultInjection {
        ping_without_cluster_name: true,
        no_tls_routing: true,
        newer: true,
        ..FaultInjection::default()
    };
    let sandbox = with(inject).await;
    let ping = json_of(&sandbox, "/webapi/ping").await;
    assert!(ping.get("cluster_name").is_none() && ping.get("not_known_yet").is_some());
    assert_eq!(ping["proxy"]["tls_routing_enabled"], false);
    // Unknown fields in protobuf do not hinder the rest.
    let (client, host_ca) = bot(&sandbox).await;
    let mut auth = Channel::auth(&sandbox, &host_ca, &client).await;
    let ping: PingResponse = auth.call("/proto.AuthService/Ping", Empty {}).await.unwrap();
    assert_eq!(ping.cluster_name, "sandbox.example");
}

#[tokio::test]
async fn refused_calls() {
    let refused =
        RefusedCall { method: "GetClusterCACert".to_owned(), code: 8, message: "slow down".to_owned() };
    let sandbox = with(FaultInjection { refuse_calls: vec![refused], ..FaultInjection::default() }).await;
    let (client, host_ca) = bot(&sandbox).await;
    let mut auth = Channel::auth(&sandbox, &host_ca, &client).await;
    let status = auth.call::<_, Empty>("/proto.AuthService/GetClusterCACert", Empty {}).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (tonic::Code::ResourceExhausted, "slow down"));
}

/// What a client reads in a certificate: whether the key is the one asked for and a CA of the cluster signed it, user,
/// roles, seconds from now to its start and end.
#[derive(Debug, PartialEq)]
struct Read {
    own_key: bool,
    own_ca: bool,
    user: String,
    roles: Vec<String>,
    begun: bool,
    hours: i64,
}

impl Read {
    fn right() -> Self {
        let roles = vec!["ci-deploy".to_owned(), "ci-read".to_owned()];
        Self { own_key: true, own_ca: true, user: "bot-ci".to_owned(), roles, begun: true, hours: 1 }
    }

    fn dates(mut self, from: Timestamp, to: Timestamp) -> Self {
        let now = crate::env::now();
        self.begun = from <= now;
        // Rounded: the test itself takes a moment.
        self.hours = (to.as_second() - now.as_second() + 1800).div_euclid(3600);
        self.roles.sort();
        self
    }
}

/// A TLS, an SSH and a bundle certificate under this fault.
async fn issued(fault: (CertificateKind, Flaw)) -> [(CertificateKind, Read); 3] {
    let inject = FaultInjection { wrong_certificates: vec![fault], ..FaultInjection::default() };
    let sandbox = with(inject).await;
    let (client, host_ca) = bot(&sandbox).await;
    let mut auth = Channel::auth(&sandbox, &host_ca, &client).await;
    let key = KeyPair::generate(KeyKind::P256).unwrap();
    let mut request = UserCertsRequest {
        ssh_public_key: key.public_ssh_line().into_bytes(),
        tls_public_key: key.public_pem().into_bytes(),
        username: "bot-ci".to_owned(),
        role_requests: vec!["ci-deploy".to_owned(), "ci-read".to_owned()],
        use_role_requests: true,
        ..UserCertsRequest::default()
    };
    let both: Certs = auth.call("/proto.AuthService/GenerateUserCerts", request.clone()).await.unwrap();
    request.tls_public_key.clear();
    let bundle: Certs = auth.call("/proto.AuthService/GenerateUserCerts", request).await.unwrap();
    let ssh = |certs: &Certs| {
        let cert = SshCertificate::from_line(std::str::from_utf8(&certs.ssh).unwrap()).unwrap();
        let signer = ssh_key::PublicKey::from(cert.signed_by.clone()).to_openssh().unwrap();
        let read = Read {
            own_key: cert.public_key == *key.public_ssh(),
            own_ca: signer == sandbox.ssh_user_ca().trim(),
            user: cert.key_id.clone(),
            roles: cert.roles(),
            ..Read::right()
        };
        read.dates(cert.valid_after, cert.valid_before)
    };
    let cert = TlsCertificate::from_pem(std::str::from_utf8(&both.tls).unwrap()).unwrap();
    let verify = std::process::Command::new("openssl")
        .args(["verify", "-no_check_time", "-CAfile"])
        .args([saved(&both.tls_ca_certs[0]).path(), saved(&both.tls).path()])
        .output();
    let tls = Read {
        own_key: cert.public_key == key.public_der(),
        own_ca: verify.unwrap().status.success(),
        user: cert.common_name,
        roles: cert.organizations,
        ..Read::right()
    };
    [
        (CertificateKind::Tls, tls.dates(cert.not_before, cert.not_after)),
        (CertificateKind::Ssh, ssh(&both)),
        (CertificateKind::Bundle, ssh(&bundle)),
    ]
}

fn saved(content: &[u8]) -> tempfile::NamedTempFile {
    use std::io::Write as _;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    file
}

/// The one certificate has the one flaw, the two others have none.
async fn one_is_wrong(flaw: Flaw, wrong: impl Fn(&mut Read)) {
    for kind in [CertificateKind::Tls, CertificateKind::Ssh, CertificateKind::Bundle] {
        for (found, read) in issued((kind, flaw)).await {
            let mut want = Read::right();
            if found == kind {
                wrong(&mut want);
            }
            assert_eq!(read, want, "{flaw:?} in {kind:?}, seen in {found:?}");
        }
    }
}

#[tokio::test]
async fn certificates_for_a_foreign_key() {
    one_is_wrong(Flaw::ForeignKey, |read| read.own_key = false).await;
}

#[tokio::test]
async fn certificates_of_an_unknown_ca() {
    one_is_wrong(Flaw::UnknownCa, |read| read.own_ca = false).await;
}

#[tokio::test]
async fn certificates_of_another_user() {
    one_is_wrong(Flaw::ForeignUser, |read| read.user = "bot-other".to_owned()).await;
}

#[tokio::test]
async fn certificates_with_other_roles() {
    one_is_wrong(Flaw::MissingRole, |read| drop(read.roles.pop())).await;
    one_is_wrong(Flaw::ExtraRole, |read| read.roles.push("editor".to_owned())).await;
}

#[tokio::test]
async fn certificates_with_other_dates() {
    one_is_wrong(Flaw::LateEnd, |read| read.hours = 2).await;
    one_is_wrong(Flaw::FutureStart, |read| (read.begun, read.hours) = (false, 2)).await;
    one_is_wrong(Flaw::Ended, |read| read.hours = -1).await;
}

#[tokio::test]
async fn connections_that_break() {
    let sandbox = with(FaultInjection { close_after_bytes: Some(300), ..FaultInjection::default() }).await;
    assert!(tls(&sandbox, "127.0.0.1", &[], &web_root(&sandbox), None).await.is_err());
    assert!(sandbox.records().iter().all(|seen| !seen.established));
}

#[tokio::test]
async fn messages_of_an_unknown_kind_and_calls_without_end() {
    let hang_on = vec!["/webapi/find".to_owned()];
    let sandbox = with(FaultInjection {
        join_unknown_message: true,
        newer: true,
        hang_on,
        ..FaultInjection::default()
    })
    .await;
    let init = wire::ClientInit {
        join_method: None,
        token_name: "ci-github".to_owned(),
        system_role: "Bot".to_owned(),
    };
    let first = wire::JoinRequest { payload: Some(wire::Request::ClientInit(init)) };
    let mut channel = Channel::join(&sandbox).await;
    let path = "/teleport.join.v1.JoinService/Join";
    let mut answers = channel.stream::<_, wire::JoinResponse>(path, tokio_stream::once(first)).await.unwrap();
    assert_eq!(answers.message().await.unwrap().unwrap().payload, None);
    json_of(&sandbox, "/webapi/ping").await;
    let asked = http(&sandbox, "GET", "/webapi/find", &[], String::new());
    assert!(tokio::time::timeout(std::time::Duration::from_millis(200), asked).await.is_err());
    assert!(sandbox.records().iter().any(|seen| seen.paths == ["/webapi/find"]));
}
