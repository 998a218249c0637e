//! `jobpass sandbox`: a cluster and a CI token endpoint as a process of their own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::cluster::listing;
use crate::support::command::{Ran, binary, jobpass, put, run};
use crate::support::sshd::{Sshd, join, me};

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
        // One of an earlier run says nothing about this one.
        put(&folder.path().join("sandbox.env"), "exit 99");
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
        self.script(&format!("jobpass {words}"))
    }

    /// The same for a whole script, in which `jobpass` is the built binary.
    fn script(&self, script: &str) -> Ran {
        let script = format!("jobpass() {{ {} \"$@\"; }}; . ./sandbox.env; {script}", binary().display());
        let mut command = Command::new("bash");
        command.args(["-c", &script]).env_clear().env("PATH", "/usr/bin:/bin");
        Ran::of(&command.current_dir(self.path()).stdin(Stdio::null()).output().unwrap())
    }

    fn stop(mut self, signal: &str) {
        run("kill", &[signal, &self.child.id().to_string()]).ok();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        assert_eq!(listing(&self.path().join("tmp")), [], "nothing of it stays behind");
        assert!(!self.path().join("sandbox.env").exists(), "it names what is gone");
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
    assert!(ran.stderr.contains("sandbox.example as bot-ci"), "{}", ran.stderr);
    sandbox.stop("-TERM");
}

/// What later steps read, by platform: a script that succeeds where `login` has written it.
#[test]
fn a_simulated_job_has_the_folder_and_files_of_its_platform() {
    for (platform, written) in [
        (
            "github",
            "test -e \"$RUNNER_TEMP\"/jobpass/identity && grep -q TELEPORT_IDENTITY_FILE \"$GITHUB_ENV\" && \
             grep -q identity-file \"$GITHUB_OUTPUT\" && grep -q bot-ci \"$GITHUB_STEP_SUMMARY\"",
        ),
        ("gitlab", "test -d \"$RUNNER_TEMP_PROJECT_DIR\" && grep -q TELEPORT_IDENTITY_FILE= \"$GITLAB_ENV\""),
        ("circleci", ". \"$BASH_ENV\" && test -e \"$TELEPORT_IDENTITY_FILE\""),
        ("spacelift", "test -n \"$SPACELIFT_OIDC_TOKEN\""),
    ] {
        let sandbox = Running::start(&["--simulate", platform], &[]);
        // For platforms without a folder for temporary files.
        let runtime = sandbox.path().display();
        let script = format!("export XDG_RUNTIME_DIR='{runtime}'; jobpass login && {written}");
        let ran = sandbox.script(&script);
        assert_eq!(ran.code, 0, "{platform}: {}", ran.all());
    }
}

/// `jobpass sandbox -- COMMAND…` in an empty folder, with its temporary files below it.
fn with_command(folder: &Path, command: &[&str]) -> Command {
    let tmp = folder.join("tmp");
    std::fs::create_dir(&tmp).unwrap();
    let all = [&["sandbox", "--"], command].concat();
    let (tmp, path) = (tmp.display().to_string(), "/usr/bin:/bin");
    jobpass(folder, &all, [("TMPDIR", tmp.as_str()), ("PATH", path)])
}

