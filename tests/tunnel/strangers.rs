//! Other users of the machine.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use jobpass::platform::Platform;
use jobpass::sandbox::SandboxOptions;

use super::database;
use crate::support::cluster::Cluster;
use crate::support::command::{Ran, run};
use crate::support::redis::Redis;
use crate::support::tunnel::Tunnels;

/// A program in the account of somebody else. Only root can do that: who runs the tests otherwise is told.
#[allow(clippy::print_stdout)]
fn as_nobody(program: &str, arguments: &[&str]) -> Option<Ran> {
    if run("id", &["-u"]).stdout.trim() != "0" {
        println!("not root: no other user tries to get in");
        return None;
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "nobody", "--", program]).args(arguments);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir("/");
    Some(Ran::of(&command.output().unwrap()))
}

#[test]
fn other_users_are_not_let_in() {
    let redis = Redis::start();
    let cluster = Cluster::start(SandboxOptions {
        databases: vec![database("cache", "redis")],
        database_targets: vec![("cache".into(), redis.address)],
        ..SandboxOptions::simulating(None)
    });
    let job = cluster.job(Platform::GitLabCi);
    let tunnels = Tunnels::start(&job, &["database=cache", "database=cache,name=sock,unix"]);
    let (port, socket) =
        (tunnels.port("CACHE").to_string(), &tunnels.variables["JOBPASS_TUNNEL_SOCK_SOCKET"]);
    let reached = || cluster.sandbox.records().iter().filter(|seen| seen.route.is_some()).count();
    for _ in 0..3 {
        let Some(ran) = as_nobody("redis-cli", &["-h", "127.0.0.1", "-p", &port, "ping"]) else { return };
        assert!(!ran.stdout.contains("PONG"), "{}", ran.all());
    }
    let ran = as_nobody("redis-cli", &["-s", socket, "ping"]).unwrap();
    assert!(ran.all().contains("Permission denied"), "{}", ran.all());
    // Who says something and leaves at once: the socket is nobody's by then, which must not pass for user 0.
    let script = format!(
        "for i in 1 2 3 4 5 6 7 8; do exec 3<>/dev/tcp/127.0.0.1/{port}; echo 'set stolen 1' >&3; exec 3>&-; done"
    );
    as_nobody("bash", &["-c", &script]).unwrap().ok();
    assert_eq!(reached(), 0, "nothing was opened for them");
    // Our own user still is.
    assert_eq!(
        tunnels.run("redis-cli", &["-h", "127.0.0.1", "-p", &port, "exists", "stolen"]).ok().stdout,
        "0\n"
    );
    assert_eq!(tunnels.run("redis-cli", &["-s", socket, "ping"]).ok().stdout, "PONG\n");
    assert_eq!(reached(), 2);
    let log = tunnels.log();
    let told = log.lines().filter(|line| line.contains("refuses connections of user")).count();
    assert_eq!(told, 1, "one line however often they try: {log}");
    assert!(
        log.contains("warning: tunnel `cache` refuses connections of user 65534: it is for user 0 alone"),
        "{log}"
    );
}

/// A client that has gone before it is looked at belongs to nobody.
#[test]
fn a_client_that_left_opens_nothing() {
    let redis = Redis::start();
    let cluster = Cluster::start(SandboxOptions {
        databases: vec![database("cache", "redis")],
        database_targets: vec![("cache".into(), redis.address)],
        ..SandboxOptions::simulating(None)
    });
    let job = cluster.job(Platform::GitLabCi);
    let tunnels = Tunnels::start(&job, &["database=cache"]);
    let address = ("127.0.0.1", tunnels.port("CACHE"));
    run("kill", &["-STOP", &tunnels.id().to_string()]).ok();
    let mut gone = TcpStream::connect(address).unwrap();
    gone.write_all(b"set left 1\r\n").unwrap();
    drop(gone);
    let mut here = TcpStream::connect(address).unwrap();
    run("kill", &["-CONT", &tunnels.id().to_string()]).ok();
    here.write_all(b"exists left\r\n").unwrap();
    let mut answer = [0; 4];
    here.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b":0\r\n");
    let opened = cluster.sandbox.records().iter().filter(|seen| seen.route.is_some()).count();
    assert_eq!(opened, 1);
}
