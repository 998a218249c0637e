//! Buildkite: its agent's program, else what that asks.

use std::path::Path;

use jobpass::platform::Platform::Buildkite;
use serde_json::json;

use crate::support::cluster::{Cluster, Job};
use crate::support::command::{program, put};

/// The folder goes before the others in `PATH`.
fn with_path<'a>(job: Job<'a>, folder: &Path) -> Job<'a> {
    let path = format!("{}:{}", folder.display(), job.variable("PATH"));
    job.set("PATH", &path)
}

#[test]
fn its_program_makes_the_token() {
    let cluster = Cluster::any();
    let bin = cluster.path("bin");
    let audience = cluster.sandbox.audience(Buildkite).unwrap();
    let token = cluster.sandbox.id_token(Buildkite, &json!({ "aud": audience })).unwrap();
    put(&cluster.path("jwt"), format!("{}\n", token.expose()));
    // It finds the job by its variables, and writes what it does to standard error.
    let script = "#!/bin/sh\n[ \"$BUILDKITE_JOB_ID\" ] || exit 9\nprintf '%s\\n' \"$@\" > called\n\
                  echo '2026-11-21 INFO   Requesting' >&2\ncat jwt\n";
    program(&bin, "buildkite-agent", script);
    let job = with_path(cluster.job(Buildkite), &bin);
    let ran = job.login(&[]).ok();
    assert!(ran.stderr.contains("eval \"$(jobpass login --export shell)\""), "{}", ran.stderr);
    let called = std::fs::read_to_string(cluster.path("called")).unwrap();
    assert_eq!(called, format!("oidc\nrequest-token\n--audience\n{audience}\n"));
    let asked: Vec<_> = cluster.sandbox.records().into_iter().flat_map(|seen| seen.paths).collect();
    assert!(!asked.iter().any(|path| path.starts_with("/_ci/")), "{asked:?}");

    // What it says is told, on one line, without what a log would read as a command.
    let script = "#!/bin/sh\necho '::error::x' >&2\nprintf '::warning::no \\033[31moidc\\n' >&2\nexit 7\n";
    program(&bin, "buildkite-agent", script);
    let ran = job.login(&[]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert!(
        ran.stderr.contains("the command `buildkite-agent`: it ended with exit status: 7"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("\n::") && !ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    assert!(ran.stderr.contains("mount-buildkite-agent"), "{}", ran.stderr);

    // It has as long as the whole run.
    program(&bin, "buildkite-agent", "#!/bin/sh\nexec sleep 600\n");
    let ran = job.login(&["--timeout", "2s"]);
    assert_ne!(ran.code, 0);
    assert!(ran.stderr.contains("deadline"), "{}", ran.stderr);
}

#[test]
fn without_its_program_the_address_is_asked() {
    let cluster = Cluster::any();
    let job = cluster.job(Buildkite);
    job.login(&[]).ok();
    let asked: Vec<_> = cluster.sandbox.records().into_iter().flat_map(|seen| seen.paths).collect();
    let path = format!("/_ci/buildkite/token/jobs/{}/oidc/tokens", job.variable("BUILDKITE_JOB_ID"));
    assert!(asked.contains(&path), "{asked:?}");
    // Nobody knows which audience, if the user does not say.
    let ran = job.unset("JOBPASS_AUDIENCE").login(&[]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(ran.stderr.contains("--audience"), "{}", ran.stderr);
}

#[test]
fn a_dry_run_in_a_job_asks_no_agent() {
    let cluster = Cluster::any();
    let bin = cluster.path("bin");
    program(&bin, "buildkite-agent", "#!/bin/sh\ntouch called\nexit 1\n");
    let job = with_path(cluster.job(Buildkite), &bin);
    job.run(&["login", "--dry-run", "--allow-dry-run-in-ci", "--dir", "out"]).ok();
    assert!(cluster.path("out/key").exists() && !cluster.path("called").exists());
}
