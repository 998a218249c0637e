//! Joining at the auth service itself: known by its CA's pin or file, blindly only when told so.

use jobpass::platform::Platform;
use jobpass::sandbox::SandboxOptions;

use crate::support::cluster::{Cluster, listing};
use crate::support::command::{Ran, run};

/// `login --auth-server` with these arguments more, nothing known of web roots.
fn login(cluster: &Cluster, arguments: &[&str]) -> Ran {
    let address = cluster.proxy();
    let job = cluster.job(Platform::GitLabCi).unset("SSL_CERT_FILE");
    let mut all = vec!["login", "--auth-server", &address, "--token", &job.token];
    all.extend(arguments);
    job.run(&all)
}

/// The cluster's host CA as `login` writes it, and its pin as `tctl status` shows it.
fn host_ca(cluster: &Cluster) -> (String, String) {
    let dir = cluster.path("by-proxy").display().to_string();
    cluster.job(Platform::GitLabCi).login(&["--dir", &dir]).ok();
    let file = format!("{dir}/teleport-host-ca.crt");
    let command =
        format!("openssl x509 -in {file} -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum");
    let digest = run("sh", &["-c", &command]).ok().stdout;
    (file, format!("sha256:{}", digest.split(' ').next().unwrap()))
}

#[test]
fn joins_where_the_ca_is_known() {
    let public = Some("teleport.example.com:443".to_owned());
    let cluster = Cluster::start(SandboxOptions { public_addr: public, ..SandboxOptions::simulating(None) });
    let (file, pin) = host_ca(&cluster);
    for arguments in [&["--ca-pin", &pin][..], &["--ca-file", &file], &["--insecure-trust-on-first-use"]] {
        let ran = login(&cluster, arguments).ok();
        assert!(ran.stderr.contains("logged in to sandbox.example as bot-ci"), "{}", ran.stderr);
        // Later steps go through the proxy, which the auth service names.
        let told = std::fs::read_to_string(cluster.path("GITLAB_ENV")).unwrap();
        assert!(told.contains("TELEPORT_PROXY=teleport.example.com:443"), "{told}");
        let config = std::fs::read_to_string(cluster.path("temp/jobpass/ssh_config")).unwrap();
        assert!(
            config.contains("Host *.sandbox.example teleport.example.com") && !config.contains("--ca-file"),
            "{config}"
        );
    }
}

#[test]
fn trusts_nobody_it_was_not_told_to() {
    let cluster = Cluster::any();
    let (file, pin) = host_ca(&cluster);
    let other = Cluster::any();
    let (stranger, foreign) = host_ca(&other);
    let empty = cluster.path("empty.pem");
    crate::support::command::put(&empty, "");
    let _ = std::fs::remove_dir_all(cluster.path("temp"));
    for (arguments, code, wanted) in [
        (&[][..], 2, "no trust anchor for the auth service"),
        (&["--ca-pin", &foreign], 5, "is not accepted"),
        (&["--ca-file", &stranger], 5, "is not accepted"),
        (&["--ca-file", empty.to_str().unwrap()], 2, "has no PEM certificate"),
        (&["--ca-pin", "sha256:abc"], 2, "64 hexadecimal digits"),
        (&["--ca-pin", &pin, "--insecure-trust-on-first-use"], 2, "cannot be used with"),
        (&["--ca-file", &file, "--proxy", "x.example"], 2, "cannot be used with"),
    ] {
        let ran = login(&cluster, arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(wanted), "{arguments:?}: {}", ran.stderr);
    }
    assert!(listing(&cluster.path("temp")).is_empty());
    let seen = cluster.sandbox.records();
    let joined = |s: &&jobpass::sandbox::Record| s.paths.iter().any(|p| p.contains("JoinService"));
    assert_eq!(seen.iter().filter(joined).count(), 1, "only the login by proxy: {seen:#?}");
}

#[test]
fn an_old_auth_service_is_told() {
    let cluster =
        Cluster::start(SandboxOptions { version: "16.4.0".into(), ..SandboxOptions::simulating(None) });
    let ran = login(&cluster, &["--insecure-trust-on-first-use"]);
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("older than Teleport 18") && ran.stderr.contains("--proxy"),
        "{}",
        ran.stderr
    );
}
