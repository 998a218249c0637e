//! Random faults of cluster, CI token endpoint and wire: never a hang past the deadline, never a partial folder, never a wrong exit class.
//!
//! `JOBPASS_FAULT_SECONDS` says how long (20), `JOBPASS_FAULT_SEED` repeats a run: each worker draws its rounds from the seed alone.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use jobpass::platform::Platform;
use jobpass::sandbox::SandboxOptions;
use jobpass::sandbox::fault_injection::{CertificateKind, Flaw, RefusedCall};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::background::Background;
use crate::support::cluster::{Cluster, listing};
use crate::support::command::Ran;

/// Runs at once: those that hang cost nothing but time.
const WORKERS: u64 = 4;
/// `--timeout`, and what a busy machine may add to it.
const TIMEOUT: Duration = Duration::from_secs(3);
const SLACK: Duration = Duration::from_secs(30);

/// Files without which nothing works.
const FILES: [&str; 8] = [
    "identity",
    "key",
    "key-cert.pub",
    "known_hosts",
    "ssh_config",
    "teleport-host-ca.crt",
    "tlscert",
    "jobpass.json",
];

/// splitmix64 (Steele, Lea, Flood 2014).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

/// What the wire between job and cluster does once so many bytes went over a connection.
#[derive(Debug, Clone, Copy)]
pub enum Wire {
    Whole,
    Resets(u64),
    /// Takes bytes and gives none.
    Stalls(u64),
}

