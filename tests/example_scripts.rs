//! The script lines of every example, in a job of its platform: bash runs them as they are, and ssh reaches a real sshd by the names
//! that are in them, through an HTTP proxy that alone knows these. `tests/runners` has real runners do so, where there are any.

mod environment;
mod steps;

use std::path::Path;

use jobpass::cloud::Cloud;
use jobpass::platform::Platform;
use serde_json::Value;

use crate::support::command::run;
use environment::Job;
use steps::{Step, steps};

/// Examples that call jobpass, with the kind of job they are for. `true`: the platform throws the job's container away, so that the example
/// does not log out, or not after a failure.
const EXAMPLES: [(&str, Kind, bool); 29] = [
    ("approval/circleci.yml", Kind::Ci(Platform::CircleCi), false),
    ("approval/github.yml", Kind::Ci(Platform::GitHubActions), false),
    ("approval/gitlab-ci.yml", Kind::Ci(Platform::GitLabCi), false),
    ("approval/spacelift.yml", Kind::Ci(Platform::Spacelift), false),
    ("aws/buildspec.yml", Kind::Machine(Cloud::Aws), false),
    ("aws/task-definition.json", Kind::Machine(Cloud::Aws), true),
    ("aws/user-data.sh", Kind::Machine(Cloud::Aws), false),
    ("azure/cloud-init.yaml", Kind::Machine(Cloud::Azure), false),
    ("azure_devops/azure-pipelines.yml", Kind::Ci(Platform::AzureDevOps), false),
    ("bitbucket/bitbucket-pipelines.yml", Kind::Ci(Platform::Bitbucket), true),
    ("bitrise/bitrise.yml", Kind::Ci(Platform::Bitrise), false),
    ("buildkite/pipeline.yml", Kind::Ci(Platform::Buildkite), false),
    ("circleci/config.yml", Kind::Ci(Platform::CircleCi), false),
    ("codefresh/codefresh.yml", Kind::Ci(Platform::Codefresh), true),
    ("env0/env0.yml", Kind::Ci(Platform::Env0), true),
    ("forgejo/deploy.yml", Kind::Ci(Platform::Forgejo), false),
    ("gcp/cloudbuild.yaml", Kind::Machine(Cloud::Gcp), true),
    ("gcp/startup-script.sh", Kind::Machine(Cloud::Gcp), false),
    ("github/deploy.yml", Kind::Ci(Platform::GitHubActions), false),
    ("github/exec.yml", Kind::Ci(Platform::GitHubActions), false),
    ("gitlab/.gitlab-ci.yml", Kind::Ci(Platform::GitLabCi), false),
    ("gitlab/exec.yml", Kind::Ci(Platform::GitLabCi), false),
    ("jenkins/Jenkinsfile", Kind::Ci(Platform::Jenkins), false),
    ("kubernetes/job.yaml", Kind::Machine(Cloud::Kubernetes), true),
    ("semaphore/semaphore.yml", Kind::Ci(Platform::Semaphore), false),
    ("spacelift/context.tf", Kind::Ci(Platform::Spacelift), false),
    ("spacelift/hooks.yml", Kind::Ci(Platform::Spacelift), false),
    ("teamcity/settings.kts", Kind::Ci(Platform::TeamCity), false),
    ("terraform_cloud/main.tf", Kind::Ci(Platform::TerraformCloud), false),
];

/// The kind of job.
#[derive(Clone, Copy)]
pub enum Kind {
    Ci(Platform),
    Machine(Cloud),
}

impl Kind {
    fn id(self) -> &'static str {
        match self {
            Self::Ci(platform) => platform.id(),
            Self::Machine(cloud) => cloud.id(),
        }
    }
}

/// Files that run by other means: `tests/runners`, `tests/timer.rs`, the tests below, or on no machine.
const OTHERS: [&str; 22] = [
    // Its second job has what the first one put out.
    "approval/github-two-jobs.yml",
    "buildkite/plugin/hooks/pre-command",
    "buildkite/plugin/hooks/pre-exit",
    "buildkite/plugin/plugin.yml",
    "buildkite/with-plugin.yml",
    "circleci/orb.yml",
    "circleci/with-orb.yml",
    "github/action.yml",
    "github/application.yml",
    "github/auth-application/action.yml",
    "github/auth-k8s/action.yml",
    "github/composite/login/action.yml",
    "github/composite/logout/action.yml",
    "github/kubernetes.yml",
    "github/main.js",
    "github/post.js",
    "github/with-action.yml",
    "github/with-composite.yml",
    "gitlab/templates/jobpass.yml",
    "gitlab/with-component.yml",
    "local/try.sh",
    "systemd-timer/jobpass.service",
];

