//! Programs that run ssh on their own, with the variables of `--export-vars`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jobpass::platform::Platform;
use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::ssh_proxy::{NODE, Nodes};
use crate::support::cluster::Cluster;
use crate::support::command::{Ran, put, run};
use crate::support::sshd::me;

/// A login of a folder that every program has to quote; the variables by name.
fn login(cluster: &Cluster, programs: &str) -> (PathBuf, Vec<(String, String)>) {
    let dir = cluster.path("it's a folder; $x");
    let ca = cluster.path("web-ca.pem").display().to_string();
    let all = ["--json", "--dir", dir.to_str().unwrap(), "--ca-file", &ca, "--export-vars", programs];
    let ran = cluster.job(Platform::GitHubActions).login(&all).ok();
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let variables = report["outputs"][0]["variables"].as_object().unwrap();
    let variables = variables.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
    (dir, variables.collect())
}

/// The program with those variables and a home of its own.
fn program(name: &str, arguments: &[&str], home: &Path, variables: &[(String, String)]) -> Ran {
    let mut command = Command::new(name);
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", home)
        .env("SHELL", "/bin/sh");
    command.env("LC_ALL", "C.UTF-8").envs(variables.iter().map(|(name, value)| (name, value)));
    Ran::of(&command.args(arguments).current_dir(home).stdin(Stdio::null()).output().unwrap())
}

#[test]
fn git_rsync_and_ansible_reach_a_node() {
    let nodes = Nodes::start();
    let (_, variables) = login(&nodes.cluster, "git,rsync,ansible");
    let home = nodes.cluster.path("home");
    std::fs::create_dir(&home).unwrap();
    let there = nodes.cluster.path("there");
    std::fs::create_dir(&there).unwrap();
    put(&there.join("file"), "content\n");
    let host = format!("{}@{NODE}", me());

    let repository = nodes.cluster.path("repository.git").display().to_string();
    run("git", &["init", "-q", "--bare", "-b", "main", &repository]).ok();
    let git = |arguments: &[&str]| program("git", arguments, &home, &variables);
    git(&["clone", "-q", &format!("{host}:{repository}"), "clone"]).ok();
    let names = ["-c", "user.name=ci", "-c", "user.email=ci@sandbox.example"];
    git(&[&["-C", "clone"][..], &names, &["commit", "-q", "--allow-empty", "-m", "one"]].concat()).ok();
    git(&["-C", "clone", "push", "-q", "origin", "HEAD:main"]).ok();
    let log = run("git", &["--git-dir", &repository, "log", "--format=%s", "main"]).ok();
    assert_eq!(log.stdout, "one\n");

    let source = format!("{host}:{}", there.join("file").display());
    program("rsync", &["-a", &source, "copy"], &home, &variables).ok();
    assert_eq!(std::fs::read_to_string(home.join("copy")).unwrap(), "content\n");

    let inventory = format!("{NODE},");
    let user = me();
    let ansible = ["all", "-i", &inventory, "-u", &user, "-m", "raw", "-a", "echo in $(id -un)"];
    let ran = program("ansible", &ansible, &home, &variables).ok();
    assert!(ran.stdout.contains(&format!("in {user}")), "{}", ran.all());
    // No master process stays behind.
    assert!(
        !home.join(".ansible/cp").exists()
            || std::fs::read_dir(home.join(".ansible/cp")).unwrap().next().is_none()
    );

    // Without the variables none of them gets there.
    for (name, arguments) in [
        ("git", &["ls-remote", &format!("{host}:{repository}")][..]),
        ("rsync", &["-a", &source, "copy"]),
        ("ansible", &ansible),
    ] {
        assert_ne!(program(name, arguments, &home, &[]).code, 0, "{name}");
    }
}

#[test]
fn terraform_gets_the_address_and_the_identity_file() {
    let cluster = Cluster::any();
    let (dir, variables) = login(&cluster, "terraform");
    let value =
        |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    assert_eq!(value("TF_TELEPORT_ADDR").unwrap(), cluster.proxy());
    assert_eq!(value("TF_TELEPORT_IDENTITY_FILE_PATH").unwrap(), dir.join("identity").display().to_string());
    assert_eq!(value("GIT_SSH_COMMAND"), None);
}

#[test]
fn variables_of_programs_need_an_ssh_output() {
    let cluster = Cluster::any();
    let job = cluster.job(Platform::GitHubActions);
    let ran = job.login(&["--export-vars", "git", "--output", "app=grafana"]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert_data_eq!(
        ran.stderr,
        str![[r"
::error title=`--export-vars git` needs an ssh output%2C and there is none::hint: add `--output ssh`
error: `--export-vars git` needs an ssh output, and there is none
hint: add `--output ssh`

"]]
    );
    let ran = job.login(&["--export-vars", "git", "--export", "env-file=x"]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert_data_eq!(
        ran.stderr,
        str![[r"
::error title=the value for `--export-vars git` has white space%2C which an env file cannot carry::hint: export it otherwise: `--export shell`, or the platform's own way
error: the value for `--export-vars git` has white space, which an env file cannot carry
hint: export it otherwise: `--export shell`, or the platform's own way

"]]
    );
    assert_eq!(job.login(&["--export-vars", "svn"]).code, 2);
    assert!(cluster.sandbox.records().is_empty(), "nothing was asked of the cluster");
}
