//! Joins whose proof answers a challenge, by both ways: the join stream, and the older streams of servers without it.

use std::cell::RefCell;
use std::time::Duration;

use jobpass::cloud::{Cloud, aws};
use jobpass::env::{self, Env};
use jobpass::error::StageError as _;
use jobpass::identity::keys::{KeyKind, KeyPair};
use jobpass::log::Log;
use jobpass::net::tls::Trust;
use jobpass::net::{Deadline, HostPort, Network, Options};
use jobpass::rules::ProvisionToken;
use jobpass::sandbox::fault_injection::{FaultInjection, JoinEnd, StreamEnd};
use jobpass::sandbox::{SandboxOptions, Simulated};
use jobpass::teleport::challenge::{IAM_HEADER, Kind, Question, Solution};
use jobpass::teleport::dial::Endpoint;
use jobpass::teleport::join::{Answer, Joined};
use jobpass::teleport::{Cluster as Teleport, ClusterError, JoinMethod};
use serde_json::{Value, json};

use crate::support::cluster::Cluster;

const UNIMPLEMENTED: i32 = 12;
const STREAM: &str = "JoinService/Join";
const OLDER: &str = "/RegisterUsingIAMMethod";

fn join_token(method: JoinMethod, spec: Value) -> ProvisionToken {
    ProvisionToken {
        name: format!("ci-{method}"),
        expires: None,
        roles: vec!["Bot".into()],
        bot_name: Some("ci".into()),
        method,
        spec,
    }
}

fn cluster(options: SandboxOptions) -> Cluster {
    let iam = json!({"allow": [{"aws_account": "123456789012"}]});
    let azure = json!({"azure": {"allow": [{"subscription": "s"}]}});
    let tokens = vec![join_token(JoinMethod::Iam, iam), join_token(JoinMethod::Azure, azure)];
    Cluster::start(SandboxOptions { tokens, ..options })
}

fn recent() -> SandboxOptions {
    SandboxOptions { version: "18.3.0".into(), ..SandboxOptions::simulating(None) }
}

/// Before the join stream.
fn old() -> SandboxOptions {
    SandboxOptions { version: "15.4.0".into(), ..SandboxOptions::simulating(None) }
}

fn injecting(inject: FaultInjection) -> SandboxOptions {
    SandboxOptions { inject, ..recent() }
}

/// How the proof answers.
#[derive(Clone, Copy)]
enum Proof {
    Right,
    /// To another challenge.
    Wrong,
    /// Not at all.
    Fails,
}

struct Attempt {
    result: Result<Joined, ClusterError>,
    challenges: Vec<String>,
}

fn join(cluster: &Cluster, kind: Kind, token: &str, proof: Proof) -> Attempt {
    let address = HostPort::parse(&cluster.proxy(), 443).unwrap();
    join_at(cluster, Endpoint::Proxy(address), kind, token, proof)
}

fn join_at(cluster: &Cluster, endpoint: Endpoint, kind: Kind, token: &str, proof: Proof) -> Attempt {
    let options = Options { ca_pem: Some(cluster.sandbox.web_ca_pem().to_owned()), ..Options::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let challenges = RefCell::new(Vec::new());
    let result = runtime.block_on(async {
        let deadline = Deadline::after(Duration::from_secs(60));
        let env =
            Env::new(cluster.sandbox.job_environment(Simulated::machine(Cloud::Aws).unwrap()).unwrap(), "/");
        let network = Network::new(&env, &options, deadline, Log::silent()).unwrap();
        let identity = aws::identity(&env, &network).await.unwrap();
        let key = KeyPair::generate(KeyKind::P256).unwrap();
        let expires = env::now() + jiff::SignedDuration::from_hours(1);
        let attempt = Teleport::new(network, endpoint).begin_join(token, 0, std::future::ready(None)).await?;
        let attempt = attempt.ask(kind, &key, expires).await?;
        let prove = async |question: Option<Question<'_>>| {
            let challenge = question.unwrap().text;
            challenges.borrow_mut().push(challenge.to_owned());
            let challenge = match proof {
                Proof::Right => challenge,
                Proof::Wrong => "b3RoZXI",
                Proof::Fails => return Err(ClusterError::malformed("the machine", "credentials")),
            };
            Ok(Answer::Solution(match kind {
                Kind::Iam => {
                    Solution::Iam { sts_identity_request: identity.request((IAM_HEADER, challenge)) }
                }
                Kind::Azure => Solution::Azure {
                    attested_data: b"{}".to_vec(),
                    intermediate: vec![0x30],
                    access_token: "eyJ.e30.c2ln".into(),
                },
            }))
        };
        attempt.join(prove, &key, expires).await
    });
    Attempt { result, challenges: challenges.into_inner() }
}

/// How often each path was asked for.
fn asked(cluster: &Cluster, path: &str) -> usize {
    cluster.sandbox.records().iter().flat_map(|s| &s.paths).filter(|p| p.ends_with(path)).count()
}

