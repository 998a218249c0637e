//! `--reuse-if-valid-for`: when what is there serves, and that anything doubtful leads to a new login.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jobpass::platform::Platform::{self, Bitbucket, GitHubActions, GitLabCi, Jenkins};
use serde_json::Value;

use crate::github::heredocs;
use crate::outputs;
use crate::support::cluster::{Cluster, Job, listing};
use crate::support::command::{Ran, put};

const REUSE: [&str; 3] = ["--reuse-if-valid-for", "10m", "-v"];

/// Runs a login that may reuse, and tells whether it did.
#[track_caller]
fn login(cluster: &Cluster, job: &Job<'_>, arguments: &[&str]) -> (bool, Ran) {
    let before = cluster.sandbox.records().len();
    let ran = job.login(&[&REUSE[..], arguments].concat()).ok();
    let asked = cluster.sandbox.records().len() > before;
    let said = ran.stderr.contains("reused the login at ");
    assert_ne!(asked, said, "{}", ran.all());
    (said, ran)
}

#[test]
fn what_is_still_valid_serves_without_network_and_identity() {
    let cluster = Cluster::start(outputs::options());
    let arguments =
        ["--output", "ssh", "--output", "kube=prod,roles=ci-read", "--output", "database=pg,user=ci,dir=own"];
    let job = cluster.job(GitHubActions);
    let first = job.login(&[&arguments[..], &["--json"]].concat()).ok();
    let files = listing(cluster.folder.path());
    let told = ["GITHUB_ENV", "GITHUB_OUTPUT"].map(|name| {
        let mut told = heredocs(&std::fs::read_to_string(cluster.path(name)).unwrap());
        put(&cluster.path(name), "");
        told.sort();
        told
    });
    let key = std::fs::read(cluster.path("temp/jobpass/ssh/key")).unwrap();
    let job = job.unset("ACTIONS_ID_TOKEN_REQUEST_URL").unset("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
    let (reused, ran) = login(&cluster, &job, &[&arguments[..], &["--json"]].concat());
    assert!(reused, "{}", ran.all());
    let (mut report, first): (Value, Value) =
        (serde_json::from_str(&ran.stdout).unwrap(), serde_json::from_str(&first.stdout).unwrap());
    assert_eq!(report["reused"], true);
    report.as_object_mut().unwrap().remove("reused");
    assert_eq!(report, first, "all else is as it was");
    assert_eq!(listing(cluster.folder.path()), files);
    assert_eq!(std::fs::read(cluster.path("temp/jobpass/ssh/key")).unwrap(), key);
    // Later steps get all again.
    for (name, before) in ["GITHUB_ENV", "GITHUB_OUTPUT"].into_iter().zip(told) {
        let mut again = heredocs(&std::fs::read_to_string(cluster.path(name)).unwrap());
        again.sort();
        assert_eq!(again, before, "{name}");
    }
    let summary = std::fs::read_to_string(cluster.path("GITHUB_STEP_SUMMARY")).unwrap();
    assert_eq!(summary.matches("### Teleport credentials").count(), 1, "{summary}");
    // How it is handed on may differ.
    let (reused, ran) = login(&cluster, &job, &[&arguments[..], &["--export", "shell"]].concat());
    assert!(reused && ran.stdout.contains("export KUBECONFIG="), "{}", ran.all());
    // It can be logged out as any other.
    job.run(&["logout"]).ok();
    assert!(!cluster.path("own").exists() && listing(&cluster.path("temp")).is_empty());
}

#[test]
fn every_platform_finds_its_own() {
    let cluster = Cluster::any();
    for platform in Platform::ALL {
        let job = cluster.job(platform);
        let (reused, ran) = login(&cluster, &job, &["--dir", "out"]);
        assert!(!reused, "{platform:?}: {}", ran.all());
        let (reused, ran) = login(&cluster, &job, &["--dir", "out"]);
        assert!(reused, "{platform:?}: {}", ran.all());
    }
    // Where each login has a folder of its own, a variable names it.
    let job = cluster.job(Bitbucket).unset("TMPDIR").set("TMPDIR", cluster.path("temp").to_str().unwrap());
    let ran = job.login(&["--json"]).ok();
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(!login(&cluster, &job, &[]).0, "nothing names it");
    assert!(login(&cluster, &job.set("JOBPASS_DIR", report["dir"].as_str().unwrap()), &[]).0);
    // A job that cannot be told from others.
    let job = cluster.job(Jenkins).unset("BUILD_URL");
    login(&cluster, &job, &["--dir", "odd"]);
    let (reused, ran) = login(&cluster, &job, &["--dir", "odd"]);
    assert!(
        !reused && ran.stderr.contains("tells the jobs of this platform apart is not set"),
        "{}",
        ran.all()
    );
}

#[test]
fn two_jobs_of_jenkins_with_one_build_tag_are_two() {
    let cluster = Cluster::any();
    let job = |name: &str| {
        let url = format!("https://jenkins.example.com/job/{name}/42/");
        let job = cluster.job(Jenkins).set("BUILD_TAG", "jenkins-app-deploy-42");
        job.set("BUILD_URL", &url)
    };
    assert!(!login(&cluster, &job("app/job/deploy"), &["--dir", "out"]).0);
    assert!(login(&cluster, &job("app/job/deploy"), &["--dir", "out"]).0);
    let (reused, ran) = login(&cluster, &job("app-deploy"), &["--dir", "out"]);
    assert!(!reused && ran.stderr.contains("another job wrote it"), "{}", ran.all());
}

#[test]
fn something_else_is_a_new_login() {
    let cluster = Cluster::start(outputs::options());
    let job = |platform| cluster.job(platform);
    let dir = cluster.path("temp/jobpass");
    let ca = cluster.path("web-ca.pem").display().to_string();
    for (arguments, variables, why) in [
        (&["--roles", "ci-read"][..], &[][..], "something else is asked for"),
        (&["--ttl", "2h"], &[], "something else is asked for"),
        (&["--key-type", "rsa"], &[], "something else is asked for"),
        (&["--export-vars", "git"], &[], "something else is asked for"),
        (&["--output", "kube=prod"], &[], "something else is asked for"),
        (&["--output", "ssh,name=x"], &[], "something else is asked for"),
        (&["--expect-bot", "ci"], &[], "something else is asked for"),
        (&["--ca-file", &ca], &[], "something else is asked for"),
        (&["--copy-binary"], &[], "something else is asked for"),
        (&["--id-token-env", "TBOT_GITLAB_JWT"], &[], "something else is asked for"),
        (&["--id-token-command", "printenv TBOT_GITLAB_JWT"], &[], "something else is asked for"),
        (&[], &[("JOBPASS_ROLES", "ci-read")], "something else is asked for"),
        (&[], &[("CI_JOB_ID", "4711")], "another job wrote it"),
        (&["--name", "other"], &[], "there is nothing of an earlier login"),
        (&["--reuse-if-valid-for", "2h"], &[], "it is valid for 1h only"),
    ] {
        job(GitLabCi).login(&[]).ok();
        let plain = job(GitLabCi);
        assert!(login(&cluster, &plain, &[]).0);
        let other = variables.iter().fold(plain, |job, (name, value)| job.set(name, value));
        let all = if arguments.contains(&"--reuse-if-valid-for") {
            other.login(&[&["-v"], arguments].concat()).ok()
        } else {
            let (reused, ran) = login(&cluster, &other, arguments);
            assert!(!reused, "{arguments:?} {variables:?}");
            ran
        };
        assert!(
            all.stderr.contains(&format!("not reusing an earlier login: {why}")),
            "{arguments:?}: {}",
            all.stderr
        );
        other.run(&["logout", dir.to_str().unwrap()]).ok();
    }
    // The command may have a secret in it: it is not written down.
    let command = ["--id-token-command", "printenv TBOT_GITLAB_JWT"];
    job(GitLabCi).login(&command).ok();
    let manifest = std::fs::read_to_string(dir.join("jobpass.json")).unwrap();
    assert!(manifest.contains("--id-token-command=sha256:") && !manifest.contains("printenv"), "{manifest}");
    assert!(login(&cluster, &job(GitLabCi), &command).0);
}

type Damage = fn(&Path);

#[test]
fn what_is_damaged_is_a_new_login() {
    let cluster = Cluster::any();
    let job = cluster.job(GitLabCi);
    let dir = cluster.path("temp/jobpass");
    let edit = |dir: &Path, from: &str, to: &str| {
        let manifest = dir.join("jobpass.json");
        let text = std::fs::read_to_string(&manifest).unwrap();
        assert!(text.contains(from), "{text}");
        put(&manifest, text.replacen(from, to, 1));
    };
    let damages: [(&str, Damage, &str); 7] = [
        ("gone", |dir| std::fs::remove_file(dir.join("known_hosts")).unwrap(), "is missing, not private"),
        (
            "open",
            |dir| std::fs::set_permissions(dir.join("key"), std::fs::Permissions::from_mode(0o644)).unwrap(),
            "is missing, not private",
        ),
        (
            "open folder",
            |dir| std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap(),
            "is not private",
        ),
        ("empty", |dir| put(&dir.join("tlscert"), ""), "tlscert"),
        (
            "another key",
            |dir| put(&dir.join("key"), std::fs::read(dir.join("tlskey")).unwrap()),
            "is not for the key in `key`",
        ),
        ("no json", |dir| put(&dir.join("jobpass.json"), "{"), "there is nothing of an earlier login"),
        (
            "a link",
            |dir| {
                std::fs::rename(dir.join("key"), dir.with_extension("key")).unwrap();
                std::os::unix::fs::symlink(dir.with_extension("key"), dir.join("key")).unwrap();
            },
            "is missing, not private",
        ),
    ];
    for (name, damage, why) in damages {
        // A damaged folder is not replaced where it is not known to be ours.
        drop(std::fs::remove_dir_all(&dir));
        job.login(&[]).ok();
        damage(&dir);
        let ran = job.login(&REUSE);
        assert!(
            ran.stderr.contains("not reusing an earlier login: ") && ran.stderr.contains(why),
            "{name}: {}",
            ran.all()
        );
        assert!(!ran.stderr.contains("reused the login"), "{name}");
    }
    for (from, to, why) in [
        (
            concat!("\"jobpass\": \"", env!("CARGO_PKG_VERSION")),
            "\"jobpass\": \"0.0.9",
            "jobpass 0.0.9 wrote it",
        ),
        ("\"dry_run\": false", "\"dry_run\": true", "another login, a trial"),
        ("\"asked\": {", "\"unknown\": {", "does not say what it was asked for"),
        ("bot-ci", "bot-other", "are not those that were written"),
        ("\"deploy\"", "3", "cannot be read"),
    ] {
        drop(std::fs::remove_dir_all(&dir));
        job.login(&[]).ok();
        edit(&dir, from, to);
        let ran = job.login(&REUSE);
        assert!(ran.stderr.contains(why) && !ran.stderr.contains("reused the login"), "{to}: {}", ran.all());
    }
}
