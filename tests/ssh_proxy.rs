//! ssh to nodes behind the proxy: plain OpenSSH with the `ssh_config` login wrote, its `ProxyCommand` and a real sshd.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use jobpass::platform::Platform;
use jobpass::sandbox::{SandboxNode, SandboxOptions};

use crate::support::cluster::{Cluster, listing};
use crate::support::command::{Ran, put};
use crate::support::sshd::{Sshd, join, me};

pub const NODE: &str = "node1.sandbox.example";
pub const LEAF_NODE: &str = "node2.leaf.example";

/// A cluster with a node, and one of a leaf. The sandbox must know their ports before it runs, and sshd the CAs of the sandbox: so a listener
/// stands between that is joined to sshd once that runs.
pub struct Nodes {
    pub cluster: Cluster,
    _sshd: [Sshd; 2],
}

impl Nodes {
    pub fn start() -> Self {
        Self::with_logins([&["deploy"], &["deploy"]])
    }

    /// Who may come in at the node of the root, and at that of the leaf.
    pub fn with_logins(logins: [&[&str]; 2]) -> Self {
        let gates = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        let node = |name: &str, cluster: &str, gate: &std::net::TcpListener| SandboxNode {
            name: name.into(),
            cluster: cluster.into(),
            address: gate.local_addr().unwrap(),
        };
        let cluster = Cluster::start(SandboxOptions {
            leaves: vec!["leaf.example".into()],
            nodes: vec![
                node("node1", "sandbox.example", &gates[0]),
                node("node2", "leaf.example", &gates[1]),
            ],
            ..SandboxOptions::simulating(None)
        });
        let sshd = [(NODE, logins[0]), (LEAF_NODE, logins[1])].map(|(host, logins)| {
            let folder = cluster.path(host);
            std::fs::create_dir(&folder).unwrap();
            Sshd::start(&folder, &cluster.sandbox.ssh_user_ca(), logins, |key| {
                cluster.sandbox.sign_host_key(key, &[host]).unwrap()
            })
        });
        for (gate, sshd) in gates.into_iter().zip(&sshd) {
            join(gate, sshd.address());
        }
        Self { cluster, _sshd: sshd }
    }

    pub fn login(&self, arguments: &[&str]) -> std::path::PathBuf {
        let dir = self.cluster.path("out put");
        let ca = self.cluster.path("web-ca.pem").display().to_string();
        let mut all = vec!["--dir", dir.to_str().unwrap(), "--ca-file", &ca];
        all.extend(arguments);
        self.cluster.job(Platform::GitHubActions).login(&all).ok();
        dir
    }
}

/// `ssh` or a program that takes its options.
pub fn ssh(program: &str, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["-F", dir.join("ssh_config").to_str().unwrap()]);
    for option in
        ["BatchMode=yes", "GlobalKnownHostsFile=/dev/null", "StrictHostKeyChecking=yes", "IdentityAgent=none"]
    {
        command.args(["-o", option]);
    }
    command.args(["-o", &format!("User={}", me())]);
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::null());
    command
}

pub fn finish(command: &mut Command) -> Ran {
    Ran::of(&command.output().unwrap())
}

