//! Bytes of real clusters (15.0.0-dev and 13.1.3): each recorded answer decodes to what its text says, each recorded request is what our types encode
//! to. Nothing here was made by our own code.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jobpass::claims::UnverifiedClaims;
use jobpass::identity::keys::{KeyKind, KeyPair};
use jobpass::identity::ssh::SshCertificate;
use jobpass::identity::tls::TlsCertificate;
use jobpass::issue::IssueError;
use jobpass::join::{JoinError, Refusal};
use jobpass::net::http::Answer;
use jobpass::report::{Exit, Failure};
use jobpass::secret::Jwt;
use jobpass::teleport::auth_service::{CertsWanted, PublicKeys, authority};
use jobpass::teleport::wire::{self, join};
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

/// What a user gets to see of each recorded refusal: exit code 4, the server's words, a likely cause with a cure, never the token.
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
        let failure = Failure::of(&JoinError::Refused(Box::new(refusal)).into(), now);
        let text = failure.text();
        assert_eq!(failure.exit, Exit::Refused, "{message}");
        assert_eq!(failure.causes, [message], "{message}");
        assert!(text.contains("likely causes:") && text.contains("hint: "), "{text}");
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
        let failure = Failure::of(&refused.into(), now);
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
                    if case["case"] == "ssh and tls, two roles" {
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
                // Not used yet; unknown fields of unknown messages are none of ours.
                "ListResources" => {}
                other => panic!("{name}: {other} is new"),
            }
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}

