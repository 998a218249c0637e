//! `logout`: what it wipes, what it leaves, and what later steps still see.

use std::path::Path;
use std::process::Command;

use jobpass::platform::Platform::{self, AzureDevOps, Bitbucket, CircleCi, GitHubActions, GitLabCi};
use serde_json::Value;

use crate::failures::run_fails;
use crate::github::heredocs;
use crate::outputs;
use crate::support::cluster::{Cluster, Job, listing};
use crate::support::command::{Ran, binary, put};

fn read(cluster: &Cluster, name: &str) -> String {
    std::fs::read_to_string(cluster.path(name)).unwrap()
}

/// The next step of the job: the runner has taken what the file for it says into the environment.
fn next_step<'a>(mut job: Job<'a>, cluster: &Cluster) -> Job<'a> {
    for (name, value) in heredocs(&read(cluster, "GITHUB_ENV")) {
        job = job.unset(&name).set(&name, &value);
    }
    put(&cluster.path("GITHUB_ENV"), "");
    job
}

/// Without pages for Azure's agent, which reads them after the step.
fn names(cluster: &Cluster) -> Vec<String> {
    let names = listing(&cluster.path("temp")).into_iter().map(|(name, _)| name);
    names.filter(|name| !name.starts_with("jobpass-summary-")).collect()
}

#[test]
fn nothing_is_left_of_a_login() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    job.login(&["--export-vars", "git"]).ok();
    let job = next_step(job, &cluster).unset("TELEPORT_AUTH_SERVER").set("TELEPORT_AUTH_SERVER", "mine:1");
    let dir = cluster.path("temp/jobpass").display().to_string();
    let ran = job.run(&["logout"]).ok();
    let blanked = "GIT_SSH_COMMAND, JOBPASS_DIR, JOBPASS_SSH_CONFIG, TELEPORT_IDENTITY_FILE, TELEPORT_PROXY in GITHUB_ENV";
    assert_eq!(ran.stderr, format!("wiped {dir} (13 files)\nblanked {blanked}\n"));
    assert_eq!((names(&cluster), ran.stdout.as_str()), (vec![], ""));
    // What was set by others since then stays.
    let told = heredocs(&read(&cluster, "GITHUB_ENV"));
    assert!(
        told.len() == 5
            && told.iter().all(|(name, value)| value.is_empty() && name != "TELEPORT_AUTH_SERVER")
    );

    let job = next_step(job, &cluster);
    let ran = job.run(&["logout"]).ok();
    assert_eq!(ran.stderr, "nothing to wipe: this job has no folder of a login\n");
    assert_eq!(read(&cluster, "GITHUB_ENV"), "");
    let ran = job.run(&["logout", &dir]).ok();
    assert_eq!(ran.stderr, format!("nothing to wipe: `{dir}` does not exist\n"));
}

#[test]
fn it_works_in_the_step_that_logged_in_on_every_platform() {
    let cluster = Cluster::any();
    for platform in Platform::ALL {
        let job = cluster.job(platform);
        let ran = job.run(&["logout"]).ok();
        assert_eq!(ran.stderr, "nothing to wipe: this job has no folder of a login\n", "{platform:?}");
        job.login(&["--roles", "editor"]);
        job.run(&["logout"]).ok();
        let dir = job.login(&["--json"]).ok().stdout;
        let dir = serde_json::from_str::<Value>(&dir).unwrap()["dir"].as_str().unwrap().to_owned();
        assert!(Path::new(&dir).join("key").exists());
        // Where neither a folder is the job's own nor a file has the variables, the shell has them.
        let is_found = platform.temp_variable().is_some() || !platform.channel().variables().is_empty();
        let job = if is_found { job } else { job.set("JOBPASS_DIR", &dir) };
        let before = cluster.sandbox.records().len();
        let ran = job.run(&["logout"]).ok();
        assert!(ran.stderr.contains(&format!("wiped {dir} (")), "{platform:?}: {}", ran.all());
        assert!(!Path::new(&dir).exists(), "{platform:?}");
        assert_eq!(names(&cluster), [""; 0], "{platform:?}");
        assert_eq!(cluster.sandbox.records().len(), before, "{platform:?}: nobody is asked for anything");
    }
}