#[test]
fn plain_ssh_reaches_nodes_of_the_root_and_of_a_leaf() {
    let nodes = Nodes::start();
    let dir = nodes.login(&["--copy-binary"]);
    let config = std::fs::read_to_string(dir.join("ssh_config")).unwrap();
    assert!(config.contains("out put/jobpass' ssh-proxy"), "the copy is what runs: {config}");
    for host in [NODE, LEAF_NODE] {
        let ran = finish(ssh("ssh", &dir).args([host, "echo in; cat"]).stdin(Stdio::piped())).ok();
        assert_eq!(ran.stdout, "in\n", "{host}: {}", ran.stderr);
    }
    // The end of standard input is passed on while the answer still comes back.
    let mut child = ssh("ssh", &dir)
        .args([NODE, "wc -c; echo after"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&vec![7; 300_000]).unwrap();
    let ran = Ran::of(&child.wait_with_output().unwrap());
    assert_eq!(ran.stdout, "300000\nafter\n");
}

#[test]
fn large_transfers_do_not_grow_memory() {
    let nodes = Nodes::start();
    let dir = nodes.login(&[]);
    let (big, back) = (nodes.cluster.path("big"), nodes.cluster.path("back"));
    let size = 96 * 1024 * 1024;
    put(&big, vec![42; size]);
    let batch = nodes.cluster.path("batch");
    put(&batch, format!("put {0} {0}.there\nget {0}.there {1}\n", big.display(), back.display()));
    let mut child =
        ssh("sftp", &dir).args(["-b", batch.to_str().unwrap(), NODE]).stdout(Stdio::null()).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(proxy_peak(&dir));
        std::thread::yield_now();
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(std::fs::metadata(&back).unwrap().len(), size as u64);
    assert_eq!(std::fs::read(&back).unwrap(), std::fs::read(&big).unwrap());
    assert!(peak > 0, "the ssh-proxy was seen");
    assert!(peak < 64 * 1024, "{peak} kB for carrying {size} bytes twice");
}

/// `VmHWM`, in kB, of the running `ssh-proxy` of that folder; 0 when there is none.
fn proxy_peak(dir: &Path) -> u64 {
    let wanted = dir.display().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().map_while(Result::ok);
    let of = |process: std::fs::DirEntry| {
        let command = std::fs::read_to_string(process.path().join("cmdline")).ok()?;
        let words: Vec<&str> = command.split('\0').collect();
        if words.get(1) != Some(&"ssh-proxy") || !words.contains(&wanted.as_str()) {
            return None;
        }
        let status = std::fs::read_to_string(process.path().join("status")).ok()?;
        status.lines().find(|l| l.starts_with("VmHWM"))?.split_whitespace().nth(1)?.parse().ok()
    };
    processes.filter_map(of).max().unwrap_or(0)
}

#[test]
fn says_in_one_line_why_it_cannot() {
    let nodes = Nodes::start();
    let dir = nodes.login(&[]);
    let proxy = |ran: &Ran| {
        ran.stderr.lines().filter(|l| l.starts_with("jobpass: ")).map(str::to_owned).collect::<Vec<_>>()
    };

    let ran = finish(ssh("ssh", &dir).args(["nowhere.sandbox.example", "true"]));
    assert_eq!((ran.code, proxy(&ran).len()), (255, 1), "{}", ran.stderr);
    assert!(proxy(&ran)[0].contains("`nowhere` is not a node of `sandbox.example`"), "{}", ran.stderr);

    // Nothing is asked of anybody with a certificate that has expired.
    let ended = include_str!("data/teleport/tbot_output/identity.txt");
    put(&dir.join("tlscert"), &ended[ended.find("-----BEGIN CERTIFICATE").unwrap()..]);
    let ran = finish(ssh("ssh", &dir).args([NODE, "true"]));
    assert!(proxy(&ran).len() == 1 && proxy(&ran)[0].contains("expired at"), "{}", ran.stderr);

    let ran = finish(
        Command::new(env!("CARGO_BIN_EXE_jobpass"))
            .args(["ssh-proxy", "--dir", "/nonexistent", "h", "22"])
            .env_clear()
            .stdin(Stdio::null()),
    );
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("could not read `/nonexistent/tlscert`") && ran.stderr.lines().count() == 1,
        "{}",
        ran.stderr
    );
}

#[test]
fn ends_when_the_proxy_is_lost() {
    let nodes = Nodes::start();
    let dir = nodes.login(&[]);
    let mut child = ssh("ssh", &dir)
        .args([NODE, "echo up; cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut up = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.as_mut().unwrap()), &mut up)
        .unwrap();
    assert_eq!(up, "up\n");
    drop(nodes);
    let ran = Ran::of(&child.wait_with_output().unwrap());
    assert_ne!(ran.code, 0);
    assert!(ran.stderr.contains("jobpass: "), "{}", ran.stderr);
}

#[test]
fn leaves_whose_names_take_over_other_hosts_are_left_out_with_a_warning() {
    let leaves = ["com", "not a name", "leaf.example"].map(str::to_owned).to_vec();
    let cluster = Cluster::start(SandboxOptions { leaves, ..SandboxOptions::simulating(None) });
    let ran = cluster.job(Platform::GitLabCi).login(&["--dir", "out"]).ok();
    let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    for warning in [
        "not configuring ssh for the hosts of leaf cluster `com`: `*.com` would match a whole top-level domain",
        "skipping leaf cluster `not a name`: its name is not a valid host name",
    ] {
        assert!(said.contains(warning), "{said}");
    }
    let mut files: Vec<_> = listing(&cluster.path("out")).into_iter().map(|(name, _)| name).collect();
    files.retain(|name| name.ends_with("ssh_config"));
    assert_eq!(files, ["leaf.example.ssh_config", "sandbox.example.ssh_config", "ssh_config"]);
}