/// Requests rebuilt from the recorder's own text must come out as the recorded bytes. Go writes an empty field 13 (`6a00`), which need not be.
#[test]
fn auth_service_requests_encode() {
    for file in ["auth_service.json", "auth_service_13.json"] {
        for case in recorded(file).as_array().unwrap() {
            let name = format!("{file}: {} {}", case["method"], case["case"]);
            let (want, text) = (bytes(&case["request_hex"]), case["request"].as_str().unwrap());
            let one = |field: &str| parsed(text, field).into_iter().next().unwrap_or_default();
            let got = match case["method"].as_str().unwrap().rsplit('/').next().unwrap() {
                "Ping" | "GetClusterCACert" => wire::Empty {}.encode_to_vec(),
                "GetRole" => wire::GetRoleRequest { name: one("Name") }.encode_to_vec(),
                "GetCertAuthorities" => {
                    wire::GetCertAuthoritiesRequest { r#type: one("type"), include_key: false }
                        .encode_to_vec()
                }
                "GetCertAuthority" => {
                    let (r#type, domain) = (one("type"), one("domain"));
                    wire::GetCertAuthorityRequest { r#type, domain, include_key: false }.encode_to_vec()
                }
                "CreateAppSession" => wire::CreateAppSessionRequest {
                    username: one("Username"),
                    public_addr: one("PublicAddr"),
                    cluster_name: one("ClusterName"),
                }
                .encode_to_vec(),
                "GenerateUserCerts" => {
                    let roles = parsed(text, "RoleRequests");
                    let seconds: i64 = text
                        .split("seconds: ")
                        .nth(1)
                        .unwrap()
                        .split([' ', '}'])
                        .next()
                        .unwrap()
                        .parse()
                        .unwrap();
                    let wanted = CertsWanted {
                        user: &one("Username"),
                        keys: PublicKeys::One { ssh_line: one("PublicKey") },
                        expires: jiff::Timestamp::from_second(seconds).unwrap(),
                        cluster: &one("RouteToCluster"),
                        roles: &roles,
                    };
                    let mut message = wanted.message();
                    message.use_role_requests = text.contains("UseRoleRequests: true");
                    message.kubernetes_cluster = one("KubernetesCluster");
                    if let Some(route) = text.split("RouteToDatabase { ServiceName").nth(1) {
                        let route = format!("ServiceName{route}");
                        let one = |field: &str| parsed(&route, field).into_iter().next().unwrap();
                        message.route_to_database = Some(wire::RouteToDatabase {
                            service_name: one("ServiceName"),
                            protocol: one("Protocol"),
                            username: one("Username"),
                            database: one("Database"),
                            roles: Vec::new(),
                        });
                    }
                    if let Some(route) = text.split("RouteToApp { Name").nth(1) {
                        let route = format!("Name{route}");
                        let one = |field: &str| parsed(&route, field).into_iter().next().unwrap();
                        message.route_to_app = Some(wire::RouteToApp {
                            name: one("Name"),
                            session_id: one("SessionID"),
                            public_addr: one("PublicAddr"),
                            cluster_name: one("ClusterName"),
                            uri: String::new(),
                        });
                    }
                    if let Some(nanos) = text.split("nanos: ").nth(1) {
                        let nanos = nanos.split([' ', '}']).next().unwrap().parse().unwrap();
                        message.expires.as_mut().unwrap().nanos = nanos;
                    }
                    message.encode_to_vec()
                }
                "ListResources" => continue,
                other => panic!("{name}: {other} is new"),
            };
            assert_eq!(without_field_13(&got), without_field_13(&want), "{name}");
        }
    }
}

#[test]
fn single_messages_both_ways() {
    let params = || join::ClientParams {
        bot_params: Some(join::BotParams {
            public_keys: Some(join::PublicKeys {
                public_tls_key: b"0TLS".to_vec(),
                public_ssh_key: b"\0SSH".to_vec(),
            }),
            expires: Some(wire::Timestamp { seconds: 1_795_500_000, nanos: 0 }),
        }),
    };
    let init = |join_method: Option<&str>| {
        join::Request::ClientInit(join::ClientInit {
            join_method: join_method.map(str::to_owned),
            token_name: "ci".into(),
            system_role: "Bot".into(),
        })
    };
    let request = |payload| join::JoinRequest { payload: Some(payload) }.encode_to_vec();
    let response = |payload| join::JoinResponse { payload: Some(payload) }.encode_to_vec();
    let register = || wire::RegisterUsingTokenRequest {
        role: "Bot".into(),
        token: "ci".into(),
        public_tls_key: b"TLS-PEM".to_vec(),
        public_ssh_key: b"SSH-LINE".to_vec(),
        id_token: "a.b.c".into(),
        expires: Some(wire::Timestamp { seconds: 1_795_237_200, nanos: 0 }),
    };
    let certs = |cas: &[&str]| wire::Certs {
        ssh: b"ssh".to_vec(),
        tls: b"tls".to_vec(),
        tls_ca_certs: cas.iter().map(|c| c.as_bytes().to_vec()).collect(),
        ssh_ca_certs: vec![b"sca".to_vec()],
    };
    let frame = |text: &'static str| Some(wire::SshFrame::Ssh(wire::Frame { payload: text.into() }));
    for case in recorded("messages.json").as_array().unwrap() {
        let (message, name) = (case["message"].as_str().unwrap(), case["case"].as_str().unwrap());
        let got = match (message, name) {
            ("types.RegisterUsingTokenRequest", _) => register().encode_to_vec(),
            ("proto.RegisterUsingIAMMethodRequest", _) => wire::RegisterUsingIamMethodRequest {
                register_using_token_request: Some(register()),
                sts_identity_request: b"POST / HTTP/1.1\r\n".to_vec(),
            }
            .encode_to_vec(),
            (
                "proto.RegisterUsingIAMMethodResponse" | "proto.RegisterUsingAzureMethodResponse",
                "challenge",
            ) => {
                let challenge = if message.contains("IAM") { "challenge-1" } else { "challenge-2" };
                wire::RegisterWithChallengeResponse { challenge: challenge.into(), certs: None }
                    .encode_to_vec()
            }
            ("proto.RegisterUsingIAMMethodResponse", "certs") => {
                let certs = Some(certs(&["ca1", "ca2"]));
                wire::RegisterWithChallengeResponse { challenge: String::new(), certs }.encode_to_vec()
            }
            ("proto.RegisterUsingAzureMethodRequest", _) => wire::RegisterUsingAzureMethodRequest {
                register_using_token_request: Some(register()),
                attested_data: br#"{"encoding":"pkcs7"}"#.to_vec(),
                access_token: "x.y.z".into(),
            }
            .encode_to_vec(),
            ("proto.Certs", _) => certs(&["ca1"]).encode_to_vec(),
            ("proto.UserCertsRequest", "every field used") => wire::UserCertsRequest {
                public_key: b"ssh-rsa AAAA".to_vec(),
                username: "bot-ci".into(),
                expires: Some(wire::Timestamp { seconds: 1_795_237_200, nanos: 0 }),
                route_to_cluster: "lab.example".into(),
                kubernetes_cluster: "prod".into(),
                route_to_database: Some(wire::RouteToDatabase {
                    service_name: "pg".into(),
                    protocol: "postgres".into(),
                    username: "ci".into(),
                    database: "app".into(),
                    roles: Vec::new(),
                }),
                route_to_app: Some(wire::RouteToApp {
                    name: "hello".into(),
                    session_id: "s1".into(),
                    public_addr: "hello.example".into(),
                    cluster_name: "lab.example".into(),
                    uri: String::new(),
                }),
                role_requests: vec!["a".into(), "b".into()],
                use_role_requests: true,
                ..wire::UserCertsRequest::default()
            }
            .encode_to_vec(),
            ("proto.UserCertsRequest", _) => {
                let mut message = CertsWanted {
                    user: "bot-ci",
                    keys: PublicKeys::Split {
                        ssh_line: Some("ssh-ed25519 AAAA".into()),
                        tls_pem: Some("-----BEGIN PUBLIC KEY-----".into()),
                    },
                    expires: jiff::Timestamp::from_second(1_795_500_000).unwrap(),
                    cluster: "lab.example",
                    roles: &["a".into(), "b".into()],
                }
                .message();
                // This one was made without the empty routes that Teleport's own client sends.
                message.route_to_database = None;
                message.route_to_app = None;
                message.encode_to_vec()
            }
            ("teleport.transport.v1.ProxySSHRequest", "dial target") => wire::ProxySshRequest {
                dial_target: Some(wire::TargetHost {
                    host_port: "node1:3022".into(),
                    cluster: "lab.example".into(),
                }),
                frame: None,
            }
            .encode_to_vec(),
            ("teleport.transport.v1.ProxySSHRequest", _) => {
                wire::ProxySshRequest { dial_target: None, frame: frame("SSH-2.0-x\r\n") }.encode_to_vec()
            }
            ("teleport.transport.v1.ProxySSHResponse", _) => wire::ProxySshResponse {
                details: Some(wire::ClusterDetails { fips_enabled: true }),
                frame: frame("SSH-2.0-y\r\n"),
            }
            .encode_to_vec(),
            ("teleport.join.v1.JoinRequest", "client_init, method left to the server") => request(init(None)),
            ("teleport.join.v1.JoinRequest", "client_init, method named") => request(init(Some("github"))),
            ("teleport.join.v1.JoinRequest", "oidc_init") => {
                request(join::Request::OidcInit(join::OidcInit {
                    client_params: Some(params()),
                    id_token: b"a.b.c".to_vec(),
                }))
            }
            ("teleport.join.v1.JoinRequest", "iam_init") => {
                request(join::Request::IamInit(join::ParamsOnly { client_params: Some(params()) }))
            }
            ("teleport.join.v1.JoinRequest", "iam solution") => {
                let iam =
                    join::IamChallengeSolution { sts_identity_request: b"POST / HTTP/1.1\r\n".to_vec() };
                request(join::Request::Solution(join::ChallengeSolution {
                    payload: Some(join::Solution::Iam(iam)),
                }))
            }
            ("teleport.join.v1.JoinRequest", "giving_up") => {
                request(join::Request::GivingUp(join::GivingUp {
                    reason: join::Reason::UnsupportedJoinMethod as i32,
                    msg: "no such method here".into(),
                }))
            }
            ("teleport.join.v1.JoinResponse", "init") => response(join::Response::Init(join::ServerInit {
                join_method: "github".into(),
                signature_algorithm_suite: "balanced-v1".into(),
            })),
            ("teleport.join.v1.JoinResponse", "iam challenge") => {
                let iam_challenge = Some(join::IamChallenge { challenge: "c1".into() });
                response(join::Response::Challenge(join::Challenge { iam_challenge }))
            }
            ("teleport.join.v1.JoinResponse", "result") => {
                response(join::Response::Result(join::JoinResult {
                    bot_result: Some(join::BotResult {
                        certificates: Some(join::Certificates {
                            tls_cert: b"0C".to_vec(),
                            tls_ca_certs: vec![b"0A".to_vec(), b"0B".to_vec()],
                            ssh_cert: b"\0S".to_vec(),
                            ssh_ca_keys: vec![b"\0K".to_vec()],
                        }),
                    }),
                }))
            }
            other => panic!("{other:?} is new"),
        };
        assert_eq!(without_field_13(&got), without_field_13(&bytes(&case["hex"])), "{message}, {name}");
    }
}

/// All string values of a field in the recorder's text.
fn parsed(text: &str, field: &str) -> Vec<String> {
    let mut values = Vec::new();
    let key = format!("{field}: \"");
    for (at, _) in text.match_indices(&key) {
        if at > 0 && text.as_bytes()[at - 1].is_ascii_alphanumeric() {
            continue;
        }
        let mut value = String::new();
        let mut chars = text[at + key.len()..].chars();
        while let Some(c) = chars.next() {
            match c {
                '"' => break,
                '\\' => match chars.next().unwrap() {
                    'n' => value.push('\n'),
                    c => value.push(c),
                },
                c => value.push(c),
            }
        }
        values.push(value);
    }
    values
}

/// Drops an empty top-level field 13, which Go's encoder writes and nobody needs.
fn without_field_13(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let start = rest;
        let key = prost::encoding::decode_varint(&mut rest).unwrap();
        match key & 7 {
            0 => drop(prost::encoding::decode_varint(&mut rest).unwrap()),
            2 => {
                let len = usize::try_from(prost::encoding::decode_varint(&mut rest).unwrap()).unwrap();
                rest = &rest[len..];
            }
            other => panic!("wire type {other}"),
        }
        let field = &start[..start.len() - rest.len()];
        if field != [0x6a, 0x00] {
            out.extend_from_slice(field);
        }
    }
    out
}
