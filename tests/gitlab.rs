//! GitLab CI: `GITLAB_ENV`, its temp folder; tokens given by hand; both ways to join.

use std::process::{Command, Stdio};

use jobpass::platform::Platform::GitLabCi;
use jobpass::sandbox::SandboxOptions;

use crate::support::cluster::{Cluster, listing, served};
use crate::support::command::{Ran, put, run};

#[test]
fn later_stages_of_the_job_are_told() {
    let cluster = Cluster::any();
    let job = cluster.job(GitLabCi);
    put(&cluster.path("GITLAB_ENV"), "EARLIER=1");
    let ran = job.login(&[]).ok();
    assert!(!ran.stderr.contains("add-mask"), "GitLab has no such command");
    // As gitlab-runner's own script reads the file.
    let script = "while read -r line; do export \"$line\"; done < \"$0\"; \
                  echo \"$EARLIER $TELEPORT_PROXY\"; ls \"$JOBPASS_SSH_CONFIG\" \"$TELEPORT_IDENTITY_FILE\"";
    let file = cluster.path("GITLAB_ENV").display().to_string();
    let seen = run("bash", &["-c", script, &file]).ok().stdout;
    let dir = cluster.path("temp/jobpass");
    let (identity, config) = (dir.join("identity"), dir.join("ssh_config"));
    assert_eq!(seen, format!("1 {}\n{}\n{}\n", cluster.proxy(), identity.display(), config.display()));
    let text = std::fs::read_to_string(file).unwrap();
    for line in crate::support::cluster::key_lines(&dir) {
        assert!(!text.contains(&line));
    }
    assert!(!text.contains("eyJ"));
}

#[test]
fn an_older_runner_has_no_such_file_and_is_told_what_works() {
    let cluster = Cluster::any();
    let ran = cluster.job(GitLabCi).unset("GITLAB_ENV").login(&[]).ok();
    assert!(ran.stderr.contains("eval \"$(jobpass login --export shell)\""), "{}", ran.stderr);
    assert!(cluster.path("temp/jobpass/key").exists());
}

#[test]
fn a_token_from_wherever_the_user_says() {
    let cluster = Cluster::any();
    let token = cluster.job(GitLabCi).variable("TBOT_GITLAB_JWT").to_owned();
    put(&cluster.path("token.jwt"), format!("{token}\n"));
    let job = || cluster.job(GitLabCi).unset("TBOT_GITLAB_JWT").set("MY_TOKEN", &token);
    for arguments in [
        ["--id-token-env", "MY_TOKEN"],
        ["--id-token-file", "token.jwt"],
        ["--id-token-command", "sh -c 'cat \"token.jwt\"'"],
    ] {
        job().login(&arguments).ok();
    }
    // Standard input.
    let proxy = cluster.proxy();
    let job = job();
    let mut command =
        job.command(&["login", "--proxy", &proxy, "--token", "ci-gitlab", "--id-token-file", "-"]);
    command.stdin(std::fs::File::open(cluster.path("token.jwt")).unwrap());
    let ran = Ran::of(&command.output().unwrap());
    job.assert_secret(&ran);
    ran.ok();
    // On a laptop no platform is needed: the server names the method.
    let mut laptop = cluster.job(GitLabCi);
    laptop.variables.retain(|(name, _)| matches!(name.as_str(), "PATH" | "SSL_CERT_FILE" | "TMPDIR"));
    let ran = laptop.set("MINE", &token).login(&["--id-token-env", "MINE", "--dir", "laptop", "--json"]).ok();
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&report["platform"], &report["join_method"]), (&serde_json::Value::Null, &"gitlab".into()));
}

