//! How tunnels begin and end: whoever waits is told, signals and certificates end them in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jobpass::platform::Platform;
use jobpass::sandbox::{SandboxOptions, SandboxRole};
use tokio::net::TcpStream;

use super::database;
use crate::support::background::Background;
use crate::support::cluster::{Cluster, listing};
use crate::support::command::{Ran, jobpass, put};
use crate::support::redis::Redis;
use crate::support::tunnel::{Tunnels, variables};

fn options() -> SandboxOptions {
    SandboxOptions { databases: vec![database("cache", "redis")], ..SandboxOptions::simulating(None) }
}

#[test]
fn any_signal_ends_them_in_order() {
    let cluster = Cluster::start(options());
    let job = cluster.job(Platform::GitLabCi);
    for signal in ["-TERM", "-INT", "-HUP"] {
        let tunnels = Tunnels::start(&job, &["database=cache", "database=cache,unix,name=two"]);
        let ready = tunnels.ready_file.clone();
        let ran = tunnels.stop(signal).ok();
        assert!(ran.stderr.ends_with("tunnels closed\n"), "{}", ran.all());
        assert!(!ready.exists());
        assert_eq!(listing(&cluster.path("temp")), [], "nothing of them stays behind");
    }
}

#[test]
fn a_certificate_that_ends_takes_them_along() {
    let redis = Redis::start();
    let short = SandboxRole { name: "short".into(), max_session_ttl: 4, ..SandboxRole::default() };
    let cluster = Cluster::start(SandboxOptions {
        roles: vec![short],
        database_targets: vec![("cache".into(), redis.address)],
        ..options()
    });
    let job = cluster.job(Platform::GitLabCi);
    let mut tunnels = Tunnels::start(&job, &["-q", "database=cache", "--ttl", "1m"]);
    let ran = tunnels.ended();
    let [error, hint] = ran.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{}", ran.all()) };
    assert!(error.starts_with("error: the tunnels are closed: their certificate expired at 20"), "{error}");
    assert_eq!(hint, "hint: run it again in this job, with a longer `--ttl` if the bot may have one");
    assert_eq!(ran.code, 4);
    assert!(!tunnels.ready_file.exists());
}

#[test]
fn a_lost_proxy_is_told_once() {
    let redis = Redis::start();
    let cluster = Cluster::start(SandboxOptions {
        databases: vec![database("cache", "redis"), database("two", "redis")],
        database_targets: vec![("cache".into(), redis.address), ("two".into(), redis.address)],
        ..options()
    });
    let is_lost = Arc::new(AtomicBool::new(false));
    let between = Background::serve({
        let (target, is_lost) = (cluster.sandbox.address, Arc::clone(&is_lost));
        move |mut tcp| {
            let is_lost = is_lost.load(Ordering::SeqCst);
            async move {
                if !is_lost {
                    let mut far = TcpStream::connect(target).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut tcp, &mut far).await;
                }
            }
        }
    });
    let job = cluster.job(Platform::GitLabCi);
    let proxy = between.address.to_string();
    let both = ["--proxy", &proxy, "--token", &job.token, "database=cache", "database=two"];
    let mut tunnels = Tunnels::with(&job, &both);
    let ping = |tunnels: &Tunnels, name: &str| {
        let url = &tunnels.variables[&format!("JOBPASS_TUNNEL_{name}_URL")];
        tunnels.run("redis-cli", &["-u", url, "ping"]).stdout == "PONG\n"
    };
    assert!(ping(&tunnels, "CACHE") && ping(&tunnels, "TWO"), "{}", tunnels.log());
    for _ in 0..2 {
        let before = tunnels.log().lines().count();
        is_lost.store(true, Ordering::SeqCst);
        for _ in 0..3 {
            assert!(!ping(&tunnels, "CACHE") && !ping(&tunnels, "TWO"), "{}", tunnels.log());
        }
        is_lost.store(false, Ordering::SeqCst);
        assert!(ping(&tunnels, "CACHE") && ping(&tunnels, "TWO"), "{}", tunnels.log());
        // What it says comes through a pipe.
        tunnels.wait_for("both lines", |tunnels| tunnels.log().lines().count() >= before + 2);
        let log = tunnels.log();
        let [lost, found] = log.lines().skip(before).collect::<Vec<_>>()[..] else { panic!("{log}") };
        let lost_line =
            format!("warning: tunnel `cache`: could not reach the proxy: {proxy} closed the connection");
        assert!(lost.starts_with(&lost_line) && lost.ends_with("until that works again"), "{lost}");
        assert!(found.ends_with(&format!("{proxy} is reached again")), "{found}");
    }
    tunnels.stop("-TERM").ok();
}

