//! The ways to a cluster, and the networks CI jobs live in: balancers, HTTP proxies, private roots, IPv6, split DNS.

use std::collections::BTreeMap;

use jobpass::platform::Platform;
use jobpass::sandbox::SandboxOptions;
use jobpass::sandbox::fault_injection::FaultInjection;

use crate::support::balancer::{Balancer, Unknown};
use crate::support::cluster::{Cluster, Job};
use crate::support::command::{Ran, put, run};
use crate::support::http_proxy::{HttpProxy, HttpProxyOptions};
use crate::support::web_certificate::WebCertificate;

/// A name no DNS knows: only the HTTP proxy can lead there.
const NAME: &str = "teleport.test";

/// `login` at that address into the folder `out`.
fn login(job: &Job<'_>, cluster: &Cluster, proxy: &str, more: &[&str]) -> Ran {
    let dir = cluster.path("out");
    let _ = std::fs::remove_dir_all(&dir);
    let mut all = vec!["login", "--proxy", proxy, "--token", &job.token, "--dir", dir.to_str().unwrap()];
    all.extend(more);
    let ran = job.run(&all);
    assert_eq!(ran.code == 0, dir.join("identity").exists(), "{}", ran.all());
    ran
}

/// The failure, with its exit code and these words.
#[track_caller]
fn fails(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, code, "{}", ran.all());
    for words in words {
        assert!(ran.stderr.contains(words), "`{words}` is not in:\n{}", ran.stderr);
    }
}

#[test]
fn a_balancer_that_terminates_tls_is_passed_by_upgrades() {
    use Unknown::{Alert, Closes, Html, Http2, NoAlpn, Resets};
    for (unknown, upgrade_alpn, upgrade_websocket, version) in [
        (Http2, true, true, "18.2.0"),
        (Http2, true, false, "15.4.0"),
        (Html, true, true, "18.2.0"),
        (Html, true, false, "18.2.0"),
        (Html, true, false, "15.4.0"),
        (NoAlpn, false, true, "18.2.0"),
        (Closes, true, true, "17.5.0"),
        (Closes, true, false, "18.2.0"),
        (Resets, true, true, "18.2.0"),
        (Alert, true, true, "18.2.0"),
    ] {
        let cluster = Cluster::start(SandboxOptions {
            upgrade_alpn,
            upgrade_websocket,
            version: version.into(),
            ..SandboxOptions::simulating(None)
        });
        let what = format!("{unknown:?} {upgrade_alpn} {upgrade_websocket} {version}");
        let ca = cluster.sandbox.web_ca_pem();
        let balancer = Balancer::start(cluster.sandbox.address, ca, unknown);
        let roots = cluster.path("balancer.pem");
        put(&roots, &balancer.ca_pem);
        let job = cluster.job(Platform::GitLabCi).set("SSL_CERT_FILE", roots.to_str().unwrap());
        let ran = login(&job, &cluster, &balancer.address().to_string(), &["-v"]).ok();
        assert!(
            ran.stderr.contains("its services are reached by connection upgrades"),
            "{what}: {}",
            ran.stderr
        );
        // The page; join, auth service, and that once more under the issued identity. Found out once, remembered.
        assert_eq!(balancer.connections(), (4, 1), "{what}: {}", ran.stderr);
        let seen = cluster.sandbox.records();
        let inner: Vec<_> = seen.iter().filter_map(|s| s.upgrade).collect();
        let kind = if upgrade_websocket { "websocket" } else { "alpn" };
        assert_eq!(inner, [kind; 3], "{what}: {seen:#?}");
        assert!(seen.iter().any(|s| s.upgrade.is_some() && s.client.as_deref() == Some("bot-ci")), "{what}");
        // ssh takes the same route: it is the proxy that does not know the node.
        let ran = job.run(&["ssh-proxy", "--dir", cluster.path("out").to_str().unwrap(), "node9", "22"]);
        assert!(ran.code != 0 && ran.stderr.contains("not found in inventory"), "{what}: {}", ran.all());
        assert_eq!(balancer.waiting(), 0, "{what}: no call may be left to a server that is not Teleport's");
    }
}

