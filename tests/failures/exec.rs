//! `jobpass exec`: what it does not take, and commands that cannot be run.

use std::path::Path;

use jobpass::platform::Platform::GitLabCi;

use super::run_fails;
use crate::support::cluster::Cluster;
use crate::support::command::put;

#[test]
fn flags_that_make_no_sense_are_refused_with_what_to_do() {
    let cluster = Cluster::any();
    let job = cluster.job(GitLabCi);
    for (name, flags) in [
        ("exec-dir", &["--dir", "out"][..]),
        ("exec-output-dir", &["--output", "ssh,dir=out"]),
        ("exec-export", &["--export", "shell"]),
        ("exec-json", &["--json"]),
        ("exec-print-command", &["--print-command"]),
        ("exec-reuse", &["--reuse-if-valid-for", "10m"]),
        ("exec-agent-renew", &["--agent", "--renew"]),
        ("exec-agent-without-ssh", &["--agent", "--output", "app=x"]),
        ("exec-renew-tunnels", &["--renew", "--tunnel", "app=x"]),
        ("exec-agent-terraform", &["--agent", "--export-vars", "terraform"]),
    ] {
        let proxy = cluster.proxy();
        let all = [&["exec", "--proxy", &proxy, "--token", "x"], flags, &["--", "echo", "started"]].concat();
        run_fails(name, 2, &cluster, &job, &all);
    }
    run_fails("exec-without-command", 2, &cluster, &job, &["exec", "--proxy", "x"]);
    run_fails("exec-without-dashes", 2, &cluster, &job, &["exec", "--proxy", "x", "echo"]);
    assert_eq!(cluster.sandbox.records(), []);
}

#[test]
fn commands_that_cannot_be_run() {
    let cluster = Cluster::any();
    let job = cluster.job(GitLabCi);
    put(&cluster.path("plain"), "echo\n");
    let proxy = cluster.proxy();
    for (name, exit, program) in
        [("exec-not-found", 127, "no-such-program"), ("exec-not-executable", 126, "./plain")]
    {
        let all = ["exec", "--proxy", &proxy, "--token", &job.token, "-q", "--", program];
        run_fails(name, exit, &cluster, &job, &all);
    }
    let mut other = cluster.job(GitLabCi);
    "no-such-token".clone_into(&mut other.token);
    let all = ["exec", "--proxy", &proxy, "--token", &other.token, "--", "echo", "started"];
    run_fails("exec-refused", 4, &cluster, &other, &all);
}

#[test]
fn a_folder_with_too_long_a_name_for_sockets() {
    let cluster = Cluster::any();
    let long = cluster.path(&"x".repeat(90));
    std::fs::create_dir(&long).unwrap();
    let job = cluster.job(GitLabCi).unset("RUNNER_TEMP_PROJECT_DIR").set("TMPDIR", long.to_str().unwrap());
    let proxy = cluster.proxy();
    let all = ["exec", "--proxy", &proxy, "--token", &job.token, "-q", "--agent", "--", "echo", "started"];
    let ran = job.run(&all);
    assert_eq!((ran.code, ran.stdout.as_str()), (6, ""), "{}", ran.all());
    let said = super::unfolded(&ran.stderr);
    assert!(said.contains("error: could not listen at `"), "{said}");
    assert!(
        ran.stderr.contains("hint: set `XDG_RUNTIME_DIR` to a folder with a short path"),
        "{}",
        ran.stderr
    );
    assert!(std::fs::read_dir(Path::new(&long)).unwrap().next().is_none());
}
