//! Access requests of a bot, as a real cluster of version 15 takes and answers them.

use jobpass::error::StageError as _;
use jobpass::identity::route::Route;
use jobpass::identity::ssh::SshCertificate;
use jobpass::identity::tls::TlsCertificate;
use jobpass::issue::IssueError;
use jobpass::refusal::access_requests::hints;
use jobpass::teleport::RequestId;
use jobpass::teleport::access_requests::{State, message, read};
use jobpass::teleport::auth_service::{CertsWanted, Grant, PublicKeys};
use jobpass::teleport::wire;
use jobpass::teleport::wire::access_requests::{AccessRequest, AccessRequestFilter};
use prost::Message;
use serde_json::Value;

use super::{bytes, recorded};

fn cases() -> Vec<Value> {
    recorded("access_request.json").as_array().unwrap().clone()
}

fn case(name: &str) -> Value {
    cases().into_iter().find(|case| case["case"] == name).unwrap()
}

/// The server's words, without the gRPC client's around them.
fn refusal(case: &Value) -> &str {
    case["error"].as_str().unwrap().split_once("desc = ").unwrap().1
}

/// Each request, from what it says, is the recorded bytes.
#[test]
fn our_requests_are_the_recorded_ones() {
    let mut seen = 0;
    for case in cases() {
        let (name, want) = (case["case"].as_str().unwrap(), bytes(&case["request_hex"]));
        let got = match case["method"].as_str().unwrap().rsplit('/').next().unwrap() {
            "CreateAccessRequestV2" => {
                let theirs = AccessRequest::decode(&want[..]).unwrap();
                let (id, spec) = (theirs.metadata.unwrap().name.parse().unwrap(), theirs.spec.unwrap());
                let text = case["request"].as_str().unwrap();
                assert!(
                    text.contains(&format!("user={},roles=[{}]", spec.user, spec.roles.join(","))),
                    "{text}"
                );
                message(&id, &spec.user, &spec.roles, &spec.request_reason, &[]).encode_to_vec()
            }
            "GetAccessRequestsV2" => {
                let text = case["request"].as_str().unwrap();
                let id = text.trim().strip_prefix("ID:\"").unwrap().trim_end_matches('"');
                let id: RequestId = id.parse().unwrap();
                AccessRequestFilter { id: id.to_string(), ..AccessRequestFilter::default() }.encode_to_vec()
            }
            "GenerateUserCerts" => {
                let theirs = wire::UserCertsRequest::decode(&want[..]).unwrap();
                let id: RequestId = theirs.access_requests[0].parse().unwrap();
                let expires = theirs.expires.unwrap();
                let wanted = CertsWanted {
                    user: &theirs.username,
                    keys: PublicKeys::One { ssh_line: String::from_utf8(theirs.public_key).unwrap() },
                    expires: jiff::Timestamp::from_second(expires.seconds).unwrap(),
                    cluster: &theirs.route_to_cluster,
                    route: &Route::Cluster,
                    grant: Grant::Request(&id),
                };
                let mut ours = wanted.message();
                ours.expires = Some(expires);
                // The one that we never send: the server refuses it.
                if name.contains("together") {
                    assert!(ours.role_requests.is_empty() && !ours.use_role_requests);
                    ours.role_requests = theirs.role_requests;
                    ours.use_role_requests = theirs.use_role_requests;
                }
                // Go's client names the default form (field 4), and leaves an empty field 13 behind.
                let format = b"\x22\x08standard";
                let at = want.windows(format.len()).position(|window| window == format).unwrap();
                let rest = [&want[..at], &want[at + format.len()..]].concat();
                let empty = rest.windows(2).rposition(|window| window == [0x6a, 0]).unwrap();
                let wanted = [&rest[..empty], &rest[empty + 2..]].concat();
                assert_eq!(ours.encode_to_vec(), wanted, "{name}");
                want.clone()
            }
            other => panic!("{name}: {other} is new"),
        };
        assert_eq!(got, want, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 12);
}

#[test]
fn each_state_is_read() {
    for (name, state, reason, answer) in [
        ("filed", State::Pending, "deploy 42", ""),
        ("pending", State::Pending, "deploy 42", ""),
        ("approved", State::Approved, "deploy 42", "go ahead"),
        ("filed again", State::Pending, "deploy 43", ""),
        ("denied", State::Denied, "deploy 43", "not on a Friday"),
    ] {
        let case = case(name);
        let text = case["response_hex"].as_str().unwrap().trim();
        let request = read(AccessRequest::decode(&bytes(&text.into())[..]).unwrap()).unwrap();
        assert_eq!((request.state, request.reason.as_str()), (state, reason), "{name}");
        assert_eq!(request.resolve_reason, answer, "{name}");
        assert_eq!((request.user.as_str(), &request.roles[..]), ("bot-ci3", &["ci-prod".to_owned()][..]));
        assert_eq!(request.expires.unwrap().to_string(), "2026-11-21T14:12:20Z", "{name}");
        assert!(request.created.unwrap() < request.expires.unwrap() && request.begins.is_none(), "{name}");
    }
    assert!(case("no such request").get("response_hex").is_none(), "an empty stream");
}

/// The bot's own role and the requested one, the requested one's logins, and no longer than the request.
#[test]
fn the_certificates_are_read() {
    let case = case("certificates with the approved request");
    let certs = wire::Certs::decode(&bytes(&case["response_hex"])[..]).unwrap();
    let ssh = SshCertificate::from_line(std::str::from_utf8(&certs.ssh).unwrap().trim()).unwrap();
    let tls = TlsCertificate::from_pem(std::str::from_utf8(&certs.tls).unwrap()).unwrap();
    assert_eq!(
        (ssh.roles(), tls.organizations.clone()),
        (vec!["bot-ci3".into(), "ci-prod".into()], ssh.roles())
    );
    assert_eq!(ssh.logins(), ["prod"]);
    let id = "61396805-c807-4931-b79f-a49127735456";
    assert_eq!((ssh.access_requests(), tls.access_requests()), (vec![id.to_owned()], vec![id.to_owned()]));
    // It may ask for more: nothing says that it must not.
    assert_eq!((tls.attribute("2.7"), tls.attribute("2.9")), (None, None));
    assert!(!ssh.extensions.iter().any(|(name, _)| name == "disallow-reissue"));
    assert!(tls.not_after <= "2026-11-21T14:12:21Z".parse().unwrap());
    // The server puts a kubernetes cluster in where none is asked for.
    assert_eq!(Route::of(&tls), Route::Kube { kube: "kube1".to_owned() });
}

#[test]
fn each_refusal_has_a_cure() {
    let roles = ["ci-mfa".to_owned()];
    let mut seen = 0;
    for case in cases().iter().filter(|case| case.get("error").is_some()) {
        let message = refusal(case);
        let found = hints(message, "bot-ci3", &roles);
        assert!(!found.is_empty(), "{message}");
        let asks = message.contains("can not request role");
        assert_eq!(found.iter().any(|hint| hint.contains("allow.request")), asks, "{found:?}");
        let error =
            IssueError::Refused { output: "ssh".into(), user: "bot-ci3".into(), message: message.to_owned() };
        assert!(!error.hints().is_empty(), "{message}");
        seen += 1;
    }
    assert_eq!(seen, 5);
}
