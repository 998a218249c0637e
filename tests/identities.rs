//! Two identities in one job: folders, variables and outputs side by side.

use jobpass::platform::Platform::{self, AzureDevOps, CircleCi, GitHubActions, GitLabCi};

use crate::failures::{fails, run_fails};
use crate::github::heredocs;
use crate::support::cluster::Cluster;
use crate::support::command::run;

fn principals(cluster: &Cluster, dir: &str) -> String {
    run("ssh-keygen", &["-L", "-f", cluster.path(dir).join("key-cert.pub").to_str().unwrap()]).ok().stdout
}

#[test]
fn two_names_stand_side_by_side() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    job.login(&["--name", "read", "--roles", "ci-read"]).ok();
    job.login(&["--name", "deploy", "--roles", "ci-deploy"]).ok();
    job.login(&["--roles", "ci-read"]).ok();
    for (dir, login, other) in [
        ("temp/jobpass-read", "reader", "deploy"),
        ("temp/jobpass-deploy", "deploy", "reader"),
        ("temp/jobpass", "reader", "deploy"),
    ] {
        let seen = principals(&cluster, dir);
        assert!(
            seen.contains(&format!(" {login}\n")) && !seen.contains(&format!(" {other}\n")),
            "{dir}: {seen}"
        );
    }
    for file in ["GITHUB_ENV", "GITHUB_OUTPUT"] {
        let told = heredocs(&std::fs::read_to_string(cluster.path(file)).unwrap());
        let mut names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "{file}: {names:?}");
        assert_eq!(all, if file == "GITHUB_ENV" { 15 } else { 18 });
    }
    // Each can be written again, and taken away, without the others.
    job.login(&["--name", "read"]).ok();
    job.run(&["logout", "--name", "deploy"]).ok();
    assert!(cluster.path("temp/jobpass-read/key").exists() && cluster.path("temp/jobpass/key").exists());
    assert!(!cluster.path("temp/jobpass-deploy").exists());
}

#[test]
fn names_of_the_same_variables_are_refused() {
    let cluster = Cluster::any();
    let two = ["--name", "a-b", "--output", "ssh", "--output", "ssh,name=A_B"];
    fails("name-like-output", 2, &cluster, &cluster.job(GitLabCi), &two);
    let two = ["--output", "ssh", "--output", "ssh,name=ci", "--output", "ssh,name=CI"];
    fails("outputs-alike", 2, &cluster, &cluster.job(GitLabCi), &two);
    // Names that nobody chose are told apart by us.
    let both =
        ["--output", "app=x_y", "--output", "app=x-y", "--dry-run", "--allow-dry-run-in-ci", "--dir", "dry"];
    cluster.job(GitLabCi).login(&both).ok();
    assert!(cluster.path("dry/app-x-y-2").exists() && cluster.path("dry/app-x_y").exists());

    // Of an earlier login in the same step; by a file, by the temp folder where there is no file.
    for platform in [GitHubActions, GitLabCi, CircleCi, AzureDevOps] {
        let cluster = Cluster::any();
        let job = cluster.job(platform);
        job.login(&["--name", "a-b"]).ok();
        for name in ["a_b", "A-B"] {
            let ran = job.login(&["--name", name]);
            assert_eq!(ran.code, 2, "{platform:?}: {}", ran.all());
            let wanted = format!("`--name {name}` has the same variables as `--name a-b`");
            assert!(ran.stderr.contains(&wanted), "{platform:?}: {}", ran.stderr);
        }
        job.login(&["--name", "a-c"]).ok();
        job.login(&["--name", "a-b"]).ok();
    }
}

#[test]
fn the_variables_of_a_login_are_its_own_while_it_lasts() {
    let cluster = Cluster::any();
    let job = cluster.job(Platform::GitHubActions);
    let with_output = ["--output", "ssh", "--output", "ssh,name=b"];
    job.login(&with_output).ok();
    job.login(&with_output).ok();
    // Elsewhere it is the same login all the same.
    job.login(&[&with_output[..], &["--dir", "elsewhere"]].concat()).ok();
    let dir = cluster.path("elsewhere").display().to_string();
    run_fails(
        "name-like-earlier-output",
        2,
        &cluster,
        &job,
        &["login", "--proxy", &cluster.proxy(), "--token", &job.token, "--name", "b"],
    );
    job.run(&["logout", &dir]).ok();
    job.login(&["--name", "b"]).ok();
    let ran = job.login(&with_output);
    assert!(
        ran.code == 2 && ran.stderr.contains("the output `b` has the same variables as `--name b`"),
        "{}",
        ran.all()
    );
    // It has ended: nobody uses its variables any more.
    let manifest = cluster.path("temp/jobpass-b/jobpass.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let end = report["valid_until"].as_str().unwrap();
    crate::support::command::put(&manifest, text.replace(end, "2020-01-01T00:00:00Z"));
    job.login(&with_output).ok();
}
