//! Much at once: memory stays, nobody is lost, each direction ends by itself.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use jobpass::platform::Platform;
use jobpass::sandbox::SandboxOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::database;
use crate::support::background::Background;
use crate::support::balancer::{Balancer, Unknown};
use crate::support::cluster::Cluster;
use crate::support::command::put;
use crate::support::tunnel::Tunnels;

fn cluster(server: &Background) -> Cluster {
    Cluster::start(SandboxOptions {
        databases: vec![database("db", "redis")],
        database_targets: vec![("db".into(), server.address)],
        ..SandboxOptions::simulating(None)
    })
}

fn echo() -> Background {
    Background::serve(|mut tcp| async move {
        let (mut reader, mut writer) = tcp.split();
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
        let _ = writer.shutdown().await;
    })
}

fn connect(tunnels: &Tunnels) -> TcpStream {
    TcpStream::connect(("127.0.0.1", tunnels.port("DB"))).unwrap()
}

/// Resident memory of the process, in KiB.
fn resident(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_gibibyte_goes_through_without_growth() {
    const SIZE: u64 = 1 << 30;
    // Gives as much as it is told, then takes as much.
    let server = Background::serve(|mut tcp| async move {
        let Ok(size) = tcp.read_u64().await else { return };
        let mut left = size;
        let chunk = vec![7; 1 << 16];
        while left > 0 {
            let part = left.min(chunk.len() as u64);
            if tcp.write_all(&chunk[..usize::try_from(part).unwrap()]).await.is_err() {
                return;
            }
            left -= part;
        }
        let taken = tokio::io::copy(&mut tcp.take(size / 4), &mut tokio::io::sink()).await.unwrap();
        assert_eq!(taken, size / 4);
    });
    let cluster = cluster(&server);
    let tunnels = Tunnels::start(&cluster.job(Platform::GitLabCi), &["database=db"]);
    let mut stream = connect(&tunnels);
    stream.write_all(&SIZE.to_be_bytes()).unwrap();
    let mut buffer = vec![0; 1 << 16];
    let (mut received, mut first, mut most) = (0_u64, 0, 0);
    while received < SIZE {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "{received}");
        received += read as u64;
        // What the first megabytes need is there for good.
        if received > 16 << 20 && first == 0 {
            first = resident(tunnels.id());
        }
        if first > 0 && received % (1 << 10) == 0 {
            most = most.max(resident(tunnels.id()));
        }
    }
    for _ in 0..(SIZE / 4 / buffer.len() as u64) {
        stream.write_all(&buffer).unwrap();
    }
    let last = resident(tunnels.id());
    most = most.max(last);
    assert!(first > 0 && most < first + 4 * 1024, "{first} KiB at first, {most} KiB at most");
}

/// Who does not read is waited for: the server is not read from either.
#[test]
fn a_slow_reader_holds_back_the_server() {
    let sent = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counter = std::sync::Arc::clone(&sent);
    let server = Background::serve(move |mut tcp| {
        let counter = std::sync::Arc::clone(&counter);
        async move {
            let chunk = vec![7; 1 << 16];
            while tcp.write_all(&chunk).await.is_ok() {
                counter.fetch_add(1 << 16, std::sync::atomic::Ordering::SeqCst);
            }
        }
    });
    let cluster = cluster(&server);
    let tunnels = Tunnels::start(&cluster.job(Platform::GitLabCi), &["database=db"]);
    let mut stream = connect(&tunnels);
    stream.read_exact(&mut [0]).unwrap();
    // Until nothing moves any more: all buffers on the way are full.
    let now = || sent.load(std::sync::atomic::Ordering::SeqCst);
    let (mut before, mut still) = (0, 0);
    while still < 200 {
        std::thread::sleep(std::time::Duration::from_millis(5));
        still = if now() == before { still + 1 } else { 0 };
        before = now();
    }
    assert!(now() < 64 << 20, "{} bytes are under way", now());
    let mut rest = vec![0; usize::try_from(now()).unwrap() + (8 << 20)];
    stream.read_exact(&mut rest).unwrap();
    assert!(now() > before, "and goes on once the client reads");
}

#[test]
fn two_hundred_at_once() {
    let echo = echo();
    let cluster = cluster(&echo);
    let tunnels = Tunnels::start(&cluster.job(Platform::GitLabCi), &["database=db"]);
    let mut open: Vec<TcpStream> = (0..200).map(|_| connect(&tunnels)).collect();
    for round in 0..2 {
        for (number, stream) in open.iter_mut().enumerate() {
            stream.write_all(format!("{round}:{number:04}").as_bytes()).unwrap();
        }
        for (number, stream) in open.iter_mut().enumerate() {
            let mut answer = [0; 6];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(answer, format!("{round}:{number:04}").as_bytes());
        }
    }
    let reached = cluster.sandbox.records().iter().filter(|seen| seen.route.is_some()).count();
    assert_eq!(reached, 200);
    assert!(!tunnels.log().contains("warning"), "{}", tunnels.log());
}

/// Directly and through upgraded connections of both kinds.
#[test]
fn each_direction_ends_by_itself() {
    // Answers only once the client has said all; its own end comes first when it is told `bye`.
    let (tell, told) = std::sync::mpsc::channel();
    let server = Background::serve(move |mut tcp| {
        let tell = tell.clone();
        async move {
            let mut word = [0; 4];
            tcp.read_exact(&mut word).await.unwrap();
            let (mut reader, mut writer) = tcp.into_split();
            let mut rest = Vec::new();
            if word == *b"bye\n" {
                writer.write_all(b"ended").await.unwrap();
                writer.shutdown().await.unwrap();
                let _ = reader.read_to_end(&mut rest).await;
                let _ = tell.send(String::from_utf8(rest).unwrap());
            } else {
                reader.read_to_end(&mut rest).await.unwrap();
                writer.write_all(format!("{} bytes", rest.len()).as_bytes()).await.unwrap();
            }
        }
    });
    for (upgrade_alpn, upgrade_websocket) in [(false, false), (true, false), (false, true)] {
        let cluster = Cluster::start(SandboxOptions {
            upgrade_alpn,
            upgrade_websocket,
            databases: vec![database("db", "redis")],
            database_targets: vec![("db".into(), server.address)],
            ..SandboxOptions::simulating(None)
        });
        let ca = cluster.sandbox.web_ca_pem();
        let balancer = Balancer::start(cluster.sandbox.address, ca, Unknown::NoAlpn);
        let roots = cluster.path("both.pem");
        put(&roots, format!("{}{ca}", balancer.ca_pem));
        let is_direct = !upgrade_alpn && !upgrade_websocket;
        let proxy = if is_direct { cluster.proxy() } else { balancer.address().to_string() };
        let job = cluster.job(Platform::GitLabCi).set("SSL_CERT_FILE", roots.to_str().unwrap());
        let tunnels = Tunnels::with(&job, &["--proxy", &proxy, "--token", &job.token, "database=db"]);

        let mut stream = connect(&tunnels);
        stream.write_all(b"all\n").unwrap();
        stream.write_all(&vec![7; 100_000]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "100000 bytes", "{proxy} {upgrade_alpn} {upgrade_websocket}");

        let mut stream = connect(&tunnels);
        stream.write_all(b"bye\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "ended", "{proxy} {upgrade_alpn} {upgrade_websocket}");
        stream.write_all(b"and still heard").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(told.recv().unwrap(), "and still heard", "{proxy} {upgrade_alpn} {upgrade_websocket}");
    }
}
