//! `jobpass tunnel --dir`: the folder that a login wrote is all that a tunnel needs. The lines that the login printed run as they are.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use jobpass::platform::Platform;
use jobpass::sandbox::{SandboxApp, SandboxKubeCluster, SandboxOptions, SandboxRole};
use serde_json::Value;

use super::{WHO, WithPostgres, database};
use crate::support::background::Background;
use crate::support::balancer::{Balancer, Unknown};
use crate::support::cluster::{Cluster, Job, listing};
use crate::support::command::{Ran, binary, put, run};
use crate::support::kubectl::kubectl;
use crate::support::mariadb::MariaDb;
use crate::support::redis::Redis;
use crate::support::tunnel::Tunnels;

/// A login with these outputs, into a folder that a shell has to quote; the folder and the report. `way`: the address of the cluster, and
/// its roots.
fn login(cluster: &Cluster, way: Option<(&str, &Path)>, outputs: &[&str]) -> (PathBuf, Value) {
    let (proxy, roots) = (cluster.proxy(), cluster.path("web-ca.pem"));
    let (proxy, roots) = way.unwrap_or((&proxy, &roots));
    let (job, dir) = (cluster.job(Platform::GitLabCi), cluster.path("it's a folder $x"));
    let (dir_text, roots) = (dir.to_str().unwrap(), roots.to_str().unwrap());
    let mut all = vec!["login", "--proxy", proxy, "--token", &job.token, "--ca-file", roots];
    all.extend(["--json", "--dir", dir_text, "--export", "none"]);
    all.extend(outputs.iter().flat_map(|output| ["--output", *output]));
    let report = serde_json::from_str(&job.run(&all).ok().stdout).unwrap();
    (dir, report)
}

/// The one line of an output.
#[track_caller]
fn line(report: &Value, output: usize) -> &str {
    let lines = report["outputs"][output]["usage"].as_array().unwrap();
    assert_eq!(lines.len(), 1, "{report}");
    lines[0].as_str().unwrap()
}

/// A line in a shell that has nothing but a path: no identity, no roots, no variable of ours. Nothing stays of it.
#[track_caller]
fn shell(cluster: &Cluster, line: &str) -> Ran {
    let before = listing(cluster.folder.path());
    let temp = cluster.path("temp").display().to_string();
    let ran = run("sh", &["-c", &format!("TMPDIR='{temp}' HOME='{temp}' {line}")]);
    assert_eq!(listing(cluster.folder.path()), before, "{line}");
    ran
}

/// A tunnel in a job without any identity.
#[track_caller]
fn tunnel(cluster: &Cluster, arguments: &[&str]) -> Tunnels {
    let job = without_identity(cluster);
    Tunnels::with(&job, arguments)
}

fn without_identity(cluster: &Cluster) -> Job<'_> {
    let mut job = cluster.job(Platform::GitLabCi);
    job.variables.retain(|(name, _)| ["PATH", "TMPDIR"].contains(&name.as_str()));
    job
}

#[test]
fn psql_runs_by_the_line_as_printed() {
    for (version, unknown) in [
        ("18.2.0", None),
        ("15.4.0", None),
        ("18.2.0", Some(Unknown::Http2)),
        ("15.4.0", Some(Unknown::NoAlpn)),
    ] {
        let with = WithPostgres::start(|options| options.version = version.into());
        let cluster = &with.cluster;
        let balancer =
            unknown.map(|u| Balancer::start(cluster.sandbox.address, cluster.sandbox.web_ca_pem(), u));
        let roots = cluster.path("balancer.pem");
        let way = balancer.as_ref().map(|balancer| {
            put(&roots, &balancer.ca_pem);
            (balancer.address().to_string(), roots.as_path())
        });
        let way = way.as_ref().map(|(address, roots)| (address.as_str(), *roots));
        let (_, report) = login(cluster, way, &["database=pg,user=ci,database-name=app"]);
        let line = line(&report, 0);
        assert!(line.starts_with(binary().to_str().unwrap()) && line.ends_with(" -- psql"), "{line}");
        let before = cluster.sandbox.records().len();
        let ran = shell(cluster, &format!("{line} -Atc 'select current_user, current_database()'")).ok();
        assert_eq!(ran.stdout, "ci|app\n", "{}", ran.stderr);
        let seen = cluster.sandbox.records().split_off(before);
        let routed: Vec<_> = seen.iter().filter(|seen| seen.route.is_some()).collect();
        let [one] = routed[..] else { panic!("{seen:#?}") };
        assert_eq!(one.route.as_deref(), Some("the database `pg` (user `ci`, name `app`)"));
        assert_eq!((one.upgrade.is_some(), seen.iter().any(|seen| seen.proved)), (way.is_some(), false));
        // Its status is the client's, and its output nothing but the client's.
        let ran = shell(cluster, &format!("{line} -c 'no sql'"));
        assert!(
            ran.code == 1 && ran.stdout.is_empty() && ran.stderr.contains("syntax error"),
            "{}",
            ran.all()
        );
    }
}

