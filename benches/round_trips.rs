//! How long `login` takes over a long wire, and how many round trips that is: `cargo bench --bench round_trips`.
//!
//! Cluster and CI token endpoint are equally far. `trips` is what the distance costs, `(wall time - wall time at 0 ms) / round trip`; `all` counts the
//! work of both sides too, `wall time / round trip`. `flights` is, for each connection to the cluster, how often the client spoke.
//! Nothing is asserted: times depend on the machine.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, clippy::print_stdout)]
#![allow(dead_code, missing_docs, unreachable_pub)]

#[path = "../tests/support/cluster.rs"]
mod cluster;
#[path = "../tests/support/command.rs"]
mod command;
#[path = "../tests/support/relay.rs"]
mod relay;
#[path = "../tests/support/schema.rs"]
mod schema;

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use jobpass::platform::Platform;
use jobpass::sandbox::SandboxOptions;

use cluster::{Cluster, Job};
use command::binary;
use relay::{Carried, Relay};

/// The best of so many runs: what the machine did besides only adds.
const RUNS: usize = 3;
const ROUND_TRIPS: [u64; 3] = [0, 20, 100];
const THREE: [&str; 6] = ["--output", "ssh,name=a", "--output", "ssh,name=b", "--output", "ssh,name=c"];

fn main() {
    let size = std::fs::metadata(binary()).unwrap().len();
    println!("binary: {:.1} MiB", mib(size));
    println!(
        "{:8} {:4} {:19} {:>6} {:>8} {:>6} {:>6} {:>4} {:>8}  flights",
        "platform", "join", "what", "rtt", "wall", "trips", "all", "tcp", "peak"
    );
    let three_roles = [&THREE[..], &["--roles", "ci-deploy"]].concat();
    let kinds: [(&str, &[&str]); 5] = [
        ("one", &[]),
        ("one --no-verify", &["--no-verify"]),
        ("one --roles", &["--roles", "ci-deploy"]),
        ("three", &THREE),
        ("three --roles", &three_roles),
    ];
    for new in [true, false] {
        let cluster = Cluster::start(SandboxOptions { join_new: new, ..SandboxOptions::simulating(None) });
        for platform in [Platform::GitHubActions, Platform::GitLabCi] {
            for (what, arguments) in kinds {
                let join = if new { "new" } else { "old" };
                row(&cluster, platform, &format!("{:8} {join:4} {what:19}", platform.id()), arguments);
            }
        }
    }
}

/// One kind of run at every distance.
fn row(cluster: &Cluster, platform: Platform, what: &str, arguments: &[&str]) {
    let mut near = Duration::ZERO;
    for rtt in ROUND_TRIPS.map(Duration::from_millis) {
        let runs = (0..RUNS).map(|_| measure(cluster, platform, rtt, arguments));
        let run = runs.min_by_key(|r| r.wall).unwrap();
        if rtt.is_zero() {
            near = run.wall;
        }
        let trips = |wall: Duration| {
            if rtt.is_zero() {
                "-".to_owned()
            } else {
                format!("{:.2}", wall.as_secs_f64() / rtt.as_secs_f64())
            }
        };
        println!(
            "{what} {:>3} ms {:>5} ms {:>6} {:>6} {:>4} {:>4.1} MiB  {:?}",
            rtt.as_millis(),
            run.wall.as_millis(),
            trips(run.wall.saturating_sub(near)),
            trips(run.wall),
            run.cluster.len(),
            mib(run.peak),
            run.cluster.iter().map(|c| c.flights).collect::<Vec<_>>(),
        );
    }
}

struct Measured {
    wall: Duration,
    peak: u64,
    cluster: Vec<Carried>,
}

fn measure(cluster: &Cluster, platform: Platform, rtt: Duration, arguments: &[&str]) -> Measured {
    let to_cluster = Relay::start(cluster.sandbox.address, rtt);
    let to_endpoint = Relay::start(cluster.sandbox.address, rtt);
    let proxy = to_cluster.address.to_string();
    let job = far(cluster.job(platform), &cluster.proxy(), &to_endpoint.address.to_string());
    let dir = cluster.path("bench");
    let mut all = vec!["login", "--proxy", &proxy, "--token", &job.token, "--dir", dir.to_str().unwrap()];
    all.extend(arguments);
    let begin = Instant::now();
    let mut child = job.command(&all).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let peak = peak_until_end(&mut child);
    let wall = begin.elapsed();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::remove_dir_all(&dir).unwrap();
    Measured { wall, peak, cluster: to_cluster.carried() }
}

/// The token endpoint behind the other relay.
fn far<'a>(mut job: Job<'a>, near: &str, far: &str) -> Job<'a> {
    for (name, value) in &mut job.variables {
        if name == "ACTIONS_ID_TOKEN_REQUEST_URL" {
            *value = value.replace(near, far);
        }
    }
    job
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
