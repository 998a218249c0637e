//! Files and export: places that cannot be written, and a standard output nobody reads.

use std::process::Stdio;

use jobpass::platform::Platform::{Bitrise, CircleCi, GitHubActions, GitLabCi};

use super::{fails, shows};
use crate::support::cluster::{Cluster, listing};
use crate::support::command::{Ran, program, put};

#[test]
fn a_folder_that_cannot_be_is_told_before_anything_is_asked() {
    let cluster = Cluster::any();
    put(&cluster.path("plain"), "");
    std::fs::create_dir(cluster.path("theirs")).unwrap();
    put(&cluster.path("theirs/file"), "");
    std::os::unix::fs::symlink(cluster.path("temp"), cluster.path("link")).unwrap();
    for (name, dir) in [
        ("dir-below-a-file", "plain/sub/out"),
        ("dir-is-a-file", "plain"),
        ("dir-not-ours", "theirs"),
        ("dir-is-a-link", "link"),
        ("dir-is-the-root", "/"),
        ("dir-with-a-quote", "a \"quoted\" one"),
    ] {
        fails(name, 6, &cluster, &cluster.job(GitLabCi), &["--dir", dir]);
    }
    let second = ["--output", "ssh,name=a", "--output", "ssh,name=b,dir=theirs"];
    fails("dir-of-second-output", 6, &cluster, &cluster.job(GitLabCi), &second);
    assert_eq!(cluster.sandbox.records(), []);
}

#[test]
fn later_steps_that_cannot_be_told() {
    let cluster = Cluster::any();
    std::fs::create_dir(cluster.path("folder")).unwrap();
    let folder = cluster.path("folder").display().to_string();
    let github = cluster.job(GitHubActions).unset("GITHUB_ENV");
    fails("export-github-env-folder", 6, &cluster, &github.set("GITHUB_ENV", &folder), &[]);
    fails("export-github-env-unset", 6, &cluster, &cluster.job(GitHubActions).unset("GITHUB_ENV"), &[]);
    let circle = cluster.job(CircleCi).unset("BASH_ENV").set("BASH_ENV", "/dev/full");
    fails("export-bash-env-device", 6, &cluster, &circle, &[]);
    let arguments = ["--export", "env-file=absent/job.env"];
    fails("export-env-file", 6, &cluster, &cluster.job(GitLabCi), &arguments);
    fails("export-no-program", 6, &cluster, &cluster.job(Bitrise), &["--export", "bitrise"]);
    program(
        &cluster.path("bin"),
        "envman",
        "#!/bin/sh\nprintf 'environment list too large\\n' >&2\nexit 1\n",
    );
    let path = format!("{}:/usr/bin:/bin", cluster.path("bin").display());
    fails("export-program", 6, &cluster, &cluster.job(Bitrise).set("PATH", &path), &[]);
    let spaces = ["--export", "env-file=job.env", "--dir", "a folder"];
    fails("export-env-file-value", 6, &cluster, &cluster.job(GitLabCi), &spaces);
}

#[test]
fn a_standard_output_nobody_reads() {
    let cluster = Cluster::any();
    let proxy = cluster.proxy();
    for (how, arguments) in [("json", &["--json"][..]), ("shell", &["--export", "shell"])] {
        for sink in ["pipe", "full"] {
            let job = cluster.job(GitLabCi);
            let before = listing(cluster.folder.path());
            let all = [&["login", "--proxy", &proxy, "--token", &job.token], arguments].concat();
            let mut command = job.command(&all);
            let stdout = if sink == "full" {
                Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
            } else {
                let (reader, writer) = std::io::pipe().unwrap();
                drop(reader);
                writer.into()
            };
            let child = command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
            // The command keeps the write end.
            drop(command);
            let ran = Ran::of(&child.wait_with_output().unwrap());
            job.assert_secret(&ran);
            assert_eq!(listing(cluster.folder.path()), before, "{how} {sink}");
            shows(&format!("stdout-{how}-{sink}"), 6, &cluster, &ran);
        }
    }
    // Help is no result that someone waits for.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut help = cluster.job(GitLabCi).command(&["login", "--help"]);
    assert_eq!(help.stdout(writer).status().unwrap().code(), Some(0));
}