#[test]
fn redis_mariadb_and_applications_by_their_lines() {
    let (redis, mariadb) = (Redis::start(), MariaDb::start());
    let echo = echo();
    // A balancer has a certificate for it, and speaks its protocol: nothing but the route tells the two apart.
    let app =
        |name: &str, uri: String| SandboxApp { name: name.into(), public_addr: "localhost".into(), uri };
    let cluster = Cluster::start(SandboxOptions {
        databases: vec![database("cache", "redis"), database("sql", "mysql")],
        database_targets: vec![("cache".into(), redis.address), ("sql".into(), mariadb.address)],
        apps: vec![
            app("grafana", "http://localhost:3000".into()),
            app("echo", format!("tcp://{}", echo.address)),
        ],
        ..SandboxOptions::simulating(None)
    });
    let balancer = Balancer::start(cluster.sandbox.address, cluster.sandbox.web_ca_pem(), Unknown::Closes);
    let roots = cluster.path("balancer.pem");
    put(&roots, &balancer.ca_pem);
    let address = balancer.address().to_string();
    for way in [None, Some((address.as_str(), roots.as_path()))] {
        let sql = "database=sql,user=ci,database-name=app";
        let (dir, report) = login(&cluster, way, &["database=cache", sql, "app=grafana", "app=echo"]);
        let pong = shell(&cluster, &format!("echo ping | {}", line(&report, 0))).ok();
        assert_eq!(pong.stdout, "PONG\n", "{}", pong.stderr);
        let who = format!("{} -BNe 'select current_user(), database()'", line(&report, 1));
        assert_eq!(shell(&cluster, &who).ok().stdout, "ci@127.0.0.1\tapp\n");
        // Without a balancer the certificate itself does.
        let by_curl = line(&report, 2);
        assert_eq!(by_curl.contains("tunnel"), way.is_some(), "{by_curl}");
        if way.is_some() {
            assert_eq!(shell(&cluster, by_curl).ok().stdout, "grafana: hello bot-ci\n", "{by_curl}");
        }
        let folder = dir.join("app-echo").display().to_string();
        let quoted = shlex::try_quote(&folder).unwrap();
        assert_eq!(line(&report, 3), format!("{} tunnel --dir {quoted}", binary().display()));
        let tunnels = tunnel(&cluster, &["--dir", &folder]);
        assert_eq!(echoed(tunnels.port("ECHO")), "hello", "{}", tunnels.log());
        assert!(tunnels.log().contains("tunnel `echo`: the TCP application `echo` at 127.0.0.1:"));
        assert!(tunnels.stop("-TERM").ok().stderr.ends_with("tunnel closed\n"));
    }
}

fn echo() -> Background {
    Background::serve(|mut tcp| async move {
        let (mut reader, mut writer) = tcp.split();
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
    })
}