/// Whoever terminates TLS could lead the connection anywhere: who answers as the auth service must be of the cluster that was joined.
#[test]
fn the_auth_service_behind_an_upgrade_is_verified() {
    let (cluster, other) = (Cluster::any(), Cluster::any());
    let balancer = Balancer::start(cluster.sandbox.address, cluster.sandbox.web_ca_pem(), Unknown::NoAlpn);
    // The page and the join come first.
    balancer.detour(2, other.sandbox.address, other.sandbox.web_ca_pem());
    let roots = cluster.path("balancer.pem");
    put(&roots, &balancer.ca_pem);
    let job = cluster.job(Platform::GitLabCi).set("SSL_CERT_FILE", roots.to_str().unwrap());
    let ran = login(&job, &cluster, &balancer.address().to_string(), &["--timeout", "50s"]);
    fails(&ran, 5, &["could not reach the auth service", "is not accepted: its issuer"]);
    let reached = other.sandbox.records();
    assert!(reached.iter().any(|s| s.upgrade.is_some()), "{reached:#?}");
    assert!(reached.iter().all(|s| s.client.is_none()), "{reached:#?}");
}

#[test]
fn a_balancer_without_a_way_through_is_told() {
    let options =
        SandboxOptions { upgrade_alpn: false, upgrade_websocket: false, ..SandboxOptions::simulating(None) };
    let cluster = Cluster::start(options);
    for unknown in [Unknown::Html, Unknown::Closes] {
        let balancer = Balancer::start(cluster.sandbox.address, cluster.sandbox.web_ca_pem(), unknown);
        let roots = cluster.path("balancer.pem");
        put(&roots, &balancer.ca_pem);
        let job = cluster.job(Platform::GitLabCi).set("SSL_CERT_FILE", roots.to_str().unwrap());
        let ran = login(&job, &cluster, &balancer.address().to_string(), &[]);
        let told = ["passes neither", "`/webapi/connectionupgrade` gives HTTP 404", "layer 4"];
        fails(&ran, 5, &told);
    }
}

#[test]
fn tls_routing_by_alpn_needs_no_upgrade() {
    let cluster = Cluster::any();
    let ran = login(&cluster.job(Platform::GitLabCi), &cluster, &cluster.proxy(), &["-v"]).ok();
    assert!(ran.stderr.contains("its services are reached by ALPN"), "{}", ran.stderr);
    let seen = cluster.sandbox.records();
    assert_eq!(seen.len(), 4, "{seen:#?}");
    assert!(
        seen.iter().all(|s| s.established && !s.paths.iter().any(|p| p.contains("upgrade"))),
        "{seen:#?}"
    );

    let inject = FaultInjection { no_tls_routing: true, ..FaultInjection::default() };
    let off = Cluster::start(SandboxOptions { inject, ..SandboxOptions::simulating(None) });
    let ran = login(&off.job(Platform::GitLabCi), &off, &off.proxy(), &[]);
    fails(&ran, 5, &["TLS routing is off", "--auth-server", "proxy_listener_mode: multiplex"]);
}

/// A cluster that calls itself `teleport.test`, with its job on GitHub, whose token endpoint is behind the same name.
fn named() -> Cluster {
    Cluster::start(SandboxOptions {
        // As most are: called like the host of their proxy.
        cluster: NAME.into(),
        public_addr: Some(format!("{NAME}:443")),
        ..SandboxOptions::simulating(None)
    })
}

fn far_job(cluster: &Cluster) -> Job<'_> {
    let mut job = cluster.job(Platform::GitHubActions);
    for (name, value) in &mut job.variables {
        if name == "ACTIONS_ID_TOKEN_REQUEST_URL" {
            *value = value.replace(&cluster.proxy(), NAME);
        }
    }
    job
}

fn leading_to(cluster: &Cluster) -> BTreeMap<String, std::net::SocketAddr> {
    BTreeMap::from([(format!("{NAME}:443"), cluster.sandbox.address)])
}

