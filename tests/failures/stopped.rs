//! SIGINT and SIGTERM in the middle of a run.

use std::process::Stdio;
use std::time::{Duration, Instant};

use jobpass::platform::Platform::GitHubActions;
use jobpass::sandbox::SandboxOptions;
use jobpass::sandbox::fault_injection::FaultInjection;

use super::shows;
use crate::support::cluster::{Cluster, listing};
use crate::support::command::{Ran, run};

#[test]
fn a_signal_leaves_nothing() {
    for (path, signal, exit, name) in [
        ("/_ci/github/token", "-INT", 130, "sigint"),
        ("JoinService/Join", "-TERM", 143, "sigterm"),
        ("GenerateUserCerts", "-INT", 130, "sigint"),
        ("GenerateUserCerts", "-TERM", 143, "sigterm"),
    ] {
        let inject = FaultInjection { hang_on: vec![path.into()], ..FaultInjection::default() };
        let cluster = Cluster::start(SandboxOptions { inject, ..SandboxOptions::simulating(None) });
        let job = cluster.job(GitHubActions);
        let before = listing(cluster.folder.path());
        let arguments = ["login", "--proxy", &cluster.proxy(), "--token", &job.token];
        let mut command = job.command(&arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        until(|| cluster.sandbox.records().iter().flat_map(|s| &s.paths).any(|p| asked(p, path)));
        assert_ne!(listing(cluster.folder.path()), before, "something is under way");
        run("kill", &[signal, &child.id().to_string()]).ok();
        let ran = Ran::of(&child.wait_with_output().unwrap());
        job.assert_secret(&ran);
        assert_eq!(listing(cluster.folder.path()), before, "{path} {signal}");
        shows(name, exit, &cluster, &ran);
    }
}

fn asked(seen: &str, path: &str) -> bool {
    seen.split('?').next().is_some_and(|seen| seen.ends_with(path))
}

/// Waits for what the other process must do; fails after a time no sound run needs.
#[track_caller]
fn until(mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < end, "it does not happen");
        std::thread::yield_now();
    }
}
