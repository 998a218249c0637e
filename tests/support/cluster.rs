//! A sandbox cluster on a thread of its own, and the jobs that use it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, mpsc};

use jobpass::cloud::Cloud;
use jobpass::platform::Platform;
use jobpass::rules::{self, ServerVersion};
use jobpass::sandbox::{Sandbox, SandboxOptions, Simulated};

use super::command::{Ran, jobpass, put};
use super::schema;

/// A running sandbox and a folder for one test; both end with the value.
pub struct Cluster {
    pub sandbox: Arc<Sandbox>,
    pub folder: tempfile::TempDir,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Cluster {
    pub fn start(options: SandboxOptions) -> Self {
        let (started, wait) = mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let sandbox = Arc::new(Sandbox::start(options).await.unwrap());
                started.send(Arc::clone(&sandbox)).unwrap();
                let _ = stopped.await;
            });
        });
        let sandbox = wait.recv().unwrap();
        let folder = tempfile::tempdir().unwrap();
        put(&folder.path().join("web-ca.pem"), sandbox.web_ca_pem());
        Self { sandbox, folder, stop: Some(stop), thread: Some(thread) }
    }

    /// One that has a join token for every platform.
    pub fn any() -> Self {
        Self::start(SandboxOptions::simulating(None))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn proxy(&self) -> String {
        self.sandbox.address.to_string()
    }

    /// What runs on a machine of that cloud, outside of any CI platform: an environment in full, and the join token.
    pub fn machine(&self, cloud: Cloud) -> Job<'_> {
        let simulated = Simulated::machine(cloud).unwrap();
        let mut variables = self.sandbox.job_environment(simulated).unwrap();
        // No CI system is there.
        variables.retain(|(name, _)| name != "CI");
        let temp = self.path("temp");
        std::fs::create_dir_all(&temp).unwrap();
        for (name, value) in [
            ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
            ("SSL_CERT_FILE", self.path("web-ca.pem").display().to_string()),
            ("TMPDIR", temp.display().to_string()),
        ] {
            variables.push((name.to_owned(), value));
        }
        Job { cluster: self, variables, token: format!("ci-{}", simulated.id()) }
    }

    /// The whole environment of a pod with a projected token: its variables, the token's file, a path and the sandbox's
    /// roots.
    pub fn pod(&self) -> Job<'_> {
        put(&self.path("pod-token"), self.pod_token(&serde_json::Value::Null));
        self.machine(Cloud::Kubernetes)
            .set("KUBERNETES_TOKEN_PATH", &self.path("pod-token").display().to_string())
    }

    /// A pod's token with these claims on top of the usual ones.
    pub fn pod_token(&self, claims: &serde_json::Value) -> String {
        let simulated = Simulated::machine(Cloud::Kubernetes).unwrap();
        self.sandbox.id_token(simulated, claims).unwrap().expose().to_owned()
    }

    /// The whole environment of a job on that platform: markers, token, the platform's own files, a path and the sandbox's roots.
    pub fn job(&self, platform: Platform) -> Job<'_> {
        let mut variables = self.sandbox.job_environment(platform).unwrap();
        let temp = self.path("temp");
        std::fs::create_dir_all(&temp).unwrap();
        let mut set = |name: &str, value: String| variables.push((name.to_owned(), value));
        set("PATH", "/usr/sbin:/usr/bin:/sbin:/bin".into());
        set("SSL_CERT_FILE", self.path("web-ca.pem").display().to_string());
        set("TMPDIR", temp.display().to_string());
        if let Some(audience) = self.sandbox.audience(platform) {
            set("JOBPASS_AUDIENCE", audience);
        }
        match platform {
            Platform::GitHubActions | Platform::Forgejo => {
                set("RUNNER_TEMP", temp.display().to_string());
                for name in ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
                    put(&self.path(name), "");
                    set(name, self.path(name).display().to_string());
                }
            }
            Platform::GitLabCi => {
                set("RUNNER_TEMP_PROJECT_DIR", temp.display().to_string());
                put(&self.path("GITLAB_ENV"), "");
                set("GITLAB_ENV", self.path("GITLAB_ENV").display().to_string());
            }
            Platform::CircleCi => {
                put(&self.path("BASH_ENV"), "");
                set("BASH_ENV", self.path("BASH_ENV").display().to_string());
            }
            Platform::AzureDevOps => set("AGENT_TEMPDIRECTORY", temp.display().to_string()),
            Platform::Env0 => {
                put(&self.path("ENV0_ENV"), "");
                set("ENV0_ENV", self.path("ENV0_ENV").display().to_string());
            }
            Platform::Jenkins => set("WORKSPACE_TMP", temp.display().to_string()),
            Platform::Spacelift
            | Platform::Bitbucket
            | Platform::TerraformCloud
            | Platform::Buildkite
            | Platform::Semaphore
            | Platform::Codefresh
            | Platform::TeamCity
            | Platform::Bitrise => {}
        }
        let token = format!("ci-{}", platform.id());
        Job { cluster: self, variables, token }
    }
}

