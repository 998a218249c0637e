//! The auth service: certificates, refusals, roles, authorities.

use super::client::{Channel, Client, bot};
use super::*;
use crate::identity::keys::{KeyKind, KeyPair};
use crate::identity::tls::{TlsCertificate, ders_of};
use crate::teleport::wire::{
    Certs, Empty, GetCertAuthoritiesRequest, GetCertAuthoritiesResponse, GetRoleRequest,
    IsMfaRequiredRequest, IsMfaRequiredResponse, MfaTarget, NodeLogin, PingResponse, Role, RouteToApp,
    RouteToDatabase, Timestamp, UserCertsRequest,
};

const ISSUE: &str = "/proto.AuthService/GenerateUserCerts";

fn request(key: &KeyPair, roles: &[&str]) -> UserCertsRequest {
    UserCertsRequest {
        public_key: key.public_ssh_line().into_bytes(),
        username: "bot-ci".to_owned(),
        expires: Some(Timestamp { seconds: crate::env::now().as_second() + 3600, nanos: 0 }),
        route_to_cluster: "sandbox.example".to_owned(),
        role_requests: roles.iter().map(|&r| r.to_owned()).collect(),
        use_role_requests: true,
        ..UserCertsRequest::default()
    }
}

async fn connect(sandbox: &Sandbox) -> (Channel, Vec<u8>) {
    let (client, host_ca) = bot(sandbox).await;
    (Channel::auth(sandbox, &host_ca, &client).await, host_ca)
}

fn leaf(certs: &Certs) -> TlsCertificate {
    TlsCertificate::from_pem(std::str::from_utf8(&certs.tls).unwrap()).unwrap()
}

#[tokio::test]
async fn issues_what_a_real_cluster_issues() {
    let mut options = options("15.0.0");
    options.roles[0].logins = vec!["root".to_owned(), "deploy".to_owned()];
    let sandbox = Sandbox::start(options).await.unwrap();
    let (mut auth, _) = connect(&sandbox).await;
    let key = KeyPair::generate(KeyKind::Ed25519).unwrap();
    let certs: Certs = auth.call(ISSUE, request(&key, &["ci-deploy", "ci-read"])).await.unwrap();
    let shown = run("ssh-keygen", &["-L", "-f", "{0}"], &[&certs.ssh]);
    let shown = shown.split_once("Principals:").unwrap().1.split_whitespace().collect::<Vec<_>>().join(" ");
    // The recorded certificate, but for its traits, cluster name and logins.
    assert_eq!(
        shown,
        "root deploy reader -teleport-internal-join Critical Options: (none) Extensions: \
         disallow-reissue UNKNOWN FLAG OPTION \
         impersonator UNKNOWN OPTION: 00000006626f742d6369 (len 10) \
         login-ip UNKNOWN OPTION: 000000093132372e302e302e31 (len 13) \
         permit-port-forwarding permit-pty \
         private-key-policy UNKNOWN OPTION: 000000046e6f6e65 (len 8) \
         teleport-roles UNKNOWN OPTION: 000000307b2276657273696f6e223a227631222c22726f6c6573223a5b2263692d6465706c6f79222c2263692d72656164225d7d (len 52) \
         teleport-route-to-cluster UNKNOWN OPTION: 0000000f73616e64626f782e6578616d706c65 (len 19) \
         teleport-traits UNKNOWN OPTION: 000000027b7d (len 6)"
    );
    run(
        "openssl",
        &["verify", "-purpose", "sslclient", "-CAfile", "{0}", "{1}"],
        &[&certs.tls_ca_certs[0], &certs.tls],
    );
    let subject = run("openssl", &["x509", "-noout", "-subject", "-in", "{0}"], &[&certs.tls]);
    assert_eq!(
        subject.trim(),
        "subject=L = root + L = deploy + L = reader + L = -teleport-internal-join, street = sandbox.example, \
         postalCode = {}, O = ci-read + O = ci-deploy, CN = bot-ci, 1.3.9999.1.7 = sandbox.example, \
         1.3.9999.1.9 = 127.0.0.1, 1.3.9999.2.7 = bot-ci, 1.3.9999.2.9 = true, 1.3.9999.1.15 = none"
    );
    let text = run("openssl", &["x509", "-noout", "-text", "-in", "{0}"], &[&certs.tls]);
    assert!(text.contains("Issuer: O = sandbox.example, CN = sandbox.example, serialNumber = "), "{text}");
    assert!(text.contains("CA:FALSE") && text.contains("TLS Web Client Authentication"), "{text}");
    assert_eq!(leaf(&certs).public_key, key.public_der());
}

