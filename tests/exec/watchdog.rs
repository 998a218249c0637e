//! What is left when `jobpass exec` is killed.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use jobpass::platform::Platform::GitHubActions;
use jobpass::sandbox::SandboxOptions;
use jobpass::sandbox::fault_injection::FaultInjection;

use super::signals::{line, send, started};
use crate::support::cluster::{Cluster, listing};
use crate::support::command::{Ran, put, run};

/// Waits for what other processes must do; fails after a time no sound run needs.
#[track_caller]
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < end, "{what} does not happen");
        std::thread::yield_now();
    }
}

/// The inode of a descriptor's pipe.
fn pipe(process: u32, descriptor: &str) -> Option<PathBuf> {
    let link = std::fs::read_link(format!("/proc/{process}/fd/{descriptor}")).ok()?;
    link.to_str()?.starts_with("pipe:").then_some(link)
}

/// The watchdog of that process: it reads from a pipe that the process has.
fn watchdog_of(process: u32) -> Option<u32> {
    let descriptors = std::fs::read_dir(format!("/proc/{process}/fd")).ok()?;
    let pipes: Vec<PathBuf> =
        descriptors.filter_map(|fd| pipe(process, fd.ok()?.file_name().to_str()?)).collect();
    let processes = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let is_it = |id: &u32| {
        let words = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        words.ends_with(b"\0exec-watchdog\0detached\0")
            && pipe(*id, "0").is_some_and(|own| pipes.contains(&own))
    };
    processes.filter(|id| *id != process).find(is_it)
}

fn is_there(process: u32) -> bool {
    // One that nobody waits for stays as a zombie.
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    !status.is_empty() && !status.contains(") Z ")
}

const SCRIPT: &str = "trap 'echo terminated; exit 1' TERM; ls \"$JOBPASS_DIR/identity\" >&2; echo ready; echo $$; \
                      sleep 60 & wait; wait";

#[test]
fn a_killed_exec_leaves_nothing_and_its_command_is_told() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    for signal in ["KILL", "ABRT", "ILL"] {
        let before = listing(cluster.folder.path());
        let said = cluster.path("said");
        let proxy = cluster.proxy();
        let all = ["exec", "--proxy", &proxy, "--token", &job.token, "-q", "--", "sh", "-c", SCRIPT];
        let mut command = job.command(&all);
        command.stdout(Stdio::piped()).stderr(File::create(&said).unwrap());
        let mut child = command.spawn().unwrap();
        let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
        assert_eq!(line(&mut output), "ready");
        let id = line(&mut output);
        send(signal, child.id());
        assert!(child.wait().unwrap().signal().is_some(), "{signal}");
        assert_eq!(line(&mut output), "terminated", "{signal}");
        until("the end of the command", || !is_there(id.parse().unwrap()));
        until("the watchdog's word", || std::fs::read_to_string(&said).unwrap().lines().count() == 2);
        let said_text = std::fs::read_to_string(&said).unwrap();
        let last =
            "jobpass: `jobpass exec` was killed: its credentials are removed, and its command got SIGTERM\n";
        assert!(said_text.ends_with(last), "{said_text}");
        std::fs::remove_file(&said).unwrap();
        assert_eq!(listing(cluster.folder.path()), before, "{signal}");
    }
}

#[test]
fn killed_with_its_whole_group_it_leaves_nothing() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    for signal in ["KILL", "TERM"] {
        let before = listing(cluster.folder.path());
        let (mut child, mut output) = started(&job, &[], SCRIPT);
        let id = line(&mut output);
        run("kill", &[&format!("-{signal}"), "--", &format!("-{}", child.id())]).ok();
        child.wait().unwrap();
        until("the end of the command", || !is_there(id.parse().unwrap()));
        until("the removal", || listing(cluster.folder.path()) == before);
    }
}

