//! Signals are the command's while it runs; before, they end the run.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdout, Stdio};

use jobpass::platform::Platform::GitHubActions;
use jobpass::sandbox::SandboxOptions;
use jobpass::sandbox::fault_injection::FaultInjection;

use crate::support::cluster::{Cluster, Job, listing};
use crate::support::command::{Ran, run};

/// `jobpass exec` of a script that says `ready` first.
pub fn started(job: &Job<'_>, flags: &[&str], script: &str) -> (Child, BufReader<ChildStdout>) {
    let proxy = job.cluster.proxy();
    let mut all = vec!["exec", "--proxy", &proxy, "--token", &job.token, "-q"];
    all.extend(flags);
    // First, jobpass comes to rest (Linux): it has told its watchdog of the command then.
    let script = format!("while grep -q '^State:.R' /proc/$PPID/status 2>&-; do :; done; {script}");
    all.extend(["--", "sh", "-c", &script]);
    let mut command = job.command(&all);
    // A group of its own, as a shell would give it.
    let mut child = command.process_group(0).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(line(&mut output), "ready");
    (child, output)
}

pub fn line(output: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

pub fn send(signal: &str, id: impl std::fmt::Display + Copy) {
    run("kill", &[&format!("-{signal}"), &id.to_string()]).ok();
}

#[test]
fn each_is_passed_on() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    for signal in ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "WINCH"] {
        let before = listing(cluster.folder.path());
        // It need not end by it, and its own status counts.
        let script = format!(
            "trap 'kill $!; echo got-{signal}' {signal}; sleep 60 & echo ready; wait; read answer; echo \"$answer\"; exit 9"
        );
        let proxy = cluster.proxy();
        let all = ["exec", "--proxy", &proxy, "--token", &job.token, "-q", "--", "sh", "-c", &script];
        let mut command = job.command(&all);
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        assert_eq!(line(&mut output), "ready");
        send(signal, child.id());
        assert_eq!(line(&mut output), format!("got-{signal}"));
        assert_ne!(listing(cluster.folder.path()), before, "the credentials are still there");
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), b"on\n").unwrap();
        assert_eq!(line(&mut output), "on", "{signal}");
        assert_eq!(child.wait().unwrap().code(), Some(9), "{signal}");
        assert_eq!(listing(cluster.folder.path()), before, "{signal}");
    }
}

#[test]
fn before_the_command_starts_they_end_the_run() {
    let inject = FaultInjection { hang_on: vec!["GenerateUserCerts".into()], ..FaultInjection::default() };
    let cluster = Cluster::start(SandboxOptions { inject, ..SandboxOptions::simulating(None) });
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let job = cluster.job(GitHubActions);
        let before = listing(cluster.folder.path());
        let seen = cluster.sandbox.records().len();
        let proxy = cluster.proxy();
        let all = ["exec", "--proxy", &proxy, "--token", &job.token, "-q", "--", "echo", "started"];
        let mut command = job.command(&all);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let is_asked = || {
            let records = cluster.sandbox.records();
            records
                .iter()
                .skip(seen)
                .flat_map(|record| &record.paths)
                .any(|path| path.ends_with("GenerateUserCerts"))
        };
        while !is_asked() {
            std::thread::yield_now();
        }
        send(signal, child.id());
        let ran = Ran::of(&child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{signal}");
        assert!(
            ran.stderr.contains(&format!("error: stopped by SIG{signal}; nothing was written\n")),
            "{}",
            ran.stderr
        );
        assert_eq!(listing(cluster.folder.path()), before, "{signal}");
    }
}

#[test]
fn a_command_that_a_signal_ends_gives_the_status_of_a_shell() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131), ("USR1", 138)] {
        let before = listing(cluster.folder.path());
        let (mut child, _output) = started(&job, &[], "echo ready; exec sleep 60");
        send(signal, child.id());
        let status = child.wait().unwrap();
        assert_eq!((status.code(), status.signal()), (Some(code), None), "{signal}");
        assert_eq!(listing(cluster.folder.path()), before, "{signal}");
    }
}

#[test]
fn who_is_told_to_ignore_a_signal_does() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    let proxy = cluster.proxy();
    // As `nohup` does it; the command inherits it.
    let script = "trap '' HUP; exec \"$0\" \"$@\"";
    let mut command = job.command(&[]);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script]).arg(command.get_program());
    shell.args(["exec", "--proxy", &proxy, "--token", &job.token, "-q", "--"]);
    shell.args(["sh", "-c", "grep SigIgn /proc/self/status; echo ready; read answer; echo \"$answer\""]);
    shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command = shell;
    let mut child = command
        .current_dir(cluster.folder.path())
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    assert!(line(&mut output).ends_with('1'), "the first bit is that of SIGHUP");
    assert_eq!(line(&mut output), "ready");
    send("HUP", child.id());
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), b"on\n").unwrap();
    assert_eq!(line(&mut output), "on");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