fn refused(attempt: &Attempt) -> String {
    match &attempt.result {
        Err(ClusterError::Refused { message, .. }) => message.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_stream_asks_and_takes_the_answer() {
    let cluster = cluster(recent());
    let attempt = join(&cluster, Kind::Iam, "ci-iam", Proof::Right);
    assert_eq!(attempt.result.unwrap().certificate.common_name, "bot-ci");
    // 32 bytes, as base64 without padding.
    assert_eq!(attempt.challenges.iter().map(String::len).collect::<Vec<_>>(), [43]);
    assert_eq!((asked(&cluster, STREAM), asked(&cluster, OLDER)), (1, 0));
}

#[test]
fn the_older_stream_is_taken_where_the_new_one_does_not_serve() {
    let not_yet = "join method iam is not yet implemented by the new join service";
    let end = |after_init, how| FaultInjection {
        join_end: Some(JoinEnd { after_init, delay: Duration::ZERO, how }),
        ..FaultInjection::default()
    };
    let status = StreamEnd::Status(UNIMPLEMENTED, not_yet.into());
    for (what, options, challenges, connections) in [
        ("an old server", old(), 1, 2),
        ("off", SandboxOptions { join_new: false, ..recent() }, 1, 2),
        ("not yet, told before", injecting(end(false, status.clone())), 1, 2),
        ("not yet, told after", injecting(end(true, status)), 1, 2),
        ("no status", injecting(end(true, StreamEnd::Ok)), 1, 2),
        ("cut", injecting(end(true, StreamEnd::Cut)), 1, 3),
        (
            "ended after the solution",
            injecting(FaultInjection { end_after_solution: true, ..FaultInjection::default() }),
            2,
            2,
        ),
    ] {
        let cluster = cluster(options);
        let attempt = join(&cluster, Kind::Iam, "ci-iam", Proof::Right);
        let joined = attempt.result.unwrap_or_else(|e| panic!("{what}: {}", e.in_one_line()));
        assert_eq!(joined.certificate.common_name, "bot-ci", "{what}");
        assert!(!joined.authorities.is_empty(), "{what}");
        assert_eq!(attempt.challenges.len(), challenges, "{what}");
        assert_eq!((asked(&cluster, STREAM), asked(&cluster, OLDER)), (1, 1), "{what}");
        assert_eq!(asked(&cluster, "/host/credentials"), 0, "{what}: the POST takes tokens only");
        // The page's, that of the stream, and a new one only where that is gone.
        assert_eq!(cluster.sandbox.records().len(), connections, "{what}");
    }
}

#[test]
fn an_auth_service_asks_too() {
    for options in [recent(), old()] {
        let cluster = cluster(options);
        let address = HostPort::parse(&cluster.proxy(), 443).unwrap();
        let endpoint = Endpoint::Auth { address, trust: Trust::Blindly };
        let attempt = join_at(&cluster, endpoint, Kind::Iam, "ci-iam", Proof::Right);
        assert_eq!(attempt.result.unwrap().certificate.common_name, "bot-ci");
    }
}

#[test]
fn refusals_come_by_both_ways_and_are_final() {
    for (options, older) in [(recent(), 0), (old(), 1)] {
        for (kind, token, proof, words) in [
            (Kind::Iam, "ci-iam", Proof::Wrong, "sts identity request does not include challenge header"),
            (Kind::Iam, "nope", Proof::Right, "token expired or not found"),
        ] {
            let cluster = cluster(options.clone());
            let attempt = join(&cluster, kind, token, proof);
            let message = refused(&attempt);
            assert!(message.contains(words), "{message}");
            assert_eq!((asked(&cluster, STREAM), asked(&cluster, OLDER)), (1, older), "{words}");
        }
    }
    let none = SandboxOptions {
        tokens: vec![join_token(JoinMethod::Iam, json!({"allow": [{"aws_account": "999999999999"}]}))],
        ..recent()
    };
    let message = refused(&join(&Cluster::start(none), Kind::Iam, "ci-iam", Proof::Right));
    assert!(message.contains("did not match any allow rules"), "{message}");
    // Only the older stream learns of the token's method last.
    let message = refused(&join(&cluster(old()), Kind::Iam, "ci-azure", Proof::Right));
    assert_eq!(message, "this token does not support the IAM join method");
}

#[test]
fn the_answer_of_azure_goes_out_by_both_ways() {
    for (options, path) in [(recent(), STREAM), (old(), "/RegisterUsingAzureMethod")] {
        let cluster = cluster(options);
        let attempt = join(&cluster, Kind::Azure, "ci-azure", Proof::Right);
        // 24 bytes, as base64 without padding.
        assert_eq!(attempt.challenges.iter().map(String::len).collect::<Vec<_>>(), [32]);
        assert_eq!(refused(&attempt), "pkcs7: it is not JSON with `encoding` and `signature`");
        assert_eq!(asked(&cluster, path), 1);
    }
}

#[test]
fn a_proof_that_fails_gives_the_stream_up() {
    let cluster = cluster(recent());
    let attempt = join(&cluster, Kind::Iam, "ci-iam", Proof::Fails);
    assert_eq!(attempt.result.unwrap_err().to_string(), "the machine has no usable `credentials`");
    let gave_up: Vec<_> = cluster.sandbox.records().into_iter().filter_map(|r| r.gave_up).collect();
    assert_eq!(gave_up, ["the machine has no usable `credentials`"]);
    assert_eq!(asked(&cluster, OLDER), 0);
}

#[test]
fn what_is_no_challenge_is_not_answered() {
    for (challenge, words) in [
        (String::new(), "it is empty"),
        ("x".repeat(513), "it is longer than 512 characters"),
        ("a\r\nhost: evil".into(), "it is not base64"),
    ] {
        for options in [recent(), old()] {
            let inject = FaultInjection { challenge: Some(challenge.clone()), ..FaultInjection::default() };
            let cluster = cluster(SandboxOptions { inject, ..options });
            let attempt = join(&cluster, Kind::Iam, "ci-iam", Proof::Right);
            let error = attempt.result.unwrap_err().in_one_line();
            assert!(error.contains(words) && attempt.challenges.is_empty(), "{error}");
        }
    }
}

#[test]
fn what_is_served_by_neither_way_is_told() {
    let cluster = cluster(SandboxOptions { join_new: false, join_old: false, ..recent() });
    let error = join(&cluster, Kind::Iam, "ci-iam", Proof::Right).result.unwrap_err().in_one_line();
    assert!(error.contains("it has no service to join by: unknown service proto.JoinService"), "{error}");
}
