//! Our requests against recorded bytes; single messages in both directions against bytes of other encoders.

use jobpass::identity::route::{AppRoute, DatabaseRoute, Route};
use jobpass::teleport::auth_service::{CertsWanted, Grant, PublicKeys};
use jobpass::teleport::resources::{self, Filter};
use jobpass::teleport::wire::{self, join};
use prost::Message;

use super::{bytes, recorded};

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
                    let of = |start: &str, field: &str| {
                        let route = text.split_once(start).map_or("", |(_, route)| route);
                        parsed(&format!("{}{route}", start.rsplit(' ').next().unwrap()), field)
                            .into_iter()
                            .next()
                            .unwrap_or_default()
                    };
                    let database = |field| of("RouteToDatabase { ServiceName", field);
                    let app = |field| of("RouteToApp { Name", field);
                    let route = if text.contains("KubernetesCluster: ") {
                        Route::Kube { kube: one("KubernetesCluster") }
                    } else if text.contains("RouteToDatabase { ServiceName") {
                        Route::Database(DatabaseRoute {
                            service: database("ServiceName"),
                            protocol: database("Protocol"),
                            user: database("Username"),
                            name: database("Database"),
                        })
                    } else if text.contains("RouteToApp { Name") {
                        Route::App(AppRoute {
                            name: app("Name"),
                            session: app("SessionID"),
                            public_addr: app("PublicAddr"),
                            cluster: app("ClusterName"),
                            ..AppRoute::default()
                        })
                    } else {
                        Route::Cluster
                    };
                    let wanted = CertsWanted {
                        user: &one("Username"),
                        keys: PublicKeys::One { ssh_line: one("PublicKey") },
                        expires: jiff::Timestamp::from_second(seconds).unwrap(),
                        cluster: &one("RouteToCluster"),
                        route: &route,
                        grant: Grant::Roles(&roles),
                    };
                    let mut message = wanted.message();
                    message.use_role_requests = text.contains("UseRoleRequests: true");
                    if let Some(nanos) = text.split("nanos: ").nth(1) {
                        let nanos = nanos.split([' ', '}']).next().unwrap().parse().unwrap();
                        message.expires.as_mut().unwrap().nanos = nanos;
                    }
                    message.encode_to_vec()
                }
                "ListResources" => {
                    let predicate = one("PredicateExpression");
                    let name = predicate.strip_prefix("name == \"").and_then(|rest| rest.strip_suffix('"'));
                    let filter = name.map_or(Filter::All, Filter::Named);
                    let mut message = resources::request(&one("ResourceType"), filter, String::new());
                    // Pages are larger than the recorder's.
                    message.limit = 100;
                    message.encode_to_vec()
                }
                other => panic!("{name}: {other} is new"),
            };
            assert_eq!(without_field_13(&got), without_field_13(&want), "{name}");
        }
    }
}

/// Bytes of Go's own types, but for `teleport.join.v1` and split keys: those are our reading of the schema, encoded by
/// Python's protobuf.
#[test]
fn single_messages_in_both_directions() {
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
                    target_port: 0,
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
                    route: &Route::Cluster,
                    grant: Grant::Roles(&["a".into(), "b".into()]),
                }
                .message();
                // This one lacks the empty routes that Teleport's own client sends.
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
                let iam = join::Question::Iam(join::TextChallenge { challenge: "c1".into() });
                response(join::Response::Challenge(join::Challenge { payload: Some(iam) }))
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