#[test]
fn whatever_breaks_a_run_ends_well() {
    let number = |name: &str| std::env::var(name).ok().map(|v| v.parse::<u64>().unwrap());
    let seconds = number("JOBPASS_FAULT_SECONDS").unwrap_or(20);
    let seed = number("JOBPASS_FAULT_SEED").unwrap_or_else(|| {
        u64::from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos())
    });
    println!("JOBPASS_FAULT_SEED={seed} JOBPASS_FAULT_SECONDS={seconds}");
    let end = Instant::now() + Duration::from_secs(seconds);
    let rounds = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let rounds = &rounds;
            scope.spawn(move || {
                let mut random = Random(seed.wrapping_add(worker << 40));
                while Instant::now() < end {
                    round(&mut random, &format!("seed {seed}, worker {worker}"));
                    rounds.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    println!("{} rounds", rounds.load(Ordering::Relaxed));
}

/// One cluster with up to two faults, one job.
fn round(random: &mut Random, seed: &str) {
    let mut options = SandboxOptions {
        version: random.one_of(&["18.2.0", "17.5.0", "15.4.0"]).into(),
        ..SandboxOptions::simulating(None)
    };
    let platform = random.one_of(&[Platform::GitHubActions, Platform::GitLabCi, Platform::CircleCi]);
    let mut wire = Wire::Whole;
    let mut allowed = BTreeSet::from([0]);
    let mut may_work = true;
    for _ in 0..random.below(3) {
        let codes = bend(random, &mut options, &mut wire);
        may_work &= codes.contains(&0);
        allowed.extend(codes);
    }
    if !may_work {
        allowed.remove(&0);
    }
    let what = format!("{seed}: {platform:?} {} {wire:?} {:?}", options.version, options.inject);
    let cluster = Cluster::start(options);
    let between = Background::serve({
        let target = cluster.sandbox.address;
        move |tcp| relayed(tcp, target, wire)
    });
    let job = cluster.job(platform);
    let parent = cluster.path("parent");
    std::fs::create_dir(&parent).unwrap();
    let dir = parent.join("out");
    let (proxy, timeout) = (between.address.to_string(), format!("{}s", TIMEOUT.as_secs()));
    let mut arguments = vec!["login", "--proxy", &proxy, "--token", &job.token, "--timeout", &timeout];
    arguments.extend(["--dir", dir.to_str().unwrap()]);
    let outputs = random.one_of(&[1, 2]);
    if outputs == 2 {
        arguments.extend(["--output", "ssh,name=a", "--output", "ssh,name=b"]);
    }

    let begin = Instant::now();
    let mut child = job.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while child.try_wait().unwrap().is_none() {
        if begin.elapsed() > TIMEOUT + SLACK {
            child.kill().unwrap();
            panic!("{what}: still runs after {:?}", begin.elapsed());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let ran = Ran::of(&child.wait_with_output().unwrap());
    job.assert_secret(&ran);
    let all = ran.all();
    assert!(allowed.contains(&ran.code), "{what}: {} is not of {allowed:?}\n{all}", ran.code);
    assert_eq!(ran.code != 0, ran.stderr.contains("error: "), "{what}\n{all}");
    let found = listing(&parent);
    if ran.code != 0 {
        assert!(found.is_empty(), "{what}: {found:?}\n{all}");
        return;
    }
    let folders = if outputs == 1 { vec!["out"] } else { vec!["out/a", "out/b"] };
    for (folder, file) in folders.iter().flat_map(|f| FILES.map(|file| (f, file))) {
        // One manifest for all.
        let path = if file == "jobpass.json" { format!("out/{file}") } else { format!("{folder}/{file}") };
        assert!(found.contains(&(path.clone(), 0o600)), "{what}: no {path} in {found:?}");
    }
    assert!(found.iter().all(|(path, _)| path == "out" || path.starts_with("out/")), "{what}: {found:?}");
}

/// Adds one fault; gives the exit codes that a run may end with because of it.
fn bend(random: &mut Random, options: &mut SandboxOptions, wire: &mut Wire) -> Vec<i32> {
    let faults = &mut options.inject;
    match random.below(12) {
        0 => {
            faults.close_after_bytes = Some(random.below(6_000));
            vec![0, 5]
        }
        1 => {
            *wire = Wire::Resets(random.below(12_000));
            vec![0, 5]
        }
        2 => {
            *wire = Wire::Stalls(random.below(12_000));
            vec![0, 5]
        }
        3 => {
            faults.delay = Duration::from_millis(random.below(1_500));
            vec![0, 5]
        }
        4 => {
            let paths = [
                "/webapi/ping",
                "/_ci/github/token",
                "/host/credentials",
                "JoinService/Join",
                "/GetRole",
                "/GetCertAuthorities",
                "/GenerateUserCerts",
            ];
            faults.hang_on.push(random.one_of(&paths).to_owned());
            vec![0, 5]
        }
        5 => {
            let method = random.one_of(&["GetRole", "GetCertAuthorities", "GenerateUserCerts"]).to_owned();
            // gRPC's numbers: INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, UNAUTHENTICATED; UNAVAILABLE.
            let code = random.one_of(&[3, 5, 7, 16, 14]);
            faults.refuse_calls.push(RefusedCall { method, code, message: "not today".into() });
            if code == 14 { vec![5] } else { vec![4] }
        }
        6 => {
            faults.html = true;
            vec![5]
        }
        7 => {
            faults.token_503 = u32::try_from(random.below(8)).unwrap();
            vec![0, 3, 5]
        }
        8 => {
            faults.newer = true;
            vec![0]
        }
        9 => {
            faults.wrong_certificates.push((CertificateKind::Tls, Flaw::ForeignKey));
            vec![4]
        }
        10 => {
            faults.ping_without_cluster_name = true;
            vec![5]
        }
        _ => {
            let code = random.one_of(&[7, 14]);
            faults.refuse_calls.push(RefusedCall { method: "Join".into(), code, message: "no".into() });
            // Servers before 18 have no such call, and what is no answer leads to the other way to join.
            vec![0, 4, 5]
        }
    }
}

/// Bytes both ways, until the wire is tired.
pub async fn relayed(client: TcpStream, target: SocketAddr, wire: Wire) {
    let server = TcpStream::connect(target).await.unwrap();
    let limit = match wire {
        Wire::Whole => u64::MAX,
        Wire::Resets(bytes) | Wire::Stalls(bytes) => bytes,
    };
    let left = AtomicU64::new(limit);
    let (mut client_read, mut client_write) = tokio::io::split(client);
    let (mut server_read, mut server_write) = tokio::io::split(server);
    let tired = {
        let up = carry(&mut client_read, &mut server_write, &left);
        let down = carry(&mut server_read, &mut client_write, &left);
        tokio::pin!(up, down);
        tokio::select! {
            tired = &mut up => tired || down.await,
            tired = &mut down => tired || up.await,
        }
    };
    if tired && matches!(wire, Wire::Stalls(_)) {
        std::future::pending::<()>().await;
    }
    if tired {
        let _ = client_read.unsplit(client_write).set_zero_linger();
    }
}

/// Whether the limit ended it.
async fn carry(
    from: &mut (impl tokio::io::AsyncRead + Unpin),
    to: &mut (impl tokio::io::AsyncWrite + Unpin),
    left: &AtomicU64,
) -> bool {
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let taken = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |l| l.checked_sub(length as u64));
        if taken.is_err() {
            return true;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
    false
}
