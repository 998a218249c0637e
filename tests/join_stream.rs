//! Where the join stream ends before its result: who takes the POST then, and what is a refusal.
//!
//! Servers 18.3 to 18.5 have the stream, name the token's method, and then end with UNIMPLEMENTED, as their stream does not serve that
//! method yet. The status comes with `ServerInit` in one flight, or later.

use std::time::Duration;

use jobpass::env::{self, Env};
use jobpass::error::StageError as _;
use jobpass::identity::keys::{KeyKind, KeyPair};
use jobpass::log::Log;
use jobpass::net::{Deadline, HostPort, Network, Options};
use jobpass::platform::Platform;
use jobpass::sandbox::SandboxOptions;
use jobpass::sandbox::fault_injection::{FaultInjection, JoinEnd, StreamEnd};
use jobpass::secret::Jwt;
use jobpass::teleport::challenge::Question;
use jobpass::teleport::dial::Endpoint;
use jobpass::teleport::join::{Answer, Joined};
use jobpass::teleport::{Cluster as Teleport, ClusterError};

use crate::support::cluster::Cluster;

const AT_ONCE: Duration = Duration::ZERO;
const LATER: Duration = Duration::from_millis(100);
/// gRPC's numbers.
const UNKNOWN: i32 = 2;
const PERMISSION_DENIED: i32 = 7;
const UNIMPLEMENTED: i32 = 12;
const UNAVAILABLE: i32 = 14;

const NOT_YET: &str = "join method gitlab is not yet implemented by the new join service";
/// What a server says of an identity token that has expired: a tree over several lines.
const TREE: &str = "verifying OIDC token\n\tvalidating with oidc\n\t\toidc: token is expired";

fn cluster(after_init: bool, delay: Duration, how: StreamEnd) -> Cluster {
    let inject =
        FaultInjection { join_end: Some(JoinEnd { after_init, delay, how }), ..FaultInjection::default() };
    Cluster::start(SandboxOptions { version: "18.4.0".into(), inject, ..SandboxOptions::simulating(None) })
}

fn status(code: i32, message: &str) -> StreamEnd {
    StreamEnd::Status(code, message.to_owned())
}

/// One join as `login` does it.
fn join(cluster: &Cluster) -> Result<Joined, ClusterError> {
    let job = cluster.job(Platform::GitLabCi);
    let token = job.variables.iter().find(|(_, value)| value.starts_with("eyJ")).unwrap().1.clone();
    let options = Options { ca_pem: Some(cluster.sandbox.web_ca_pem().to_owned()), ..Options::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let deadline = Deadline::after(Duration::from_secs(60));
        let network = Network::new(&Env::new([("", ""); 0], "/"), &options, deadline, Log::silent()).unwrap();
        let address = HostPort::parse(&cluster.proxy(), 443).unwrap();
        let teleport = Teleport::new(network, Endpoint::Proxy(address));
        let attempt = teleport.begin_join(&job.token, 0, std::future::ready(None)).await?;
        let key = KeyPair::generate(KeyKind::P256).unwrap();
        let expires = env::now() + jiff::SignedDuration::from_hours(1);
        let prove = async |_: Option<Question<'_>>| Ok(Answer::IdToken(Jwt::parse(&token).unwrap()));
        attempt.join(prove, &key, expires).await
    })
}

/// How often each path was asked for.
fn asked(cluster: &Cluster, path: &str) -> usize {
    cluster.sandbox.records().iter().flat_map(|s| &s.paths).filter(|p| p.ends_with(path)).count()
}

