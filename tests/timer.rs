//! `ci-examples/systemd-timer/`: logins from a timer into one folder, beside readers.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::cluster::{Cluster, listing};

fn example(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci-examples/systemd-timer");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// The words of the service's command behind the program, with what differs here replaced.
fn arguments(cluster: &Cluster, dir: &Path) -> Vec<String> {
    let service = example("jobpass.service");
    let line = service.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let mut words = shlex::split(line).unwrap();
    assert!(words.remove(0).ends_with("/jobpass"));
    let mut set = |flag: &str, value: String| {
        let at = words.iter().position(|word| word == flag).unwrap_or_else(|| panic!("no {flag}: {words:?}"));
        words[at + 1] = value;
    };
    set("--proxy", cluster.proxy());
    set("--token", "ci-kubernetes".to_owned());
    // The stand-in for the machine's method: this machine is none of a cloud's.
    set("--join-method", "kubernetes".to_owned());
    set("--dir", dir.display().to_string());
    words
}

/// What a program reads that enters the folder first.
enum Look {
    /// Key and certificate.
    Whole { key: String, certificate: String },
    /// The folder was replaced meanwhile.
    Replaced,
    /// There is no folder.
    Nothing,
}

fn look(dir: &PathBuf) -> Look {
    let script = "cd \"$0\" || exit 9; cat key.pub && cat key-cert.pub";
    let output = Command::new("sh").args(["-c", script]).arg(dir).stderr(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    match (output.status.code(), text.split_once('\n')) {
        (Some(0), Some((key, certificate))) => {
            Look::Whole { key: key.to_owned(), certificate: certificate.to_owned() }
        }
        (Some(9), _) => Look::Nothing,
        _ => Look::Replaced,
    }
}

#[test]
fn a_reader_beside_the_timer_never_sees_half() {
    const RUNS: usize = 6;
    let cluster = Cluster::any();
    let dir = cluster.path("current");
    let words = arguments(&cluster, &dir);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let job = cluster.pod();
    job.run(&words).ok();
    let done = AtomicBool::new(false);
    let (whole, keys) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut whole, mut keys) = (0_usize, std::collections::BTreeSet::new());
            while !done.load(Ordering::Relaxed) {
                match look(&dir) {
                    Look::Nothing => panic!("there is no folder"),
                    Look::Replaced => {}
                    Look::Whole { key, certificate } => {
                        let key = ssh_key::PublicKey::from_openssh(&key).unwrap();
                        let certificate = ssh_key::Certificate::from_openssh(certificate.trim()).unwrap();
                        assert_eq!(key.key_data(), certificate.public_key(), "files of two logins");
                        whole += 1;
                        keys.insert(key.to_openssh().unwrap());
                    }
                }
            }
            (whole, keys.len())
        });
        let ran: Vec<_> = (0..RUNS).map(|_| job.run(&words)).collect();
        done.store(true, Ordering::Relaxed);
        let read = reader.join().unwrap();
        for ran in ran {
            drop(ran.ok());
        }
        read
    });
    assert!(whole > RUNS && keys > 1, "{whole} looks saw {keys} logins");
    let left = listing(cluster.folder.path()).into_iter().filter(|(name, _)| name.contains(".jobpass"));
    assert_eq!(left.count(), 0, "nothing of the earlier ones is left");
}

#[test]
fn a_run_that_fails_leaves_the_folder_as_it_is() {
    let cluster = Cluster::any();
    let dir = cluster.path("current");
    let words = arguments(&cluster, &dir);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let job = cluster.pod();
    job.run(&words).ok();
    let read = || std::fs::read_to_string(dir.join("identity")).unwrap();
    let before = (listing(&dir), read());
    let ran = job.unset("KUBERNETES_TOKEN_PATH").run(&words);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert_eq!((listing(&dir), read()), before);
}

/// The exit codes that are not worth another try are all but the network's.
#[test]
fn the_service_tries_again_what_is_worth_it() {
    let service = example("jobpass.service");
    let codes = service.lines().find_map(|line| line.strip_prefix("RestartPreventExitStatus=")).unwrap();
    let kept: Vec<&str> = codes.split(' ').collect();
    let all = jobpass::cli::EXIT_CODES.iter().map(|(code, _)| *code);
    let retried: Vec<&str> = all.filter(|code| *code != "0" && !kept.contains(code)).collect();
    assert_eq!(retried, ["5"]);
}