#[test]
fn a_command_runs_in_the_job_and_its_status_is_ours() {
    let login = format!("{} login -q --dir out && echo \"$JOBPASS_TOKEN\"; exit 7", binary().display());
    for (command, code, stdout, stderr) in [
        (&["sh", "-c", &login][..], 7, "ci-github\n", "sandbox at 127.0.0.1:"),
        (&["sh", "-c", "kill -KILL $$"], 137, "", "sandbox at"),
        (&["true", "--help"], 0, "", "sandbox at"),
        (&["./absent"], 127, "", "could not run `./absent`\n  caused by: no such file or directory"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let ran = Ran::of(&with_command(folder.path(), command).output().unwrap());
        assert_eq!((ran.code, ran.stdout.starts_with(stdout)), (code, true), "{command:?}: {}", ran.all());
        assert!(ran.stderr.contains(stderr), "{command:?}: {}", ran.stderr);
        assert_eq!(listing(&folder.path().join("tmp")), [], "nothing of it stays behind");
    }
}

#[test]
fn flags_say_what_the_cluster_has() {
    let folder = tempfile::tempdir().unwrap();
    let tmp = folder.path().join("tmp");
    std::fs::create_dir(&tmp).unwrap();
    let tried = |flags: &[&str], login: &str| {
        let script = format!("{} login --dir out {login}", binary().display());
        let all = [&["sandbox"], flags, &["--", "sh", "-c", &script]].concat();
        let variables = [("TMPDIR", tmp.to_str().unwrap()), ("PATH", "/usr/bin:/bin")];
        Ran::of(&jobpass(folder.path(), &all, variables).output().unwrap())
    };
    let roles = [
        "--role",
        "web:deploy+{{internal.logins}},max-ttl=10m",
        "--trait",
        "logins=a+b",
        "--role",
        "mfa:x,mfa",
    ];
    let words = |ran: &Ran| ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    let ran = tried(&roles, "--roles web").ok();
    let want = "roles web · logins deploy (role web), a (trait logins, role web), b (trait logins, role web)";
    assert!(words(&ran).contains(want), "{}", ran.stderr);
    assert!(words(&ran).contains("the certificates expire 50m earlier than asked"), "{}", ran.stderr);
    for (flags, login, code, want) in [
        (&roles[..], "--roles mfa", 4, "the role `mfa` requires per-session MFA"),
        (&["--role", "x,device-trust"], "", 4, "Device Trust"),
        (&["--database", "pg=postgres"], "--output database=pg,user=ci", 0, "database pg"),
        (&["--database", "pg=postgres"], "--output database=other,user=ci", 4, "`pg`"),
        (&["--app", "web=http://localhost:1"], "--output app=web", 0, "app web"),
        (&["--leaf", "leaf.example"], "--output ssh,cluster=leaf.example", 0, "logged in"),
        (&[], "--output ssh,cluster=leaf.example", 4, "leaf.example"),
        (&["--require-session-mfa"], "--target deploy@node1", 4, "per-session MFA"),
        (&["--ca-rotation", "update-clients"], "", 0, "logged in"),
    ] {
        let ran = tried(flags, login);
        assert!(ran.code == code && words(&ran).contains(want), "{flags:?} {login}: {}", ran.all());
    }
    let known = std::fs::read_to_string(folder.path().join("out/known_hosts")).unwrap();
    assert_eq!(known.matches("*.sandbox.example").count(), 2, "{known}");
    for flags in [
        ["--role", "a:"],
        ["--database", "pg"],
        ["--database", "pg=newest://127.0.0.1:1"],
        ["--app", "x=y"],
        ["--trait", "x="],
        ["--ca-rotation", "init"],
    ] {
        let ran = tried(&flags, "");
        assert!(ran.code == 2 && ran.stderr.contains(flags[0]), "{flags:?}: {}", ran.all());
    }
}

/// All that a tunnel needs is there: a server of our own, a login, and its folder.
#[test]
fn a_tunnel_reaches_a_real_database() {
    let (redis, folder) = (crate::support::redis::Redis::start(), tempfile::tempdir().unwrap());
    let database = format!("cache=redis://{}", redis.address);
    let script = "\"$0\" login -q --output database=cache && \"$0\" tunnel --dir \"$RUNNER_TEMP/jobpass\" -- \
                  sh -c 'redis-cli -u \"$JOBPASS_TUNNEL_CACHE_URL\" ping'";
    let exe = binary().display().to_string();
    let all = ["sandbox", "--database", &database, "--", "sh", "-c", script, &exe];
    let mut command = jobpass(folder.path(), &all, [("PATH", "/usr/bin:/bin")]);
    let ran = Ran::of(&command.output().unwrap()).ok();
    assert_eq!(ran.stdout, "PONG\n", "{}", ran.stderr);
}

/// A client that knows the name, as by DNS, meets a certificate for it, and hears it.
#[test]
fn it_can_be_behind_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let script = "port=${TELEPORT_PROXY##*:}; curl -sS --cacert \"$SSL_CERT_FILE\" \
                  --resolve teleport.example.com:$port:127.0.0.1 https://teleport.example.com:$port/webapi/ping";
    for (more, is_ok) in [(&["--public-addr", "teleport.example.com"][..], true), (&[], false)] {
        let all = [&["sandbox", "--quiet"], more, &["--", "bash", "-c", script]].concat();
        let path = [("PATH", "/usr/bin:/bin")];
        let ran = Ran::of(&jobpass(folder.path(), &all, path).output().unwrap());
        assert_eq!(ran.code == 0, is_ok, "{}", ran.all());
        assert_eq!(ran.stdout.contains("\"teleport.example.com:443\""), is_ok, "{}", ran.all());
    }
}

