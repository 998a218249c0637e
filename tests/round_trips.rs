//! What decides how long a login takes over a long wire: how many connections, and what waits for what. Times are in `benches/round_trips.rs`.

use std::time::Duration;

use jobpass::platform::Platform;
use jobpass::sandbox::SandboxOptions;
use jobpass::sandbox::fault_injection::FaultInjection;

use crate::support::cluster::Cluster;
use crate::support::relay::Relay;

const CAS: &str = "/GetCertAuthorities";
const CERTS: &str = "/GenerateUserCerts";
const JOIN: &str = "/teleport.join.v1.JoinService/Join";
const TOKEN: &str = "/_ci/github/token";
const THREE: [&str; 6] = ["--output", "ssh,name=a", "--output", "ssh,name=b", "--output", "ssh,name=c"];

/// A cluster that answers none of each group before all of the group came.
fn together(groups: &[&[&str]]) -> Cluster {
    let answer_together = groups.iter().map(|g| g.iter().map(|&p| p.to_owned()).collect()).collect();
    let inject = FaultInjection { answer_together, ..FaultInjection::default() };
    Cluster::start(SandboxOptions { inject, ..SandboxOptions::simulating(None) })
}

#[test]
fn nothing_waits_that_need_not() {
    // Ed25519 for ssh and P-256 for TLS: two certificates an output.
    let one = [CERTS; 2];
    let three = [CERTS; 6];
    let with_roles = [CAS, CAS, CAS, CERTS, CERTS];
    let default_roles = ["/GetRole", CAS, CAS, CAS];
    let start = ["/webapi/ping", JOIN, TOKEN];
    for (groups, arguments) in [
        (&[&start[..], &default_roles, &one][..], &[][..]),
        (&[&start[..], &default_roles, &three][..], &THREE[..]),
        (&[&start[..], &with_roles][..], &["--roles", "ci-deploy"][..]),
    ] {
        let cluster = together(groups);
        let dir = cluster.path("out");
        let mut all = vec!["--dir", dir.to_str().unwrap(), "--timeout", "30s"];
        all.extend(arguments);
        cluster.job(Platform::GitHubActions).login(&all).ok();
    }
}

#[test]
fn a_request_that_need_not_wait_is_noticed_when_it_does() {
    // Certificates cannot be asked for before the roles are known: this group is never complete.
    let cluster = together(&[&["/GetRole", CERTS]]);
    let dir = cluster.path("out");
    let ran =
        cluster.job(Platform::GitHubActions).login(&["--dir", dir.to_str().unwrap(), "--timeout", "2s"]);
    assert_eq!(ran.code, 5, "{}", ran.all());
    assert!(!dir.exists());
}

#[test]
fn connections_are_few_and_opened_ahead() {
    for (new, outputs) in [(true, &[][..]), (true, &THREE[..]), (false, &THREE[..])] {
        let cluster = Cluster::start(SandboxOptions { join_new: new, ..SandboxOptions::simulating(None) });
        let relay = Relay::start(cluster.sandbox.address, Duration::from_millis(10));
        let (proxy, dir) = (relay.address.to_string(), cluster.path("out"));
        let job = cluster.job(Platform::GitLabCi);
        let mut all =
            vec!["login", "--proxy", &proxy, "--token", &job.token, "--dir", dir.to_str().unwrap(), "-v"];
        all.extend(outputs);
        let ran = job.run(&all).ok();
        let carried = relay.carried();
        // The web page, the join service, the auth service as the bot, and once more to verify what was issued.
        assert_eq!(carried.len(), 4, "{carried:?}");
        assert!(ran.stderr.contains("  4 TCP connections · "), "{}", ran.stderr);
        let flights: Vec<_> = carried.iter().map(|c| c.flights).collect();
        println!("flights a connection: {flights:?}");
    }

    // A token that does not come holds up no connection.
    let inject = FaultInjection { hang_on: vec![TOKEN.into()], ..FaultInjection::default() };
    let cluster = Cluster::start(SandboxOptions { inject, ..SandboxOptions::simulating(None) });
    let relay = Relay::start(cluster.sandbox.address, Duration::ZERO);
    let proxy = relay.address.to_string();
    let job = cluster.job(Platform::GitHubActions);
    let ran = job.run(&["login", "--proxy", &proxy, "--token", &job.token, "--timeout", "5s"]);
    assert_eq!(ran.code, 5, "{}", ran.all());
    assert_eq!(relay.carried().len(), 4);
}
