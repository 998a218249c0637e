//! `docs/terminal.txt`: what GitHub's log shows of real runs, in a job on `main` and in one on another branch. Only what differs from run to run is
//! replaced: addresses, times, paths.
//! `SNAPSHOTS=overwrite cargo test --test main terminal` records it anew.

use std::fmt::Write as _;

use jobpass::platform::Platform::GitHubActions;
use jobpass::sandbox::SandboxOptions;
use regex::Regex;
use snapbox::{Data, assert_data_eq};

use crate::support::cluster::Cluster;

/// What one command shows, after the prompt.
fn shown(out: &mut String, cluster: &Cluster, arguments: &[&str], words: &str, branch: &str) {
    let ran = cluster.job(GitHubActions).run(arguments);
    let _ = writeln!(out, "{branch} $ {words}");
    out.push_str(&plain(cluster, &ran.all()));
    if ran.code != 0 {
        let _ = writeln!(out, "{branch} $ echo $?\n{}", ran.code);
    }
    out.push('\n');
}

/// Without what is of this run alone.
fn plain(cluster: &Cluster, text: &str) -> String {
    let text = text
        .replace(&cluster.path("temp").display().to_string(), "$RUNNER_TEMP")
        .replace(&cluster.proxy(), "teleport.example.com:443");
    let mut text = text.replace("sandbox.example", "teleport.example.com");
    for (pattern, with) in [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-11-21T10:00:00Z"),
        (r"took \d+\.\d+s", "took 0.6s"),
        (r"\((59m \d+s|1h)\)", "(1h)"),
        (r"another 4m\d+s", "another 5m"),
        // Annotations are on the run's page; groups are closed until they are clicked.
        (r"(?m)^::error .*\n", ""),
        (r"(?ms)^::group::(.*?)\n.*?^::endgroup::$", "▸ $1"),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, with).into_owned();
    }
    text
}

#[test]
fn the_recording_is_true() {
    let mut out = String::new();
    let cluster = Cluster::any();
    let proxy = cluster.proxy();
    let login = ["login", "--proxy", &proxy, "--token", "ci-github"];
    let typed = "jobpass login --proxy teleport.example.com --token ci-github";
    shown(&mut out, &cluster, &login, typed, "main");
    shown(&mut out, &cluster, &["inspect", "temp/jobpass"], "jobpass inspect $JOBPASS_DIR", "main");

    let mut options = SandboxOptions::simulating(None);
    options.branch = Some("feature".to_owned());
    let other = Cluster::start(options);
    let proxy = other.proxy();
    let login = ["login", "--proxy", &proxy, "--token", "ci-github"];
    shown(&mut out, &other, &login, typed, "feature");

    assert!(out.contains("logged in to") && out.contains("$ echo $?\n4\n"), "{out}");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/terminal.txt");
    assert_data_eq!(out, Data::read_from(file.as_ref(), None).raw());
}

#[test]
fn the_readme_has_the_recording() {
    let readme = include_str!("../README.md");
    let recording = include_str!("../docs/terminal.txt").trim_end();
    assert!(
        readme.contains(&format!("```text\n{recording}\n```\n")),
        "copy docs/terminal.txt into README.md"
    );
}