fn echoed(port: u16) -> String {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"hello").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn kubectl_goes_through_one_for_each_cluster() {
    let kube = |name: &str| SandboxKubeCluster { name: name.into(), labels: vec![] };
    let cluster = Cluster::start(SandboxOptions {
        kube_clusters: vec![kube("prod"), kube("dev")],
        ..SandboxOptions::simulating(None)
    });
    let pods = |tunnels: &Tunnels, variable: &str, pod: &str| {
        let config = std::fs::read_to_string(&tunnels.variables[variable]).unwrap();
        assert!(!config.contains("key-data") && !config.contains("certificate-data"), "{config}");
        let home = cluster.folder.path();
        let ran = kubectl(home, tunnels.variables[variable].as_ref(), &["get", "pods"], &[]).ok();
        assert!(ran.stdout.contains(pod), "{}", ran.all());
        config
    };
    let (dir, _) = login(&cluster, None, &["kube=prod,namespace=default,context=mine"]);
    let tunnels = tunnel(&cluster, &["--dir", dir.to_str().unwrap()]);
    let config = pods(&tunnels, "KUBECONFIG", "prod-web-0");
    assert!(config.contains("namespace: default") && config.contains("name: mine"), "{config}");
    assert!(tunnels.stop("-TERM").ok().stderr.ends_with("tunnel closed\n"));
    let (dir, _) = login(&cluster, None, &["kube=*"]);
    let tunnels = tunnel(&cluster, &["--dir", dir.to_str().unwrap()]);
    // In the order of the cluster's list.
    let [first, second] = ["dev", "prod"];
    pods(&tunnels, "KUBECONFIG", &format!("{first}-web-0"));
    pods(&tunnels, &format!("KUBECONFIG_{}", second.to_uppercase()), &format!("{second}-web-0"));
    assert!(tunnels.stop("-TERM").ok().stderr.ends_with("tunnels closed\n"));
    assert_eq!(listing(&cluster.path("temp")), [], "nothing is left");
}

/// Flags say where it listens; variables that are meant for logins lead it nowhere else; the folder may have been moved.
#[test]
fn a_folder_is_enough_wherever_it_is() {
    let with = WithPostgres::start(|_| ());
    let cluster = &with.cluster;
    let (dir, _) = login(cluster, None, &["ssh", "database=pg,user=ci,database-name=app"]);
    let moved = cluster.path("elsewhere");
    std::fs::rename(&dir, &moved).unwrap();
    let dir = moved.join("database-pg").display().to_string();
    let mut job = without_identity(cluster);
    for (name, value) in [
        ("JOBPASS_PROXY", "127.0.0.1:1"),
        ("TELEPORT_PROXY", "127.0.0.1:1"),
        ("JOBPASS_TOKEN", "none"),
        ("JOBPASS_TTL", "1m"),
        ("JOBPASS_OUTPUT_DIR", "/nonexistent"),
        ("JOBPASS_EXPECT_BOT", "other"),
        ("JOBPASS_DRY_RUN", "true"),
    ] {
        job = job.set(name, value);
    }
    let port = super::gate().local_addr().unwrap().port().to_string();
    let chosen = cluster.path(".s.PGSQL.7").display().to_string();
    for (listen, host) in [
        (&[][..], "127.0.0.1"),
        (&["--listen", &port], "127.0.0.1"),
        (&["--listen", &chosen], ""),
        (&["--listen", "unix"], ""),
    ] {
        let dotted = format!("{dir}/.");
        let all = [&["--dir", &dotted], listen].concat();
        let tunnels = Tunnels::with(&job, &all);
        assert_eq!(tunnels.run("psql", WHO).ok().stdout, "ci|app\n", "{listen:?} {}", tunnels.log());
        assert!(tunnels.variables["PGHOST"].starts_with(if host.is_empty() { "/" } else { host }));
        assert!(tunnels.log().contains("the tunnel is open until 20"), "{}", tunnels.log());
        tunnels.stop("-INT").ok();
    }
    // A command has the variables alone.
    let all = ["tunnel", "--dir", &dir, "--", "sh", "-c", "echo ${JOBPASS_DIR-none} $PGUSER; exit 7"];
    let ran = job.run(&all);
    assert_eq!((ran.code, ran.stdout.as_str()), (7, "none ci\n"), "{}", ran.all());
    assert!(!ran.stderr.contains("open until") && !ran.stderr.contains("closed"), "{}", ran.all());
    assert_eq!(job.run(&["tunnel", "--dir", &dir, "--", "/no/such/program"]).code, 127);
    assert_eq!(listing(&cluster.path("temp")), [], "nothing is left");
    // Only the roots were named, and they may be elsewhere, too.
    std::fs::rename(cluster.path("web-ca.pem"), cluster.path("roots.pem")).unwrap();
    let nothing = ["tunnel", "--dir", &dir, "--", "true"];
    let ran = job.run(&nothing);
    assert!(ran.code != 0 && ran.stderr.contains("/web-ca.pem"), "{}", ran.all());
    let job = job.set("JOBPASS_CA_FILE", cluster.path("roots.pem").to_str().unwrap());
    job.run(&nothing).ok();
}