/// Runs every `part`-th of three parts, so that they run side by side.
fn check(part: usize) {
    for (path, kind, is_thrown_away) in EXAMPLES.into_iter().skip(part).step_by(3) {
        let text = std::fs::read_to_string(folder().join(path)).unwrap();
        let all = steps(path, &text);
        assert!(all.iter().any(|step| step.script.contains("jobpass ")), "{path}: {all:?}");
        let mut job = Job::start(kind);
        let log = job.run_all(&all);
        assert!(log.is_ok(), "{path}: {}", log.unwrap_err());
        let has_ssh = text.contains("ssh -F");
        assert_eq!(job.logins(), usize::from(has_ssh), "{path}: {}", log.unwrap());
        let left = job.keys_left();
        assert!(left.is_empty() || is_thrown_away, "{path} leaves {left:?}");

        // The same with a deployment that fails.
        if has_ssh {
            let failing = all
                .iter()
                .map(|step| Step { script: step.script.replace("uptime", "false"), ..step.clone() });
            let log = job.run_all(&failing.collect::<Vec<_>>());
            assert!(log.is_err(), "{path}: {}", log.unwrap());
            let left = job.keys_left();
            assert!(left.is_empty() || is_thrown_away, "{path} leaves {left:?} after a failure");
        }
    }
}

#[test]
fn scripts_of_examples_run_first_part() {
    check(0);
}

#[test]
fn scripts_of_examples_run_second_part() {
    check(1);
}

#[test]
fn scripts_of_examples_run_third_part() {
    check(2);
}

#[test]
fn hooks_of_the_buildkite_plugin_log_in_and_out() {
    let mut job = Job::start(Kind::Ci(Platform::Buildkite));
    let text =
        |name: &str| std::fs::read_to_string(folder().join("buildkite/plugin/hooks").join(name)).unwrap();
    let ssh = "ssh -F \"$JOBPASS_SSH_CONFIG\" deploy@web-1.teleport.example.com uptime";
    for (name, value) in
        [("PROXY", "teleport.example.com"), ("TOKEN", "ci-deploy"), ("AUDIENCE", "teleport.example.com")]
    {
        job.set(&format!("BUILDKITE_PLUGIN_JOBPASS_{name}"), value);
    }
    for (command, is_ok) in [(ssh.to_owned(), true), (ssh.replace("uptime", "false"), false)] {
        // The agent hands what a hook exports on to the command and to later hooks.
        let script = format!("{}\n{command}", text("pre-command"));
        let all = [Step::new(&script), Step { is_always: true, ..Step::new(&text("pre-exit")) }];
        let log = job.run_in_one_shell(&all);
        assert_eq!(log.is_ok(), is_ok, "{log:?}");
        assert!(job.keys_left().is_empty(), "{log:?}");
    }
    assert_eq!(job.logins(), 2);
    // No shell reads a setting.
    let pwned = job.path("pwned");
    job.set(
        "BUILDKITE_PLUGIN_JOBPASS_ROLES",
        &format!("$(touch {0})`touch {0}`; touch {0}", pwned.display()),
    );
    let log = job.run_in_one_shell(&[Step::new(&text("pre-command"))]);
    assert!(log.is_err() && !pwned.exists(), "{log:?}");
}