#[test]
fn no_platform_and_no_login_is_no_error() {
    let cluster = Cluster::any();
    for variables in [&[][..], &["GITHUB_ENV"], &["RUNNER_TEMP", "GITHUB_ENV"]] {
        let job = variables.iter().fold(cluster.job(GitHubActions), |job, name| job.unset(name));
        job.run(&["logout"]).ok();
        job.run(&["logout", "--name", "deploy"]).ok();
        job.run(&["logout", "--all"]).ok();
    }
    let job = cluster.job(GitLabCi).unset("GITLAB_CI").set("JOBPASS_DIR", "/nonexistent/jobpass");
    let said = job.run(&["logout"]).ok().stderr;
    assert!(said.ends_with("nothing to wipe: `/nonexistent/jobpass` does not exist\n"), "{said}");
    // A login that left files of others alone, and so failed.
    std::fs::create_dir(cluster.path("temp/jobpass")).unwrap();
    put(&cluster.path("temp/jobpass/mine"), "x");
    let job = cluster.job(GitHubActions);
    assert_eq!(job.login(&[]).code, 6);
    let ran = job.run(&["logout"]).ok();
    assert!(
        ran.stderr.contains("leaving `") && ran.stderr.contains("jobpass did not write it"),
        "{}",
        ran.all()
    );
    assert_eq!(names(&cluster), ["jobpass", "jobpass/mine"]);
}

#[test]
fn files_of_others_stay() {
    let cluster = Cluster::any();
    let job = cluster.job(GitLabCi);
    job.login(&["--dir", "out"]).ok();
    put(&cluster.path("out/mine"), "x");
    let dir = cluster.path("out").display().to_string();
    let ran = job.run(&["logout", "out"]).ok();
    assert!(
        ran.stderr.starts_with(&format!("wiped {dir} (12 files); left `mine`, not written by jobpass\n")),
        "{}",
        ran.stderr
    );
    for _ in 0..2 {
        let ran = job.run(&["logout", "out/."]).ok();
        let wanted =
            format!("nothing to wipe: `{dir}` was wiped before; it has `mine`, not written by jobpass\n");
        assert_eq!(ran.stderr, wanted);
        let there: Vec<_> = listing(&cluster.path("out")).into_iter().map(|(name, _)| name).collect();
        assert_eq!(there, ["jobpass.json", "mine"]);
    }
    assert_eq!(job.login(&["--dir", "out"]).code, 6, "a folder with files of others is not replaced");
    std::fs::remove_file(cluster.path("out/mine")).unwrap();
    job.run(&["logout", "out"]).ok();
    assert!(!cluster.path("out").exists());
}

#[test]
fn all_folders_of_a_login_go() {
    let cluster = Cluster::start(outputs::options());
    let job = cluster.job(GitHubActions);
    let own = ["--output", "ssh", "--output", "kube=prod", "--output", "database=pg,user=ci,dir=own"];
    for start in ["temp/jobpass", "temp/jobpass/ssh", "own"] {
        job.login(&own).ok();
        // A folder of another login is not of this one, though its report names it.
        job.login(&["--output", "ssh", "--output", "ssh,name=b,dir=other"]).ok();
        job.login(&["--dir", "other"]).ok();
        job.login(&own).ok();
        let ran = job.run(&["logout", start, "--json"]).ok();
        let done: Value = serde_json::from_str(&ran.stdout).unwrap();
        let dirs: Vec<&str> =
            done["wiped"].as_array().unwrap().iter().map(|w| w["dir"].as_str().unwrap()).collect();
        let mut wanted =
            [cluster.path("own"), cluster.path("temp/jobpass")].map(|dir| dir.display().to_string());
        if start == "own" {
            wanted.reverse();
        }
        assert_eq!(dirs, wanted, "{start}");
        assert_eq!(names(&cluster), [""; 0], "{start}");
        assert!(!cluster.path("own").exists() && cluster.path("other/key").exists(), "{start}");
        let blanked: Vec<&str> =
            done["blanked"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
        assert!(
            blanked.contains(&"KUBECONFIG") && blanked.contains(&"JOBPASS_DIR_DATABASE_PG"),
            "{blanked:?}"
        );
    }
}

#[test]
fn refuses_what_it_did_not_write() {
    let cluster = Cluster::any();
    let job = cluster.job(GitLabCi);
    job.login(&["--dir", "out"]).ok();
    put(&cluster.path("plain"), "");
    std::fs::create_dir(cluster.path("theirs")).unwrap();
    put(&cluster.path("theirs/key"), "x");
    std::os::unix::fs::symlink(cluster.path("out"), cluster.path("link")).unwrap();
    for (name, dir) in [
        ("logout-not-ours", "theirs"),
        ("logout-link", "link"),
        ("logout-link", "link/"),
        ("logout-file", "plain"),
        ("logout-file", "out/key"),
    ] {
        run_fails(if dir == "out/key" { "logout-key" } else { name }, 6, &cluster, &job, &["logout", dir]);
    }
    run_fails("logout-two-places", 2, &cluster, &job, &["logout", "out", "--all"]);
    let both = ["logout", "out", "--json", "--export", "shell"];
    let ran = job.run(&both);
    assert!(ran.code == 2 && ran.stderr.contains("both write to standard output"), "{}", ran.all());
    // A variable that names such a folder leads nobody there either.
    let theirs = cluster.path("theirs").display().to_string();
    let job = cluster.job(GitLabCi).set("JOBPASS_DIR", &theirs);
    run_fails("logout-variable", 6, &cluster, &job, &["logout"]);
    assert!(cluster.path("out/key").exists() && cluster.path("theirs/key").exists());
}

#[test]
fn what_cannot_be_removed_is_told_and_the_rest_goes() {
    let cluster = Cluster::start(outputs::options());
    let job = cluster.job(GitLabCi);
    job.login(&["--dir", "out", "--output", "ssh", "--output", "ssh,name=b,dir=own"]).ok();
    let key = cluster.path("own/key");
    std::fs::remove_file(&key).unwrap();
    std::fs::create_dir(&key).unwrap();
    let ran = job.run(&["logout", "out"]);
    assert_eq!(ran.code, 6, "{}", ran.all());
    let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(&format!("error: could not remove `{}`", key.display())), "{said}");
    assert!(said.contains("run `jobpass logout` again"), "{said}");
    assert!(!cluster.path("out").exists(), "the others are gone");
    // Again, once it can be.
    std::fs::remove_dir(&key).unwrap();
    job.run(&["logout", "own"]).ok();
    assert!(!cluster.path("own").exists());
}

