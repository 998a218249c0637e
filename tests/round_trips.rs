//! What decides how long a login takes over a long wire: how many connections, and what waits for what. Times are in `benches/round_trips.rs`.

use std::process::Stdio;
use std::time::Duration;

use jobpass::platform::Platform;
use jobpass::sandbox::SandboxOptions;
use jobpass::sandbox::fault_injection::FaultInjection;

use crate::support::balancer::{Balancer, Unknown};
use crate::support::cluster::Cluster;
use crate::support::command::put;
use crate::support::http_proxy::{HttpProxy, HttpProxyOptions};
use crate::support::relay::Relay;
use crate::support::rounds::{Counted, Rounds};

/// How long nobody speaks before a round ends, in milliseconds: more in each further run, as a machine that is busy may have taken long to speak.
const QUIET: [u64; 5] = [30, 60, 120, 250, 500];
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

/// What lies between a job and its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Direct,
    /// A balancer that terminates TLS.
    Balancer,
    /// An HTTP proxy, which is as far as all else.
    HttpProxy,
}

/// The least of some runs. Whatever a job speaks to is equally far: cluster, CI endpoint, balancer, HTTP proxy.
fn counted(cluster: &Cluster, way: Way, platform: Platform, arguments: &[&str], want: usize) -> Counted {
    let mut least = Counted { rounds: usize::MAX, connections: usize::MAX };
    for quiet in QUIET.map(Duration::from_millis) {
        let mut rounds = Rounds::default();
        let mut job = cluster.job(platform);
        let target = cluster.sandbox.address;
        let endpoint = rounds.leading_to(target);
        for (name, value) in &mut job.variables {
            if name == "ACTIONS_ID_TOKEN_REQUEST_URL" {
                *value = value.replace(&cluster.proxy(), &endpoint.to_string());
            }
        }
        let balancer = Balancer::start(target, cluster.sandbox.web_ca_pem(), Unknown::NoAlpn);
        let names = [("localhost:443".to_owned(), target)].into();
        let http_proxy = HttpProxy::start(HttpProxyOptions { names, ..HttpProxyOptions::default() });
        let proxy = match way {
            Way::Direct => format!("localhost:{}", rounds.leading_to(target).port()),
            Way::Balancer => {
                let roots = cluster.path("balancer.pem");
                put(&roots, &balancer.ca_pem);
                job = job.set("SSL_CERT_FILE", roots.to_str().unwrap());
                format!("localhost:{}", rounds.leading_to(balancer.address()).port())
            }
            Way::HttpProxy => {
                job = job.set("HTTPS_PROXY", &format!("http://{}", rounds.leading_to(http_proxy.address())));
                "localhost:443".to_owned()
            }
        };
        let dir = cluster.path("out");
        let mut all = vec!["login", "--proxy", &proxy, "--token", &job.token, "--dir", dir.to_str().unwrap()];
        all.extend(arguments);
        let mut child = job.command(&all).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let counted = rounds.count(&mut child, quiet);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        if counted.rounds < least.rounds {
            least = counted;
        }
        if least.rounds <= want {
            break;
        }
    }
    least
}

/// With default roles and verify: a token at hand is shown in the first flight of the join, at servers from 18 in the round trip of the ping. One that
/// is fetched (TCP, TLS, the request) comes a round trip later, and so does the answer of an older server that has no join stream.
#[test]
fn round_trips_are_as_few_as_they_can_be() {
    use Platform::{GitHubActions, GitLabCi};
    use Way::{Balancer, Direct, HttpProxy};
    const NEW: &str = "18.11.0";
    const OLD: &str = "15.4.0";
    // Most clusters have the name of their proxy's host.
    const USUAL: &str = "localhost";
    std::thread::scope(|scope| {
        for (way, version, name, platform, rounds, connections) in [
            (Direct, NEW, USUAL, GitLabCi, 6, 4),
            (Direct, OLD, USUAL, GitLabCi, 7, 4),
            (Direct, NEW, USUAL, GitHubActions, 7, 5),
            (Direct, OLD, USUAL, GitHubActions, 7, 5),
            // The name is known once the ping has answered.
            (Direct, NEW, "sandbox.example", GitLabCi, 7, 5),
            // CONNECT first.
            (HttpProxy, NEW, USUAL, GitLabCi, 7, 4),
            (HttpProxy, OLD, USUAL, GitLabCi, 8, 4),
            // The probe, TLS with the balancer, the upgrade.
            (Balancer, NEW, USUAL, GitLabCi, 9, 5),
            (Balancer, OLD, USUAL, GitLabCi, 10, 5),
        ] {
            scope.spawn(move || {
                let cluster = Cluster::start(SandboxOptions {
                    version: version.into(),
                    cluster: name.into(),
                    ..SandboxOptions::simulating(None)
                });
                let roles = ["--roles", "ci-deploy"];
                let twenty: Vec<String> = (1..=20).map(|n| format!("ssh,name=s{n}")).collect();
                let twenty: Vec<&str> = twenty.iter().flat_map(|output| ["--output", output]).collect();
                let least = [&roles[..], &["--no-verify"]].concat();
                let three_roles = [&THREE[..], &roles].concat();
                for (arguments, fewer) in [
                    (&[][..], 0),
                    (&["--no-verify"], 1),
                    (&roles, 1),
                    (&least, 2),
                    (&THREE, 0),
                    (&three_roles, 1),
                    (&twenty, 0),
                ] {
                    let alone = usize::from(arguments.contains(&"--no-verify"));
                    // No other connection is there that could step in for the one with the wrong name.
                    let guess = if name == USUAL { 0 } else { alone };
                    let want = Counted { rounds: rounds - fewer + guess, connections: connections - alone };
                    let counted = counted(&cluster, way, platform, arguments, want.rounds);
                    let what = format!("{way:?} {version} {name} {platform:?} {arguments:?}");
                    assert_eq!(counted, want, "{what}");
                }
            });
        }
    });
}
