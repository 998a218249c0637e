//! What got no answer is tried again, each time with one line, within the one deadline; what did get one never is.

use std::io::Read as _;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jobpass::platform::Platform;
use jobpass::sandbox::SandboxOptions;
use jobpass::sandbox::fault_injection::{FaultInjection, RefusedCall};

use crate::support::cluster::{Cluster, listing};

/// Stands before a cluster and breaks some connections: `broken` says which, by number, and whether before the first byte or after it.
struct Gate {
    address: String,
    seen: Arc<AtomicUsize>,
}

impl Gate {
    fn start(cluster: &Cluster, broken: impl Fn(usize) -> bool + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, target) = (listener.local_addr().unwrap().to_string(), cluster.sandbox.address);
        let seen = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&seen);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let number = count.fetch_add(1, Ordering::Relaxed);
                if broken(number) {
                    // The hello is read, and answered by nothing.
                    std::thread::spawn(move || drop((&near).read(&mut [0; 64])));
                    continue;
                }
                let Ok(far) = TcpStream::connect(target) else { return };
                for (mut from, mut to) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)]
                {
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
            }
        });
        Self { address, seen }
    }
}

fn login(cluster: &Cluster, gate: &Gate, arguments: &[&str]) -> crate::support::command::Ran {
    let job = cluster.job(Platform::GitLabCi);
    let mut all = vec!["login", "--proxy", &gate.address, "--token", &job.token];
    all.extend(arguments);
    job.run(&all)
}

#[test]
fn broken_connections_are_tried_again() {
    for (old, broken) in [(false, 1), (false, 2), (false, 4), (true, 3), (true, 5)] {
        let cluster = Cluster::start(SandboxOptions { join_new: !old, ..SandboxOptions::simulating(None) });
        let gate = Gate::start(&cluster, move |number| number < broken);
        let ran = login(&cluster, &gate, &["--timeout", "50s"]).ok();
        // An attempt of the join stream may be among the broken ones: that one is not tried again, the POST takes its place.
        let notes = ran.stderr.lines().filter(|l| l.starts_with("trying again in ")).count();
        assert!(notes <= broken, "{old} {broken}: {}", ran.stderr);
        assert!(gate.seen.load(Ordering::Relaxed) > broken);
    }
}

#[test]
fn a_lost_auth_service_is_tried_again_with_a_line() {
    let cluster = Cluster::any();
    // Page and join come first; what is broken is opened for the auth service.
    let gate = Gate::start(&cluster, |number| number == 0);
    let ran = login(&cluster, &gate, &["--timeout", "50s"]).ok();
    assert!(ran.stderr.contains("logged in to sandbox.example as bot-ci"), "{}", ran.stderr);
}

#[test]
fn what_never_answers_ends_with_a_count_of_lines() {
    let cluster = Cluster::any();
    let gate = Gate::start(&cluster, |_| true);
    let ran = login(&cluster, &gate, &["--timeout", "50s"]);
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    let notes = ran.stderr.lines().filter(|l| l.starts_with("trying again in ")).count();
    assert_eq!(notes, 3, "four tries of the page: {}", ran.stderr);
    assert!(listing(&cluster.path("temp")).is_empty());
}

#[test]
fn an_answer_is_never_asked_for_twice() {
    let refuse = |method: &str, code, message: &str| FaultInjection {
        refuse_calls: vec![RefusedCall { method: method.into(), code, message: message.into() }],
        ..FaultInjection::default()
    };
    // Code and message of gRPC: 7 PERMISSION_DENIED, 2 UNKNOWN, 14 UNAVAILABLE.
    for (inject, method, asked, code) in [
        (refuse("GenerateUserCerts", 7, "access denied"), "GenerateUserCerts", 2, 4),
        (refuse("GenerateUserCerts", 2, "some trouble"), "GenerateUserCerts", 2, 4),
        (refuse("GetRole", 7, "access denied"), "GetRole", 1, 4),
        (refuse("GetRole", 14, "no auth servers"), "GetRole", 3, 5),
    ] {
        let cluster = Cluster::start(SandboxOptions { inject, ..SandboxOptions::simulating(None) });
        let ran = cluster.job(Platform::GitLabCi).login(&["--timeout", "50s"]);
        assert_eq!(ran.code, code, "{method}: {}", ran.stderr);
        let seen = cluster.sandbox.records();
        let count = seen.iter().flat_map(|s| &s.paths).filter(|p| p.ends_with(method)).count();
        assert!(count <= asked && (code != 5 || count == asked), "{method}: {count}");
        assert_eq!(ran.stderr.contains("trying again in "), code == 5, "{method}: {}", ran.stderr);
    }
}

#[test]
fn a_join_service_that_never_answers_gives_way_to_the_post() {
    let inject = FaultInjection { hang_on: vec!["JoinService/Join".into()], ..FaultInjection::default() };
    let cluster = Cluster::start(SandboxOptions { inject, ..SandboxOptions::simulating(None) });
    let ran = cluster.job(Platform::GitLabCi).login(&["--timeout", "58s", "-v"]).ok();
    assert!(ran.stderr.contains("joining by HTTPS POST"), "{}", ran.stderr);
}

#[test]
fn a_page_that_is_not_teleports_ends_it_at_once() {
    let inject =
        FaultInjection { html: true, hang_on: vec!["JoinService/Join".into()], ..FaultInjection::default() };
    let cluster = Cluster::start(SandboxOptions { inject, ..SandboxOptions::simulating(None) });
    let begin = std::time::Instant::now();
    let ran = cluster.job(Platform::GitLabCi).login(&["--timeout", "50s"]);
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert!(ran.stderr.contains("HTML page"), "{}", ran.stderr);
    println!("{:?} with a join service that hangs", begin.elapsed());
}
