//! Access requests from which no credentials come.

use std::process::Stdio;
use std::time::{Duration, Instant};

use jobpass::platform::Platform::GitLabCi;
use jobpass::sandbox::fault_injection::FaultInjection;
use jobpass::sandbox::{RequestPolicy, SandboxOptions, Verdict};

use super::{fails, shows};
use crate::approval::{answered, cluster};
use crate::support::cluster::{Cluster, listing};
use crate::support::command::{Ran, run};

const ASK: [&str; 4] = ["--request-role", "ci-prod", "--request-reason", "deploy #42"];

#[test]
fn a_person_says_no() {
    let denied = cluster(answered(Verdict::Deny, "not on a Friday\n::error::x"));
    fails("request-denied", 4, &denied, &denied.job(GitLabCi), &ASK);
    let silent = cluster(answered(Verdict::Deny, ""));
    fails("request-denied-silently", 4, &silent, &silent.job(GitLabCi), &ASK);
    let promoted = cluster(answered(Verdict::Promote, ""));
    fails("request-promoted", 4, &promoted, &promoted.job(GitLabCi), &ASK);
}

#[test]
fn nobody_answers() {
    let cluster = cluster(RequestPolicy { verdict: None, ..answered(Verdict::Approve, "") });
    let ask = [&ASK[..], &["--request-wait", "1s"]].concat();
    fails("request-unanswered", 5, &cluster, &cluster.job(GitLabCi), &ask);
}

#[test]
fn the_approval_is_for_later() {
    let begins_after = Duration::from_secs(3_600);
    let cluster = cluster(RequestPolicy { begins_after, ..answered(Verdict::Approve, "") });
    let ask = [&ASK[..], &["--request-wait", "2s"]].concat();
    fails("request-later", 5, &cluster, &cluster.job(GitLabCi), &ask);
}

#[test]
fn the_request_goes_away() {
    let inject = FaultInjection { request_vanishes: true, ..FaultInjection::default() };
    let requests = RequestPolicy { verdict: None, ..answered(Verdict::Approve, "") };
    let cluster = Cluster::start(SandboxOptions { inject, requests, ..SandboxOptions::simulating(None) });
    fails("request-expired", 5, &cluster, &cluster.job(GitLabCi), &ASK);
}

#[test]
fn a_role_that_may_not_be_asked_for() {
    let cluster = cluster(answered(Verdict::Approve, ""));
    fails("request-role-refused", 4, &cluster, &cluster.job(GitLabCi), &["--request-role", "ci-mfa"]);
}

#[test]
fn more_than_was_asked_for() {
    let gives = Some(vec!["ci-prod".to_owned(), "ci-db".to_owned()]);
    let cluster = cluster(RequestPolicy { gives, ..answered(Verdict::Approve, "") });
    fails("request-wider", 4, &cluster, &cluster.job(GitLabCi), &ASK);
}

#[test]
fn a_request_of_nobody() {
    let cluster = Cluster::any();
    let id = ["--request-id", "61396805-c807-4931-b79f-a49127735456"];
    fails("request-unknown", 4, &cluster, &cluster.job(GitLabCi), &id);
    fails("request-no-id", 2, &cluster, &cluster.job(GitLabCi), &["--request-id", "42"]);
}

#[test]
fn what_excludes_an_access_request() {
    let cluster = Cluster::any();
    let job = cluster.job(GitLabCi);
    for (name, more) in [
        ("request-with-roles", &["--roles", "ci-read"][..]),
        ("request-with-output-roles", &["--output", "ssh,roles=ci-read"]),
        ("request-with-id", &["--request-id", "61396805-c807-4931-b79f-a49127735456"]),
        ("request-too-long", &["--request-wait", "2d"]),
    ] {
        fails(name, 2, &cluster, &job, &[&ASK[..], more].concat());
    }
    fails("request-reason-alone", 2, &cluster, &job, &["--request-reason", "x"]);
    assert_eq!(cluster.sandbox.records(), []);
}

#[test]
fn a_signal_says_that_the_request_is_open() {
    for (signal, exit, name) in [("-INT", 130, "request-sigint"), ("-TERM", 143, "request-sigterm")] {
        let cluster = cluster(RequestPolicy { verdict: None, ..answered(Verdict::Approve, "") });
        let job = cluster.job(GitLabCi);
        let before = listing(cluster.folder.path());
        let proxy = cluster.proxy();
        let arguments = [&["login", "--proxy", &proxy, "--token", &job.token], &ASK[..]].concat();
        let mut command = job.command(&arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(60);
        let asked = || {
            let records = cluster.sandbox.records();
            records.iter().flat_map(|record| &record.paths).any(|path| path.ends_with("/GetAccessRequestsV2"))
        };
        while !asked() {
            assert!(Instant::now() < end, "nothing is asked");
            std::thread::yield_now();
        }
        run("kill", &[signal, &child.id().to_string()]).ok();
        let ran = Ran::of(&child.wait_with_output().unwrap());
        job.assert_secret(&ran);
        assert_eq!(listing(cluster.folder.path()), before, "{signal}");
        shows(name, exit, &cluster, &ran);
    }
}