#[test]
fn whoever_waits_is_told() {
    let cluster = Cluster::start(options());
    let job = cluster.job(Platform::GitHubActions);
    let ready = cluster.path("told").display().to_string();
    // A descriptor, the platform's own way and a shell's.
    let script = format!(
        "mkfifo fifo; \"$@\" --ready-fd 3 --export shell 3>fifo >out & \
         while IFS= read -r line && [ -n \"$line\" ]; do printf '%s\\n' \"$line\" >>'{ready}'; done <fifo; rm fifo; kill $!; wait $!"
    );
    let mut command = job.command(&[]);
    let tunnel = command.get_program().to_owned();
    command = std::process::Command::new("sh");
    command.args(["-c", &script, "sh"]).arg(tunnel);
    command.args(["tunnel", "--proxy", &cluster.proxy(), "--token", &job.token, "database=cache"]);
    command.env_clear().envs(job.variables.iter().cloned()).current_dir(cluster.folder.path());
    Ran::of(&command.output().unwrap()).ok();
    let (told, out) =
        (std::fs::read_to_string(&ready).unwrap(), std::fs::read_to_string(cluster.path("out")).unwrap());
    assert_eq!(told, out);
    let found = variables(&told);
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        ["JOBPASS_TUNNEL_CACHE_HOST", "JOBPASS_TUNNEL_CACHE_PORT", "JOBPASS_TUNNEL_CACHE_URL"]
    );
    let tunnels = Tunnels::start(&job, &["database=cache"]);
    let exported = std::fs::read_to_string(cluster.path("GITHUB_ENV")).unwrap();
    assert!(exported.contains(&tunnels.variables["JOBPASS_TUNNEL_CACHE_URL"]), "{exported}");
    tunnels.stop("-TERM").ok();

    put(&cluster.path("old"), "export PGHOST=elsewhere\n");
    let bad = ["tunnel", "--proxy", "127.0.0.1:1", "--token", "x", "database=cache", "--ready-file", "old"];
    assert_eq!(job.run(&[&bad[..], &["--timeout", "5s"]].concat()).code, 5);
    assert!(!cluster.path("old").exists(), "one of an earlier run says nothing about this one");
    let proxy = cluster.proxy();
    let ran =
        job.run(&["tunnel", "--proxy", &proxy, "--token", &job.token, "database=cache", "--ready-fd", "99"]);
    let wanted = "could not write to the file descriptor 99 of `--ready-fd`";
    assert!(ran.code == 6 && ran.stderr.contains(wanted), "{}", ran.all());
}

#[test]
fn a_dry_run_has_tunnels_for_as_long_as_its_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#""$0" tunnel --dry-run --simulate github app=grafana kube=prod --ready-file ready & pid=$!
        while [ ! -e ready ] && kill -0 $pid; do :; done
        . ./ready && curl -sS "$JOBPASS_TUNNEL_GRAFANA_URL" && kubectl get pods; kill $pid; wait $pid"#;
    let mut command =
        jobpass(folder.path(), &[], [("PATH", "/usr/bin:/bin"), ("HOME", folder.path().to_str().unwrap())]);
    let binary = command.get_program().to_owned();
    command = std::process::Command::new("bash");
    command
        .arg("-c")
        .arg(script)
        .arg(binary)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("JOBPASS_ROOT", "/nonexistent");
    command.env("HOME", folder.path()).current_dir(folder.path());
    let ran = Ran::of(&command.output().unwrap()).ok();
    assert!(
        ran.stdout.contains("grafana: hello bot-ci") && ran.stdout.contains("prod-web-0"),
        "{}",
        ran.all()
    );
}