#[tokio::test]
async fn splits_keys_from_17_on_and_not_before() {
    let (ssh, tls) =
        (KeyPair::generate(KeyKind::Ed25519).unwrap(), KeyPair::generate(KeyKind::P256).unwrap());
    let split = |ssh_key: bool, tls_key: bool| UserCertsRequest {
        public_key: Vec::new(),
        ssh_public_key: if ssh_key { ssh.public_ssh_line().into_bytes() } else { Vec::new() },
        tls_public_key: if tls_key { tls.public_pem().into_bytes() } else { Vec::new() },
        ..request(&ssh, &["ci-read"])
    };
    let modern = sandbox("18.2.0").await;
    let (mut auth, _) = connect(&modern).await;
    let both: Certs = auth.call(ISSUE, split(true, true)).await.unwrap();
    assert_eq!(leaf(&both).public_key, tls.public_der());
    assert!(both.ssh.starts_with(b"ssh-ed25519-cert-v01@openssh.com "));
    let one: Certs = auth.call(ISSUE, split(true, false)).await.unwrap();
    assert!(!one.ssh.is_empty() && one.tls.is_empty());
    let one: Certs = auth.call(ISSUE, split(false, true)).await.unwrap();
    assert!(one.ssh.is_empty() && !one.tls.is_empty());
    let mixed = UserCertsRequest { public_key: tls.public_ssh_line().into_bytes(), ..split(true, true) };
    assert!(auth.call::<_, Certs>(ISSUE, mixed).await.is_err());
    let old = sandbox("16.4.0").await;
    let (mut auth, _) = connect(&old).await;
    let status = auth.call::<_, Certs>(ISSUE, split(true, true)).await.unwrap_err();
    assert_eq!(status.message(), "ssh: no key found");
}

#[tokio::test]
async fn routes_and_shorter_roles_show_in_the_certificate() {
    let mut options = options("18.2.0");
    options.leaves = vec!["leaf.example".to_owned()];
    options.kube_clusters = vec![SandboxKubeCluster { name: "prod".to_owned(), labels: Vec::new() }];
    options.roles[1].max_session_ttl = 600;
    let sandbox = Sandbox::start(options).await.unwrap();
    let (mut auth, _) = connect(&sandbox).await;
    let key = KeyPair::generate(KeyKind::P256).unwrap();
    let database = RouteToDatabase {
        service_name: "pg".to_owned(),
        protocol: "postgres".to_owned(),
        username: "ci".to_owned(),
        database: "app".to_owned(),
        roles: Vec::new(),
    };
    let app = RouteToApp {
        name: "hello".to_owned(),
        public_addr: "hello.example".to_owned(),
        cluster_name: "sandbox.example".to_owned(),
        ..RouteToApp::default()
    };
    let certs: Certs = auth
        .call(
            ISSUE,
            UserCertsRequest {
                route_to_cluster: "leaf.example".to_owned(),
                kubernetes_cluster: "prod".to_owned(),
                route_to_database: Some(database),
                route_to_app: Some(app),
                ..request(&key, &["ci-deploy", "ci-read"])
            },
        )
        .await
        .unwrap();
    let cert = leaf(&certs);
    for (tail, want) in [
        ("1.3", "prod"),
        ("1.5", "sandbox.example"),
        ("1.6", "hello.example"),
        ("1.7", "sandbox.example"),
        ("1.10", "hello"),
        ("2.1", "pg"),
        ("2.2", "postgres"),
        ("2.3", "ci"),
        ("2.4", "app"),
    ] {
        assert_eq!(cert.attribute(tail), Some(want), "{tail}");
    }
    assert_eq!(cert.attribute("1.4").map(str::len), Some(64));
    assert_eq!(cert.not_after.as_second() - cert.not_before.as_second(), 660);
}

