//! The networks of CI jobs: balancers that terminate TLS, HTTP proxies, and wires that fail.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use jobpass::platform::Platform;
use jobpass::sandbox::{SandboxApp, SandboxKubeCluster, SandboxOptions};

use super::database;
use crate::faults::{Random, Wire, relayed};
use crate::support::background::Background;
use crate::support::balancer::{Balancer, Unknown};
use crate::support::cluster::{Cluster, Job};
use crate::support::command::{put, run};
use crate::support::http_proxy::{HttpProxy, HttpProxyOptions};
use crate::support::kubectl::kubectl;
use crate::support::redis::Redis;
use crate::support::tunnel::Tunnels;

const ALL: [&str; 3] = ["database=cache", "app=grafana", "kube=prod"];

fn options(redis: &Redis) -> SandboxOptions {
    SandboxOptions {
        databases: vec![database("cache", "redis")],
        database_targets: vec![("cache".into(), redis.address)],
        apps: vec![SandboxApp {
            name: "grafana".into(),
            public_addr: "grafana.sandbox.example".into(),
            uri: "http://localhost:3000".into(),
        }],
        kube_clusters: vec![SandboxKubeCluster { name: "prod".into(), labels: vec![] }],
        ..SandboxOptions::simulating(None)
    }
}

/// A database, an application and kubernetes, each by its own program.
#[track_caller]
fn all_work(job: &Job<'_>, proxy: &str, what: &str) -> String {
    let tunnels = Tunnels::with(job, &[&["--proxy", proxy, "--token", &job.token], &ALL[..]].concat());
    let ping = tunnels.run("redis-cli", &["-u", &tunnels.variables["JOBPASS_TUNNEL_CACHE_URL"], "ping"]);
    assert_eq!(ping.stdout, "PONG\n", "{what}: {}", tunnels.log());
    let hello = run("curl", &["-sS", "--max-time", "60", &tunnels.variables["JOBPASS_TUNNEL_GRAFANA_URL"]]);
    assert_eq!(hello.stdout, "grafana: hello bot-ci\n", "{what}: {}", tunnels.log());
    let home = job.cluster.folder.path();
    let pods = kubectl(home, tunnels.variables["KUBECONFIG"].as_ref(), &["get", "pods"], &[]);
    assert!(pods.stdout.contains("prod-web-0"), "{what}: {} {}", pods.all(), tunnels.log());
    tunnels.stop("-TERM").ok().stderr
}

#[test]
fn a_balancer_that_terminates_tls_is_passed() {
    let redis = Redis::start();
    for (unknown, upgrade_alpn, upgrade_websocket, version) in [
        (Unknown::Http2, true, true, "18.2.0"),
        (Unknown::NoAlpn, true, false, "15.4.0"),
        (Unknown::Closes, false, true, "17.5.0"),
    ] {
        let cluster = Cluster::start(SandboxOptions {
            upgrade_alpn,
            upgrade_websocket,
            version: version.into(),
            ..options(&redis)
        });
        let what = format!("{unknown:?} {upgrade_alpn} {upgrade_websocket} {version}");
        let balancer = Balancer::start(cluster.sandbox.address, cluster.sandbox.web_ca_pem(), unknown);
        let roots = cluster.path("balancer.pem");
        put(&roots, &balancer.ca_pem);
        let job = cluster.job(Platform::GitLabCi).set("SSL_CERT_FILE", roots.to_str().unwrap());
        let said = all_work(&job, &balancer.address().to_string(), &what);
        // Kubectl reaches kubernetes here, where a kubeconfig by itself does not.
        assert!(!said.contains("warning"), "{what}: {said}");
        let seen = cluster.sandbox.records();
        let routed: Vec<_> = seen.iter().filter(|seen| seen.route.is_some()).collect();
        assert!(routed.len() >= 3 && routed.iter().all(|seen| seen.upgrade.is_some()), "{what}: {seen:#?}");
    }
}

/// Whoever terminates TLS could lead the connection anywhere: no byte and no certificate for another cluster.
#[test]
fn who_answers_behind_a_balancer_is_verified() {
    let redis = Redis::start();
    let (cluster, other) = (Cluster::start(options(&redis)), Cluster::start(options(&redis)));
    let balancer = Balancer::start(cluster.sandbox.address, cluster.sandbox.web_ca_pem(), Unknown::NoAlpn);
    let roots = cluster.path("balancer.pem");
    put(&roots, &balancer.ca_pem);
    let job = cluster.job(Platform::GitLabCi).set("SSL_CERT_FILE", roots.to_str().unwrap());
    let proxy = balancer.address().to_string();
    let tunnels = Tunnels::with(&job, &[&["--proxy", &proxy, "--token", &job.token], &ALL[..]].concat());
    balancer.detour(0, other.sandbox.address, other.sandbox.web_ca_pem());
    let ping = tunnels.run("redis-cli", &["-u", &tunnels.variables["JOBPASS_TUNNEL_CACHE_URL"], "ping"]);
    assert!(ping.code != 0, "{}", ping.all());
    let answer = run("curl", &["-sS", &tunnels.variables["JOBPASS_TUNNEL_PROD_URL"]]).ok();
    assert!(answer.stdout.starts_with("jobpass: could not reach the proxy"), "{}", answer.all());
    assert!(tunnels.log().contains("is not accepted: its issuer"), "{}", tunnels.log());
    let reached = other.sandbox.records();
    assert!(reached.iter().any(|seen| seen.upgrade.is_some()), "{reached:#?}");
    assert!(reached.iter().all(|seen| seen.client.is_none()), "{reached:#?}");
}

