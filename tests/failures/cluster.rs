//! Teleport, or a guard of the user's, says no; or the cluster is none.

use std::time::Duration;

use jobpass::platform::Platform::{self, GitHubActions, GitLabCi};
use jobpass::rules;
use jobpass::sandbox::fault_injection::{CertificateKind, FaultInjection, Flaw, RefusedCall};
use jobpass::sandbox::{SandboxOptions, SandboxRole};
use serde_json::{Value, json};

use super::{fails, shows};
use crate::support::cluster::{Cluster, Job, listing};
use crate::support::command::Ran;

fn options(change: impl FnOnce(&mut SandboxOptions)) -> SandboxOptions {
    let mut options = SandboxOptions::simulating(None);
    change(&mut options);
    options
}

fn faulty(change: impl FnOnce(&mut FaultInjection)) -> Cluster {
    Cluster::start(options(|o| change(&mut o.inject)))
}

/// A GitLab job whose token has these claims changed.
fn gitlab<'a>(cluster: &'a Cluster, claims: &Value) -> Job<'a> {
    let token = cluster.sandbox.id_token(GitLabCi, claims).unwrap();
    cluster.job(GitLabCi).unset("TBOT_GITLAB_JWT").set("TBOT_GITLAB_JWT", token.expose())
}

fn named<'a>(cluster: &'a Cluster, platform: Platform, token: &str) -> Job<'a> {
    let mut job = cluster.job(platform);
    token.clone_into(&mut job.token);
    job
}

#[test]
fn teleport_refuses_the_join() {
    let both_ways = [("", "18.2.0"), ("-post", "16.4.0")];
    for (suffix, version) in both_ways {
        let cluster = Cluster::start(options(|o| version.clone_into(&mut o.version)));
        let refuses = |name: &str, job: &Job<'_>| fails(&format!("{name}{suffix}"), 4, &cluster, job, &[]);
        refuses("unknown-token", &named(&cluster, GitHubActions, "ci-prod"));
        refuses("other-method", &named(&cluster, GitHubActions, "ci-gitlab"));
        // Too little past for this machine's clock to be sure.
        let just_now = jiff::Timestamp::now().as_second() - 30;
        refuses("expired-at-server", &gitlab(&cluster, &json!({ "exp": just_now })));
        // `refusals` has what is said of these.
        for (claims, words) in [
            (json!({"project_path": "acme/other"}), "did not match any allow rules"),
            (json!({"aud": "https://sandbox.example:443"}), "audience"),
            (json!({"iss": "https://gitlab.mallory.example"}), "gitlab.mallory.example"),
        ] {
            let before = listing(cluster.folder.path());
            let ran = gitlab(&cluster, &claims).login(&[]);
            assert_eq!(ran.code, 4, "{}", ran.all());
            assert!(ran.stderr.contains("\n  caused by: ") && ran.stderr.contains(words), "{}", ran.stderr);
            assert_eq!(listing(cluster.folder.path()), before);
        }
    }
}

#[test]
fn a_method_jobpass_does_not_serve_is_given_up_politely() {
    let document = "kind: token\nversion: v2\nmetadata: {name: ci-aws}\nspec:\n  roles: [Bot]\n  bot_name: ci\n  \
                    join_method: iam\n  allow: [{aws_account: '111111111111'}]\n";
    let cluster = Cluster::start(options(|o| o.tokens.extend(rules::parse(document).unwrap())));
    let job = named(&cluster, GitHubActions, "ci-aws");
    fails("unserved-method", 4, &cluster, &job, &[]);
    // Where the proof waits for the ping, the server can still be told.
    assert_eq!(job.login(&["--expect-cluster", "sandbox.example"]).code, 4);
    let said: Vec<String> = cluster.sandbox.records().into_iter().filter_map(|s| s.gave_up).collect();
    assert!(said.last().is_some_and(|said| said.contains("`iam`")), "{said:?}");
}

#[test]
fn roles_the_bot_may_not_have() {
    let cluster = Cluster::any();
    fails("role-not-impersonable", 4, &cluster, &cluster.job(GitLabCi), &["--roles", "editor"]);
    fails("role-unknown", 4, &cluster, &cluster.job(GitLabCi), &["--roles", "ci-deploi"]);
    fails("leaf-unknown", 4, &cluster, &cluster.job(GitLabCi), &["--output", "ssh,cluster=leaf.example"]);
    let none = Cluster::start(options(|o| o.roles.clear()));
    fails("role-none", 4, &none, &none.job(GitLabCi), &[]);
}

#[test]
fn a_guard_that_is_not_met() {
    let cluster = Cluster::any();
    for (name, arguments) in [
        ("guard-login", &["--require-login", "root"][..]),
        ("guard-role", &["--roles", "ci-read", "--expect-role", "ci-deploy"]),
        ("guard-cluster", &["--expect-cluster", "prod.example"]),
        ("guard-bot", &["--expect-bot", "deployer"]),
    ] {
        fails(name, 4, &cluster, &cluster.job(GitLabCi), arguments);
    }
    let all =
        ["--require-login", "deploy", "--expect-role", "ci-deploy", "--expect-cluster", "sandbox.example"];
    cluster.job(GitLabCi).login(&[&all[..], &["--expect-bot", "bot-ci"]].concat()).ok();
}

#[test]
fn certificates_that_are_not_what_was_asked_for() {
    let cluster = faulty(|f| f.wrong_certificates = vec![(CertificateKind::Ssh, Flaw::ForeignKey)]);
    fails("wrong-key", 4, &cluster, &cluster.job(GitLabCi), &[]);
}