/// The platforms whose jobs can join at a server of that version, by the stream or by the POST.
pub fn served(version: &str, by_stream: bool) -> Vec<Platform> {
    let is_served = |platform: &Platform| {
        let method = rules::method_of(*platform);
        let lacks = rules::unserved(method, ServerVersion::parse(version), None);
        lacks.is_none() && (by_stream || !rules::is_stream_only(method))
    };
    Platform::ALL.into_iter().filter(is_served).collect()
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A job's environment, to be changed and run.
pub struct Job<'a> {
    pub cluster: &'a Cluster,
    pub variables: Vec<(String, String)>,
    pub token: String,
}

impl Job<'_> {
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    pub fn unset(mut self, name: &str) -> Self {
        self.variables.retain(|(n, _)| n != name);
        self
    }

    pub fn variable(&self, name: &str) -> &str {
        &self.variables.iter().rfind(|(n, _)| n == name).unwrap().1
    }

    /// `jobpass` with exactly these arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let variables = self.variables.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        jobpass(self.cluster.folder.path(), arguments, variables)
    }

    /// `jobpass login` against the cluster, with further arguments. What it prints has no secret of the job.
    pub fn login(&self, arguments: &[&str]) -> Ran {
        let proxy = self.cluster.proxy();
        let mut all = vec!["login", "--proxy", &proxy, "--token", &self.token];
        all.extend(arguments);
        self.run(&all)
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let ran = Ran::of(&self.command(arguments).output().unwrap());
        self.assert_secret(&ran);
        let folder = self.cluster.folder.path();
        for (manifest, _) in listing(folder).iter().filter(|(name, _)| name.ends_with("jobpass.json")) {
            schema::check_manifest(&std::fs::read_to_string(folder.join(manifest)).unwrap_or_default());
        }
        ran
    }

    /// No identity token, no bearer and no line of a private key in anything that a log could show.
    #[track_caller]
    pub fn assert_secret(&self, ran: &Ran) {
        let seen = ran.all();
        for line in key_lines(self.cluster.folder.path()) {
            assert!(!seen.contains(&line), "a line of a private key is shown:\n{seen}");
        }
        for (name, value) in &self.variables {
            let ends = ["REQUEST_TOKEN", "ACCESSTOKEN", "ACCESS_TOKEN", "_ACCESS_KEY", "_SESSION_TOKEN"];
            let secret = value.starts_with("eyJ") || ends.iter().any(|end| name.ends_with(end));
            assert!(
                !secret || value.len() < 16 || !seen.contains(value.as_str()),
                "{name} is shown:\n{seen}"
            );
        }
    }
}

/// The lines between the armour of every private key below a folder.
pub fn key_lines(dir: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for (file, _) in listing(dir) {
        let text = std::fs::read_to_string(dir.join(&file)).unwrap_or_default();
        let mut inside = false;
        for line in text.lines() {
            match line {
                l if l.starts_with("-----BEGIN") => inside = l.contains("PRIVATE KEY"),
                l if l.starts_with("-----END") => inside = false,
                l if inside => lines.push(l.to_owned()),
                _ => {}
            }
        }
    }
    lines
}

/// Files and folders below a folder, with their modes; those that go meanwhile are left out.
pub fn listing(dir: &Path) -> Vec<(String, u32)> {
    use std::os::unix::fs::PermissionsExt as _;
    let gone = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if gone(&error) && folder != dir => continue,
            entries => entries.unwrap(),
        };
        for entry in entries {
            let path = entry.unwrap().path();
            let mode = match std::fs::symlink_metadata(&path) {
                Err(error) if gone(&error) => continue,
                about => about.unwrap().permissions().mode() & 0o777,
            };
            found.push((path.strip_prefix(dir).unwrap().display().to_string(), mode));
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}