#[test]
fn each_name_has_its_own_login() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    for arguments in [&[][..], &["--name", "b"], &["--name", "c", "--dir", "c"]] {
        job.login(arguments).ok();
    }
    let job = next_step(job, &cluster);
    let there = || ["temp/jobpass", "temp/jobpass-b", "c"].map(|dir| cluster.path(dir).exists());
    assert_eq!(there(), [true, true, true]);
    job.run(&["logout", "--name", "c"]).ok();
    assert_eq!(there(), [true, true, false]);
    // An output of that name is no login of that name.
    job.login(&["--output", "ssh", "--output", "ssh,name=d"]).ok();
    let job = next_step(job, &cluster);
    let ran = job.run(&["logout", "--name", "d"]).ok();
    assert!(
        ran.stderr.contains("nothing to wipe: this job has no folder of a login of the name `d`"),
        "{}",
        ran.all()
    );
    assert_eq!(there(), [true, true, false]);
    job.run(&["logout"]).ok();
    assert_eq!(there(), [false, true, false]);
    let blanked = heredocs(&read(&cluster, "GITHUB_ENV"));
    assert!(blanked.iter().all(|(name, _)| !name.ends_with("_B")), "{blanked:?}");
    // The variables for `c` name what is gone.
    job.login(&[]).ok();
    job.login(&["--name", "e", "--dir", "e"]).ok();
    std::fs::create_dir_all(cluster.path("temp/jobpass-of-others")).unwrap();
    let job = next_step(job, &cluster);
    let ran = job.run(&["logout", "--all"]).ok();
    assert!(!cluster.path("e").exists(), "{}", ran.all());
    assert_eq!(there(), [false, false, false]);
    let blanked: Vec<String> =
        heredocs(&read(&cluster, "GITHUB_ENV")).into_iter().map(|(name, _)| name).collect();
    for name in ["JOBPASS_DIR", "JOBPASS_DIR_B", "JOBPASS_DIR_E", "TELEPORT_IDENTITY_FILE_E"] {
        assert!(blanked.contains(&name.to_owned()), "{name} is not in {blanked:?}");
    }
}

#[test]
fn variables_of_a_folder_that_is_gone_are_blanked_too() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    job.login(&["--dir", "out"]).ok();
    std::fs::remove_dir_all(cluster.path("out")).unwrap();
    let job = next_step(job, &cluster);
    let ran = job.run(&["logout"]).ok();
    let blanked: Vec<String> =
        heredocs(&read(&cluster, "GITHUB_ENV")).into_iter().map(|(name, _)| name).collect();
    assert_eq!(blanked, ["JOBPASS_DIR", "JOBPASS_SSH_CONFIG", "TELEPORT_IDENTITY_FILE"], "{}", ran.all());
}