#[tokio::test]
async fn refusals_are_the_recorded_ones() {
    use tonic::Code::{InvalidArgument, NotFound, PermissionDenied};
    let sandbox = sandbox("18.2.0").await;
    let (mut auth, host_ca) = connect(&sandbox).await;
    let key = KeyPair::generate(KeyKind::P256).unwrap();
    let fine = || request(&key, &["ci-read"]);
    for (request, code, want) in [
        (
            request(&key, &["editor"]),
            PermissionDenied,
            "user \"bot-ci\" has requested role impersonation for [\"editor\"]",
        ),
        (request(&key, &["no-such-role"]), NotFound, "role no-such-role is not found"),
        (
            UserCertsRequest { route_to_cluster: "nope.example".to_owned(), ..fine() },
            NotFound,
            "remote cluster \"nope.example\" is not found",
        ),
        (
            UserCertsRequest { kubernetes_cluster: "no-kube".to_owned(), ..fine() },
            InvalidArgument,
            "kubernetes cluster \"no-kube\" is not registered in this teleport cluster; you can list registered \
             kubernetes clusters using 'tsh kube ls'",
        ),
        (
            UserCertsRequest { username: "root".to_owned(), ..fine() },
            PermissionDenied,
            "access denied: user \"root\" is not \"bot-ci\"",
        ),
    ] {
        let status = auth.call::<_, Certs>(ISSUE, request).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, want));
    }
    let other = GetRoleRequest { name: "ci-deploy".to_owned() };
    let status = auth.call::<_, Role>("/proto.AuthService/GetRole", other).await.unwrap_err();
    assert_eq!(status.message(), "access denied to perform action \"read\" on \"role\"");
    let status = auth.call::<_, Empty>("/proto.AuthService/Nope", Empty {}).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unimplemented);

    let certs: Certs = auth.call(ISSUE, fine()).await.unwrap();
    let der = ders_of(std::str::from_utf8(&certs.tls).unwrap()).unwrap().remove(0);
    let issued = Client { der, key: key.clone() };
    let mut auth = Channel::auth(&sandbox, &host_ca, &issued).await;
    let status = auth.call::<_, Certs>(ISSUE, fine()).await.unwrap_err();
    assert_eq!(status.message(), "access denied: identity is not allowed to reissue certificates");
}

/// Field 1 alone: of `ListResourcesRequest` the type, of its answer one resource.
#[derive(Clone, PartialEq, prost::Message)]
struct Raw {
    #[prost(bytes = "vec", tag = "1")]
    field_1: Vec<u8>,
}

