//! Where the scripts of an example run: a job of its platform, with what earlier steps gave it.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jobpass::platform::Platform;
use jobpass::rules;
use jobpass::sandbox::{RequestPolicy, SandboxNode, SandboxOptions, SandboxRole, Simulated, Verdict};

use super::Kind;
use super::steps::Step;
use crate::github::heredocs;
use crate::support::cluster::{Cluster, key_lines, listing};
use crate::support::command::{Ran, binary, program, put};
use crate::support::http_proxy::{HttpProxy, HttpProxyOptions};
use crate::support::sshd::{Sshd, join};

const CLUSTER: &str = "teleport.example.com";
/// Folders that examples choose for the machine they run on, as its only user.
const FOLDERS: [&str; 4] =
    ["/tmp/jobpass", "/run/teleport", "/builder/home/teleport", "/credentials/teleport"];

/// A job of one kind, the cluster of the examples, and a node with the account `deploy`.
pub struct Job {
    kind: Kind,
    cluster: Cluster,
    sshd: Sshd,
    _of_sshd: tempfile::TempDir,
    _proxy: HttpProxy,
    variables: BTreeMap<String, String>,
}

impl Job {
    pub fn start(kind: Kind) -> Self {
        let simulated = match kind {
            Kind::Ci(platform) => platform.into(),
            Kind::Machine(cloud) => Simulated::machine(cloud).unwrap(),
        };
        let token = super::folder().join(kind.id()).join("token.yaml");
        let gate = TcpListener::bind("127.0.0.1:0").unwrap();
        let cluster = Cluster::start(SandboxOptions {
            cluster: CLUSTER.into(),
            public_addr: Some(format!("{CLUSTER}:443")),
            tokens: rules::parse(&std::fs::read_to_string(token).unwrap()).unwrap(),
            nodes: vec![SandboxNode {
                name: "web-1".into(),
                cluster: CLUSTER.into(),
                address: gate.local_addr().unwrap(),
            }],
            requests: RequestPolicy {
                roles: vec![SandboxRole {
                    name: "ci-prod".into(),
                    logins: vec!["deploy".into()],
                    ..SandboxRole::default()
                }],
                verdict: Some(Verdict::Approve),
                ..RequestPolicy::default()
            },
            ..SandboxOptions::admitting([simulated])
        });
        let of_sshd = tempfile::tempdir().unwrap();
        let sshd = Sshd::start_for(of_sshd.path(), "deploy", &cluster.sandbox.ssh_user_ca(), |key| {
            cluster.sandbox.sign_host_key(key, &[&format!("web-1.{CLUSTER}")]).unwrap()
        });
        join(gate, sshd.address());
        let names = BTreeMap::from([(format!("{CLUSTER}:443"), cluster.sandbox.address)]);
        let proxy = HttpProxy::start(HttpProxyOptions { names, ..HttpProxyOptions::default() });
        let bin = cluster.path("bin");
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(binary(), bin.join("jobpass")).unwrap();
        // What comes with the platform, or is installed already.
        for name in ["apt-get", "checkout"] {
            program(&bin, name, "#!/bin/sh\n");
        }
        let job = match kind {
            Kind::Ci(platform) => cluster.job(platform),
            Kind::Machine(jobpass::cloud::Cloud::Kubernetes) => cluster.pod(),
            Kind::Machine(cloud) => cluster.machine(cloud),
        };
        let mut variables: BTreeMap<String, String> = job.variables.into_iter().collect();
        // The examples say it themselves.
        variables.remove("JOBPASS_AUDIENCE");
        let home = cluster.path("home");
        std::fs::create_dir(&home).unwrap();
        for (name, value) in [
            ("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display())),
            ("HTTPS_PROXY", format!("http://{}", proxy.address())),
            ("NO_PROXY", "127.0.0.1".to_owned()),
            ("HOME", home.display().to_string()),
            ("JOBPASS_ROOT", "/nonexistent".to_owned()),
        ] {
            variables.insert(name.to_owned(), value);
        }
        Self { kind, cluster, sshd, _of_sshd: of_sshd, _proxy: proxy, variables }
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.cluster.path(name)
    }

    /// How often somebody came in at the node.
    pub fn logins(&self) -> usize {
        self.sshd.log().matches("Accepted publickey for deploy ").count()
    }

    /// Files with private keys that are still there.
    pub fn keys_left(&self) -> Vec<String> {
        keys_below(self.cluster.folder.path())
    }

    /// Runs the steps as the platform would. The log, as an error when one failed.
    pub fn run_all(&mut self, steps: &[Step]) -> Result<String, String> {
        let chosen = self.path("chosen").display().to_string();
        let here = steps.iter().map(|step| {
            let script =
                FOLDERS.iter().fold(step.script.clone(), |script, folder| script.replace(folder, &chosen));
            Step { script, ..step.clone() }
        });
        let here: Vec<Step> = here.collect();
        match self.kind {
            Kind::Ci(Platform::Semaphore | Platform::Spacelift) => self.run_in_one_shell(&here),
            _ => self.run_one_by_one(&here),
        }
    }

    /// Semaphore's commands and epilogue, Spacelift's phases: one shell for all.
    pub fn run_in_one_shell(&mut self, steps: &[Step]) -> Result<String, String> {
        let join = |is_always: bool| {
            let some =
                steps.iter().filter(|step| step.is_always == is_always).map(|step| step.script.as_str());
            some.collect::<Vec<_>>().join("\n")
        };
        let script = format!("finally() {{\n:\n{}\n}}\ntrap finally EXIT\n{}", join(true), join(false));
        let ran = self.bash(&script, &BTreeMap::new());
        if ran.code == 0 { Ok(ran.all()) } else { Err(ran.all()) }
    }

    /// One step with variables of its own.
    pub fn run_with(&mut self, script: &str, variables: &[(String, String)]) -> Result<String, String> {
        let ran = self.bash(script, &variables.iter().cloned().collect());
        if ran.code == 0 { Ok(ran.all()) } else { Err(ran.all()) }
    }

    fn run_one_by_one(&mut self, steps: &[Step]) -> Result<String, String> {
        let (mut log, mut has_failed) = (String::new(), false);
        let mut handed_on = BTreeMap::new();
        for step in steps {
            if has_failed && !step.is_always {
                continue;
            }
            let ran = self.bash(&step.script, &handed_on);
            has_failed |= ran.code != 0;
            log += &ran.all();
            self.hand_on(&ran, &mut handed_on);
        }
        if has_failed { Err(log) } else { Ok(log) }
    }

    /// What the platform gives later steps. CircleCI's is in `BASH_ENV`, which bash reads itself; others have nothing.
    fn hand_on(&self, ran: &Ran, handed_on: &mut BTreeMap<String, String>) {
        let file = |name: &str| std::fs::read_to_string(self.path(name)).unwrap();
        let Kind::Ci(platform) = self.kind else { return };
        match platform {
            Platform::GitHubActions | Platform::Forgejo => handed_on.extend(heredocs(&file("GITHUB_ENV"))),
            Platform::GitLabCi => handed_on.extend(lines(&file("GITLAB_ENV"))),
            Platform::Env0 => handed_on.extend(lines(&file("ENV0_ENV"))),
            Platform::AzureDevOps => {
                let commands = ran
                    .stdout
                    .lines()
                    .filter_map(|line| line.strip_prefix("##vso[task.setvariable variable="));
                handed_on.extend(commands.map(|command| pair(command, ']')));
            }
            Platform::TeamCity => {
                let messages = ran.stdout.lines().filter_map(|line| {
                    line.strip_prefix("##teamcity[setParameter name='env.")?.strip_suffix("']")
                });
                handed_on.extend(messages.map(|message| pair(&message.replace("' value='", "="), '=')));
            }
            _ => {}
        }
    }

    fn bash(&self, script: &str, handed_on: &BTreeMap<String, String>) -> Ran {
        let file = self.path("script");
        put(&file, script);
        let variables: Vec<_> = self.variables.iter().chain(handed_on).collect();
        let ran = bash(self.cluster.folder.path(), &["-e", file.to_str().unwrap()], &variables);
        for line in key_lines(self.cluster.folder.path()) {
            assert!(!ran.all().contains(&line), "a line of a private key is shown");
        }
        ran
    }
}

/// `K=V` lines.
fn lines(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter(|line| line.contains('='))
        .map(|line| pair(line.trim_start_matches("export "), '='))
        .collect()
}

fn pair(text: &str, between: char) -> (String, String) {
    let (name, value) = text.split_once(between).unwrap();
    (name.to_owned(), value.to_owned())
}

/// `bash` in that folder, with a path to the binary and these variables.
pub fn bash(folder: &Path, arguments: &[&str], variables: &[(&String, &String)]) -> Ran {
    let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", binary().parent().unwrap().display());
    let mut command = Command::new("bash");
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("TMPDIR", folder)
        .stdin(Stdio::null());
    command.env("JOBPASS_ROOT", "/nonexistent").envs(variables.iter().copied());
    Ran::of(&command.output().unwrap())
}

/// Files below the folder that hold a private key.
pub fn keys_below(folder: &Path) -> Vec<String> {
    let holds_key = |name: &String| {
        std::fs::read_to_string(folder.join(name)).is_ok_and(|text| text.contains("PRIVATE KEY-----"))
    };
    listing(folder).into_iter().map(|(name, _)| name).filter(holds_key).collect()
}
