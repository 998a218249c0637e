//! Logins and where they are from: a role names them, or takes them from a trait of the bot's.

use jobpass::platform::Platform::GitHubActions;
use jobpass::sandbox::{SandboxOptions, SandboxRole};
use serde_json::{Value, json};

use crate::support::cluster::{Cluster, listing};
use crate::support::command::put;

/// A bot with the trait `logins: [shared]`; one role names its login, one takes the trait, one does both.
fn cluster() -> Cluster {
    let role = |name: &str, logins: &[&str]| SandboxRole {
        name: name.to_owned(),
        logins: logins.iter().map(|login| (*login).to_owned()).collect(),
        ..SandboxRole::default()
    };
    let mut options = SandboxOptions::simulating(None);
    options.roles = vec![
        role("ci-deploy", &["deploy"]),
        role("ci-trait", &["{{internal.logins}}"]),
        role("ci-both", &["root", "{{internal.logins}}"]),
    ];
    options.traits.insert("logins".to_owned(), vec!["shared".to_owned()]);
    Cluster::start(options)
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn each_login_shows_where_it_is_from() {
    let cluster = cluster();
    let job = cluster.job(GitHubActions);
    let ran = job.login(&["--roles", "ci-deploy,ci-trait", "--dir", "out"]).ok();
    let want = "logins deploy (role ci-deploy), shared (trait logins, role ci-trait)";
    assert!(words(&ran.stderr).contains(want), "{}", ran.stderr);
    let report = std::fs::read_to_string(cluster.path("out/jobpass.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        report["outputs"][0]["login_sources"],
        json!([
            {"login": "deploy", "roles": ["ci-deploy"], "traits": []},
            {"login": "shared", "roles": ["ci-trait"], "traits": ["logins"]},
        ])
    );
    let inspect = |arguments: &[&str]| job.run(&[&["inspect"], arguments].concat()).ok().stdout;
    assert!(words(&inspect(&["out"])).contains(want), "{}", inspect(&["out"]));
    let facts: Value = serde_json::from_str(&inspect(&["out", "--json"])).unwrap();
    assert_eq!(facts["login_sources"], report["outputs"][0]["login_sources"]);

    // A manifest that contradicts the certificate is not believed, and without one the certificate tells what it can.
    let forged = json!({"outputs": [{"dir": cluster.path("out"), "login_sources": [
        {"login": "deploy", "roles": ["editor"], "traits": ["x"]}, {"login": "root", "roles": ["ci-deploy"]},
    ]}]});
    put(&cluster.path("out/jobpass.json"), forged.to_string());
    let certificate = "logins deploy, shared (trait logins)";
    assert!(words(&inspect(&["out"])).contains(certificate), "{}", inspect(&["out"]));
    std::fs::remove_file(cluster.path("out/jobpass.json")).unwrap();
    assert!(words(&inspect(&["out"])).contains(certificate));

    // One role that names its login has nothing to tell in a line, and no more is known without the cluster's word.
    let plain = job.login(&["--roles", "ci-deploy", "--dir", "plain"]).ok();
    assert!(words(&plain.stderr).contains("logins deploy · valid"), "{}", plain.stderr);
    let unasked = job.login(&["--roles", "ci-deploy,ci-trait", "--no-verify", "--dir", "unasked"]).ok();
    assert!(words(&unasked.stderr).contains(certificate), "{}", unasked.stderr);
}

#[test]
fn several_outputs_are_told_apart_by_folder() {
    let cluster = cluster();
    let job = cluster.job(GitHubActions);
    let outputs =
        ["--output", "ssh,name=a,roles=ci-deploy", "--output", "ssh,name=b,roles=ci-both", "--dir", "out"];
    let ran = job.login(&outputs).ok();
    let text = words(&ran.stderr);
    assert!(!text.contains("warning"), "{text}");
    assert!(text.contains("logins root (role ci-both), shared (trait logins, role ci-both)"), "{text}");
    let inspect = |dir: &str| words(&job.run(&["inspect", dir]).ok().stdout);
    assert!(inspect("out/a").contains("logins deploy (role ci-deploy) valid"), "{}", inspect("out/a"));
    assert!(inspect("out/b").contains("logins root (role ci-both), shared (trait logins, role ci-both)"));
}

#[test]
fn a_login_of_the_bot_in_every_output_is_worth_a_warning() {
    let cluster = cluster();
    let job = cluster.job(GitHubActions);
    let warning = "warning: every ssh output allows shared, whatever its roles";
    for (first, second, is_warned) in [
        ("ci-trait", "ci-both", true),
        ("ci-deploy+ci-trait", "ci-both", true),
        ("ci-deploy", "ci-both", false),
        ("ci-both", "ci-both", false),
    ] {
        let (first, second) = (format!("ssh,name=a,roles={first}"), format!("ssh,name=b,roles={second}"));
        let ran = job.login(&["--output", &first, "--output", &second]).ok();
        assert_eq!(words(&ran.stderr).contains(warning), is_warned, "{first} {second}: {}", ran.stderr);
    }
    assert!(!job.login(&["--roles", "ci-trait"]).ok().stderr.contains("warning"));
}

#[test]
fn a_login_that_is_required_is_there_before_anything_is_exported() {
    let cluster = cluster();
    let job = cluster.job(GitHubActions);
    job.login(&["--roles", "ci-trait", "--require-login", "shared", "--dir", "out"]).ok();
    let before = listing(cluster.folder.path());
    let exported = std::fs::read_to_string(cluster.path("GITHUB_ENV")).unwrap();
    for roles in
        [&["--roles", "ci-deploy"][..], &["--output", "ssh,roles=ci-both", "--output", "ssh,roles=ci-deploy"]]
    {
        let ran = job.login(&[roles, &["--require-login", "shared", "--dir", "none"]].concat());
        assert_eq!(ran.code, 4, "{}", ran.all());
        assert!(words(&ran.stderr).contains("`--require-login shared` is not met"), "{}", ran.stderr);
    }
    assert_eq!(listing(cluster.folder.path()), before);
    assert_eq!(std::fs::read_to_string(cluster.path("GITHUB_ENV")).unwrap(), exported);
}
