//! Whom `--ca-file` is for: the cluster. The CI's token endpoint keeps the system's roots, or those of `SSL_CERT_FILE`.

use jobpass::platform::Platform;

use crate::support::balancer::{Balancer, Unknown};
use crate::support::cluster::Cluster;
use crate::support::command::put;
use crate::support::web_certificate::WebCertificate;

/// A cluster, and its folder with `web-ca.pem`, which issued the certificates of cluster and endpoint, and `other.pem`, which did not.
fn cluster() -> (Cluster, String, String) {
    let cluster = Cluster::any();
    let path = |name: &str| cluster.path(name).display().to_string();
    let (good, other) = (path("web-ca.pem"), path("other.pem"));
    put(other.as_ref(), WebCertificate::new("DNS:localhost").ca_pem);
    (cluster, good, other)
}

/// Whether any request came to a path with this in it.
fn was_asked(cluster: &Cluster, path: &str) -> bool {
    cluster.sandbox.records().iter().any(|s| s.paths.iter().any(|p| p.contains(path)))
}

#[test]
fn the_ca_file_does_not_vouch_for_the_token_endpoint() {
    let (cluster, good, other) = cluster();
    let job = cluster.job(Platform::GitHubActions).set("SSL_CERT_FILE", &other);
    let ran = job.login(&["--ca-file", &good]);
    assert_eq!(ran.code, 5, "{}", ran.all());
    for words in ["the token endpoint of GitHub", "is not accepted: its issuer", "`SSL_CERT_FILE`"] {
        assert!(ran.stderr.contains(words), "`{words}` is not in:\n{}", ran.stderr);
    }
    assert!(!was_asked(&cluster, "/_ci/"));
}

#[test]
fn the_system_s_roots_do_not_vouch_for_the_cluster_beside_a_ca_file() {
    let (cluster, good, other) = cluster();
    let job = cluster.job(Platform::GitHubActions).set("SSL_CERT_FILE", &good);
    let ran = job.login(&["--ca-file", &other]);
    assert_eq!(ran.code, 5, "{}", ran.all());
    let told = format!("the certificate of {} is not accepted: its issuer", cluster.proxy());
    assert!(ran.stderr.contains("could not join") && ran.stderr.contains(&told), "{}", ran.stderr);
    assert!(!was_asked(&cluster, "/webapi/ping") && !was_asked(&cluster, "Join"));
}

#[test]
fn each_is_verified_by_its_own_roots() {
    let (cluster, good, _) = cluster();
    let balancer = Balancer::start(cluster.sandbox.address, cluster.sandbox.web_ca_pem(), Unknown::NoAlpn);
    let roots = cluster.path("balancer.pem");
    put(&roots, &balancer.ca_pem);
    let (proxy, roots) = (balancer.address().to_string(), roots.display().to_string());
    let dir = cluster.path("out").display().to_string();
    let job = cluster.job(Platform::GitHubActions).set("SSL_CERT_FILE", &good);
    let arguments = ["--proxy", &proxy, "--token", &job.token, "--ca-file", &roots];
    let ran = job.run(&[&["login", "--dir", &dir, "-v"], &arguments[..]].concat()).ok();
    for (words, times) in
        [("web roots for the cluster: 1 of --ca-file", 1), ("web roots: 1 of SSL_CERT_FILE", 1)]
    {
        assert_eq!(ran.stderr.matches(words).count(), times, "{words}: {}", ran.stderr);
    }
    assert!(was_asked(&cluster, "/_ci/"));
    let ran = job.run(&[&["doctor"], &arguments[..]].concat()).ok();
    let told = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("balancer.pem`, for the cluster; 1 of SSL_CERT_FILE=`"), "{}", ran.stdout);
}

#[test]
fn roots_that_nobody_needs_are_not_read() {
    let (cluster, good, _) = cluster();
    let missing = cluster.path("missing.pem").display().to_string();
    let gitlab = || cluster.job(Platform::GitLabCi).set("SSL_CERT_FILE", &missing);
    let ran = gitlab().login(&["--ca-file", &good, "-v"]).ok();
    assert_eq!(ran.stderr.matches("web roots").count(), 1, "{}", ran.stderr);
    let doctor = ["doctor", "--proxy", &cluster.proxy(), "--token", "ci-gitlab", "--ca-file"];
    let ran = gitlab().run(&[&doctor[..], &[&good]].concat()).ok();
    assert!(ran.stdout.contains("warning  web roots"), "{}", ran.stdout);

    let github = cluster.job(Platform::GitHubActions).set("SSL_CERT_FILE", &missing);
    let ran = github.login(&["--ca-file", &good]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(ran.stderr.contains("missing.pem` cannot be used: no such file"), "{}", ran.stderr);
    // A broken `--ca-file` says nothing of the endpoint.
    let github = cluster.job(Platform::GitHubActions);
    let ran = github.run(&[&doctor[..], &[&missing]].concat());
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(
        ran.stdout.contains("failed   web roots") && ran.stdout.contains("ok       identity token"),
        "{}",
        ran.stdout
    );
}