/// CircleCI fills the parameters in; each command is a step of its own, and `BASH_ENV` is what they share.
#[test]
fn commands_of_the_circleci_orb_log_in_run_and_log_out() {
    let text = std::fs::read_to_string(folder().join("circleci/orb.yml")).unwrap();
    let orb: Value = serde_saphyr::from_str(&text).unwrap();
    let mut job = Job::start(Kind::Ci(Platform::CircleCi));
    let pwned = job.path("pwned");
    let hostile = format!("$(touch {0})`touch {0}`; touch {0}", pwned.display());
    let mut call = |command: &str, given: &[(&str, &str)]| {
        let parameters = orb["commands"][command]["parameters"].as_object().unwrap();
        let run = &orb["commands"][command]["steps"][0]["run"];
        let mut variables = Vec::new();
        for (name, value) in run["environment"].as_object().unwrap() {
            let parameter =
                value.as_str().unwrap().trim_start_matches("<< parameters.").trim_end_matches(" >>");
            assert!(parameters.contains_key(parameter), "{command}: {parameter}");
            let default = parameters[parameter]["default"].as_str();
            let value =
                given.iter().find(|(name, _)| *name == parameter).map(|(_, value)| *value).or(default);
            variables.push((
                name.clone(),
                value.unwrap_or_else(|| panic!("{command} needs {parameter}")).to_owned(),
            ));
        }
        assert!(!run["command"].as_str().unwrap().contains("<<"), "a shell reads a parameter: {run}");
        job.run_with(run["command"].as_str().unwrap(), &variables)
    };
    let cluster = [("proxy", "teleport.example.com"), ("token", "ci-deploy")];
    let ssh = "ssh -F \"$JOBPASS_SSH_CONFIG\" deploy@web-1.teleport.example.com uptime";
    call("install", &[("mirror", "/nonexistent")]).unwrap();
    call("login", &cluster).unwrap();
    call("logout", &[]).unwrap();
    call("exec", &[&cluster[..], &[("command", ssh)]].concat()).unwrap();
    for name in ["token", "roles", "output", "name", "ttl"] {
        let other: Vec<_> = cluster
            .into_iter()
            .filter(|(given, _)| *given != name)
            .chain([(name, hostile.as_str())])
            .collect();
        assert!(call("login", &other).is_err() && !pwned.exists(), "{name}");
    }
    assert!(job.keys_left().is_empty());
    assert_eq!(job.logins(), 1);
}

#[test]
fn the_dry_run_on_a_laptop_runs() {
    for platform in ["github", "gitlab", "circleci", "buildkite"] {
        let folder_of_run = tempfile::tempdir().unwrap();
        let script = folder().join("local/try.sh");
        let ran = environment::bash(folder_of_run.path(), &[script.to_str().unwrap(), platform], &[]);
        assert_eq!(ran.code, 0, "{platform}: {}", ran.all());
        assert!(ran.all().contains("dry run") && ran.stdout.contains("proxycommand "), "{}", ran.all());
        assert!(environment::keys_below(folder_of_run.path()).is_empty());
    }
}

/// Nothing is left out: each file that names a command of ours is in one of the two lists.
#[test]
fn every_example_is_run_somewhere() {
    let mut seen = Vec::new();
    let mut folders = vec![folder().to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder()).unwrap().display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if name.contains('/') && !name.ends_with("README.md") {
                let text = std::fs::read_to_string(&path).unwrap();
                let calls = [
                    "jobpass login",
                    "jobpass exec",
                    "jobpass logout",
                    "'login'",
                    "'logout'",
                    "jobpass/",
                    "name: jobpass",
                    "actions/jobpass",
                    "jobpass-buildkite",
                ];
                if calls.iter().any(|call| text.contains(call)) {
                    seen.push(name);
                }
            }
        }
    }
    seen.sort();
    let mut known: Vec<String> = EXAMPLES.iter().map(|(path, ..)| (*path).to_owned()).collect();
    known.extend(OTHERS.map(str::to_owned));
    known.sort();
    assert_eq!(seen, known);
}

/// The shell in all of them. What is in single quotes is meant for another shell (SC2016).
#[test]
fn shellcheck_finds_nothing_in_the_scripts() {
    let mut checked = 0;
    for (path, ..) in EXAMPLES {
        let text = std::fs::read_to_string(folder().join(path)).unwrap();
        for step in steps(path, &text) {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &step.script).unwrap();
            // SC2154, SC2155: variables that `eval` sets are not assigned for it.
            let ran = run(
                "shellcheck",
                &["--shell=bash", "--exclude=SC2016,SC2154", file.path().to_str().unwrap()],
            );
            assert_eq!(ran.code, 0, "{path}: {}\n{}", step.script, ran.all());
            checked += 1;
        }
    }
    assert!(checked > EXAMPLES.len());
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/ci-examples"))
}
