//! How many round trips `login` needs, and how long it takes over a long wire: `cargo bench --bench round_trips`.
//!
//! All that a job speaks to is equally far: the cluster, the CI endpoint where its token is fetched, the balancer or HTTP proxy before the cluster.
//! `trips` are counted in lockstep (`tests/support/rounds.rs`), so they depend on nothing but what waits for what; `tests/round_trips.rs` asserts
//! them. The times are of a wire that holds every byte back for half a round trip; `by time` is what the distance costs by them,
//! `(wall time at 100 ms - wall time at 0 ms) / 100 ms`. `flights` is, for each connection, how often the client spoke. Nothing is asserted: times depend
//! on the machine.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, clippy::print_stdout)]
#![allow(dead_code, missing_docs, unreachable_pub)]

#[path = "../tests/support/background.rs"]
mod background;
#[path = "../tests/support/balancer.rs"]
mod balancer;
#[path = "../tests/support/cluster.rs"]
mod cluster;
#[path = "../tests/support/command.rs"]
mod command;
#[path = "../tests/support/http_proxy.rs"]
mod http_proxy;
#[path = "../tests/support/relay.rs"]
mod relay;
#[path = "../tests/support/rounds.rs"]
mod rounds;
#[path = "../tests/support/schema.rs"]
mod schema;
#[path = "../tests/support/way.rs"]
mod way;
#[path = "../tests/support/web_certificate.rs"]
mod web_certificate;

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use jobpass::platform::Platform;
use jobpass::sandbox::SandboxOptions;

use cluster::{Cluster, Job};
use command::binary;
use relay::{Carried, Relay};
use rounds::{Counted, Rounds};
use way::Way;

/// The best of so many runs: what the machine did besides only adds.
const RUNS: usize = 3;
const ROUND_TRIPS: [u64; 3] = [0, 20, 100];
/// How long nobody speaks before a counted round ends.
const QUIET: Duration = Duration::from_millis(60);
const SERVERS: [&str; 2] = ["18.11.0", "15.4.0"];
const ROLES: [&str; 2] = ["--roles", "ci-deploy"];

fn main() {
    println!("binary: {:.1} MiB", mib(std::fs::metadata(binary()).unwrap().len()));
    println!(
        "{:7} {:10} {:14} {:22} {:>5} {:>3} {:>22} {:>7} {:>8}  flights",
        "server", "way", "platform", "what", "trips", "tcp", "wall at 0, 20, 100 ms", "by time", "peak"
    );
    let all = [("one", vec![]), ("one --no-verify", vec!["--no-verify"]), ("one --roles", ROLES.to_vec())];
    let outputs = [1, 3, 20].map(|count| (1..=count).map(|n| format!("ssh,name=s{n}")).collect::<Vec<_>>());
    for version in SERVERS {
        let cluster = cluster(version, 0);
        for platform in [Platform::GitLabCi, Platform::GitHubActions] {
            for (what, arguments) in &all {
                row(&cluster, version, Way::Direct, platform, what, arguments);
            }
        }
        for way in [Way::Balancer, Way::HttpProxy] {
            for (what, arguments) in &all {
                row(&cluster, version, way, Platform::GitLabCi, what, arguments);
            }
        }
        for outputs in &outputs {
            let arguments: Vec<&str> = outputs.iter().flat_map(|output| ["--output", output]).collect();
            let what = format!("{} outputs", outputs.len());
            row(&cluster, version, Way::Direct, Platform::GitLabCi, &what, &arguments);
        }
        for leaves in [0, 10, 200] {
            let what = format!("{leaves} leaf clusters");
            let cluster = self::cluster(version, leaves);
            row(&cluster, version, Way::Direct, Platform::GitLabCi, &what, &[]);
        }
    }
}

/// Called like the host of its proxy, as most are.
fn cluster(version: &str, leaves: usize) -> Cluster {
    Cluster::start(SandboxOptions {
        version: version.into(),
        cluster: "localhost".into(),
        leaves: (0..leaves).map(|n| format!("leaf{n}.example")).collect(),
        ..SandboxOptions::simulating(None)
    })
}

/// One kind of run at every distance.
fn row(cluster: &Cluster, version: &str, way: Way, platform: Platform, what: &str, arguments: &[&str]) {
    let counted = (0..RUNS).map(|_| count(cluster, way, platform, arguments)).min_by_key(|run| run.rounds);
    let Counted { rounds, connections } = counted.unwrap();
    let best = |rtt| {
        let runs = (0..RUNS).map(|_| measure(cluster, way, platform, Duration::from_millis(rtt), arguments));
        runs.min_by_key(|run| run.wall).unwrap()
    };
    let [near, middle, far] = ROUND_TRIPS.map(best);
    let walls = [&near, &middle, &far].map(|run| format!("{}", run.wall.as_millis())).join(", ");
    let trips = far.wall.saturating_sub(near.wall).as_secs_f64() / 0.1;
    println!(
        "{version:7} {:10} {:14} {what:22} {rounds:>5} {connections:>3} {walls:>19} ms {trips:>7.2} {:>4.1} MiB  {:?}",
        format!("{way:?}"),
        platform.id(),
        mib(far.peak),
        far.cluster.iter().map(|c| c.flights).collect::<Vec<_>>(),
    );
}

fn login(job: &Job<'_>, cluster: &Cluster, proxy: &str, arguments: &[&str]) -> Child {
    let dir = cluster.path("bench");
    let mut all = vec!["login", "--proxy", proxy, "--token", &job.token, "--dir", dir.to_str().unwrap()];
    all.extend(arguments);
    job.command(&all).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ended(child: Child, cluster: &Cluster) {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::remove_dir_all(cluster.path("bench")).unwrap();
}

fn count(cluster: &Cluster, way: Way, platform: Platform, arguments: &[&str]) -> Counted {
    let mut rounds = Rounds::default();
    let far = way.to(cluster, platform, |target| rounds.leading_to(target));
    let mut child = login(&far.job, cluster, &far.proxy, arguments);
    let counted = rounds.count(&mut child, QUIET);
    ended(child, cluster);
    counted
}

struct Measured {
    wall: Duration,
    peak: u64,
    cluster: Vec<Carried>,
}

fn measure(cluster: &Cluster, way: Way, platform: Platform, rtt: Duration, arguments: &[&str]) -> Measured {
    let mut relays = Vec::new();
    let far = way.to(cluster, platform, |target| {
        let relay = Relay::start(target, rtt);
        let address = relay.address;
        relays.push(relay);
        address
    });
    let begin = Instant::now();
    let mut child = login(&far.job, cluster, &far.proxy, arguments);
    let peak = peak_until_end(&mut child);
    let wall = begin.elapsed();
    ended(child, cluster);
    Measured { wall, peak, cluster: relays.iter().flat_map(Relay::carried).collect() }
}

/// Waits, and asks Linux now and then how much memory was in use at most: bytes, 0 elsewhere.
fn peak_until_end(child: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0);
        peak = peak.max(kib * 1024);
        std::thread::sleep(Duration::from_micros(500));
    }
    peak
}

#[allow(clippy::cast_precision_loss)]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
