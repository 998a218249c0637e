//! The identity of a pod or a machine: each way it can fail, and the join methods that need a place that lasts.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jobpass::platform::Platform::GitLabCi;
use jobpass::sandbox::fault_injection::{JoinEnd, StreamEnd};
use jobpass::sandbox::{SandboxOptions, Simulated};
use serde_json::{Value, json};

use super::{fails, run_fails, shows};
use crate::support::cluster::Cluster;
use crate::support::command::{Ran, put};

fn clusters(change: impl FnOnce(&mut SandboxOptions)) -> Cluster {
    let pod = Simulated::machine(jobpass::cloud::Cloud::Kubernetes).unwrap();
    let mut options = SandboxOptions::admitting([pod]);
    change(&mut options);
    Cluster::start(options)
}

#[test]
fn a_pods_token_of_no_use() {
    let cluster = Cluster::any();
    let now = jobpass::env::now().as_second();
    let signed = |claims: Value| cluster.pod_token(&claims);
    let unbound = json!({"namespace": "ci", "serviceaccount": {"name": "deployer", "uid": "1"}});
    std::fs::create_dir(cluster.path("folder")).unwrap();
    let job = |content: &str| {
        let job = cluster.pod();
        put(&cluster.path("pod-token"), content);
        job
    };
    let of_ci = cluster.job(GitLabCi).variable("TBOT_GITLAB_JWT").to_owned();
    for (name, content) in [
        ("kubernetes-empty", String::new()),
        ("kubernetes-not-a-jwt", "{\"kind\": \"Secret\"}".into()),
        ("kubernetes-not-an-account", of_ci),
        ("kubernetes-expired", signed(json!({"iat": now - 7_200, "exp": now - 6_600}))),
        ("kubernetes-unbound", signed(json!({"kubernetes.io": unbound}))),
        (
            "kubernetes-from-a-secret",
            signed(json!({"iss": "kubernetes/serviceaccount", "kubernetes.io": null})),
        ),
    ] {
        fails(name, 3, &cluster, &job(&content), &[]);
    }
    let good = signed(Value::Null);
    let at = |path: &str| job(&good).unset("KUBERNETES_TOKEN_PATH").set("KUBERNETES_TOKEN_PATH", path);
    fails("kubernetes-none", 3, &cluster, &at("absent"), &[]);
    fails("kubernetes-unreadable", 3, &cluster, &at("folder"), &[]);
    fails("kubernetes-audience", 3, &cluster, &job(&good), &["--audience", "other.example"]);
    let unnamed = || job(&good).unset("KUBERNETES_TOKEN_PATH");
    fails("kubernetes-none-mounted", 3, &cluster, &unnamed(), &[]);
    fails("kubernetes-none-asked", 3, &cluster, &unnamed(), &["--join-method", "kubernetes"]);
    let unknown_ci = job(&good).set("CI", "true");
    fails("kubernetes-in-unknown-ci", 3, &cluster, &unknown_ci, &[]);
    // An unreadable file, for whom a mode means something.
    let foreign = cluster.pod();
    open_to_all(&cluster);
    put(&cluster.path("pod-token"), &good);
    let mut command = foreign.command(&["login", "--proxy", &cluster.proxy(), "--token", "ci-kubernetes"]);
    as_another_user(&mut command, &cluster.path("pod-token"));
    let ran = Ran::of(&command.output().unwrap());
    shows("kubernetes-forbidden", 3, &cluster, &ran);
    // The stream may have begun meanwhile; nobody joined.
    let paths: Vec<_> = cluster.sandbox.records().into_iter().flat_map(|seen| seen.paths).collect();
    assert!(!paths.iter().any(|p| p.contains("AuthService") || p.contains("credentials")), "{paths:?}");
}

/// The folder and what is in it can be read, and the folder for temporary files written, by everyone.
fn open_to_all(cluster: &Cluster) {
    for (name, mode) in [("", 0o755), ("web-ca.pem", 0o644), ("temp", 0o1777)] {
        std::fs::set_permissions(cluster.path(name), Permissions::from_mode(mode)).unwrap();
    }
}

/// Root reads whatever its mode is; others are stopped by it.
fn as_another_user(command: &mut Command, file: &Path) {
    if file.metadata().unwrap().uid() == 0 {
        command.uid(65_534);
    } else {
        std::fs::set_permissions(file, Permissions::from_mode(0o0)).unwrap();
    }
}

#[test]
fn a_pod_that_the_cluster_refuses() {
    let signer = Cluster::any();
    let keys = |options: &mut SandboxOptions| {
        options.tokens[0].spec["type"] = "static_jwks".into();
        options.tokens[0].spec["static_jwks"] = json!({"jwks": signer.sandbox.jwks()});
    };
    let now = jobpass::env::now().as_second();
    let mount = json!({"aud": ["https://kubernetes.default.svc.cluster.local"], "exp": now + 3_607});
    for (name, claims) in
        [("kubernetes-long-life", json!({"exp": now + 3_607})), ("kubernetes-default-mount", mount)]
    {
        let cluster = clusters(keys);
        let job = cluster.pod();
        put(&cluster.path("pod-token"), signer.pod_token(&claims));
        fails(name, 4, &cluster, &job, &[]);
    }
    let cluster =
        clusters(|options| options.tokens[0].spec["allow"][0]["service_account"] = "ci:other".into());
    fails("kubernetes-no-rule", 4, &cluster, &cluster.pod(), &[]);
    // A server without the method: 3 is gRPC's INVALID_ARGUMENT.
    let cluster = clusters(|options| {
        let message = "join method kubernetes is not implemented".to_owned();
        let how = StreamEnd::Status(3, message);
        options.inject.join_end = Some(JoinEnd { after_init: true, delay: Duration::ZERO, how });
    });
    fails("kubernetes-unserved", 4, &cluster, &cluster.pod(), &[]);
    // The join token is for another method.
    let cluster = Cluster::any();
    let mut job = cluster.pod();
    job.token = "ci-gitlab".to_owned();
    fails("kubernetes-other-method", 4, &cluster, &job, &[]);
}

#[test]
fn join_methods_that_keep_state_are_refused_with_the_reason() {
    let cluster = Cluster::any();
    for method in ["token", "bound_keypair", "tpm", "ec2", "oracle"] {
        let ran = cluster.pod().login(&["--join-method", method]);
        shows(&format!("stateful-{method}"), 2, &cluster, &ran);
        let ran = cluster.pod().run(&["doctor", "--join-method", method]);
        assert_eq!(ran.code, 2, "{}", ran.all());
    }
    run_fails(
        "stateful-variable",
        2,
        &cluster,
        &cluster.pod().set("JOBPASS_JOIN_METHOD", "token"),
        &["login"],
    );
    assert_eq!(cluster.sandbox.records(), []);
}