#[test]
fn killed_before_the_command_it_leaves_nothing() {
    for path in ["/_ci/github/token", "GenerateUserCerts"] {
        let inject = FaultInjection { hang_on: vec![path.into()], ..FaultInjection::default() };
        let cluster = Cluster::start(SandboxOptions { inject, ..SandboxOptions::simulating(None) });
        let job = cluster.job(GitHubActions);
        let before = listing(cluster.folder.path());
        let proxy = cluster.proxy();
        let all = ["exec", "--proxy", &proxy, "--token", &job.token, "-q", "--", "echo", "started"];
        let mut command = job.command(&all);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let asked = |seen: &str| seen.split('?').next().is_some_and(|seen| seen.ends_with(path));
        until("the request", || cluster.sandbox.records().iter().flat_map(|s| &s.paths).any(|p| asked(p)));
        assert_ne!(listing(cluster.folder.path()), before, "there is a folder");
        child.kill().unwrap();
        let ran = Ran::of(&child.wait_with_output().unwrap());
        assert_eq!(ran.stdout, "");
        until("the removal", || listing(cluster.folder.path()) == before);
    }
}

#[test]
fn the_watchdog_has_no_secret_and_goes_with_the_command() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    let (mut child, mut output) = started(&job, &[], "echo ready; env | grep -c JOBPASS_DIR; read answer");
    assert_eq!(line(&mut output), "1");
    // Standard input is empty: the command goes on at once. Its like with a command that stays:
    child.wait().unwrap();
    let (mut child, mut output) = started(&job, &[], SCRIPT);
    line(&mut output);
    let watchdog = watchdog_of(child.id()).expect("a watchdog");
    let proc = |name: &str| std::fs::read(format!("/proc/{watchdog}/{name}")).unwrap();
    assert_eq!(proc("environ"), b"");
    let words = String::from_utf8(proc("cmdline")).unwrap();
    assert_eq!(words.split('\0').skip(1).collect::<Vec<_>>(), ["exec-watchdog", "detached", ""]);
    // In a session of its own, and no child of ours.
    let stat = String::from_utf8(proc("stat")).unwrap();
    let fields: Vec<u32> = stat
        .rsplit_once(") ")
        .unwrap()
        .1
        .split(' ')
        .skip(1)
        .take(3)
        .map(|field| field.parse().unwrap())
        .collect();
    assert!(fields[0] != child.id() && fields[1] != child.id() && fields[2] != 0, "{stat}");
    let ours = run("ps", &["-o", "sid=", "-p", &child.id().to_string()]).ok().stdout;
    assert_ne!(ours.trim(), fields[2].to_string(), "{stat}");
    // What is meant to end it politely does not.
    for signal in ["TERM", "INT", "HUP"] {
        send(signal, watchdog);
    }
    assert!(is_there(watchdog));
    send("TERM", child.id());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    until("the watchdog's end", || !is_there(watchdog));
}

/// Runs a command as a container's first process that is no init does: it gets the orphans, and waits for its own child alone. Prints how
/// many more children it has had by then.
const NO_INIT: &str = "import ctypes, os, subprocess, sys
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0, 'PR_SET_CHILD_SUBREAPER'
subprocess.Popen(sys.argv[1:]).wait()
def parent(process):
    try:
        return int(open('/proc/%s/stat' % process).read().rpartition(') ')[2].split()[1])
    except OSError:
        return 0
print(sum(parent(process) == os.getpid() for process in os.listdir('/proc') if process.isdigit()))";

#[test]
fn where_nobody_waits_for_orphans_it_leaves_none() {
    let cluster = Cluster::any();
    let root = cluster.path("machine");
    std::fs::create_dir_all(root.join("proc/1")).unwrap();
    let none = "0000000000000000";
    for (caught, orphans) in [(none, "0\n"), ("0000000000010000", "1\n")] {
        let status = format!("Name:\tx\nSigBlk:\t{none}\nSigIgn:\t{none}\nSigCgt:\t{caught}\n");
        put(&root.join("proc/1/status"), status);
        let job = cluster.job(GitHubActions).set("JOBPASS_ROOT", root.to_str().unwrap());
        let before = listing(cluster.folder.path());
        let proxy = cluster.proxy();
        for (token, words) in
            [(job.token.as_str(), "true"), (&job.token, "no-such-program"), ("ci-none", "true")]
        {
            let command = job.command(&["exec", "--proxy", &proxy, "--token", token, "-q", "--", words]);
            let mut no_init = std::process::Command::new("/usr/bin/python3");
            no_init.args(["-c", NO_INIT]).arg(command.get_program()).args(command.get_args());
            no_init.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            let ran = Ran::of(&no_init.current_dir(cluster.folder.path()).output().unwrap()).ok();
            assert_eq!(ran.stdout, orphans, "{caught} {token} {words}: {}", ran.stderr);
            assert_eq!(listing(cluster.folder.path()), before);
        }
    }
}

