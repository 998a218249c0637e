//! Outputs that cannot be issued.

use jobpass::platform::Platform;
use jobpass::sandbox::{SandboxKubeCluster, SandboxOptions};

use super::fails;
use crate::outputs::options;
use crate::support::cluster::Cluster;

#[test]
fn names_that_the_cluster_does_not_know() {
    let cluster = Cluster::start(options());
    let job = cluster.job(Platform::GitLabCi);
    for (name, output) in [
        ("leaf-misspelt", "ssh,cluster=leaf.exmaple"),
        ("kube-unknown", "kube=prodd"),
        ("kube-no-match", "kube=env:staging"),
        ("database-unknown", "database=pgg"),
        ("app-unknown", "app=prometheus"),
    ] {
        fails(name, 4, &cluster, &job, &["--output", output]);
    }
}

#[test]
fn a_cluster_that_has_none() {
    let cluster = Cluster::any();
    let job = cluster.job(Platform::GitLabCi);
    for (name, output) in [
        ("leaf-none", "ssh,cluster=leaf.example"),
        ("kube-none", "kube=prod"),
        ("kube-all-none", "kube=*"),
        ("database-none", "database=pg"),
        ("app-none", "app=grafana"),
    ] {
        fails(name, 4, &cluster, &job, &["--output", output]);
    }
}

#[test]
fn guards_of_ssh_without_ssh() {
    let cluster = Cluster::start(options());
    let job = cluster.job(Platform::GitLabCi);
    for (name, guard) in [
        ("require-login-without-ssh", ["--require-login", "deploy"]),
        ("target-without-ssh", ["--target", "deploy@node1"]),
    ] {
        fails(name, 2, &cluster, &job, &[&["--output", "kube=prod"], &guard[..]].concat());
    }
    assert_eq!(cluster.sandbox.records(), []);
}

#[test]
fn more_kubernetes_clusters_than_a_kubeconfig_takes() {
    let cluster = |number| SandboxKubeCluster { name: format!("k{number}"), labels: Vec::new() };
    let kube_clusters = (0..101).map(cluster).collect();
    let cluster = Cluster::start(SandboxOptions { kube_clusters, ..SandboxOptions::simulating(None) });
    let job = cluster.job(Platform::GitLabCi);
    fails("kube-too-many", 4, &cluster, &job, &["--output", "kube=*"]);
}
