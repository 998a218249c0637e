//! Kubernetes: what `kube-credential` says to kubectl, and which command lines cannot be.

use jobpass::platform::Platform::GitLabCi;
use jobpass::sandbox::{SandboxKubeCluster, SandboxOptions};

use super::run_fails;
use crate::support::cluster::Cluster;
use crate::support::command::put;

fn cluster() -> Cluster {
    let kube = |name: &str| SandboxKubeCluster { name: name.into(), labels: Vec::new() };
    Cluster::start(SandboxOptions {
        kube_clusters: vec![kube("prod"), kube("dev")],
        ..SandboxOptions::simulating(None)
    })
}

#[test]
fn kube_credential_says_what_is_missing() {
    let cluster = cluster();
    let job = cluster.job(GitLabCi);
    let login = |name: &str, output: &str| {
        let dir = cluster.path(name);
        job.login(&["--dir", dir.to_str().unwrap(), "--output", output]).ok();
        dir
    };
    let [no_key, other_key, damaged, expired, _] =
        ["no-key", "other-key", "damaged", "expired", "good"].map(|name| login(name, "kube=prod"));
    login("ssh", "ssh");
    login("both", "kube=*");
    std::fs::remove_file(no_key.join("key")).unwrap();
    put(&other_key.join("key"), std::fs::read(cluster.path("good/key")).unwrap());
    put(&damaged.join("tlscert"), "-----BEGIN CERTIFICATE-----\n!\n");
    let recorded = include_str!("../data/teleport/tbot_output/identity.txt");
    put(&expired.join("tlscert"), &recorded[recorded.find("-----BEGIN CERTIFICATE").unwrap()..]);
    let fails = |name: &str, exit: i32, arguments: &[&str]| {
        let all = [&["kube-credential", "--dir"], arguments].concat();
        run_fails(&format!("kube-credential-{name}"), exit, &cluster, &job, &all);
    };
    fails("no-folder", 6, &["gone"]);
    fails("no-key", 6, &["no-key"]);
    fails("other-key", 6, &["other-key"]);
    fails("damaged", 6, &["damaged"]);
    fails("expired", 4, &["expired"]);
    fails("no-kube", 6, &["ssh"]);
    fails("other-cluster", 6, &["good", "--kube", "dev"]);
    fails("unknown-cluster", 6, &["both", "--kube", "stage"]);
    fails("name", 2, &["both", "--kube", "../prod"]);
    let all = ["kube-credential", "--dir", "good"];
    let info = cluster
        .job(GitLabCi)
        .set("KUBERNETES_EXEC_INFO", r#"{"apiVersion":"client.authentication.k8s.io/v1alpha1"}"#);
    run_fails("kube-credential-version", 2, &cluster, &info, &all);
}

#[test]
fn command_lines_that_cannot_be() {
    let cluster = cluster();
    let login = |name: &str, arguments: &[&str]| {
        let (job, proxy) = (cluster.job(GitLabCi), cluster.proxy());
        let all = [&["login", "--proxy", &proxy, "--token", &job.token], arguments].concat();
        run_fails(name, 2, &cluster, &job, &all);
    };
    login("kube-same-context", &["--output", "kube=*,context=ci-{cluster}"]);
    login("kube-namespace", &["--output", "kube=prod,namespace=My Space"]);
    login("kube-exec-without-kube", &["--kube-exec"]);
    assert_eq!(cluster.sandbox.records(), []);
}
