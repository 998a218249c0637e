//! `--renew`: a command that outlives its certificates.

use std::path::Path;

use jobpass::platform::Platform::GitHubActions;
use jobpass::sandbox::{SandboxApp, SandboxKubeCluster, SandboxOptions, SandboxRole};

use super::exec;
use super::signals::{line, started};
use crate::renew::{end, joins};
use crate::ssh_proxy::{NODE, Nodes};
use crate::support::cluster::{Cluster, Job, listing};
use crate::support::command::{Ran, binary, put};
use crate::support::sshd::me;

/// A cluster whose certificates live for some seconds.
fn short() -> SandboxOptions {
    let role = |name: &str, login: &str| SandboxRole {
        name: name.into(),
        logins: vec![login.into()],
        max_session_ttl: 5,
        ..SandboxRole::default()
    };
    let kube = SandboxKubeCluster { name: "prod".into(), labels: Vec::new() };
    let app = SandboxApp {
        name: "grafana".into(),
        public_addr: "grafana.sandbox.example".into(),
        uri: "http://localhost:8080".into(),
    };
    SandboxOptions {
        roles: vec![role("ci-deploy", "deploy"), role("ci-read", "reader")],
        kube_clusters: vec![kube],
        apps: vec![app],
        ..SandboxOptions::simulating(None)
    }
}

/// A script with `jobpass` in its path, which waits until the credentials have ended: `inspect` says so by 4.
fn script(then: &str) -> String {
    let folder = binary().parent().unwrap().display().to_string();
    format!(
        "PATH='{folder}':$PATH; export HOME=$PWD; cat \"$JOBPASS_DIR/tlscert\" >before; \
         while jobpass inspect >seen; do sleep 0.1; done; grep -q ' ago$' seen || cat seen; {then}; \
         cmp -s before \"$JOBPASS_DIR/tlscert\" && echo same; rm before seen"
    )
}

/// Runs it, and leaves nothing.
#[track_caller]
fn outlived(job: &Job<'_>, flags: &[&str], then: &str) -> Ran {
    let folder = job.cluster.folder.path();
    let before = listing(folder);
    let ca = job.cluster.path("web-ca.pem").display().to_string();
    let ran = exec(job, &[&["--ca-file", &ca], flags].concat(), &script(then)).ok();
    let left: Vec<_> = listing(folder).into_iter().filter(|entry| !before.contains(entry)).collect();
    assert!(left.iter().all(|(name, _)| name.starts_with(".kube")), "{left:?}");
    ran
}

#[test]
fn ssh_gets_fresh_ones() {
    let nodes = Nodes::start();
    let cluster = &nodes.cluster;
    let job = cluster.job(GitHubActions);
    let script = format!(
        "echo ready; echo \"$JOBPASS_DIR\"; until [ -e go ]; do sleep 0.02; done; rm go; for n in 1 2; do \
         ssh -F \"$JOBPASS_SSH_CONFIG\" -o BatchMode=yes -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes \
         -o IdentityAgent=none {}@{NODE} echo in </dev/null 2>said || echo out; done; rm said",
        me()
    );
    let ca = cluster.path("web-ca.pem").display().to_string();
    // What they were once is no good any more.
    for (flags, wanted, renewed) in [(&["--renew"][..], "in", 1), (&[], "out", 0)] {
        let before = listing(cluster.folder.path());
        let (mut child, mut output) = started(&job, &[&["--ca-file", &ca], flags].concat(), &script);
        end(Path::new(&line(&mut output)));
        let joined = joins(cluster);
        put(&cluster.path("go"), "");
        assert_eq!([line(&mut output), line(&mut output)], [wanted; 2], "{flags:?}");
        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert_eq!(joins(cluster) - joined, renewed, "{flags:?}");
        assert_eq!(listing(cluster.folder.path()), before, "{flags:?}");
    }
}

#[test]
fn kubectl_gets_fresh_ones() {
    let cluster = Cluster::start(short());
    let job = cluster.job(GitHubActions);
    let kubectl = "kubectl get pods 2>said | grep -o prod-web-0 || echo out; rm said";
    for (flags, wanted) in [(&["--renew"][..], "prod-web-0\n"), (&["--kube-exec"], "out\nsame\n")] {
        let ran = outlived(&job, &[flags, &["--output", "kube=prod"]].concat(), kubectl);
        assert_eq!(ran.stdout, wanted, "{flags:?}: {}", ran.stderr);
    }
}

/// Nobody renews those for an application but the command itself.
#[test]
fn the_end_is_told_where_nobody_renews() {
    let cluster = Cluster::start(short());
    let job = cluster.job(GitHubActions);
    let folder = binary().parent().unwrap().display().to_string();
    let said = cluster.path("said");
    // Renewed until the first ones have ended; then the line comes, and not before the last ones have.
    let script = format!(
        "PATH='{folder}':$PATH; cp \"$JOBPASS_DIR/tlscert\" first; \
         while openssl x509 -noout -checkend 0 -in first >out; do jobpass renew --dir \"$JOBPASS_DIR\" || exit 1; done; \
         until grep -q 'have expired' '{said}'; do sleep 0.02; done; jobpass inspect >out; echo $?",
        said = said.display()
    );
    let proxy = cluster.proxy();
    let flags = ["exec", "--proxy", &proxy, "--token", &job.token, "--renew", "--output", "app=grafana"];
    let mut command = job.command(&[&flags[..], &["--", "sh", "-c", &script]].concat());
    let output = command.stderr(std::fs::File::create(&said).unwrap()).output().unwrap();
    let said = std::fs::read_to_string(&said).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"4\n"[..]), "{said}");
    assert_eq!(said.matches("\nwarning: the credentials have expired").count(), 1, "{said}");
}
