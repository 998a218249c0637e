//! `jobpass sandbox`: a cluster and a CI token endpoint as a process of their own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::cluster::listing;
use crate::support::command::{Ran, binary, jobpass, put, run};

/// A running sandbox and the folder it is used from.
struct Running {
    child: Child,
    folder: tempfile::TempDir,
}

impl Running {
    /// Starts one and waits until it says that it is ready.
    fn start(arguments: &[&str], files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("tmp")).unwrap();
        std::fs::create_dir(folder.path().join("runner")).unwrap();
        for (name, content) in files {
            put(&folder.path().join(name), content);
        }
        let all = [&["sandbox", "--env-file", "sandbox.env"], arguments].concat();
        let tmp = folder.path().join("tmp").display().to_string();
        let mut command = jobpass(folder.path(), &all, [("TMPDIR", tmp.as_str())]);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("sandbox at 127.0.0.1:"), "{line}");
        Self { child, folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Sources the file, as a person would, and runs `jobpass` with these words.
    fn sourced(&self, words: &str) -> Ran {
        let script = format!(". ./sandbox.env; \"$0\" {words}");
        let mut command = Command::new("bash");
        command.args(["-c", &script]).arg(binary()).env_clear().env("PATH", "/usr/bin:/bin");
        command.env("RUNNER_TEMP", self.path().join("runner")).env("GITHUB_ENV", self.path().join("env"));
        Ran::of(&command.current_dir(self.path()).stdin(Stdio::null()).output().unwrap())
    }

    fn stop(mut self, signal: &str) {
        run("kill", &[signal, &self.child.id().to_string()]).ok();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        assert_eq!(listing(&self.path().join("tmp")), [], "nothing of it stays behind");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn its_env_file_is_all_a_login_needs() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Running::start(&[], &[]);
    let mode = sandbox.path().join("sandbox.env").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "a token is in it");
    let ran = sandbox.sourced("login").ok();
    assert!(ran.stderr.contains("bot-ci at sandbox.example"), "{}", ran.stderr);
    assert!(sandbox.path().join("runner/jobpass/identity").exists());
    sandbox.stop("-TERM");
}

#[test]
fn the_policy_of_a_file_decides() {
    let policy = |project: &str| {
        format!(
            "kind: token\nversion: v2\nmetadata:\n  name: release\nspec:\n  roles: [Bot]\n  bot_name: releaser\n  \
             join_method: gitlab\n  gitlab:\n    domain: gitlab.example.com\n    allow:\n    - project_path: {project}\n"
        )
    };
    let flags = ["--tokens", "policy.yaml", "--simulate", "gitlab", "--cluster", "prod.example"];
    let fits = Running::start(&flags, &[("policy.yaml", &policy("acme/app"))]);
    let ran = fits.sourced("login --dir out").ok();
    assert!(ran.stderr.contains("bot-releaser at prod.example"), "{}", ran.stderr);
    fits.stop("-INT");

    let other = Running::start(&flags, &[("policy.yaml", &policy("acme/other"))]);
    let ran = other.sourced("login --dir out");
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("did not match any allow rules"), "{}", ran.stderr);
}

#[test]
fn versions_and_join_paths_can_be_chosen() {
    for (flags, way) in [
        (&["--no-old-join"][..], ""),
        (&["--no-new-join"], "no join by stream"),
        (&["--server-version", "16.4.0", "--simulate", "circleci"], "no join by stream"),
    ] {
        let sandbox = Running::start(flags, &[]);
        let ran = sandbox.sourced("login -v --export none --dir out").ok();
        assert_eq!(ran.stderr.contains("no join by stream"), !way.is_empty(), "{}", ran.stderr);
    }
    let sandbox = Running::start(&["--no-new-join", "--no-old-join"], &[]);
    assert_eq!(sandbox.sourced("login --dir out").code, 5);
}

#[test]
fn what_it_cannot_use_is_told() {
    let folder = tempfile::tempdir().unwrap();
    put(&folder.path().join("broken.yaml"), "kind: token\nspec: [\n");
    put(&folder.path().join("role.yaml"), "kind: role\nmetadata: {name: x}\n");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, code, words) in [
        (["--tokens", "absent.yaml"], 2, "could not read"),
        (["--tokens", "broken.yaml"], 2, "hint: "),
        (["--tokens", "role.yaml"], 2, "hint: "),
        (["--server-version", "newest"], 2, "such as `18.2.0`"),
        (["--simulate", "jenkins"], 2, "expected one of github, gitlab"),
        (["--port", &port], 5, "leave out `--port`"),
        (["--env-file", "absent/sandbox.env"], 6, "absent"),
    ] {
        let all = [&["sandbox"], &arguments[..]].concat();
        let ran = Ran::of(&jobpass(folder.path(), &all, []).output().unwrap());
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.all());
        assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
    }
}
