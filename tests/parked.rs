//! Connections to the auth service begin before there is a certificate for them, and the proof goes out before the server has said anything: what
//! becomes of both where that was in vain, and who gets to see nothing.

use jobpass::platform::Platform;
use jobpass::sandbox::fault_injection::{FaultInjection, OddHandshake};
use jobpass::sandbox::{Record, SandboxOptions};

use crate::support::cluster::{Cluster, Job, listing};
use crate::support::command::Ran;

const PING: &str = "/webapi/ping";
const JOIN: &str = "/teleport.join.v1.JoinService/Join";
const OLD: &str = "15.4.0";
const NEW: &str = "18.11.0";

fn cluster(version: &str, inject: FaultInjection) -> Cluster {
    Cluster::start(SandboxOptions { version: version.into(), inject, ..SandboxOptions::simulating(None) })
}

/// By a name, as is usual.
fn login(cluster: &Cluster, job: &Job<'_>, arguments: &[&str]) -> Ran {
    let (proxy, dir) = (format!("localhost:{}", cluster.sandbox.address.port()), cluster.path("out"));
    let mut all =
        vec!["login", "--proxy", &proxy, "--token", &job.token, "-v", "--dir", dir.to_str().unwrap()];
    all.extend(arguments);
    job.run(&all)
}

/// The connections that asked for an auth service, of this cluster or another.
fn at_auth(cluster: &Cluster) -> Vec<Record> {
    let mut seen = cluster.sandbox.records();
    seen.retain(|seen| seen.alpn_offered.iter().any(|offered| offered.starts_with("teleport-auth@")));
    seen
}

fn asked(cluster: &Cluster, end: &str) -> usize {
    cluster.sandbox.records().iter().flat_map(|s| &s.paths).filter(|p| p.ends_with(end)).count()
}

#[test]
fn a_handshake_that_the_server_gave_up_is_dialled_again() {
    for version in [NEW, OLD] {
        // The bot's; and that under the issued identity, without which policies would go unseen.
        for impatient_handshakes in [1, 2] {
            let inject = FaultInjection { impatient_handshakes, ..FaultInjection::default() };
            let cluster = cluster(version, inject);
            let ran = login(&cluster, &cluster.job(Platform::GitLabCi), &["--timeout", "50s"]).ok();
            let what = format!("{version} {impatient_handshakes}: {}", ran.stderr);
            assert!(!ran.stderr.contains("is not known"), "{what}");
            assert_eq!(asked(&cluster, "/GetCurrentUserRoles"), 1, "{what}");
            let served = at_auth(&cluster).iter().filter(|seen| seen.client.is_some()).count();
            assert_eq!(served, 2, "{what}: {:#?}", at_auth(&cluster));
        }
    }
}

#[test]
fn every_tls_that_servers_speak_will_do() {
    for odd in [OddHandshake::Tls12, OddHandshake::OtherKeyShare] {
        let cluster =
            cluster(NEW, FaultInjection { auth_handshakes: Some(odd), ..FaultInjection::default() });
        let ran = login(&cluster, &cluster.job(Platform::GitLabCi), &[]).ok();
        assert!(
            !ran.stderr.contains("trying again") && !ran.stderr.contains("is not known"),
            "{}",
            ran.stderr
        );
        let clients: Vec<_> = at_auth(&cluster).into_iter().filter_map(|seen| seen.client).collect();
        assert_eq!(clients, ["bot-ci"; 2], "{odd:?}");
    }
}

/// The CA comes with the join, behind the hello: what the server showed before is measured by it all the same.
#[test]
fn a_server_of_another_ca_sees_no_certificate() {
    for version in [NEW, OLD] {
        let auth_handshakes = Some(OddHandshake::ForeignCa);
        let cluster = cluster(version, FaultInjection { auth_handshakes, ..FaultInjection::default() });
        let ran = login(&cluster, &cluster.job(Platform::GitLabCi), &[]);
        assert_eq!(ran.code, 5, "{}", ran.all());
        for words in ["could not reach the auth service", "is not accepted: its issuer"] {
            assert!(ran.stderr.contains(words), "`{words}` is not in {}", ran.stderr);
        }
        let reached = at_auth(&cluster);
        assert!(!reached.is_empty() && reached.iter().all(|s| s.client.is_none() && s.paths.is_empty()));
        assert!(!cluster.path("out").exists());
    }
}

