//! Network, TLS, roots, deadline; and a command line that lacks something.

use jobpass::platform::Platform::{GitHubActions, GitLabCi};
use jobpass::sandbox::SandboxOptions;
use jobpass::sandbox::fault_injection::FaultInjection;

use super::{DeadPort, fails, run_fails};
use crate::support::cluster::Cluster;
use crate::support::command::put;

fn faulty(inject: FaultInjection) -> Cluster {
    Cluster::start(SandboxOptions { inject, ..SandboxOptions::simulating(None) })
}

#[test]
fn something_else_answers() {
    let cluster = faulty(FaultInjection { html: true, ..FaultInjection::default() });
    fails("proxy-html", 5, &cluster, &cluster.job(GitLabCi), &[]);
    let cluster = faulty(FaultInjection { html_everywhere: true, ..FaultInjection::default() });
    fails("proxy-html-everywhere", 5, &cluster, &cluster.job(GitLabCi), &[]);
}

#[test]
fn roots() {
    let (cluster, stranger) = (Cluster::any(), Cluster::any());
    put(&cluster.path("other-ca.pem"), stranger.sandbox.web_ca_pem());
    put(&cluster.path("broken.pem"), "-----BEGIN CERTIFICATE-----\nnope\n");
    put(&cluster.path("empty.pem"), "");
    let path = |name: &str| cluster.path(name).display().to_string();
    let with = |file: &str| cluster.job(GitLabCi).unset("SSL_CERT_FILE").set("SSL_CERT_FILE", &path(file));
    fails("wrong-ca", 5, &cluster, &with("other-ca.pem"), &[]);
    for (name, file) in
        [("roots-broken", "broken.pem"), ("roots-empty", "empty.pem"), ("roots-missing", "absent.pem")]
    {
        fails(name, 2, &cluster, &with(file), &[]);
    }
    fails("ca-file-missing", 2, &cluster, &cluster.job(GitLabCi), &["--ca-file", "absent.pem"]);
    fails("ca-file-broken", 2, &cluster, &cluster.job(GitLabCi), &["--ca-file", "broken.pem"]);
    // The flag beats the variable.
    with("other-ca.pem").login(&["--ca-file", "web-ca.pem"]).ok();
}

#[test]
fn nobody_there() {
    let (cluster, dead) = (Cluster::any(), DeadPort::new());
    let job = || cluster.job(GitLabCi);
    let address = dead.address();
    let ran = job().run(&["login", "--proxy", &address, "--token", "ci-gitlab"]);
    let ran = crate::support::command::Ran { stderr: ran.stderr.replace(&address, "[DEAD]"), ..ran };
    super::shows("proxy-dead", 5, &cluster, &ran);

    let ran = job().run(&["login", "--proxy", "nope.invalid", "--token", "ci-gitlab", "--timeout", "5s"]);
    assert_eq!(ran.code, 5, "{}", ran.all());
    assert!(ran.stderr.contains("the name `nope.invalid` does not resolve"), "{}", ran.stderr);
    assert!(ran.stderr.contains("\nhint: check "), "{}", ran.stderr);
}

#[test]
fn the_deadline() {
    let cases = [
        ("deadline-ping", "/webapi/ping"),
        ("deadline-ci-token", "/_ci/github/token"),
        ("deadline-join", "JoinService/Join"),
        ("deadline-issue", "GenerateUserCerts"),
    ];
    std::thread::scope(|scope| {
        for (name, path) in cases {
            scope.spawn(move || {
                let cluster =
                    faulty(FaultInjection { hang_on: vec![path.into()], ..FaultInjection::default() });
                // Long enough for a busy machine to come as far as that.
                fails(name, 5, &cluster, &cluster.job(GitHubActions), &["--timeout", "6s"]);
            });
        }
    });
}

#[test]
fn the_command_line() {
    let cluster = Cluster::any();
    let job = || cluster.job(GitLabCi);
    let login = |name: &str, arguments: &[&str]| {
        run_fails(name, 2, &cluster, &job(), &[&["login"], arguments].concat());
    };
    login("no-proxy", &["--token", "ci-gitlab"]);
    login("no-token", &["--proxy", "p.example"]);
    login("token-blank", &["--proxy", "p.example", "--token", "a b"]);
    login("token-file-missing", &["--proxy", "p.example", "--token", "/nowhere/token"]);
    login("ttl-unknown", &["--ttl", "1 fortnight"]);
    login("ttl-short", &["--ttl", "10s"]);
    login("proxy-no-address", &["--proxy", "https://p.example/web?x=1", "--token", "t"]);
    login("method-unknown", &["--join-method", "githab"]);
    login("platform-unknown", &["--platform", "harness"]);
    login("output-unknown", &["--output", "ftp=prod"]);
    login("output-leaf-kube", &["--output", "kube=prod,cluster=leaf"]);
    login("two-sources", &["--id-token-env", "A", "--id-token-file", "b"]);
    let bad = job().set("TELEPORT_PROXY", "two words");
    run_fails("proxy-variable", 2, &cluster, &bad, &["login", "--token", "t"]);
    assert_eq!(cluster.sandbox.records(), []);
}
