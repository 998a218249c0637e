//! Access requests: a person says yes before there are credentials.

use std::time::Duration;

use jobpass::platform::Platform;
use jobpass::sandbox::fault_injection::FaultInjection;
use jobpass::sandbox::{
    RequestPolicy, SandboxApp, SandboxDatabase, SandboxKubeCluster, SandboxOptions, SandboxRole, Verdict,
};
use jobpass::teleport::RequestId;
use jobpass::teleport::access_requests::{AccessRequest, State};
use serde_json::Value;

use crate::support::cluster::{Cluster, listing};
use crate::support::command::{Ran, jobpass};

fn role(name: &str, login: &str) -> SandboxRole {
    SandboxRole { name: name.into(), logins: vec![login.into()], ..SandboxRole::default() }
}

/// Roles that may be asked for, and somebody who answers at the second question.
pub fn answered(verdict: Verdict, reason: &str) -> RequestPolicy {
    RequestPolicy {
        roles: vec![role("ci-prod", "prod"), role("ci-db", "dba")],
        verdict: Some(verdict),
        after_questions: 1,
        reason: reason.to_owned(),
        ..RequestPolicy::default()
    }
}

pub fn cluster(requests: RequestPolicy) -> Cluster {
    Cluster::start(SandboxOptions { requests, ..SandboxOptions::simulating(None) })
}

fn faulty(inject: FaultInjection) -> Cluster {
    let requests = answered(Verdict::Approve, "go ahead");
    Cluster::start(SandboxOptions { requests, inject, ..SandboxOptions::simulating(None) })
}