#[test]
fn a_command_can_stand_behind_tunnels_that_join() {
    let with = WithPostgres::start(|_| ());
    let job = with.cluster.job(Platform::GitHubActions);
    let proxy = with.cluster.proxy();
    let spec = "database=pg,user=ci,database-name=app";
    let all = [&["tunnel", "--proxy", &proxy, "--token", &job.token, spec, "--", "psql"], WHO].concat();
    assert_eq!(job.run(&all).ok().stdout, "ci|app\n");
    // Later steps have no use for what is gone.
    assert_eq!(std::fs::read_to_string(with.cluster.path("GITHUB_ENV")).unwrap(), "");
}

#[test]
fn later_steps_are_told_as_by_a_join() {
    let redis = Redis::start();
    let cluster = Cluster::start(SandboxOptions {
        databases: vec![database("cache", "redis")],
        database_targets: vec![("cache".into(), redis.address)],
        ..SandboxOptions::simulating(None)
    });
    let (dir, _) = login(&cluster, None, &["database=cache"]);
    let job = cluster.job(Platform::GitHubActions);
    let tunnels = Tunnels::with(&job, &["--dir", dir.to_str().unwrap()]);
    let exported = std::fs::read_to_string(cluster.path("GITHUB_ENV")).unwrap();
    assert!(exported.contains(&tunnels.variables["JOBPASS_TUNNEL_CACHE_URL"]), "{exported}");
}

/// The folder of a login that is short, beside a long one of the same or another database.
fn short(redis: &Redis) -> Cluster {
    let short = SandboxRole { name: "short".into(), max_session_ttl: 8, ..SandboxRole::default() };
    let long = SandboxRole { name: "long".into(), ..SandboxRole::default() };
    Cluster::start(SandboxOptions {
        roles: vec![short, long],
        databases: vec![database("cache", "redis"), database("other", "redis")],
        database_targets: vec![("cache".into(), redis.address)],
        ..SandboxOptions::simulating(None)
    })
}

#[test]
fn a_renewed_folder_keeps_it_open() {
    let redis = Redis::start();
    let cluster = short(&redis);
    let (dir, _) = login(&cluster, None, &["database=cache,roles=short"]);
    let mut tunnels = tunnel(&cluster, &["--dir", dir.to_str().unwrap()]);
    login(&cluster, None, &["database=cache,roles=long"]);
    tunnels.wait_for("the renewal", |tunnels| {
        tunnels.log().contains("the certificate was renewed: open until 20")
    });
    let url = tunnels.variables["JOBPASS_TUNNEL_CACHE_URL"].clone();
    // The old one has ended: the proxy takes no connection with it.
    let ping = tunnels.run("redis-cli", &["-u", &url, "ping"]);
    assert_eq!(ping.stdout, "PONG\n", "{}", tunnels.log());
    tunnels.stop("-TERM").ok();
}

#[test]
fn what_ends_or_is_for_another_server_ends_it() {
    let redis = Redis::start();
    let cluster = short(&redis);
    let (dir, _) = login(&cluster, None, &["database=cache,roles=short"]);
    let dir = dir.to_str().unwrap();
    let mut tunnels = tunnel(&cluster, &["-q", "--dir", dir]);
    // With a command it is said, and the command goes on.
    let script = "read -r _; echo done";
    let mut command = without_identity(&cluster).command(&["tunnel", "--dir", dir, "--", "sh", "-c", script]);
    let (reader, mut writer) = std::io::pipe().unwrap();
    let (mut said, said_to) = std::io::pipe().unwrap();
    let mut child =
        command.stdin(reader).stdout(said_to.try_clone().unwrap()).stderr(said_to).spawn().unwrap();
    drop(command);
    login(&cluster, None, &["database=other,roles=long"]);
    let ran = tunnels.ended();
    let [error, hint] = ran.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{}", ran.all()) };
    assert!(error.starts_with("error: the tunnels are closed: their certificate expired at 20"), "{error}");
    let wanted =
        "hint: run `jobpass login` again in this job, or `jobpass renew` before the end of a `login --renew`";
    assert_eq!(hint, wanted);
    assert_eq!(ran.code, 4);
    let mut text = String::new();
    let mut byte = [0];
    while !text.contains("the command goes on without them\n") && said.read(&mut byte).unwrap() == 1 {
        text.push(char::from(byte[0]));
    }
    assert!(text.contains("warning: the tunnels are closed: their certificate expired at 20"), "{text}");
    writer.write_all(b"\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    said.read_to_string(&mut text).unwrap();
    assert!(text.ends_with("done\n"), "{text}");
}
