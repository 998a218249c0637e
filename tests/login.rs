//! The first proof: a job of each platform goes in, a certificate that a real sshd accepts comes out.

use std::path::Path;

use jobpass::platform::Platform;
use jobpass::sandbox::SandboxOptions;

use crate::support::cluster::{Cluster, listing, served};
use crate::support::command::{Ran, put, run};
use crate::support::sshd::{Sshd, me};

/// `ssh` with what login wrote, straight to sshd.
fn ssh(dir: &Path, port: u16, host: &str, command: &str) -> Ran {
    let config = dir.join("ssh_config").display().to_string();
    let (port, user) = (port.to_string(), me());
    let mut arguments = vec!["-F", &config, "-p", &port, "-l", &user];
    for option in [
        "ProxyCommand=none",
        "HostName=127.0.0.1",
        "BatchMode=yes",
        "GlobalKnownHostsFile=/dev/null",
        "StrictHostKeyChecking=yes",
        "IdentityAgent=none",
    ] {
        arguments.extend(["-o", option]);
    }
    let alias = format!("HostKeyAlias={host}");
    arguments.extend(["-o", &alias, host, command]);
    run("ssh", &arguments)
}

fn sshd(cluster: &Cluster, principals: &[&str]) -> Sshd {
    Sshd::start(cluster.folder.path(), &cluster.sandbox.ssh_user_ca(), principals, |key| {
        cluster.sandbox.sign_host_key(key, &["node1.sandbox.example"]).unwrap()
    })
}

#[test]
fn every_platform_gets_into_a_real_sshd() {
    for (version, suite) in [("18.11.0", "balanced-v1"), ("17.5.0", "fips-v1"), ("15.4.0", "")] {
        let cluster = Cluster::start(SandboxOptions {
            version: version.into(),
            suite: suite.into(),
            ..SandboxOptions::simulating(None)
        });
        let sshd = sshd(&cluster, &["deploy"]);
        for platform in served(version, version.starts_with("18")) {
            let dir = cluster.path(platform.id());
            let ran = cluster.job(platform).login(&["--dir", dir.to_str().unwrap()]).ok();
            // Two take variables and pages from commands there.
            let commands = match platform {
                Platform::AzureDevOps => "##vso[task.",
                Platform::TeamCity => "##teamcity[setParameter ",
                _ => "nothing",
            };
            assert!(ran.stdout.lines().all(|line| line.starts_with(commands)), "{}", ran.stdout);
            let line = ran.stderr.lines().rfind(|l| !l.is_empty()).unwrap();
            for part in [
                "logged in to sandbox.example as bot-ci · ",
                "roles ci-deploy, ci-read",
                "logins deploy (role ci-deploy), reader (role ci-read)",
                "(1h)",
                dir.to_str().unwrap(),
            ] {
                assert!(line.contains(part), "{part} is not in {line}");
            }
            let in_ = ssh(&dir, sshd.port, "node1.sandbox.example", "echo in").ok();
            assert_eq!(in_.stdout, "in\n", "{platform:?} {version}");
            agree(&dir);
        }
        sshd.logged("ID bot-ci");
    }
}

