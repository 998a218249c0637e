//! Folders that no tunnel can be made of, and command lines that mean two things.

use std::os::unix::fs::PermissionsExt as _;

use jobpass::platform::Platform::GitLabCi;
use jobpass::sandbox::{SandboxKubeCluster, SandboxOptions};

use super::{DeadPort, run_fails};
use crate::support::cluster::Cluster;
use crate::support::command::put;
use crate::tunnel::database;

#[test]
fn folders_that_are_none_for_a_tunnel() {
    let kube = |name: &str| SandboxKubeCluster { name: name.into(), labels: Vec::new() };
    let cluster = Cluster::start(SandboxOptions {
        databases: vec![database("cache", "redis"), database("ora", "oracle")],
        kube_clusters: vec![kube("prod"), kube("dev")],
        ..SandboxOptions::simulating(None)
    });
    let job = cluster.job(GitLabCi);
    let login = |name: &str, outputs: &[&str]| {
        let dir = cluster.path(name);
        let outputs: Vec<&str> = outputs.iter().flat_map(|output| ["--output", *output]).collect();
        job.login(&[&["--dir", dir.to_str().unwrap()][..], &outputs].concat()).ok();
        dir
    };
    let names =
        ["no-key", "other-key", "damaged", "expired", "no-ca", "manifest", "version", "wiped", "good"];
    let [no_key, other_key, damaged, expired, no_ca, manifest, version, wiped, _] =
        names.map(|name| login(name, &["database=cache"]));
    login("gone", &["database=cache"]);
    login("ssh", &["ssh"]);
    login("several", &["ssh", "database=cache"]);
    login("nodes", &["ssh", "ssh,name=more"]);
    login("oracle", &["database=ora"]);
    login("kube", &["kube=*"]);
    let unreadable = login("unreadable", &["database=cache"]);
    std::fs::create_dir(cluster.path("others")).unwrap();
    put(&cluster.path("file"), "");
    std::os::unix::fs::symlink(cluster.path("good"), cluster.path("link")).unwrap();
    std::fs::remove_file(no_key.join("key")).unwrap();
    put(&other_key.join("key"), std::fs::read(cluster.path("good/key")).unwrap());
    put(&damaged.join("tlscert"), "-----BEGIN CERTIFICATE-----\n!\n");
    let recorded = include_str!("../data/teleport/tbot_output/identity.txt");
    put(&expired.join("tlscert"), &recorded[recorded.find("-----BEGIN CERTIFICATE").unwrap()..]);
    std::fs::remove_file(no_ca.join("teleport-host-ca.crt")).unwrap();
    put(&manifest.join("jobpass.json"), "{");
    let text = std::fs::read_to_string(version.join("jobpass.json")).unwrap();
    put(&version.join("jobpass.json"), text.replace("--ttl=", "--newest="));
    put(&wiped.join("mine"), "");
    for folder in ["wiped", "gone"] {
        job.run(&["logout", cluster.path(folder).to_str().unwrap()]).ok();
    }
    // A folder in place of a file is unreadable for root, too.
    std::fs::remove_file(unreadable.join("tlscert")).unwrap();
    std::fs::create_dir(unreadable.join("tlscert")).unwrap();
    std::fs::set_permissions(unreadable.join("tlscert"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let dry = ["login", "--dry-run", "--allow-dry-run-in-ci", "--dir", "dry", "--output", "app=grafana"];
    job.run(&dry).ok();

    let records = cluster.sandbox.records().len();
    let fails = |name: &str, exit: i32, arguments: &[&str]| {
        let all = [&["tunnel", "--dir"], arguments].concat();
        run_fails(&format!("tunnel-dir-{name}"), exit, &cluster, &job, &all);
    };
    fails("gone", 6, &["gone"]);
    fails("of-others", 6, &["others"]);
    fails("file", 6, &["file"]);
    fails("link", 6, &["link"]);
    fails("wiped", 6, &["wiped"]);
    fails("manifest", 6, &["manifest"]);
    fails("another-version", 2, &["version"]);
    fails("dry-run", 2, &["dry"]);
    fails("several", 6, &["several"]);
    fails("nodes", 6, &["nodes"]);
    fails("ssh", 2, &["ssh"]);
    fails("no-key", 6, &["no-key"]);
    fails("other-key", 6, &["other-key"]);
    fails("damaged", 6, &["damaged"]);
    fails("expired", 4, &["expired"]);
    fails("no-ca", 6, &["no-ca"]);
    fails("unreadable", 6, &["unreadable"]);
    fails("kube-socket", 2, &["kube", "--listen", "unix"]);
    fails("kube-listen", 2, &["kube", "--listen", "4000"]);
    fails("listen", 2, &["good", "--listen", "postgres"]);
    fails("with-spec", 2, &["good", "database=cache"]);
    fails("with-proxy", 2, &["good", "--proxy", "127.0.0.1:1"]);
    fails("with-token", 2, &["good", "--token", "x"]);
    fails("with-ttl", 2, &["good", "--ttl", "1m"]);
    fails("with-dry-run", 2, &["good", "--dry-run"]);
    fails("export-with-command", 2, &["good", "--export", "none", "--", "true"]);
    assert_eq!(cluster.sandbox.records().len(), records, "nothing was asked of the cluster");
    fails("oracle", 2, &["oracle"]);
    run_fails("tunnel-listen-alone", 2, &cluster, &job, &["tunnel", "--listen", "1", "database=cache"]);
    run_fails("tunnel-nothing", 2, &cluster, &job, &["tunnel"]);
}

#[test]
fn a_proxy_that_is_gone_is_told_before_anything_listens() {
    let cluster = Cluster::start(SandboxOptions {
        databases: vec![database("cache", "redis")],
        ..SandboxOptions::simulating(None)
    });
    let (job, dir, dead) = (cluster.job(GitLabCi), cluster.path("out"), DeadPort::new());
    job.login(&["--dir", dir.to_str().unwrap(), "--output", "database=cache"]).ok();
    let manifest = dir.join("jobpass.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    put(&manifest, text.replace(&cluster.proxy(), &dead.address()));
    let ran = job.run(&["tunnel", "--dir", "out", "--timeout", "5s", "--ready-file", "ready"]);
    assert!(ran.code == 5 && ran.stderr.contains("connection refused"), "{}", ran.all());
    assert!(!cluster.path("ready").exists() && !ran.stderr.contains("tunnel `cache`"), "{}", ran.all());
}