/// Killed, it is looked after there as everywhere.
#[test]
fn a_watchdog_that_stays_a_child_does_what_others_do() {
    let cluster = Cluster::any();
    let root = cluster.path("machine");
    std::fs::create_dir_all(root.join("proc/1")).unwrap();
    put(&root.join("proc/1/status"), "SigBlk:\t0\nSigIgn:\t0\nSigCgt:\t0\n");
    let job = cluster.job(GitHubActions).set("JOBPASS_ROOT", root.to_str().unwrap());
    for signal in ["KILL", "TERM"] {
        let before = listing(cluster.folder.path());
        let (mut child, mut output) = started(&job, &[], SCRIPT);
        let id = line(&mut output);
        let watchdog = watchdog_of(child.id()).expect("a watchdog");
        let parent = run("ps", &["-o", "ppid=", "-p", &watchdog.to_string()]).ok().stdout;
        assert_eq!(parent.trim(), child.id().to_string());
        // All of the job's own group; the watchdog has another.
        run("kill", &[&format!("-{signal}"), "--", &format!("-{}", child.id())]).ok();
        child.wait().unwrap();
        until("the end of the command", || !is_there(id.parse().unwrap()));
        until("the removal", || listing(cluster.folder.path()) == before);
        until("the end of the watchdog", || !is_there(watchdog));
    }
}

#[test]
fn without_its_watchdog_it_still_wipes() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    let before = listing(cluster.folder.path());
    let (mut child, mut output) = started(&job, &[], SCRIPT);
    line(&mut output);
    let watchdog = watchdog_of(child.id()).expect("a watchdog");
    send("KILL", watchdog);
    until("its end", || !is_there(watchdog));
    send("TERM", child.id());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(listing(cluster.folder.path()), before);
}

/// The worst case, as the help has it: files stay, until the next `exec` that comes there.
#[test]
fn with_both_killed_files_stay_until_the_next_exec() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    let before = listing(cluster.folder.path());
    let (mut child, mut output) = started(&job, &[], SCRIPT);
    let id = line(&mut output);
    let watchdog = watchdog_of(child.id()).expect("a watchdog");
    send("KILL", watchdog);
    until("its end", || !is_there(watchdog));
    send("KILL", child.id());
    child.wait().unwrap();
    assert!(is_there(id.parse().unwrap()), "the command goes on");
    send("KILL", &id);
    let left: Vec<String> = listing(cluster.folder.path())
        .into_iter()
        .filter(|entry| !before.contains(entry))
        .map(|(name, _)| name)
        .collect();
    assert!(left.iter().any(|name| name.ends_with("/credentials/key")), "{left:?}");
    let folder = cluster.path(left.iter().min().unwrap());
    age(&folder);
    super::exec(&job, &["-q"], "true").ok();
    assert_eq!(listing(cluster.folder.path()), before);
}

/// As if it had been there for ten minutes.
fn age(folder: &Path) {
    let opened = File::open(folder).unwrap();
    let then = opened.metadata().unwrap().modified().unwrap() - Duration::from_secs(600);
    opened.set_modified(then).unwrap();
}

#[test]
fn a_folder_in_use_is_nobody_elses() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    let before = listing(cluster.folder.path());
    let (mut child, mut output) = started(&job, &[], SCRIPT);
    line(&mut output);
    let name = |(name, _): (String, u32)| name;
    let new = listing(cluster.folder.path()).into_iter().filter(|entry| !before.contains(entry)).map(name);
    let folder = cluster.path(&new.min().unwrap());
    age(&folder);
    super::exec(&job, &["-q"], "true").ok();
    assert!(folder.join("credentials/key").exists(), "the other is still there");
    send("TERM", child.id());
    child.wait().unwrap();
    assert_eq!(listing(cluster.folder.path()), before);
}
