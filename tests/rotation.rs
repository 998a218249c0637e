//! A CA rotation in progress: two keys are trusted, and clients work whichever of them signed what they meet.

use jobpass::platform::Platform::{GitHubActions, GitLabCi};
use jobpass::sandbox::{Rotation, SandboxOptions};

use crate::support::cluster::Cluster;
use crate::support::command::{put, run};

fn rotating(rotation: Option<Rotation>) -> Cluster {
    Cluster::start(SandboxOptions { rotation, ..SandboxOptions::simulating(None) })
}

const PHASES: [Rotation; 2] = [Rotation::UpdateClients, Rotation::UpdateServers];

#[test]
fn both_keys_are_in_the_files_in_every_phase_and_on_both_join_paths() {
    for rotation in PHASES {
        for join_new in [true, false] {
            let options =
                SandboxOptions { rotation: Some(rotation), join_new, ..SandboxOptions::simulating(None) };
            let cluster = Cluster::start(options);
            cluster.job(GitHubActions).login(&["--dir", "out"]).ok();
            let text = |name: &str| std::fs::read_to_string(cluster.path("out").join(name)).unwrap();
            let count = |name: &str, word: &str| text(name).matches(word).count();
            assert_eq!(count("known_hosts", "*.sandbox.example"), 2, "{}", text("known_hosts"));
            for name in ["teleport-host-ca.crt", "teleport-user-ca.crt", "teleport-database-ca.crt"] {
                assert_eq!(count(name, "BEGIN CERTIFICATE"), 2, "{rotation:?} {join_new} {name}");
            }
            // Signed by one of the user CAs.
            let path = |name: &str| cluster.path("out").join(name).display().to_string();
            let verify = ["verify", "-CAfile", &path("teleport-user-ca.crt"), &path("tlscert")];
            assert!(run("openssl", &verify).ok().stdout.contains("OK"));
        }
    }
    let cluster = rotating(None);
    cluster.job(GitHubActions).login(&["--dir", "out"]).ok();
    let known = std::fs::read_to_string(cluster.path("out/known_hosts")).unwrap();
    assert_eq!(known.matches("@cert-authority").count(), 1, "{known}");
}

#[test]
fn ssh_trusts_hosts_of_the_old_key_and_of_the_new() {
    use crate::support::sshd::{Sshd, join, me};
    for rotation in PHASES {
        let gate = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let node = jobpass::sandbox::SandboxNode {
            name: "node1".into(),
            cluster: "sandbox.example".into(),
            address: gate.local_addr().unwrap(),
        };
        let cluster = Cluster::start(SandboxOptions {
            rotation: Some(rotation),
            nodes: vec![node],
            ..SandboxOptions::simulating(None)
        });
        // The node's certificate is signed as those of servers are: by the old key until `update-servers`.
        let sshd = Sshd::start(cluster.folder.path(), &cluster.sandbox.ssh_user_ca(), &["deploy"], |key| {
            cluster.sandbox.sign_host_key(key, &["node1.sandbox.example"]).unwrap()
        });
        join(gate, sshd.address());
        let dir = cluster.path("out");
        let ca = cluster.path("web-ca.pem").display().to_string();
        cluster.job(GitLabCi).login(&["--dir", dir.to_str().unwrap(), "--ca-file", &ca]).ok();
        let config = dir.join("ssh_config").display().to_string();
        let user = format!("User={}", me());
        let arguments =
            ["-F", &config, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", &user];
        let none = ["-o", "GlobalKnownHostsFile=/dev/null", "-o", "IdentityAgent=none"];
        let ran = run("ssh", &[&arguments[..], &none, &["node1.sandbox.example", "echo in"]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "in\n"), "{rotation:?}: {}", ran.stderr);
    }
}

#[test]
fn the_auth_service_is_known_by_either_key() {
    for rotation in PHASES {
        let cluster = rotating(Some(rotation));
        let job = cluster.job(GitHubActions);
        job.login(&["--dir", "out"]).ok();
        // Both CAs in the file; the server shows a certificate of one of them.
        let both = cluster.path("out/teleport-host-ca.crt").display().to_string();
        let direct = |ca: &str| {
            let proxy = cluster.proxy();
            job.run(&[
                "login",
                "--auth-server",
                &proxy,
                "--ca-file",
                ca,
                "--token",
                &job.token,
                "--dir",
                "direct",
            ])
        };
        direct(&both).ok();
        let text = std::fs::read_to_string(&both).unwrap();
        let at = text.rfind("-----BEGIN").unwrap();
        let (first, second) = text.split_at(at);
        let codes = [first, second].map(|pem| {
            put(&cluster.path("one.pem"), pem);
            direct(&cluster.path("one.pem").display().to_string()).code
        });
        let wanted = if rotation == Rotation::UpdateServers { [0, 5] } else { [5, 0] };
        assert_eq!(codes, wanted, "{rotation:?}: one key alone is not enough for the other's certificates");
    }
}