/// Thirty of thirty: which task wakes first is up to the machine.
#[test]
fn a_stream_that_does_not_serve_the_method_gives_way_to_the_post() {
    for (after_init, delay, how) in [
        (true, AT_ONCE, status(UNIMPLEMENTED, NOT_YET)),
        (true, LATER, status(UNIMPLEMENTED, NOT_YET)),
        (true, AT_ONCE, StreamEnd::Ok),
        (true, LATER, StreamEnd::Ok),
        (true, AT_ONCE, StreamEnd::Cut),
        (true, LATER, StreamEnd::Cut),
        (false, AT_ONCE, status(UNIMPLEMENTED, NOT_YET)),
        (false, LATER, StreamEnd::Ok),
        (false, AT_ONCE, StreamEnd::Cut),
        (false, AT_ONCE, status(UNAVAILABLE, "no auth servers")),
    ] {
        let what = format!("{after_init} {delay:?} {how:?}");
        let cluster = cluster(after_init, delay, how);
        let runs = if delay.is_zero() { 30 } else { 3 };
        for run in 0..runs {
            let joined = join(&cluster).unwrap_or_else(|e| panic!("{what} {run}: {}", e.in_one_line()));
            assert_eq!(joined.certificate.common_name, "bot-ci", "{what} {run}");
        }
        assert_eq!(asked(&cluster, "JoinService/Join"), runs, "{what}: nothing is asked a second time");
        assert_eq!(asked(&cluster, "/connectionupgrade"), 0, "{what}: it says nothing about balancers");
        // The page's connection, and that of the stream: the POST goes out on the one that is open.
        let seen = cluster.sandbox.records();
        assert_eq!(seen.len(), 2 * runs, "{what}: {seen:#?}");
        for connection in seen.iter().filter(|s| s.paths.iter().any(|p| p.ends_with("/ping"))) {
            assert!(connection.paths.iter().any(|p| p.ends_with("/host/credentials")), "{what}: {seen:#?}");
        }
    }
}

#[test]
fn a_refusal_right_behind_an_answer_is_not_lost_and_is_final() {
    for (after_init, delay, code, message) in [
        (true, AT_ONCE, PERMISSION_DENIED, "access denied"),
        (true, LATER, PERMISSION_DENIED, "access denied"),
        (true, AT_ONCE, UNKNOWN, TREE),
        (false, AT_ONCE, PERMISSION_DENIED, "access denied"),
        (false, AT_ONCE, UNKNOWN, TREE),
    ] {
        let what = format!("{after_init} {delay:?} {code}");
        let cluster = cluster(after_init, delay, status(code, message));
        let runs = if delay.is_zero() { 30 } else { 3 };
        for run in 0..runs {
            match join(&cluster) {
                Err(ClusterError::Refused { message: got, .. }) => {
                    let whole = message.split_whitespace().collect::<Vec<_>>().join(" ");
                    assert_eq!(got, whole, "{what} {run}");
                }
                other => panic!("{what} {run}: {other:?}"),
            }
        }
        assert_eq!(asked(&cluster, "JoinService/Join"), runs, "{what}");
        assert_eq!(asked(&cluster, "/host/credentials"), 0, "{what}: a refusal is not asked for by POST");
    }
}

#[test]
fn what_is_served_by_neither_way_is_reported_in_the_streams_words() {
    let inject = FaultInjection {
        join_end: Some(JoinEnd { after_init: true, delay: AT_ONCE, how: status(UNIMPLEMENTED, NOT_YET) }),
        ..FaultInjection::default()
    };
    let options = SandboxOptions { join_old: false, inject, ..SandboxOptions::simulating(None) };
    let error = join(&Cluster::start(options)).unwrap_err();
    assert!(matches!(&error, ClusterError::Refused { message, .. } if message == NOT_YET), "{error:?}");
}

#[test]
fn login_ends_well_on_such_a_server() {
    let job = |cluster: &Cluster| cluster.job(Platform::GitLabCi).login(&["-v", "--dir", "out"]);
    let ran = job(&cluster(true, AT_ONCE, status(UNIMPLEMENTED, NOT_YET))).ok();
    assert!(ran.stderr.contains(NOT_YET) && ran.stderr.contains("joining by HTTPS POST"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("trying again") && !ran.stderr.contains("upgrad"), "{}", ran.stderr);
    let ran = job(&cluster(true, AT_ONCE, status(UNKNOWN, TREE)));
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("oidc: token is expired") && !ran.stderr.contains("trying again"),
        "{}",
        ran.stderr
    );
}