/// `ssh-keygen` and `openssl` see in the files what jobpass says of them.
fn agree(dir: &Path) {
    let path = |name: &str| dir.join(name).display().to_string();
    let seen = run("ssh-keygen", &["-L", "-f", &path("key-cert.pub")]).ok().stdout;
    for part in ["Key ID: \"bot-ci\"", "deploy", "reader", "teleport-roles"] {
        assert!(seen.contains(part), "{part} is not in {seen}");
    }
    let public = run("ssh-keygen", &["-y", "-f", &path("key")]).ok().stdout;
    assert_eq!(public.trim(), std::fs::read_to_string(path("key.pub")).unwrap().trim());
    run("openssl", &["verify", "-CAfile", &path("teleport-user-ca.crt"), &path("tlscert")]).ok();
    let key = if dir.join("tlskey").exists() { "tlskey" } else { "key" };
    let of_cert = run("openssl", &["x509", "-in", &path("tlscert"), "-noout", "-pubkey"]).ok().stdout;
    assert_eq!(of_cert, run("openssl", &["pkey", "-in", &path(key), "-pubout"]).ok().stdout);
    let subject =
        run("openssl", &["x509", "-in", &path("tlscert"), "-noout", "-subject", "-nameopt", "oneline"])
            .ok()
            .stdout;
    assert!(subject.contains("CN = bot-ci") && subject.contains("O = ci-deploy"), "{subject}");
    // The bundle's own key goes with both of its certificates.
    let bundle = std::fs::read_to_string(path("identity")).unwrap();
    put(&dir.join("b.key"), bundle.split_inclusive("-----END PRIVATE KEY-----\n").next().unwrap());
    put(&dir.join("b-cert.pub"), bundle.lines().find(|l| l.contains("-cert-v01@")).unwrap());
    let public = run("ssh-keygen", &["-y", "-f", &path("b.key")]).ok().stdout;
    put(&dir.join("b.pub"), &public);
    let of_key = run("ssh-keygen", &["-l", "-f", &path("b.pub")]).ok().stdout;
    let fingerprint = of_key.split(' ').nth(1).unwrap();
    assert!(run("ssh-keygen", &["-L", "-f", &path("b-cert.pub")]).ok().stdout.contains(fingerprint));
    assert_eq!(of_cert, run("openssl", &["pkey", "-in", &path("b.key"), "-pubout"]).ok().stdout);
    for (file, mode) in listing(dir) {
        assert!(mode == 0o600, "{file} has mode {mode:o}");
    }
}

#[test]
fn sshd_refuses_for_the_stated_reason() {
    let cluster = Cluster::any();
    let dir = cluster.path("out");
    cluster.job(Platform::GitHubActions).login(&["--dir", dir.to_str().unwrap()]).ok();
    let host = "node1.sandbox.example";

    // A principal the certificate does not have.
    let strict = tempfile::tempdir().unwrap();
    let other = Sshd::start(strict.path(), &cluster.sandbox.ssh_user_ca(), &["admin"], |key| {
        cluster.sandbox.sign_host_key(key, &[host]).unwrap()
    });
    assert_eq!(ssh(&dir, other.port, host, "true").code, 255);
    other.logged("Certificate does not contain an authorized principal");

    // A host certificate of a CA this cluster does not have.
    let stranger = Cluster::any();
    let strange = tempfile::tempdir().unwrap();
    let foreign = Sshd::start(strange.path(), &cluster.sandbox.ssh_user_ca(), &["deploy"], |key| {
        stranger.sandbox.sign_host_key(key, &[host]).unwrap()
    });
    let refused = ssh(&dir, foreign.port, host, "true");
    assert_eq!(refused.code, 255);
    assert!(refused.stderr.contains("Host key verification failed"), "{}", refused.stderr);

    // A certificate of the same key that has ended: signed by a CA of our own, as the sandbox gives none.
    let good = Sshd::start(cluster.folder.path(), &expired(&dir), &["deploy"], |key| {
        cluster.sandbox.sign_host_key(key, &[host]).unwrap()
    });
    assert_eq!(ssh(&dir, good.port, host, "true").code, 255);
    good.logged("Certificate invalid: expired");
}

/// Puts an expired certificate in the place of the good one; gives the CA that signed it.
fn expired(dir: &Path) -> String {
    let ca = dir.join("ca").display().to_string();
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &ca]).ok();
    let key = dir.join("key.pub").display().to_string();
    run("ssh-keygen", &["-q", "-s", &ca, "-I", "bot-ci", "-n", "deploy", "-V", "-2h:-1h", &key]).ok();
    std::fs::read_to_string(dir.join("ca.pub")).unwrap()
}
