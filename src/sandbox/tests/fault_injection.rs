//! Each fault does what it says.

use super::client::{Channel, bot, http, json_of, tls, web_root};
use super::*;
use crate::identity::keys::{KeyKind, KeyPair};
use crate::identity::tls::TlsCertificate;
use crate::sandbox::fault_injection::{FaultInjection, RefusedCall};
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
async fn refused_calls_and_wrong_keys() {
    let refused =
        RefusedCall { method: "GetClusterCACert".to_owned(), code: 8, message: "slow down".to_owned() };
    let sandbox =
        with(FaultInjection { wrong_key: true, refuse_calls: vec![refused], ..FaultInjection::default() })
            .await;
    let (client, host_ca) = bot(&sandbox).await;
    let mut auth = Channel::auth(&sandbox, &host_ca, &client).await;
    let status = auth.call::<_, Empty>("/proto.AuthService/GetClusterCACert", Empty {}).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (tonic::Code::ResourceExhausted, "slow down"));
    let key = KeyPair::generate(KeyKind::P256).unwrap();
    let request = UserCertsRequest {
        public_key: key.public_ssh_line().into_bytes(),
        username: "bot-ci".to_owned(),
        role_requests: vec!["ci-read".to_owned()],
        use_role_requests: true,
        ..UserCertsRequest::default()
    };
    let certs: Certs = auth.call("/proto.AuthService/GenerateUserCerts", request).await.unwrap();
    let cert = TlsCertificate::from_pem(std::str::from_utf8(&certs.tls).unwrap()).unwrap();
    assert_ne!(cert.public_key, key.public_der());
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