#[test]
fn a_shell_loses_its_variables() {
    let cluster = Cluster::any();
    for platform in [GitLabCi, Bitbucket] {
        let job = cluster.job(platform);
        let script = format!(
            "eval \"$('{exe}' login --proxy {proxy} --token {token} --dir out --export shell)\"; test -f \"$TELEPORT_IDENTITY_FILE\"; \
             TELEPORT_PROXY=mine; eval \"$('{exe}' logout --export shell)\"; \
             echo \"${{TELEPORT_PROXY-none}} ${{JOBPASS_DIR-none}} ${{TELEPORT_IDENTITY_FILE-none}}\"",
            exe = binary().display(),
            proxy = cluster.proxy(),
            token = job.token,
        );
        let mut shell = Command::new("/bin/sh");
        let of_job = job.command(&[]);
        shell.args(["-euc", &script]).env_clear().current_dir(cluster.folder.path());
        shell.envs(of_job.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ran = Ran::of(&shell.output().unwrap()).ok();
        assert_eq!(ran.stdout, "mine none none\n", "{platform:?}: {}", ran.all());
        assert!(!cluster.path("out").exists());
        // A failure ends the script.
        let ran = job.run(&["logout", "/etc", "--export", "shell"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (6, "(exit 6)\n"), "{}", ran.all());
    }
}

#[test]
fn each_platform_takes_its_variables_back() {
    let cluster = Cluster::any();
    let job = cluster.job(GitLabCi);
    job.login(&[]).ok();
    job.run(&["logout"]).ok();
    let lines = read(&cluster, "GITLAB_ENV");
    let last = lines.lines().rev().take(5).collect::<Vec<_>>();
    assert!(last.iter().all(|line| line.ends_with('=')), "{lines}");
    assert!(last.contains(&"TELEPORT_IDENTITY_FILE="), "{lines}");

    let job = cluster.job(CircleCi);
    job.login(&[]).ok();
    job.run(&["logout"]).ok();
    let script =
        format!("set -eu; . '{}'; echo \"${{JOBPASS_DIR:-none}}\"", cluster.path("BASH_ENV").display());
    let out = Command::new("bash").args(["-c", &script]).env_clear().output().unwrap();
    assert_eq!(String::from_utf8(out.stdout).unwrap(), "none\n");

    let job = cluster.job(AzureDevOps);
    job.login(&[]).ok();
    let ran = job.run(&["logout"]).ok();
    assert!(ran.stdout.contains("##vso[task.setvariable variable=JOBPASS_DIR]\n"), "{}", ran.all());

    // A shell that cannot be told is told of.
    let job = cluster.job(Bitbucket);
    let text = job.login(&["--dir", "out", "--export", "shell"]).ok().stdout;
    let dir = cluster.path("out").display().to_string();
    assert!(text.contains(&dir));
    let job = job.set("JOBPASS_DIR", &dir);
    let ran = job.run(&["logout"]).ok();
    assert!(
        ran.stderr.contains("hint: this shell still has its variables: `unset JOBPASS_DIR`"),
        "{}",
        ran.all()
    );
    assert_eq!(ran.stdout, "");
}

#[test]
fn it_follows_the_platform_that_login_was_told_of() {
    let cluster = Cluster::any();
    // A container that was handed the job's variables, but not the platform's marker.
    let job = || cluster.job(GitHubActions).unset("GITHUB_ACTIONS");
    let by_variable = |id: &str| job().set("JOBPASS_PLATFORM", id);
    let told = ["--platform", "github"];
    for (login, flags, logout, more, is_next) in [
        // The folder says it, whatever else does: in a later step, or by name.
        (job(), &told[..], job(), &[][..], true),
        (job(), &told, by_variable("gitlab"), &[], true),
        (job(), &told, job(), &["temp/jobpass"], false),
        // In the same step the folder has to be found first.
        (job(), &told, job(), &told, false),
        (by_variable("github"), &[], by_variable("github"), &[], false),
        (by_variable("gitlab"), &told, by_variable("gitlab"), &told, false),
    ] {
        put(&cluster.path("GITHUB_ENV"), "");
        login.login(flags).ok();
        let logout = if is_next { next_step(logout, &cluster) } else { logout };
        let ran = logout.run(&[&["logout"], more].concat()).ok();
        assert!(ran.stderr.contains("wiped ") && !ran.stderr.contains("hint: "), "{more:?}: {}", ran.all());
        let values = heredocs(&read(&cluster, "GITHUB_ENV"));
        for name in ["JOBPASS_DIR", "JOBPASS_SSH_CONFIG", "TELEPORT_IDENTITY_FILE"] {
            let last = values.iter().rfind(|(known, _)| known == name);
            assert_eq!(last.map(|(_, value)| value.as_str()), Some(""), "{more:?} {name}: {}", ran.all());
        }
        assert_eq!(names(&cluster), [""; 0]);
    }
    let ran = job().run(&["logout", "--platform", "harness"]);
    assert!(ran.code == 2 && ran.stderr.contains("expected one of auto, github"), "{}", ran.all());
}

#[test]
fn what_killed_logins_left_beside_it_goes_too() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    let partial = cluster.path("temp/.jobpass-partial-x");
    std::fs::create_dir(&partial).unwrap();
    put(&partial.join("key"), "secret");
    job.run(&["logout"]).ok();
    assert_eq!(names(&cluster), [""; 0]);
}