#[test]
fn every_connection_goes_through_the_http_proxy() {
    let cluster = named();
    let certificate = WebCertificate::new("DNS:localhost,IP:127.0.0.1");
    let both = cluster.path("both.pem");
    put(&both, format!("{}{}", cluster.sandbox.web_ca_pem(), certificate.ca_pem));
    for (variable, scheme, credentials, written) in [
        ("HTTPS_PROXY", "http", None, ""),
        ("https_proxy", "http", Some("ci:s3cr3t@:"), "ci:s3cr3t%40%3A@"),
        ("ALL_PROXY", "http", None, ""),
        ("all_proxy", "https", Some("ci:pw"), "ci:pw@"),
        ("HTTPS_PROXY", "https", None, ""),
    ] {
        let before = cluster.sandbox.records().len();
        let proxy = HttpProxy::start(HttpProxyOptions {
            names: leading_to(&cluster),
            credentials,
            certificate: (scheme == "https").then_some(&certificate),
        });
        let url = format!("{scheme}://{written}{}", proxy.address());
        let job = far_job(&cluster)
            .set(variable, &url)
            .set("NO_PROXY", "169.254.169.254,localhost")
            .set("SSL_CERT_FILE", both.to_str().unwrap());
        let ran = login(&job, &cluster, NAME, &["-v"]).ok();
        let seen = cluster.sandbox.records().len() - before;
        // The page, join, auth service twice, and the CI platform's token.
        assert_eq!(proxy.asked(), vec![format!("{NAME}:443"); 5], "{variable} {scheme}");
        assert_eq!(seen, 5);
        let told = format!("through the HTTP proxy {scheme}://{}", proxy.address());
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);
        for secret in ["s3cr3t", "pw@", "Y2k6"] {
            assert!(!ran.all().contains(secret), "{}", ran.all());
        }
    }
}

#[test]
fn no_proxy_is_a_host_a_suffix_or_a_network() {
    let cluster = Cluster::any();
    let proxy = HttpProxy::start(HttpProxyOptions::default());
    let url = format!("http://{}", proxy.address());
    let address = cluster.proxy();
    let port = address.rsplit_once(':').unwrap().1;
    let by_name = format!("localhost:{port}");
    for (variable, except, target, direct) in [
        ("NO_PROXY", "127.0.0.1", &address, true),
        ("no_proxy", "10.0.0.0/8, 127.0.0.0/8", &address, true),
        ("NO_PROXY", "a.example,localhost", &by_name, true),
        ("NO_PROXY", "*", &address, true),
        ("NO_PROXY", "127.0.0.2,128.0.0.0/8", &address, false),
        ("no_proxy", "host", &by_name, false),
    ] {
        let before = proxy.asked().len();
        let job = cluster.job(Platform::GitLabCi).set("HTTPS_PROXY", &url).set(variable, except);
        let ran = login(&job, &cluster, target, &["--timeout", "30s"]);
        assert_eq!(
            (ran.code == 0, proxy.asked().len() == before),
            (direct, direct),
            "{except}: {}",
            ran.all()
        );
    }
    // A suffix, with a name that only a proxy can resolve: its own error tells that it was not asked.
    let job = far_job(&cluster).set("HTTPS_PROXY", &url).set("NO_PROXY", ".test");
    let before = proxy.asked().len();
    let ran = login(&job, &cluster, NAME, &["--timeout", "30s"]);
    fails(&ran, 5, &["does not resolve"]);
    assert_eq!(proxy.asked().len(), before);
}

#[test]
fn a_proxy_that_does_not_help_is_told() {
    let cluster = named();
    // Bound, so that nobody else gets the port, and not listening.
    let silent = tokio::net::TcpSocket::new_v4().unwrap();
    silent.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = silent.local_addr().unwrap().to_string();
    let locked = HttpProxy::start(HttpProxyOptions {
        names: leading_to(&cluster),
        credentials: Some("ci:right"),
        certificate: None,
    });
    let lost = HttpProxy::start(HttpProxyOptions::default());
    let (locked, lost) = (locked.address().to_string(), lost.address().to_string());
    for (url, code, words) in [
        (format!("http://{locked}"), 5, &["HTTP 407", "HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT"][..]),
        (format!("http://ci:wr0ng@{locked}"), 5, &["does not accept the user and password"]),
        (format!("http://{lost}"), 5, &["502", "NO_PROXY"]),
        (format!("http://{closed}"), 5, &["the HTTP proxy http://", "connection refused"]),
        (format!("https://{locked}"), 5, &["TLS with it failed"]),
        (format!("socks5://{locked}"), 5, &["`HTTPS_PROXY` cannot be used", "only `http://` and `https://`"]),
    ] {
        let job = far_job(&cluster).set("HTTPS_PROXY", &url);
        let ran = login(&job, &cluster, NAME, &["--timeout", "30s"]);
        fails(&ran, code, words);
        assert!(!ran.all().contains("wr0ng"), "{}", ran.all());
    }
    assert!(cluster.sandbox.records().is_empty());
}

