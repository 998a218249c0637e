//! Kubernetes behind the proxy's port.

use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;

use super::client::{Channel, Client, bot, tls, web_root};
use super::*;
use crate::env::Env;
use crate::identity::keys::{KeyKind, KeyPair};
use crate::identity::tls::ders_of;
use crate::log::Log;
use crate::net::{Deadline, HostPort, Network, Options};
use crate::teleport::kube::{KubeServer, Signer, probe};
use crate::teleport::wire::{Certs, UserCertsRequest};

const NAME: &str = "kube-teleport-proxy-alpn.teleport.cluster.local";

fn with_kube() -> SandboxOptions {
    let kube = SandboxKubeCluster { name: "prod".into(), labels: Vec::new() };
    SandboxOptions { kube_clusters: vec![kube], ..options("18.2.0") }
}

async fn client(sandbox: &Sandbox, kube: &str) -> (Client, Vec<u8>) {
    let (bot, host_ca) = bot(sandbox).await;
    let key = KeyPair::generate(KeyKind::P256).unwrap();
    let request = UserCertsRequest {
        tls_public_key: key.public_pem().into_bytes(),
        username: "bot-ci".to_owned(),
        role_requests: vec!["ci-deploy".to_owned()],
        use_role_requests: true,
        kubernetes_cluster: kube.to_owned(),
        ..UserCertsRequest::default()
    };
    let mut auth = Channel::auth(sandbox, &host_ca, &bot).await;
    let certs: Certs = auth.call("/proto.AuthService/GenerateUserCerts", request).await.unwrap();
    let der = ders_of(std::str::from_utf8(&certs.tls).unwrap()).unwrap().remove(0);
    (Client { der, key }, host_ca)
}

/// Status and JSON.
async fn ask(
    sandbox: &Sandbox,
    (client, root): &(Client, Vec<u8>),
    method: &str,
    path: &str,
    body: &str,
) -> (u16, Value) {
    let stream = tls(sandbox, NAME, &["h2", "http/1.1"], root, Some(client)).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(executor, TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::builder().method(method).uri(format!("https://{NAME}{path}"));
    let answer = sender
        .send_request(request.body(Full::new(bytes::Bytes::from(body.to_owned()))).unwrap())
        .await
        .unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn the_cluster_of_the_certificate_answers() {
    let sandbox = Sandbox::start(with_kube()).await.unwrap();
    let prod = client(&sandbox, "prod").await;
    let (status, pods) = ask(&sandbox, &prod, "GET", "/api/v1/namespaces/web/pods?limit=500", "").await;
    assert_eq!((status, pods["items"][0]["metadata"]["name"].as_str()), (200, Some("prod-web-0")));
    assert_eq!(pods["items"][0]["metadata"]["namespace"], "web");
    let spec = r#"{"spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}}"#;
    let reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let (status, review) = ask(&sandbox, &prod, "POST", reviews, spec).await;
    assert_eq!((status, review["status"]["allowed"].as_bool()), (201, Some(true)));
    assert_eq!(review["spec"]["resourceAttributes"]["verb"], "get");
    for (method, path, body, want) in [
        ("GET", "/version", "", 200),
        ("GET", "/apis", "", 200),
        ("GET", "/api/v1", "", 200),
        ("GET", "/api/v1/secrets", "", 404),
        ("POST", reviews, "no json", 400),
        ("DELETE", "/api/v1/namespaces/web/pods", "", 405),
    ] {
        assert_eq!(ask(&sandbox, &prod, method, path, body).await.0, want, "{path}");
    }
    let records = sandbox.records();
    let record = records.iter().find(|r| r.sni.as_deref() == Some(NAME)).unwrap();
    assert_eq!(record.client.as_deref(), Some("bot-ci"));
    assert!(record.paths[0].starts_with("/api/v1/namespaces/web/pods"), "{record:?}");

    // A certificate for no kubernetes cluster, and none at all.
    let none = client(&sandbox, "").await;
    assert_eq!(ask(&sandbox, &none, "GET", "/version", "").await.0, 404);
    let (_, root) = &prod;
    let mut stream = tls(&sandbox, NAME, &["http/1.1"], root, None).await.unwrap();
    let limit = std::time::Duration::from_secs(5);
    let refused = tokio::time::timeout(limit, stream.read(&mut [0; 1])).await.unwrap().unwrap_err();
    assert!(refused.to_string().contains("CertificateRequired"), "{refused}");
}

fn network(sandbox: &Sandbox, knows_web: bool) -> Network {
    let options =
        Options { ca_pem: knows_web.then(|| sandbox.web_ca_pem().to_owned()), ..Options::default() };
    let deadline = Deadline::after(std::time::Duration::from_secs(60));
    Network::new(&Env::new([("", ""); 0], "/"), &options, deadline, Log::silent()).unwrap()
}

#[tokio::test]
async fn a_probe_tells_who_signed() {
    let internal = Some(NAME.to_owned());
    for (web_certificate, public, asked, want) in [
        (false, None, None, Ok((Signer::Cluster, None))),
        (false, None, internal.clone(), Ok((Signer::Cluster, internal.clone()))),
        (
            false,
            Some("p.test"),
            Some("kube-teleport-proxy-alpn.p.test".to_owned()),
            Ok((Signer::Cluster, Some("kube-teleport-proxy-alpn.p.test".to_owned()))),
        ),
        // Under a name that the proxy does not go by, its own name is left.
        (
            false,
            Some("p.test"),
            Some("kube-teleport-proxy-alpn.alias.test".to_owned()),
            Ok((Signer::Cluster, internal.clone())),
        ),
        (true, None, internal.clone(), Ok((Signer::System, internal.clone()))),
        (
            true,
            None,
            Some("kube-teleport-proxy-alpn.alias.test".to_owned()),
            Err("not for `kube-teleport-proxy-alpn.alias.test`"),
        ),
    ] {
        let sandbox = Sandbox::start(SandboxOptions {
            kube_web_certificate: web_certificate,
            public_addr: public.map(|host| format!("{host}:443")),
            ..with_kube()
        })
        .await
        .unwrap();
        let (_, host_ca) = bot(&sandbox).await;
        let address = HostPort::parse(&sandbox.address.to_string(), 443).unwrap();
        let server = KubeServer { address, server_name: asked.clone(), signer: Signer::Cluster };
        // Without a server name of its own it is the web server that answers here.
        let authorities = if asked.is_none() { vec![web_root(&sandbox)] } else { vec![host_ca] };
        let found = probe(&network(&sandbox, true), &server, &authorities).await;
        let found = found.map(|server| (server.signer, server.server_name)).map_err(|e| e.to_string());
        match want {
            Ok(want) => assert_eq!(found, Ok(want), "{asked:?}"),
            Err(words) => assert!(found.as_ref().is_err_and(|e| e.contains(words)), "{found:?}"),
        }
        let records = sandbox.records();
        let last = records.last().unwrap();
        assert_eq!((last.sni.clone(), last.paths.len()), (asked, 0), "it sends nothing");
    }
    // A CA that is not the cluster's, and roots that know none of it.
    let sandbox = Sandbox::start(with_kube()).await.unwrap();
    let address = HostPort::parse(&sandbox.address.to_string(), 443).unwrap();
    let server = KubeServer { address, server_name: internal, signer: Signer::Cluster };
    let other = ders_of(sandbox.web_ca_pem()).unwrap();
    let error = probe(&network(&sandbox, false), &server, &other).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1"), "{error}");
}