#[test]
fn both_ways_to_join_lead_to_the_same() {
    let stream = "/teleport.join.v1.JoinService/Join";
    for (version, new, old) in [
        ("18.11.0", true, true),
        ("18.11.0", true, false),
        ("18.11.0", false, true),
        ("17.5.0", true, true),
        ("15.4.0", true, true),
    ] {
        let options = SandboxOptions {
            version: version.into(),
            join_new: new,
            join_old: old,
            ..SandboxOptions::simulating(None)
        };
        let cluster = Cluster::start(options);
        let by_stream = new && version.starts_with("18");
        let served = served(version, by_stream);
        assert!(served.len() >= 4);
        for platform in &served {
            cluster.job(*platform).login(&["--dir", platform.id()]).ok();
        }
        let seen = cluster.sandbox.records();
        let posts =
            seen.iter().flat_map(|s| &s.paths).filter(|p| p.ends_with("/webapi/host/credentials")).count();
        assert_eq!(posts, if by_stream { 0 } else { served.len() }, "{version} {new} {old}");
        assert!(seen.iter().any(|s| s.paths.iter().any(|p| p == stream)), "the stream is tried first");
    }
    let neither = SandboxOptions { join_new: false, join_old: false, ..SandboxOptions::simulating(None) };
    let cluster = Cluster::start(neither);
    assert_eq!(cluster.job(GitLabCi).login(&[]).code, 5);
}

#[test]
fn a_folder_inside_the_checkout_is_warned_about() {
    let cluster = Cluster::any();
    let checkout = cluster.folder.path().display().to_string();
    let ran = cluster.job(GitLabCi).set("CI_PROJECT_DIR", &checkout).login(&["--dir", "creds"]).ok();
    assert!(ran.stderr.contains("warning: `"), "{}", ran.stderr);
    assert!(ran.stderr.contains("is inside the checkout"), "{}", ran.stderr);
    let quiet = cluster.job(GitLabCi).login(&["--dir", "creds", "-q"]).ok();
    assert_eq!(quiet.all(), "");
}

#[test]
fn shells_get_the_variables_by_eval() {
    let cluster = Cluster::any();
    let odd = cluster.path("a $HOME; `id` (%h) é");
    std::fs::create_dir(&odd).unwrap();
    let job = cluster.job(GitLabCi);
    let command = job.command(&[]);
    let exe = crate::support::command::binary().display().to_string();
    for shell in ["bash", "dash", "zsh"] {
        let script = "eval \"$(\"$1\" login --proxy \"$2\" --token ci-gitlab --export shell --dir \"$3\")\"; \
                      printf '%s\\n' \"$JOBPASS_DIR\" && cat \"$TELEPORT_IDENTITY_FILE\" | grep -c BEGIN";
        let out = Command::new(shell)
            .args(["-c", script, "x", &exe, &cluster.proxy(), odd.join("out").to_str().unwrap()])
            .env_clear()
            .envs(command.get_envs().filter_map(|(n, v)| Some((n, v?))))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let ran = Ran::of(&out).ok();
        let dir = odd.join("out").display().to_string();
        assert!(ran.stdout.starts_with(&format!("{dir}\n")), "{shell}: {}", ran.all());
    }
    // fish has an `eval` and a pipe into `source`; both see a failure.
    for (words, code) in [
        (
            "eval (\"$argv[1]\" login --proxy $argv[2] --token $argv[4] --export fish --dir $argv[3] | string collect)",
            0,
        ),
        ("\"$argv[1]\" login --proxy $argv[2] --token $argv[4] --export fish --dir $argv[3] | source", 0),
        ("\"$argv[1]\" login --proxy $argv[2] --token absent --export fish --dir $argv[3] | source", 4),
    ] {
        let script =
            format!("{words}; or exit $status; printf '%s\\n' $JOBPASS_DIR; cat $TELEPORT_IDENTITY_FILE");
        let dir = odd.join(format!("fish {code}"));
        let out = Command::new("fish")
            .args(["--no-config", "-c", &script, &exe, &cluster.proxy(), dir.to_str().unwrap(), "ci-gitlab"])
            .env_clear()
            .envs(command.get_envs().filter_map(|(n, v)| Some((n, v?))))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(out.status.code(), Some(code), "{words}");
        let stdout = String::from_utf8(out.stdout).unwrap();
        let begin = format!("{}\n-----BEGIN", dir.display());
        assert_eq!(stdout.starts_with(&begin), code == 0, "{words}");
    }
    // Where the shell is told, the platform's file is not.
    assert_eq!(std::fs::read_to_string(cluster.path("GITLAB_ENV")).unwrap(), "");
    assert!(listing(&odd).iter().all(|(file, mode)| *mode == 0o600 || odd.join(file).is_dir()));
}