#[test]
fn a_command_gets_the_signals() {
    for (signal, name) in [("-TERM", "TERM"), ("-INT", "INT"), ("-HUP", "HUP")] {
        let folder = tempfile::tempdir().unwrap();
        // Background commands of a shell ignore SIGINT, `cat` waits for the end of a pipe that never comes.
        let script =
            format!("trap 'kill %1; echo got {name}; exit 9' {name}; mkfifo p; cat <>p & echo ready; wait");
        let mut command = with_command(folder.path(), &["bash", "-mc", &script]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        run("kill", &[signal, &child.id().to_string()]).ok();
        lines.read_line(&mut line).unwrap();
        assert_eq!(
            (line.as_str(), child.wait().unwrap().code()),
            (&*format!("ready\ngot {name}\n"), Some(9))
        );
    }
}

#[test]
fn ssh_reaches_a_real_node() {
    for node in ["node1", "node1.leaf.example"] {
        let host = if node == "node1" { "node1.sandbox.example" } else { node };
        let gate = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("sshd");
        Sshd::host_key(&dir);
        let path = |name: &str| dir.join(name).display().to_string();
        let (address, ca, key) = (gate.local_addr().unwrap(), path("user_ca.pub"), path("host_key.pub"));
        let spec = format!("{node}={address}");
        let me = me();
        let flags = ["--node", &spec, "--user-ca", &ca, "--host-key", &key, "--login", &me];
        let sandbox = Running::start(&flags, &[]);
        let sshd = Sshd::start_in(&dir, &[&me]);
        join(gate, sshd.address());
        let options = "-o BatchMode=yes -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes";
        let ran = sandbox.script(&format!(
            "jobpass login --dir out && ssh -F out/ssh_config {options} {me}@{host} 'echo hello'"
        ));
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "hello\n"), "{host}: {}", ran.all());
        sandbox.stop("-TERM");
    }
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
    assert!(ran.stderr.contains("logged in to prod.example as bot-releaser"), "{}", ran.stderr);
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
    put(&folder.path().join("broken.pub"), "ssh-rsa AAAA");
    put(&folder.path().join("role.yaml"), "kind: role\nmetadata: {name: x}\n");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, code, words) in [
        (["--tokens", "absent.yaml"], 2, "could not read"),
        (["--tokens", "broken.yaml"], 2, "hint: "),
        (["--tokens", "role.yaml"], 2, "hint: "),
        (["--server-version", "newest"], 2, "such as `18.2.0`"),
        (["--simulate", "harness"], 2, "expected one of github, gitlab"),
        (["--port", &port], 5, "leave out `--port`"),
        (["--env-file", "absent/sandbox.env"], 6, "absent"),
        (["--node", "a b=127.0.0.1:22"], 2, "letters, digits"),
        (["--node", "node1"], 2, "NAME=HOST:PORT"),
        (["--node", "node1=no.such.host.invalid:22"], 2, "could not resolve"),
        (["--host-key", "key.pub"], 2, "--node"),
        (["--node=n=127.0.0.1:22", "--host-key=broken.pub"], 2, "is not an SSH public key"),
        (["--node=n=127.0.0.1:22", "--host-key=broken.yaml"], 2, "is not the name of a public key"),
    ] {
        let all = [&["sandbox"], &arguments[..]].concat();
        let ran = Ran::of(&jobpass(folder.path(), &all, []).output().unwrap());
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.all());
        assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
    }
}

/// As by hand: one terminal asks, another answers.
#[test]
fn an_access_request_is_answered_by_hand() {
    let sandbox = Running::start(&["--requestable-role", "ops:root"], &[]);
    let ran = sandbox.script(
        "id=$(jobpass login --request-role ops --request-nowait -q) && jobpass sandbox approve \"$id\" --reason 'fine by me' \
         && jobpass login --request-id \"$id\" --dir out",
    );
    assert_eq!(ran.code, 0, "{}", ran.all());
    for part in ["approved access request ", "approved: fine by me", "logins root"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let denied = sandbox.script(
        "id=$(jobpass login --request-role ops --request-nowait -q) && jobpass sandbox deny \"$id\" && jobpass login --request-id \"$id\"",
    );
    assert_eq!(denied.code, 4, "{}", denied.all());
    assert!(denied.stderr.contains("denied access request ") && denied.stderr.contains("was denied"));
    let id = "61396805-c807-4931-b79f-a49127735456";
    for (script, code, part) in [
        (format!("jobpass sandbox approve {id}"), 2, "not found"),
        ("jobpass sandbox approve 42".to_owned(), 2, "a UUID like"),
        (format!("unset JOBPASS_SANDBOX_CONTROL; jobpass sandbox approve {id}"), 2, "no sandbox is named"),
        (
            format!("JOBPASS_SANDBOX_CONTROL=/dev/null jobpass sandbox approve {id}"),
            2,
            "is no file of a sandbox",
        ),
    ] {
        let ran = sandbox.script(&script);
        assert_eq!(ran.code, code, "{script}: {}", ran.all());
        assert!(ran.stderr.contains(part), "{script}: {}", ran.stderr);
    }
    // Who knows the address alone may not.
    let alone = sandbox.script(
        "printf '%s\\nno\\n' \"$TELEPORT_PROXY\" > control; cp \"$SSL_CERT_FILE\" web-ca.pem; \
         id=$(jobpass login --request-role ops --request-nowait -q); JOBPASS_SANDBOX_CONTROL=control jobpass sandbox approve \"$id\"",
    );
    assert_eq!(alone.code, 2, "{}", alone.all());
    assert!(alone.stderr.contains("the secret of the sandbox is missing"), "{}", alone.stderr);
    sandbox.stop("-TERM");
}

#[test]
fn the_policy_answers() {
    for (answer, code, said) in
        [("approve", 0, "approved: by the book"), ("deny", 4, "the reviewer says: by the book")]
    {
        let sandbox =
            Running::start(&["--request-answer", answer, "--request-answer-reason", "by the book"], &[]);
        let ran = sandbox.sourced("login --request-role ci-prod --dir out");
        assert_eq!(ran.code, code, "{}", ran.all());
        assert!(ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ").contains(said), "{}", ran.stderr);
        sandbox.stop("-INT");
    }
}