#[test]
fn web_roots_come_from_where_the_user_says() {
    let cluster = Cluster::any();
    let good = cluster.path("web-ca.pem").display().to_string();
    let folder = cluster.path("roots");
    std::fs::create_dir(&folder).unwrap();
    run("cp", &[&good, &folder.join("0a1b2c3d.0").display().to_string()]).ok();
    let folder = folder.display().to_string();
    let other = cluster.path("other.pem").display().to_string();
    put(other.as_ref(), WebCertificate::new("DNS:localhost").ca_pem);
    let junk = cluster.path("junk.pem").display().to_string();
    put(junk.as_ref(), "no certificate");
    let missing = cluster.path("missing.pem").display().to_string();
    let base = || cluster.job(Platform::GitLabCi).unset("SSL_CERT_FILE");
    for (variables, ca_file, want) in [
        (&[("SSL_CERT_FILE", &good)][..], None, Ok("1 of SSL_CERT_FILE=`")),
        (&[("SSL_CERT_DIR", &folder)], None, Ok("1 of SSL_CERT_DIR=`")),
        (&[("SSL_CERT_FILE", &other), ("SSL_CERT_DIR", &folder)], None, Ok("2 of SSL_CERT_FILE=`")),
        (&[("SSL_CERT_FILE", &other)], Some(&good), Ok("1 of --ca-file `")),
        (&[("SSL_CERT_FILE", &good)], Some(&other), Err("is not accepted")),
        (&[], None, Err("is not accepted")),
        (&[("SSL_CERT_FILE", &missing)], None, Err("missing.pem` cannot be used: no such file")),
        (&[("SSL_CERT_DIR", &missing)], None, Err("missing.pem` cannot be used: ")),
        (&[("SSL_CERT_FILE", &junk)], None, Err("junk.pem` cannot be used: it contains no PEM certificate")),
        (&[], Some(&junk), Err("junk.pem` cannot be used: it contains no PEM certificate")),
    ] {
        let job = variables.iter().fold(base(), |job, (name, value)| job.set(name, value));
        let mut more = vec!["-v"];
        more.extend(ca_file.iter().flat_map(|file| ["--ca-file", file.as_str()]));
        let ran = login(&job, &cluster, &cluster.proxy(), &more);
        match want {
            Ok(words) => assert!(ran.code == 0 && ran.stderr.contains(words), "{words}: {}", ran.all()),
            Err(words) => fails(&ran, if words.contains("cannot be used") { 2 } else { 5 }, &[words]),
        }
    }
}

#[test]
fn ipv6_is_as_good() {
    let cluster = Cluster::start(SandboxOptions { ipv6: true, ..SandboxOptions::simulating(None) });
    assert!(cluster.sandbox.address.is_ipv6());
    let ran = login(&cluster.job(Platform::GitHubActions), &cluster, &cluster.proxy(), &["--json"]).ok();
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["proxy"], cluster.proxy());
}

#[test]
fn stays_on_the_address_given_unless_told_otherwise() {
    let cluster = named();
    let given = cluster.proxy();
    let host = given.rsplit_once(':').unwrap().0;
    let advertised = format!("{NAME}:443");
    for (more, proxy, host) in
        [(&["-v"][..], given.as_str(), host), (&["--use-advertised-address"][..], &advertised, NAME)]
    {
        let job = cluster.job(Platform::GitHubActions);
        let ran = login(&job, &cluster, &given, more).ok();
        assert_eq!(
            ran.stderr.contains(&format!("advertises {advertised}")),
            more == ["-v"],
            "{}",
            ran.stderr
        );
        let read = |path: &str| std::fs::read_to_string(cluster.path(path)).unwrap();
        assert!(read("GITHUB_ENV").contains(&format!("{proxy}\n")), "{}", read("GITHUB_ENV"));
        let config = read("out/ssh_config");
        assert!(config.contains(host), "{config}");
        let report: serde_json::Value = serde_json::from_str(&read("out/jobpass.json")).unwrap();
        assert_eq!(report["proxy"], proxy);
    }
}

/// Teleport's proxies agree on `teleport-proxy-grpc` alone, and speak HTTP/2 then.
#[test]
fn the_join_service_is_asked_for_by_its_own_protocol() {
    let cluster = Cluster::any();
    login(&cluster.job(Platform::GitLabCi), &cluster, &cluster.proxy(), &[]).ok();
    let seen = cluster.sandbox.records();
    let join = seen.iter().find(|s| s.paths.iter().any(|p| p.ends_with("JoinService/Join"))).unwrap();
    assert_eq!(
        (join.alpn_offered.as_slice(), join.alpn.as_deref()),
        (&["teleport-proxy-grpc".to_owned()][..], Some("teleport-proxy-grpc"))
    );
}