fn only(cluster: &Cluster) -> AccessRequest {
    let all = cluster.sandbox.access_requests();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

/// How often a call was made.
fn calls(cluster: &Cluster, method: &str) -> usize {
    let records = cluster.sandbox.records();
    records.iter().flat_map(|record| &record.paths).filter(|path| path.ends_with(method)).count()
}

const ASK: [&str; 4] = ["--request-role", "ci-prod", "--request-reason", "deploy #42"];

#[test]
fn a_person_says_yes() {
    let cluster = cluster(answered(Verdict::Approve, "go ahead"));
    let dir = cluster.path("out");
    let job = cluster.job(Platform::GitHubActions);
    let more =
        ["--request-reviewer", "alice", "--dir", dir.to_str().unwrap(), "--json", "--require-login", "prod"];
    let ran = job.login(&[&ASK[..], &more].concat()).ok();
    let request = only(&cluster);
    assert_eq!((request.state, &request.roles[..]), (State::Approved, &["ci-prod".to_owned()][..]));
    let reason = "deploy #42 (repository acme/app, workflow deploy, ref refs/heads/main, actor octocat, \
                  https://github.com/acme/app/actions/runs/";
    assert!(request.reason.starts_with(reason), "{}", request.reason);
    assert_eq!(cluster.sandbox.suggested_reviewers(&request.id), ["alice"]);

    let report = json(&ran);
    let told = &report["access_request"];
    assert_eq!((&told["id"], &told["state"]), (&request.id.to_string().into(), &"approved".into()));
    assert_eq!(
        (&told["resolve_reason"], &told["roles"]),
        (&"go ahead".into(), &serde_json::json!(["ci-prod"]))
    );
    assert_eq!(report["outputs"][0]["roles"], serde_json::json!(["bot-ci", "ci-prod"]));
    assert_eq!(report["outputs"][0]["logins"], serde_json::json!(["prod"]));
    let manifest = std::fs::read_to_string(dir.join("jobpass.json")).unwrap();
    assert!(manifest.contains("\"resolve_reason\": \"go ahead\""), "{manifest}");

    // What whoever answers must know: in the log, as an annotation, on the page of the job.
    let url = format!("https://{}/web/requests/{}", cluster.proxy(), request.id);
    let approve = format!("tctl requests approve {}", request.id);
    for part in [&url, &approve, &reason.to_owned(), &"waiting for approval until ".to_owned()] {
        assert!(ran.stderr.contains(part.as_str()), "{part}: {}", ran.stderr);
    }
    let annotation = ran.stderr.lines().find(|line| line.starts_with("::notice title=jobpass::")).unwrap();
    assert!(annotation.contains(&approve), "{annotation}");
    let page = std::fs::read_to_string(cluster.path("GITHUB_STEP_SUMMARY")).unwrap();
    assert!(page.contains("### Approval wanted for ci-prod") && page.contains(&url), "{page}");
    assert!(page.contains("approved&#58; go ahead"), "{page}");
    assert!(ran.stderr.contains(&format!("access request {} approved: go ahead", request.id)));
    assert!(ran.stderr.contains("`jobpass exec` leaves none of it behind"), "{}", ran.stderr);

    let seen = Ran::of(&jobpass(&dir, &["inspect", "."], [("NO", "THING")]).output().unwrap()).ok().stdout;
    assert!(seen.contains(&format!("access requests   {}", request.id)), "{seen}");
    assert!(seen.contains("roles             bot-ci, ci-prod"), "{seen}");
    assert!(!seen.contains("impersonator"), "{seen}");
    let seen =
        Ran::of(&jobpass(&dir, &["inspect", "identity", "--json"], [("NO", "THING")]).output().unwrap());
    assert_eq!(json(&seen.ok())["access_requests"], serde_json::json!([request.id.to_string()]));
}

/// All outputs have what was approved, also where the server puts a kubernetes cluster into what is not for one.
#[test]
fn every_output_has_what_was_approved() {
    for version in ["18.11.0", "17.5.0", "15.4.0"] {
        let cluster = Cluster::start(SandboxOptions {
            version: version.into(),
            requests: answered(Verdict::Approve, ""),
            kube_clusters: vec![SandboxKubeCluster { name: "k1".into(), labels: Vec::new() }],
            databases: vec![SandboxDatabase { name: "pg".into(), protocol: "postgres".into() }],
            apps: vec![SandboxApp {
                name: "web".into(),
                public_addr: "web.sandbox.example".into(),
                uri: "http://x".into(),
            }],
            ..SandboxOptions::simulating(None)
        });
        let dir = cluster.path("out");
        let mut arguments = vec!["--dir", dir.to_str().unwrap(), "--json"];
        arguments.extend([
            "--request-role",
            "ci-prod",
            "--request-role",
            "ci-db",
            "--request-role",
            "ci-prod",
        ]);
        for output in ["ssh", "kube=*", "database=pg", "app=web"] {
            arguments.extend(["--output", output]);
        }
        let ran = cluster.job(Platform::GitLabCi).login(&arguments).ok();
        let report = json(&ran);
        assert_eq!(report["access_request"]["roles"], serde_json::json!(["ci-prod", "ci-db"]));
        assert_eq!(report["access_request"].get("resolve_reason"), None);
        let outputs = report["outputs"].as_array().unwrap();
        assert_eq!(outputs.len(), 4, "{version}");
        for output in outputs {
            assert_eq!(
                output["roles"],
                serde_json::json!(["bot-ci", "ci-prod", "ci-db"]),
                "{version}: {output}"
            );
        }
        assert_eq!(outputs[0]["logins"], serde_json::json!(["prod", "dba"]), "{version}");
        // The bot's role, by which roles are chosen otherwise, is nobody's business here.
        assert_eq!(calls(&cluster, "/GetRole"), 0, "{version}");
    }
}

#[test]
fn one_job_asks_and_a_later_one_uses_the_answer() {
    let cluster = cluster(RequestPolicy { verdict: None, ..answered(Verdict::Approve, "") });
    let job = cluster.job(Platform::GitHubActions);
    let ran = job.login(&[&ASK[..], &["--request-nowait"]].concat()).ok();
    let request = only(&cluster);
    assert_eq!(ran.stdout, format!("{}\n", request.id));
    assert!(ran.stderr.contains(&format!("`jobpass login --request-id {}`", request.id)), "{}", ran.stderr);
    let exported = std::fs::read_to_string(cluster.path("GITHUB_ENV")).unwrap();
    assert!(
        exported.contains("JOBPASS_REQUEST_ID<<") && exported.contains(&request.id.to_string()),
        "{exported}"
    );
    assert!(!exported.contains("TELEPORT_IDENTITY_FILE"), "{exported}");
    let exported = std::fs::read_to_string(cluster.path("GITHUB_OUTPUT")).unwrap();
    assert!(exported.contains("request-id<<"), "{exported}");
    assert_eq!(listing(&cluster.path("temp")), [], "no credentials, no folder");
    assert_eq!(calls(&cluster, "/GenerateUserCerts"), 0);
    let printed = job.login(&[&ASK[..], &["--request-nowait", "--json"]].concat()).ok();
    assert_eq!(json(&printed)["access_request"]["state"], "pending");
    let shell = job.login(&[&ASK[..], &["--request-nowait", "--export", "shell"]].concat()).ok();
    assert!(shell.stdout.starts_with("export JOBPASS_REQUEST_ID="), "{}", shell.stdout);

    cluster.sandbox.answer_request(&request.id, Verdict::Approve, "go").unwrap();
    let id = request.id.to_string();
    let asked = calls(&cluster, "/GetAccessRequestsV2");
    let ran = job.login(&["--request-id", &id.to_uppercase(), "--json"]).ok();
    assert_eq!(json(&ran)["access_request"]["id"], id.as_str());
    assert!(!ran.stderr.contains("waiting for approval"), "nobody is asked again: {}", ran.stderr);
    assert_eq!(calls(&cluster, "/GetAccessRequestsV2"), asked + 1, "one question");
    // By the variable that the first job hands on.
    let later = cluster.job(Platform::GitHubActions).set("JOBPASS_REQUEST_ID", &id).login(&["--json"]).ok();
    assert_eq!(json(&later)["access_request"]["id"], id.as_str());
    assert_eq!(calls(&cluster, "/CreateAccessRequestV2"), 3);
}

#[test]
fn a_lost_cluster_is_asked_again() {
    let cluster = faulty(FaultInjection { lose_requests: 2, ..FaultInjection::default() });
    let ran = cluster.job(Platform::GitLabCi).login(&ASK).ok();
    assert!(ran.stderr.contains("asking again: access request "), "{}", ran.stderr);
    assert!(calls(&cluster, "/GetAccessRequestsV2") >= 3);
    assert_eq!(only(&cluster).state, State::Approved);
}

#[test]
fn a_request_whose_answer_is_lost_is_not_filed_twice() {
    let cluster = faulty(FaultInjection { lose_filing: true, ..FaultInjection::default() });
    let ran = cluster.job(Platform::GitLabCi).login(&ASK).ok();
    assert!(ran.stderr.contains("filing the access request"), "{}", ran.stderr);
    assert_eq!(calls(&cluster, "/CreateAccessRequestV2"), 1);
    assert_eq!(only(&cluster).state, State::Approved);
}

/// The whole run has eight seconds, and the answer takes nine.
#[test]
fn a_wait_does_not_count_against_the_deadline() {
    let after = Duration::from_secs(9);
    let cluster = cluster(RequestPolicy { after, ..answered(Verdict::Approve, "") });
    cluster.job(Platform::GitLabCi).login(&[&ASK[..], &["--timeout", "8s"]].concat()).ok();
}

/// The bot's own identity outlives the wait and what follows; what is issued is not longer for it.
#[test]
fn certificates_are_no_longer_than_was_asked() {
    let cluster = cluster(answered(Verdict::Approve, ""));
    let ran = cluster
        .job(Platform::GitLabCi)
        .login(&[&ASK[..], &["--ttl", "30m", "--request-wait", "2h", "--json"]].concat())
        .ok();
    let report = json(&ran);
    let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let (issued, ends) = (time(&report["issued_at"]), time(&report["valid_until"]));
    assert!((25..=30).contains(&(ends.duration_since(issued).as_secs() / 60)), "{report}");
    let of_request = time(&report["access_request"]["expires"]);
    assert!(of_request.duration_since(issued).as_secs() > 2 * 3600, "{report}");
    // A day is all that a bot gets: 12 h by its role here.
    let long = cluster.job(Platform::GitLabCi).login(&[&ASK[..], &["--request-wait", "20h"]].concat()).ok();
    assert!(
        long.stderr.contains("waiting 11h59m at most, not 20h")
            || long.stderr.contains("waiting 12h at most"),
        "{}",
        long.stderr
    );
}

#[test]
fn a_dry_run_asks_nobody() {
    let cluster = Cluster::any();
    let run = |arguments: &[&str]| {
        let mut all = vec!["login", "--dry-run", "--simulate", "github", "--json"];
        all.extend(arguments);
        let temp = cluster.folder.path().display().to_string();
        let variables =
            [("TMPDIR", temp.as_str()), ("XDG_RUNTIME_DIR", temp.as_str()), ("PATH", "/usr/bin:/bin")];
        Ran::of(&jobpass(cluster.folder.path(), &all, variables).output().unwrap()).ok()
    };
    let ran = run(&["--request-role", "prod-db", "--require-login", "me"]);
    let report = json(&ran);
    assert_eq!(report["access_request"]["resolve_reason"], "DRY-RUN: nobody was asked");
    assert_eq!(report["outputs"][0]["roles"], serde_json::json!(["bot-ci", "prod-db"]));
    assert_eq!(report["access_request"].get("url"), None, "its cluster has no pages");
    let id: RequestId = "61396805-c807-4931-b79f-a49127735456".parse().unwrap();
    let known = run(&["--request-id", &id.to_string(), "--expect-role", "prod-db"]);
    assert_eq!(json(&known)["access_request"]["id"], id.to_string());
}

#[test]
fn doctor_and_explain_say_what_must_be_set() {
    let cluster = Cluster::any();
    let job = cluster.job(Platform::GitHubActions);
    let proxy = cluster.proxy();
    let doctor = job.run(&["doctor", "--proxy", &proxy, "--token", &job.token, "--request-role", "ci-prod"]);
    let explain = job.run(&["explain", "--request-role", "ci-prod"]).ok();
    for said in [&doctor, &explain] {
        let text = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "spec: {allow: {request: {roles: [ci-prod]}}}}' | tctl create",
            "tctl users update bot-NAME --set-roles=bot-NAME,bot-NAME-requester",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    assert!(doctor.stdout.contains("skipped  access request"), "{}", doctor.stdout);
}

/// Nothing is left of what was approved, and nothing of a job that only asks.
#[test]
fn a_command_runs_with_what_was_approved() {
    let cluster = cluster(answered(Verdict::Approve, "go"));
    let job = cluster.job(Platform::GitHubActions);
    let proxy = cluster.proxy();
    let run = |more: &[&str]| {
        let mut all = vec!["exec", "--proxy", &proxy, "--token", &job.token];
        all.extend(ASK);
        all.extend(more);
        all.extend(["--", "sh", "-c", "cat \"$JOBPASS_DIR/jobpass.json\""]);
        job.run(&all)
    };
    let ran = run(&[]).ok();
    assert_eq!(json(&ran)["access_request"]["resolve_reason"], "go");
    assert!(ran.stderr.contains("waiting for approval until"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("leaves none of it"), "it is so already: {}", ran.stderr);
    assert_eq!(listing(&cluster.path("temp")), []);
    let refused = run(&["--request-nowait"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{}", refused.all());
    assert!(refused.stderr.contains("`exec` takes no `--request-nowait`"), "{}", refused.stderr);
    assert_eq!(cluster.sandbox.access_requests().len(), 1);
}
