//! What can fail without the cluster is found before anything is sent.

use jobpass::platform::Platform::{CircleCi, GitHubActions, GitLabCi};

use crate::support::cluster::Cluster;

#[test]
fn exports_that_would_fail_end_the_run_before_the_first_connection() {
    let cluster = Cluster::any();
    for (platform, variable) in [
        (GitHubActions, "GITHUB_ENV"),
        (GitHubActions, "GITHUB_OUTPUT"),
        (CircleCi, "BASH_ENV"),
        (GitLabCi, "GITLAB_ENV"),
    ] {
        let folder = cluster.path("").display().to_string();
        let ran = cluster.job(platform).set(variable, &folder).login(&[]);
        assert_eq!(ran.code, 6, "{variable}: {}", ran.all());
        assert!(
            ran.stderr.contains(variable) && ran.stderr.contains("it is not a regular file"),
            "{}",
            ran.stderr
        );
    }
    let ran = cluster.job(CircleCi).unset("BASH_ENV").login(&[]);
    assert_eq!(ran.code, 6, "{}", ran.all());
    let ran = cluster.job(GitHubActions).login(&["--export", "env-file=/nowhere/to/be/found"]);
    assert_eq!(ran.code, 6, "{}", ran.all());
    assert_eq!(cluster.sandbox.records(), []);
    assert!(!cluster.path("temp/jobpass").exists());
}

#[test]
fn without_the_platforms_file_a_named_folder_is_enough() {
    let cluster = Cluster::any();
    let dir = cluster.path("credentials").display().to_string();
    let job = cluster.job(GitHubActions).unset("GITHUB_ENV");
    assert_eq!(job.login(&[]).code, 6);
    assert_eq!(job.login(&["--dir", &dir, "--export", "github"]).code, 6, "it was asked for");
    assert_eq!(cluster.sandbox.records(), []);
    let ran = job.login(&["--dir", &dir]).ok();
    assert!(ran.stderr.contains("warning: `GITHUB_ENV` is not set"), "{}", ran.stderr);
    assert!(cluster.path("credentials/key").exists());
}