#[test]
fn each_certificate_is_checked_by_itself() {
    use CertificateKind::{Bundle, Ssh, Tls};
    let flaws = [
        (Flaw::ForeignKey, "it is for a different key"),
        (Flaw::UnknownCa, "none of the cluster's user CAs signed it"),
        (Flaw::ForeignUser, "it is for the user `bot-other`"),
        (Flaw::MissingRole, "it lacks the role `ci-read`"),
        (Flaw::ExtraRole, "it has the role `editor`, which was not asked for"),
        (Flaw::LateEnd, "later than asked"),
        (Flaw::FutureStart, "it is not valid before"),
        (Flaw::Ended, "it expired at"),
    ];
    let names = [
        (Tls, "TLS certificate"),
        (Ssh, "SSH certificate"),
        (Bundle, "SSH certificate of the `identity` file"),
    ];
    for (kind, name) in names {
        for (flaw, found) in flaws {
            let cluster = faulty(|f| f.wrong_certificates = vec![(kind, flaw)]);
            let ran = cluster.job(GitLabCi).login(&["--no-verify", "--ttl", "30m"]);
            assert_eq!(ran.code, 4, "{kind:?} {flaw:?}: {}", ran.all());
            let error = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
            let wanted = format!("error: the {name} of output `ssh` is not what was asked for: ");
            assert!(error.contains(&wanted) && error.contains(found), "{kind:?} {flaw:?}: {error}");
            assert!(listing(&cluster.path("temp")).is_empty(), "{kind:?} {flaw:?}: nothing is written");
        }
    }
}

#[test]
fn another_cluster_than_expected_sees_no_identity_token() {
    let cluster = Cluster::any();
    for job in [cluster.job(GitLabCi), cluster.job(GitHubActions)] {
        let ran = job.login(&["--expect-cluster", "prod.example"]);
        assert_eq!(ran.code, 4, "{}", ran.all());
    }
    let asked: Vec<String> = cluster.sandbox.records().into_iter().flat_map(|r| r.paths).collect();
    assert!(asked.iter().any(|p| p == "/webapi/ping"), "{asked:?}");
    assert!(!asked.iter().any(|p| p.contains("host/credentials") || p.contains("AuthService")), "{asked:?}");
}

#[test]
fn a_life_shorter_than_asked_is_told() {
    let warnings = |cluster: &Cluster, arguments: &[&str]| {
        let ran = cluster.job(GitLabCi).login(arguments).ok();
        let stderr = ran.stderr.split_inclusive('\n').filter(|l| l.starts_with("warning:")).collect();
        (Ran { stderr, ..ran }, valid_for(cluster))
    };
    let hours = |n: u64| Duration::from_secs(n * 3_600);
    let wide = Cluster::start(options(|o| o.roles.iter_mut().for_each(|r| r.max_session_ttl = 72 * 3_600)));
    let (ran, life) = warnings(&wide, &["--ttl", "48h"]);
    shows("ttl-above-a-day", 0, &wide, &ran);
    assert!(life <= hours(24) + Duration::from_secs(120) && life > hours(23), "{life:?}");

    let short = SandboxRole { max_session_ttl: 1_800, ..SandboxOptions::simulating(None).roles[0].clone() };
    let narrow = Cluster::start(options(|o| o.roles = vec![short]));
    let (ran, life) = warnings(&narrow, &["--ttl", "2h"]);
    shows("ttl-above-the-roles", 0, &narrow, &ran);
    assert!(life <= Duration::from_secs(1_800 + 120), "{life:?}");
    assert_eq!(warnings(&narrow, &["--ttl", "30m"]).0.stderr, "");
}

/// From begin to end of what login wrote, by its own certificate.
fn valid_for(cluster: &Cluster) -> Duration {
    let path = cluster.path("temp/jobpass/tlscert");
    let dates =
        crate::support::command::run("openssl", &["x509", "-noout", "-dates", "-in", path.to_str().unwrap()]);
    let date = |line: &str| {
        let text = line.split_once('=').unwrap().1.split_whitespace().collect::<Vec<_>>().join(" ");
        jiff::fmt::strtime::parse("%b %d %H:%M:%S %Y", text.trim_end_matches(" GMT"))
            .unwrap()
            .to_datetime()
            .unwrap()
    };
    let dates: Vec<_> = dates.ok().stdout.lines().map(date).collect();
    dates[1].duration_since(dates[0]).try_into().unwrap()
}

#[test]
fn a_cluster_that_makes_no_sense() {
    let unnamed = faulty(|f| f.ping_without_cluster_name = true);
    fails("ping-without-name", 5, &unnamed, &unnamed.job(GitLabCi), &[]);
    let odd = |join_old| {
        let inject = FaultInjection { join_unknown_message: true, ..FaultInjection::default() };
        Cluster::start(options(|o| (o.inject, o.join_old) = (inject, join_old)))
    };
    let (alone, with_post) = (odd(false), odd(true));
    fails("join-unknown-message", 5, &alone, &alone.job(GitLabCi), &[]);
    with_post.job(GitLabCi).login(&[]).ok();
    let routing = faulty(|f| f.no_tls_routing = true);
    fails("no-tls-routing", 5, &routing, &routing.job(GitLabCi), &[]);
    let locked = faulty(|f| {
        f.refuse_calls = vec![RefusedCall {
            method: "GenerateUserCerts".into(),
            code: 7,
            message: "lock targeting User:\"bot-ci\" is in force".into(),
        }];
    });
    fails("locked", 4, &locked, &locked.job(GitLabCi), &[]);
    let newer = faulty(|f| f.newer = true);
    newer.job(GitLabCi).login(&[]).ok();
}
