//! What is no tunnel is refused by name: by the command line before anything is sent, else before anything listens.

use jobpass::platform::Platform;
use jobpass::sandbox::{SandboxApp, SandboxOptions};
use snapbox::{assert_data_eq, str};

use super::database;
use crate::support::cluster::Cluster;

#[test]
fn protocols_that_no_plain_client_speaks() {
    let cluster = Cluster::start(SandboxOptions {
        databases: ["oracle", "snowflake", "dynamodb", "spanner", "newest"].map(|p| database(p, p)).into(),
        apps: vec![SandboxApp {
            name: "console".into(),
            public_addr: "console.sandbox.example".into(),
            uri: "cloud://AWS".into(),
        }],
        ..SandboxOptions::simulating(None)
    });
    let job = cluster.job(Platform::GitLabCi);
    let (proxy, ready) = (cluster.proxy(), cluster.path("ready"));
    let tunnel = |spec: &str| {
        let all = [
            "tunnel",
            "--proxy",
            &proxy,
            "--token",
            &job.token,
            "--ready-file",
            ready.to_str().unwrap(),
            spec,
        ];
        let ran = job.run(&all);
        assert!(ran.code == 2 && ran.stdout.is_empty() && !ready.exists(), "{}", ran.all());
        ran.stderr
    };
    assert_data_eq!(
        tunnel("database=x,protocol=oracle"),
        str![[r"
error: tunnel `x` cannot serve database `x`: its protocol is `oracle`, and its clients want TLS with
       a wallet of their own up to the tunnel
hint: run `tsh proxy db --tunnel`, with the `identity` file of an `ssh` output, or leave it to a
      client that can show a certificate

"]]
    );
    for (protocol, words) in [
        ("snowflake", "HTTPS and a token of their own"),
        ("dynamodb", "sign each request with AWS credentials"),
        ("spanner", "gRPC with Google credentials"),
        ("postgresql", "its protocol `postgresql` is not known"),
    ] {
        let said = tunnel(&format!("database=x,protocol={protocol}"));
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(words), "{said}");
    }
    assert!(cluster.sandbox.records().is_empty(), "nothing was asked of the cluster");
    for (name, words) in [
        ("oracle", "a wallet of their own"),
        ("dynamodb", "sign each request"),
        ("newest", "its protocol `newest` is not known"),
    ] {
        let said = tunnel(&format!("database={name}"));
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(words), "{said}");
    }
    assert_data_eq!(
        tunnel("app=console"),
        str![[r"
error: tunnel `console` cannot serve application `console`: it is reached by `cloud`, neither by
       HTTP nor by TCP
hint: take an application whose `uri` is `http://…`, `https://…` or `tcp://…`

"]]
    );
}

#[test]
fn what_the_command_line_cannot_mean() {
    let cluster = Cluster::any();
    let job = cluster.job(Platform::GitLabCi);
    for (arguments, wanted) in [
        (&["database=a", "app=a,name=x", "app=b,name=x"][..], "two tunnels have the same name: `x`"),
        (&["database=a-b,name=a-b", "app=x,name=a_b"], "two tunnels have the same name: `a_b`"),
        (&["database=pg,cluster=leaf"], "leaf clusters by ssh only"),
        (&["ssh"], "ssh needs no tunnel"),
        (&[], "`<SPEC>...` is missing"),
        (&["database=pg", "--ready-fd", "0"], "invalid value for `--ready-fd`"),
    ] {
        let ran = job.run(&[&["tunnel"], arguments].concat());
        assert!(ran.code == 2 && ran.stderr.contains(wanted), "{arguments:?}: {}", ran.all());
    }
    let past = ["--auth-server", "127.0.0.1:1", "--insecure-trust-on-first-use", "--token", "x"];
    for (command, tunnel) in
        [("tunnel", &["database=pg"][..]), ("exec", &["--tunnel", "database=pg", "--", "true"])]
    {
        let ran = job.run(&[&[command][..], &past, tunnel].concat());
        assert_eq!(ran.code, 2);
        assert_data_eq!(
            ran.stderr,
            str![[r"
error: tunnels go through the proxy, and `--auth-server` goes past it
hint: pass `--proxy HOST[:PORT]` in its place

"]]
        );
    }
    // What has no tunnel may go past it: nobody listens there.
    let ran = job.run(&[&["exec"][..], &past, &["--timeout", "1s", "--", "true"]].concat());
    assert_eq!(ran.code, 5, "{}", ran.all());
    assert!(cluster.sandbox.records().is_empty(), "nothing was asked of the cluster");
}

#[test]
fn places_that_are_taken() {
    let cluster = Cluster::start(SandboxOptions {
        databases: vec![database("pg", "postgres")],
        ..SandboxOptions::simulating(None)
    });
    let job = cluster.job(Platform::GitLabCi);
    let taken = super::gate();
    let port = taken.local_addr().unwrap().port();
    let proxy = cluster.proxy();
    let socket = cluster.path("web-ca.pem").display().to_string();
    let long = cluster.path(&"x".repeat(120)).display().to_string();
    for (spec, code, wanted) in [
        (
            format!("database=pg,name=r,protocol=redis,socket={long}"),
            6,
            "choose a shorter path: systems take about 100 bytes".into(),
        ),
        (format!("database=pg:{port}"), 5, format!("cannot listen at `127.0.0.1:{port}`")),
        (format!("database=pg,name=r,protocol=redis,socket={socket}"), 6, "something else is there".into()),
        (format!("database=pg,socket={socket}"), 2, "call the socket `.s.PGSQL.5432`".into()),
        ("database=none".into(), 4, "none".into()),
    ] {
        let ran = job.run(&["tunnel", "--proxy", &proxy, "--token", &job.token, &spec]);
        assert!(ran.code == code && ran.stderr.contains(&wanted), "{spec}: {} {}", ran.code, ran.all());
    }
}