#[tokio::test]
async fn tells_roles_mfa_resources_and_authorities() {
    let mut options = options("18.2.0");
    options.leaves = vec!["leaf.example".to_owned()];
    options.roles[0].require_mfa_type = 1;
    options.roles[1].device_trust_mode = "required".to_owned();
    options.databases = vec![SandboxDatabase { name: "pg".to_owned(), protocol: "postgres".to_owned() }];
    let sandbox = Sandbox::start(options).await.unwrap();
    let (mut auth, host_ca) = connect(&sandbox).await;
    let ping: PingResponse = auth.call("/proto.AuthService/Ping", Empty {}).await.unwrap();
    assert_eq!((ping.cluster_name.as_str(), ping.signature_algorithm_suite), ("sandbox.example", 2));
    let own = GetRoleRequest { name: "bot-ci".to_owned() };
    let role: Role = auth.call("/proto.AuthService/GetRole", own).await.unwrap();
    let impersonate = role.spec.unwrap().allow.unwrap().impersonate.unwrap();
    assert_eq!(impersonate.roles, ["ci-deploy", "ci-read"]);

    let key = KeyPair::generate(KeyKind::P256).unwrap();
    let certs: Certs = auth.call(ISSUE, request(&key, &["ci-deploy", "ci-read"])).await.unwrap();
    let der = ders_of(std::str::from_utf8(&certs.tls).unwrap()).unwrap().remove(0);
    let mut issued = Channel::auth(&sandbox, &host_ca, &Client { der, key }).await;
    let mut roles = issued
        .stream::<_, Role>("/proto.AuthService/GetCurrentUserRoles", tokio_stream::once(Empty {}))
        .await
        .unwrap();
    let mut got = Vec::new();
    while let Some(role) = roles.message().await.unwrap() {
        let options = role.spec.unwrap().options.unwrap();
        got.push((role.metadata.unwrap().name, options.require_mfa_type, options.device_trust_mode));
    }
    got.sort();
    assert_eq!(
        got,
        [("ci-deploy".to_owned(), 1, String::new()), ("ci-read".to_owned(), 0, "required".to_owned())]
    );
    for (login, required) in [("deploy", true), ("reader", false)] {
        let node = NodeLogin { node: "node1".to_owned(), login: login.to_owned() };
        let target = IsMfaRequiredRequest { target: Some(MfaTarget::Node(node)) };
        let answer: IsMfaRequiredResponse =
            issued.call("/proto.AuthService/IsMFARequired", target).await.unwrap();
        assert_eq!(answer.required, required, "{login}");
    }
    let wanted = || Raw { field_1: b"db_server".to_vec() };
    let seen_by_bot: Raw = auth.call("/proto.AuthService/ListResources", wanted()).await.unwrap();
    assert!(seen_by_bot.field_1.is_empty());
    let seen: Raw = issued.call("/proto.AuthService/ListResources", wanted()).await.unwrap();
    let text = String::from_utf8_lossy(&seen.field_1).into_owned();
    assert!(text.contains("db_server") && text.contains("postgres") && text.contains("pg"), "{text:?}");

    for (kind, clusters) in [
        ("host", vec!["sandbox.example", "leaf.example"]),
        ("user", vec!["sandbox.example"]),
        ("db", vec!["sandbox.example"]),
    ] {
        let wanted = GetCertAuthoritiesRequest { r#type: kind.to_owned(), include_key: false };
        let all: GetCertAuthoritiesResponse =
            auth.call("/teleport.trust.v1.TrustService/GetCertAuthorities", wanted).await.unwrap();
        let specs: Vec<_> = all.cert_authorities_v2.into_iter().map(|ca| ca.spec.unwrap()).collect();
        assert_eq!(specs.iter().map(|s| s.cluster_name.as_str()).collect::<Vec<_>>(), clusters, "{kind}");
        for spec in specs {
            let keys = spec.active_keys.unwrap();
            assert_eq!((keys.ssh.len(), keys.tls.len()), (usize::from(kind != "db"), 1), "{kind}");
            run("openssl", &["x509", "-noout", "-in", "{0}"], &[&keys.tls[0].cert]);
        }
    }
}

#[tokio::test]
async fn cas_of_every_kind_are_read_by_openssh_and_openssl() {
    for (rsa_cas, suite, ca, algorithm) in [
        (true, "legacy", "Signing CA: RSA ", "using rsa-sha2-256"),
        (false, "fips-v1", "Signing CA: ECDSA ", "using ecdsa-sha2-nistp256"),
        (false, "balanced-v1", "Signing CA: ED25519 ", "using ssh-ed25519"),
    ] {
        let options = SandboxOptions { rsa_cas, suite: suite.to_owned(), ..options("18.2.0") };
        let sandbox = Sandbox::start(options).await.unwrap();
        let (mut auth, _) = connect(&sandbox).await;
        let key = KeyPair::generate(KeyKind::Rsa2048).unwrap();
        let certs: Certs = auth.call(ISSUE, request(&key, &["ci-read"])).await.unwrap();
        run(
            "openssl",
            &["verify", "-x509_strict", "-CAfile", "{0}", "{1}"],
            &[&certs.tls_ca_certs[0], &certs.tls],
        );
        assert_eq!(leaf(&certs).public_key, key.public_der());
        // Reading a certificate, ssh-keygen checks its signature too.
        let shown = run("ssh-keygen", &["-L", "-f", "{0}"], &[&certs.ssh]);
        assert!(shown.contains(ca) && shown.contains(algorithm), "{shown}");
        let host =
            sandbox.sign_host_key(&key.public_ssh_line(), &["node1", "node1.sandbox.example"]).unwrap();
        let shown = run("ssh-keygen", &["-L", "-f", "{0}"], &[host.as_bytes()]);
        assert!(shown.contains("host certificate") && shown.contains("node1.sandbox.example"), "{shown}");
    }
}