#[test]
fn an_http_proxy_leads_out() {
    const NAME: &str = "teleport.test";
    let redis = Redis::start();
    let cluster =
        Cluster::start(SandboxOptions { public_addr: Some(format!("{NAME}:443")), ..options(&redis) });
    let names = BTreeMap::from([(format!("{NAME}:443"), cluster.sandbox.address)]);
    let proxy = HttpProxy::start(HttpProxyOptions { names, credentials: Some("ci:pw"), certificate: None });
    let url = format!("http://ci:pw@{}", proxy.address());
    let job = cluster.job(Platform::GitLabCi).set("HTTPS_PROXY", &url);
    all_work(&job, NAME, "through the HTTP proxy");
    // Nothing went past it: the page, join, auth service (twice or more), and one each of the clients at least.
    assert!(proxy.asked().len() >= 7, "{:?}", proxy.asked());
    assert_eq!(cluster.sandbox.records().len(), proxy.asked().len());
}

/// Wires that reset and stall: a client gets the right bytes or an end, the tunnels go on, and end when they are told.
#[test]
fn whatever_breaks_the_tunnels_go_on() {
    let number = |name: &str| std::env::var(name).ok().map(|v| v.parse::<u64>().unwrap());
    let seconds = number("JOBPASS_FAULT_SECONDS").unwrap_or(10).min(30);
    let seed = number("JOBPASS_FAULT_SEED").unwrap_or_else(|| {
        u64::from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos())
    });
    println!("JOBPASS_FAULT_SEED={seed} JOBPASS_FAULT_SECONDS={seconds}");
    let echo = Background::serve(|mut tcp| async move {
        let (mut reader, mut writer) = tcp.split();
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
    });
    let cluster = Cluster::start(SandboxOptions {
        databases: vec![database("echo", "redis")],
        database_targets: vec![("echo".into(), echo.address)],
        ..SandboxOptions::simulating(None)
    });
    let wires = Arc::new(Mutex::new(None::<Random>));
    let between = Background::serve({
        let (target, wires) = (cluster.sandbox.address, Arc::clone(&wires));
        move |tcp| {
            let wire = wires.lock().unwrap().as_mut().map_or(Wire::Whole, |random| match random.below(4) {
                0 => Wire::Whole,
                1 => Wire::Stalls(random.below(40_000)),
                _ => Wire::Resets(random.below(40_000)),
            });
            relayed(tcp, target, wire)
        }
    });
    let job = cluster.job(Platform::GitLabCi);
    let tunnels = Tunnels::with(
        &job,
        &["--proxy", &between.address.to_string(), "--token", &job.token, "database=echo"],
    );
    let port = tunnels.port("ECHO");
    *wires.lock().unwrap() = Some(Random(seed));
    let end = Instant::now() + Duration::from_secs(seconds);
    let (whole, broken) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for worker in 1..=8 {
            let (whole, broken) = (&whole, &broken);
            scope.spawn(move || {
                let mut random = Random(seed.wrapping_add(worker << 40));
                while Instant::now() < end {
                    let size = usize::try_from(random.below(20_000)).unwrap() + 1;
                    let sent: Vec<u8> =
                        (0..size).map(|at| u8::try_from((at * 7 + size) % 251).unwrap()).collect();
                    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
                    // A wire that stalls says nothing: the client's own patience ends it.
                    stream.set_read_timeout(Some(Duration::from_millis(1_500))).unwrap();
                    let _ = stream.write_all(&sent).and_then(|()| stream.shutdown(Shutdown::Write));
                    let mut received = Vec::new();
                    let _ = stream.read_to_end(&mut received);
                    assert!(sent.starts_with(&received), "seed {seed}: bytes that nobody sent");
                    let counter = if received == sent { whole } else { broken };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    *wires.lock().unwrap() = None;
    let (whole, broken) = (whole.into_inner(), broken.into_inner());
    println!("{whole} whole, {broken} broken");
    assert!(whole > 0 && broken > 0, "seed {seed}: {whole} {broken}");
    // All of it is over once the wires are whole again.
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"hello").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut received = String::new();
    stream.read_to_string(&mut received).unwrap();
    assert_eq!(received, "hello", "seed {seed}: {}", tunnels.log());
    let ran = tunnels.stop("-TERM").ok();
    assert!(!ran.stderr.contains("panicked"), "{}", ran.all());
}