#[test]
fn a_handshake_that_stalls_has_its_limit() {
    let auth_handshakes = Some(OddHandshake::Stalls);
    let cluster = cluster(NEW, FaultInjection { auth_handshakes, ..FaultInjection::default() });
    let ran = login(&cluster, &cluster.job(Platform::GitLabCi), &["--timeout", "3s"]);
    assert_eq!(ran.code, 5, "{}", ran.all());
    assert!(ran.stderr.contains("the deadline of 3s ran out while the TLS handshake"), "{}", ran.stderr);
    assert!(listing(&cluster.path("temp")).is_empty());
}

/// The page answers only when the join has come, so that the name must be guessed.
fn guessing(name: &str) -> Cluster {
    let answer_together = vec![vec![PING.to_owned(), JOIN.to_owned()]];
    let inject = FaultInjection { answer_together, ..FaultInjection::default() };
    Cluster::start(SandboxOptions {
        cluster: name.into(),
        version: NEW.into(),
        inject,
        ..SandboxOptions::simulating(None)
    })
}

#[test]
fn a_name_that_was_guessed_wrong_costs_a_connection_and_no_more() {
    for (name, connections, wrong) in [("localhost", 4, 0), ("sandbox.example", 5, 1)] {
        let cluster = guessing(name);
        let ran = login(&cluster, &cluster.job(Platform::GitLabCi), &[]).ok();
        assert!(
            ran.stderr.contains(&format!("  {connections} TCP connections · ")),
            "{name}: {}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("trying again"), "{name}: {}", ran.stderr);
        let reached = at_auth(&cluster);
        let (clients, others): (Vec<_>, Vec<_>) = reached.iter().partition(|seen| seen.client.is_some());
        assert_eq!((clients.len(), others.len()), (2, wrong), "{name}: {reached:#?}");
        // Hex of `localhost`.
        let guess = others.iter().all(|seen| seen.alpn_offered[0].contains("@6c6f63616c686f7374."));
        assert!(guess, "{name}: {reached:#?}");
    }
    // An address is no cluster's name.
    let cluster = guessing("sandbox.example");
    cluster.job(Platform::GitLabCi).login(&[]).ok();
    assert_eq!(at_auth(&cluster).len(), 2);
}

#[test]
fn the_proof_waits_for_the_cluster_that_the_user_named() {
    let proved = |cluster: &Cluster| cluster.sandbox.records().iter().any(|seen| seen.proved);
    let cluster = cluster(NEW, FaultInjection::default());
    let job = cluster.job(Platform::GitLabCi);
    let ran = login(&cluster, &job, &["--expect-cluster", "prod.example"]);
    assert_eq!(ran.code, 4, "{}", ran.all());
    assert!(ran.stderr.contains("nothing of this job's was sent"), "{}", ran.stderr);
    assert!(!proved(&cluster));
    login(&cluster, &job, &["--expect-cluster", "sandbox.example"]).ok();
    assert!(proved(&cluster));
}

/// With the proof in the first flight, the server's word on the method still decides what is said.
#[test]
fn a_join_token_for_another_method_is_told_as_such() {
    for (platform, token, theirs) in
        [(Platform::GitLabCi, "ci-github", "github"), (Platform::GitLabCi, "ci-aws", "iam")]
    {
        let cluster = cluster(NEW, FaultInjection::default());
        let mut job = cluster.job(platform);
        token.clone_into(&mut job.token);
        let ran = login(&cluster, &job, &[]);
        assert_eq!(ran.code, 4, "{}", ran.all());
        let told = format!("the join token `{token}` is for the method `{theirs}`");
        assert!(ran.stderr.replace("\n       ", " ").contains(&told), "{}", ran.stderr);
        assert!(at_auth(&cluster).iter().all(|seen| seen.client.is_none()));
    }
}
