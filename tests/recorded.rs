//! Bytes of real clusters (15.0.0-dev and 13.1.3): each recorded answer decodes to what its text says, each recorded
//! request is what our types encode to. None of them comes from our own code.
//!
//! No server from version 18 on was ever recorded. The bytes for `teleport.join.v1` and for split keys (`messages.json`)
//! come from another protobuf library and the same reading of Teleport's schema: they prove that we encode what we read
//! there, not that a server answers so.

mod access_requests;
mod requests;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jobpass::claims::UnverifiedClaims;
use jobpass::error::Exit;
use jobpass::identity::keys::{KeyKind, KeyPair};
use jobpass::identity::route::{AppRoute, DatabaseRoute, Route};
use jobpass::identity::ssh::SshCertificate;
use jobpass::identity::tls::TlsCertificate;
use jobpass::issue::IssueError;
use jobpass::join::{JoinError, Refusal};
use jobpass::net::http::Answer;
use jobpass::report::Failure;
use jobpass::secret::Jwt;
use jobpass::teleport::auth_service::authority;
use jobpass::teleport::wire;
use jobpass::teleport::wire::resources::Resource;
use jobpass::teleport::{ClusterError, JoinMethod, host_credentials, ping};
use prost::Message;
use serde_json::Value;

fn recorded(name: &str) -> Value {
    let path = format!("{}/tests/data/teleport/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap_or_default();
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

/// The recorder's text form of a string: `\n`, `\"`, `\\`, octal for other control characters.
fn quoted(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for b in text {
        match b {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x20..0x7f => out.push(*b as char),
            b => write!(out, "\\{b:03o}").unwrap(),
        }
    }
    out + "\""
}

#[test]
fn pings() {
    for (file, version, major) in
        [("ping.json", "15.0.0-dev", 15), ("find.json", "15.0.0-dev", 15), ("ping_13.json", "13.1.3", 13)]
    {
        let body = serde_json::to_vec(&recorded(file)).unwrap();
        let ping = ping::read(&body, 200, "teleport.test:3080").unwrap();
        assert_eq!(
            (ping.cluster_name.as_str(), ping.server_version.as_str()),
            ("lab.example", version),
            "{file}"
        );
        assert_eq!((ping.major, ping.tls_routing, ping.suite), (major, true, None), "{file}");
        assert_eq!(ping.public_address.unwrap().to_string(), "teleport.test:3080", "{file}");
    }
}

#[test]
fn joins_and_their_refusals() {
    let mut joined = 0;
    let mut refused = 0;
    for file in ["join_http.json", "join_http_13.json"] {
        for case in recorded(file).as_array().unwrap() {
            let name = format!("{file}: {}", case["case"]);
            let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
            let body = serde_json::to_vec(&case["response"]).unwrap();
            let answer = Answer { status, headers: http::HeaderMap::new(), body };
            match host_credentials::read(&answer) {
                Ok(join) => {
                    assert_eq!(status, 200, "{name}");
                    assert_eq!(join.certificate.common_name, "bot-ci", "{name}");
                    assert_eq!(join.certificate.issuer_common_name, "lab.example", "{name}");
                    assert_eq!(join.certificate.attribute("1.7"), Some("lab.example"), "{name}");
                    assert_eq!(join.authorities.len(), 2, "{name}");
                    joined += 1;
                }
                Err(ClusterError::Refused { message, .. }) => {
                    assert_ne!(status, 200, "{name}");
                    assert_eq!(
                        Some(message.as_str()),
                        case["response"]["error"]["message"].as_str(),
                        "{name}"
                    );
                    assert!(
                        !host_credentials::read(&answer).unwrap_err().is_transient(),
                        "{name}: a refusal is final"
                    );
                    refused += 1;
                }
                Err(other) => panic!("{name}: {other}"),
            }
        }
    }
    // 18 + 5 cases.
    assert_eq!((joined, refused), (10, 13));
}

/// What a user gets to see of each recorded refusal: exit code 4, the server's words, a likely cause with a hint, never the token.
#[test]
fn recorded_refusals_become_the_right_errors() {
    let now = "2026-11-21T04:52:15Z".parse().unwrap();
    let mut seen = 0;
    for case in recorded("join_http.json").as_array().unwrap() {
        let Some(message) = case["response"]["error"]["message"].as_str() else { continue };
        let token = case["request"]["id_token"].as_str().unwrap_or_default();
        let claims =
            Jwt::parse(token).ok().and_then(|jwt| UnverifiedClaims::decode(&jwt).ok()).unwrap_or_default();
        let refusal = Refusal {
            message: message.to_owned(),
            token: case["request"]["token"].as_str().unwrap().to_owned(),
            method: Some(JoinMethod::GitHub),
            platform: None,
            claims,
            ping: None,
        };
        let failure = Failure::new(&JoinError::Refused(Box::new(refusal)).into(), now);
        let text = failure.text(100);
        assert_eq!(failure.exit, Exit::Refused, "{message}");
        assert_eq!(failure.causes, [message], "{message}");
        assert!(text.contains("likely cause:") && text.contains("hint: "), "{text}");
        assert!(token.len() < 20 || !text.contains(token), "{text}");
        // The recorder's own oddities, which no job can get: another role, no keys.
        let odd = message.contains("HostID") || message.contains("no key found");
        let known = !text.contains("a reason jobpass does not know");
        assert!(known || odd, "{message} is not in the catalogue: {text}");
        seen += 1;
    }
    assert_eq!(seen, 10);

    for case in recorded("auth_service.json").as_array().unwrap() {
        let (Some(message), "/proto.AuthService/GenerateUserCerts") =
            (case["status_message"].as_str(), case["method"].as_str().unwrap())
        else {
            continue;
        };
        let refused =
            IssueError::Refused { output: "ssh".into(), user: "bot-ci".into(), message: message.to_owned() };
        let failure = Failure::new(&refused.into(), now);
        assert_eq!((failure.exit, failure.causes.as_slice()), (Exit::Refused, &[message.to_owned()][..]));
        assert_eq!(failure.hints.len(), 1, "{message}: {:?}", failure.hints);
        seen += 1;
    }
    assert_eq!(seen, 15);
}

#[test]
fn our_join_request_has_the_recorded_form() {
    let key = KeyPair::generate(KeyKind::P256).unwrap();
    let case = &recorded("join_http.json")[1];
    assert_eq!(case["case"], "github, p256 keys");
    let jwt = Jwt::parse(case["request"]["id_token"].as_str().unwrap()).unwrap();
    let expires = "2026-11-21T05:52:12.7Z".parse().unwrap();
    let ours = serde_json::to_value(host_credentials::Request::new("gh", &key, &jwt, expires)).unwrap();
    for (field, value) in ours.as_object().unwrap() {
        let theirs = &case["request"][field];
        if field.starts_with("public_") {
            let text = |v: &Value| String::from_utf8(STANDARD.decode(v.as_str().unwrap()).unwrap()).unwrap();
            let (ours, theirs) = (text(value), text(theirs));
            assert_eq!(ours.len(), theirs.len(), "{field}");
            assert_eq!(ours.lines().count(), theirs.lines().count(), "{field}");
            assert_eq!(&ours[..30], &theirs[..30], "{field}");
            assert_eq!(ours.ends_with('\n'), theirs.ends_with('\n'), "{field}");
        } else {
            assert_eq!(value, theirs, "{field}");
        }
    }
    let minimal = &recorded("join_http.json")[2];
    assert_eq!(minimal["case"], "minimal fields");
    for field in minimal["request"].as_object().unwrap().keys() {
        assert!(ours.get(field).is_some(), "{field} is needed");
    }
}

#[test]
fn only_an_answer_without_teleports_body_may_be_asked_again() {
    for (status, body, transient) in [
        (502, "<html>Bad Gateway</html>", true),
        (503, "", true),
        (500, "", true),
        (200, "<html>sign in</html>", true),
        (500, r#"{"error":{"message":"oidc: token is expired"}}"#, false),
        (503, r#"{"error":{"message":"no auth"}}"#, false),
        (200, "{}", false),
        (200, r#"{"tls":"!","tls_ca_certs":["!"]}"#, false),
    ] {
        let answer = Answer { status, headers: http::HeaderMap::new(), body: body.as_bytes().to_vec() };
        let error = host_credentials::read(&answer).unwrap_err();
        assert_eq!(error.is_transient(), transient, "{status} {body}: {error}");
    }
}

#[test]
fn auth_service_answers_decode() {
    let mut seen = 0;
    for file in ["auth_service.json", "auth_service_13.json"] {
        for case in recorded(file).as_array().unwrap() {
            let name = format!("{file}: {} {}", case["method"], case["case"]);
            if case.get("status_message").is_some() {
                continue;
            }
            let body = bytes(&case["response_hex"]);
            let text = case["response"].as_str().unwrap();
            let method = case["method"].as_str().unwrap().rsplit('/').next().unwrap();
            let has = |part: String| assert!(text.contains(&part), "{name}: {part} is not in {text}");
            match method {
                "Ping" => {
                    let ping = wire::PingResponse::decode(&body[..]).unwrap();
                    has(format!(
                        "ClusterName: {} ServerVersion: {} ProxyPublicAddr: {} RemoteAddr: {}",
                        quoted(ping.cluster_name.as_bytes()),
                        quoted(ping.server_version.as_bytes()),
                        quoted(ping.proxy_public_addr.as_bytes()),
                        quoted(ping.remote_addr.as_bytes())
                    ));
                }
                "GetClusterCACert" => {
                    let ca = wire::GetClusterCaCertResponse::decode(&body[..]).unwrap();
                    has(format!("TLSCA: {}", quoted(&ca.tls_ca)));
                }
                "GetRole" => {
                    let role = wire::Role::decode(&body[..]).unwrap();
                    let spec = role.spec.unwrap();
                    let roles = spec.allow.unwrap().impersonate.unwrap().roles;
                    assert_eq!(roles, ["ci-deploy", "ci-read"], "{name}");
                    has(format!("MaxSessionTTL: {}", spec.options.unwrap().max_session_ttl));
                    has(format!("Name: {}", quoted(role.metadata.unwrap().name.as_bytes())));
                }
                "GenerateUserCerts" => {
                    let certs = wire::Certs::decode(&body[..]).unwrap();
                    has(format!("SSH: {}", quoted(&certs.ssh)));
                    has(format!("TLS: {}", quoted(&certs.tls)));
                    let ssh =
                        SshCertificate::from_line(std::str::from_utf8(&certs.ssh).unwrap().trim()).unwrap();
                    let tls = TlsCertificate::from_pem(std::str::from_utf8(&certs.tls).unwrap()).unwrap();
                    assert_eq!(
                        (ssh.key_id.as_str(), tls.common_name.as_str()),
                        ("bot-ci", "bot-ci"),
                        "{name}"
                    );
                    assert_eq!(ssh.valid_before, tls.not_after, "{name}");
                    let (pg, hello) = (
                        Route::Database(DatabaseRoute {
                            service: "pg".into(),
                            protocol: "postgres".into(),
                            user: "ci".into(),
                            name: "app".into(),
                        }),
                        AppRoute {
                            name: "hello".into(),
                            public_addr: "hello.teleport.test".into(),
                            cluster: "lab.example".into(),
                            ..AppRoute::default()
                        },
                    );
                    let case = case["case"].as_str().unwrap();
                    match Route::of(&tls) {
                        Route::App(app) => {
                            assert!(case.starts_with("application"), "{name}");
                            assert!(!app.session.is_empty(), "{name}");
                            assert_eq!(AppRoute { session: String::new(), ..app }, hello, "{name}");
                        }
                        route if case.starts_with("database") => assert_eq!(route, pg, "{name}"),
                        route => assert_eq!(route, Route::Cluster, "{name}"),
                    }
                    if case == "ssh and tls, two roles" {
                        let mut roles = tls.organizations.clone();
                        roles.sort();
                        assert_eq!(roles, ["ci-deploy", "ci-read"]);
                        assert_eq!(ssh.roles(), ["ci-deploy", "ci-read"]);
                        assert_eq!(ssh.logins(), ["root", "deploy", "trait-login", "reader"]);
                    }
                }
                "GetCertAuthorities" => {
                    let answer = wire::GetCertAuthoritiesResponse::decode(&body[..]).unwrap();
                    assert!(!answer.cert_authorities_v2.is_empty(), "{name}");
                    for ca in answer.cert_authorities_v2 {
                        has(format!("Type: {}", quoted(ca.spec.as_ref().unwrap().r#type.as_bytes())));
                        let ca = authority(ca).unwrap();
                        has(format!("ClusterName: {}", quoted(ca.cluster.as_bytes())));
                        for key in &ca.ssh_keys {
                            has(format!("PublicKey: {}", quoted(format!("{key}\n").as_bytes())));
                        }
                        for cert in &ca.tls_certs {
                            has(format!("Cert: {}", quoted(cert.as_bytes())));
                        }
                        assert!(!ca.tls_certs.is_empty(), "{name}");
                    }
                }
                "GetCertAuthority" => {
                    let ca = authority(wire::CertAuthority::decode(&body[..]).unwrap()).unwrap();
                    assert_eq!(ca.cluster, "lab.example", "{name}");
                }
                "CreateAppSession" => {
                    let session = wire::CreateAppSessionResponse::decode(&body[..]).unwrap().session.unwrap();
                    has(format!("Name: {}", quoted(session.metadata.unwrap().name.as_bytes())));
                }
                "ListResources" => {
                    let list = wire::resources::ListResourcesResponse::decode(&body[..]).unwrap();
                    for resource in list.resources.into_iter().filter_map(|resource| resource.resource) {
                        let parts = match resource {
                            Resource::DatabaseServer(server) => {
                                let spec = server.spec.unwrap().database.unwrap().spec.unwrap();
                                [("Protocol", spec.protocol), ("URI", spec.uri)]
                            }
                            Resource::AppServer(server) => {
                                let spec = server.spec.unwrap().app.unwrap().spec.unwrap();
                                [("URI", spec.uri), ("PublicAddr", spec.public_addr)]
                            }
                            Resource::KubernetesServer(server) => {
                                let metadata = server.spec.unwrap().cluster.unwrap().metadata.unwrap();
                                [("Name", metadata.name), ("Namespace", metadata.namespace)]
                            }
                        };
                        for (field, value) in parts {
                            has(format!("{field}: {}", quoted(value.as_bytes())));
                        }
                    }
                }
                other => panic!("{name}: {other} is new"),
            }
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}
