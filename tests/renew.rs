//! `login --renew`: credentials that end are exchanged for new ones, by whoever needs them first.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jobpass::platform::Platform::{GitHubActions, GitLabCi};
use jobpass::sandbox::{SandboxKubeCluster, SandboxOptions};
use serde_json::Value;

use crate::ssh_proxy::{NODE, Nodes, ssh};
use crate::support::cluster::{Cluster, Job};
use crate::support::command::{Ran, put};
use crate::support::kubectl::kubectl;

/// The credentials in a folder have ended long ago: what the manifest says, and the certificates.
pub fn end(dir: &Path) {
    let manifest = dir.join("jobpass.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    put(&manifest, text.replace(report["valid_until"].as_str().unwrap(), "2020-01-01T00:00:00Z"));
    let ended = include_str!("data/teleport/tbot_output/identity.txt");
    put(&dir.join("tlscert"), &ended[ended.find("-----BEGIN CERTIFICATE").unwrap()..]);
    let ssh = ended.lines().find(|line| line.contains("-cert-v01@openssh.com")).unwrap();
    if dir.join("key-cert.pub").exists() {
        put(&dir.join("key-cert.pub"), format!("{ssh}\n"));
    }
}

pub fn joins(cluster: &Cluster) -> usize {
    let records = cluster.sandbox.records();
    records.iter().filter(|record| record.paths.iter().any(|path| path.contains("JoinService/Join"))).count()
}

fn in_job(command: &mut Command, job: &Job<'_>) -> Ran {
    command.envs(job.variables.iter().map(|(name, value)| (name, value)));
    let ran = Ran::of(&command.stdin(Stdio::null()).output().unwrap());
    job.assert_secret(&ran);
    ran
}

fn expiry(dir: &Path) -> jiff::Timestamp {
    let report: Value =
        serde_json::from_str(&std::fs::read_to_string(dir.join("jobpass.json")).unwrap()).unwrap();
    report["valid_until"].as_str().unwrap().parse().unwrap()
}

#[test]
fn plain_ssh_goes_on_when_its_credentials_have_ended() {
    let nodes = Nodes::start();
    let dir = nodes.login(&["--renew"]);
    let job = nodes.cluster.job(GitHubActions);
    for ended in [false, true, false] {
        let before = joins(&nodes.cluster);
        if ended {
            end(&dir);
        }
        let ran = in_job(ssh("ssh", &dir).args([NODE, "echo in"]), &job);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "in\n"), "{ended}: {}", ran.stderr);
        assert_eq!(joins(&nodes.cluster) - before, usize::from(ended), "{ended}: {}", ran.stderr);
        assert!(expiry(&dir) > jiff::Timestamp::now());
    }
    // Many at once: one asks, the others wait.
    end(&dir);
    let before = joins(&nodes.cluster);
    let start = |_| {
        let mut command = ssh("ssh", &dir);
        command.envs(job.variables.iter().map(|(name, value)| (name, value)));
        command.args([NODE, "echo in"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let all: Vec<_> = (0..8).map(start).collect();
    for child in all {
        let ran = Ran::of(&child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "in\n"), "{}", ran.stderr);
    }
    assert_eq!(joins(&nodes.cluster) - before, 1);

    // The job has no identity any more.
    end(&dir);
    let ran = in_job(
        ssh("ssh", &dir).args([NODE, "echo in"]),
        &nodes.cluster.job(GitHubActions).unset("ACTIONS_ID_TOKEN_REQUEST_URL"),
    );
    let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(ran.code, 255, "{said}");
    assert!(said.contains("expired at 2020-01-01T00:00:00Z and could not be renewed: "), "{said}");
    assert!(
        said.contains("`ACTIONS_ID_TOKEN_REQUEST_URL`") && said.contains("run `jobpass login` again"),
        "{said}"
    );
    // Without any job, as a user of the machine would call it.
    let ran = Ran::of(&ssh("ssh", &dir).args([NODE, "echo in"]).output().unwrap());
    assert!(ran.code == 255 && ran.stderr.contains("could not be renewed"), "{}", ran.stderr);
}

fn kube() -> Cluster {
    let kube = |name: &str| SandboxKubeCluster { name: name.into(), labels: Vec::new() };
    Cluster::start(SandboxOptions {
        kube_clusters: vec![kube("prod"), kube("dev")],
        ..SandboxOptions::simulating(None)
    })
}

#[test]
fn kubectl_goes_on_when_its_credentials_have_ended() {
    let cluster = kube();
    for output in ["kube=prod", "kube=*,context={kube}"] {
        let job = cluster.job(GitHubActions);
        job.login(&["--dir", "out", "--renew", "--output", output]).ok();
        let dir = cluster.path("out");
        end(&dir);
        let before = joins(&cluster);
        let variables: Vec<(&str, &str)> =
            job.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let arguments: &[&str] =
            if output == "kube=prod" { &["get", "pods"] } else { &["--context", "prod", "get", "pods"] };
        let ran = kubectl(cluster.folder.path(), &dir.join("kubeconfig.yaml"), arguments, &variables).ok();
        assert!(ran.stdout.contains("prod-web-0"), "{}", ran.all());
        assert_eq!(joins(&cluster) - before, 1);
    }
}

#[test]
fn what_lasts_is_left_alone_and_what_cannot_be_renewed_is_used_while_it_lasts() {
    let cluster = Cluster::any();
    let job = cluster.job(GitLabCi);
    let dir = cluster.path("temp/jobpass");
    let renew =
        |job: &Job<'_>, more: &[&str]| job.run(&[&["renew", "--dir", dir.to_str().unwrap()], more].concat());
    job.login(&["--renew"]).ok();
    let before = joins(&cluster);
    let key = std::fs::read(dir.join("key")).unwrap();
    assert_eq!(renew(&job, &[]).ok().all(), "");
    assert_eq!((joins(&cluster), std::fs::read(dir.join("key")).unwrap()), (before, key));
    // Within the last minute it is exchanged; what cannot be is good for that minute.
    job.login(&["--renew", "--ttl", "60s"]).ok();
    let before = joins(&cluster);
    renew(&job, &[]).ok();
    assert_eq!(joins(&cluster), before + 1);
    let ran = renew(&cluster.job(GitLabCi).unset("TBOT_GITLAB_JWT"), &["-v"]).ok();
    assert!(ran.stderr.contains("not renewed yet, valid until "), "{}", ran.stderr);
    // It is the same login as before: its variables go with it.
    job.login(&["--renew"]).ok();
    let told = std::fs::read_to_string(cluster.path("GITLAB_ENV")).unwrap();
    assert!(told.contains("JOBPASS_DIR="), "{told}");
    end(&dir);
    renew(&job, &[]).ok();
    assert_eq!(std::fs::read_to_string(cluster.path("GITLAB_ENV")).unwrap(), told);
    let ran = job.run(&["logout"]).ok();
    assert!(ran.stderr.contains("blanked JOBPASS_DIR, "), "{}", ran.stderr);
    assert!(!dir.exists());
}

#[test]
fn all_outputs_are_renewed_into_their_folders() {
    let cluster = kube();
    let job = cluster.job(GitHubActions);
    let outputs = [
        "--output",
        "ssh,roles=ci-read",
        "--output",
        "kube=prod",
        "--output",
        "ssh,name=b,dir=own",
        "--renew",
    ];
    job.login(&outputs).ok();
    let folders: [PathBuf; 2] = [cluster.path("temp/jobpass"), cluster.path("own")];
    let files = || folders.each_ref().map(|dir| crate::support::cluster::listing(dir));
    let before = files();
    for dir in [folders[0].join("ssh"), folders[0].clone(), folders[1].clone()] {
        for dir in &folders {
            let manifest = dir.join("jobpass.json");
            let text = std::fs::read_to_string(&manifest).unwrap();
            let report: Value = serde_json::from_str(&text).unwrap();
            put(&manifest, text.replace(report["valid_until"].as_str().unwrap(), "2020-01-01T00:00:00Z"));
        }
        let joined = joins(&cluster);
        job.run(&["renew", "--dir", dir.to_str().unwrap()]).ok();
        assert_eq!(joins(&cluster), joined + 1);
        assert_eq!(files(), before, "{}", dir.display());
        assert!(folders.iter().all(|dir| expiry(dir) > jiff::Timestamp::now()));
    }
}

#[test]
fn says_why_nothing_is_renewed() {
    let cluster = Cluster::any();
    let job = cluster.job(GitLabCi);
    job.login(&["--dir", "plain"]).ok();
    job.login(&["--dir", "out", "--renew"]).ok();
    end(&cluster.path("plain"));
    end(&cluster.path("out"));
    let without = cluster.job(GitLabCi).unset("TBOT_GITLAB_JWT");
    for (name, exit, dir, job) in [
        ("renew-not-asked-for", 2, "plain", &job),
        ("renew-without-identity", 3, "out", &without),
        ("renew-nothing", 6, "nowhere", &job),
    ] {
        crate::failures::run_fails(name, exit, &cluster, job, &["renew", "--dir", dir]);
    }
    // `ssh-proxy` and `kube-credential` say it in one line.
    let ran = without.run(&["ssh-proxy", "--renew", "--dir", "out", "node1", "22"]);
    assert_eq!((ran.code, ran.stderr.lines().count()), (3, 1), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("jobpass: the credentials in `"), "{}", ran.stderr);
}
