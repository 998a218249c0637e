//! `jobpass exec`: one command has the credentials, and nothing is left.

mod agent;
mod renew;
mod signals;
mod terminal;
mod watchdog;

use std::path::{Path, PathBuf};

use jobpass::platform::Platform::{self, GitHubActions, GitLabCi};
use jobpass::sandbox::{SandboxKubeCluster, SandboxOptions, SandboxRole};

use crate::support::cluster::{Cluster, Job, key_lines, listing};
use crate::support::command::{Ran, binary, jobpass, program, put};
use crate::support::schema::check_manifest;

/// `jobpass exec` with these flags and this script.
fn exec(job: &Job<'_>, flags: &[&str], script: &str) -> Ran {
    run(job, flags, &["sh", "-c", script])
}

fn run(job: &Job<'_>, flags: &[&str], words: &[&str]) -> Ran {
    let proxy = job.cluster.proxy();
    let mut all = vec!["exec", "--proxy", &proxy, "--token", &job.token];
    all.extend(flags);
    all.push("--");
    all.extend(words);
    job.run(&all)
}

/// What a simulated job gives, with nothing inherited but a path and a temp folder.
fn dry(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let base = [("PATH", "/usr/bin:/bin"), ("TMPDIR", folder.to_str().unwrap())];
    let all = [&["exec", "--dry-run", "--simulate", "github"], arguments].concat();
    Ran::of(&jobpass(folder, &all, base.iter().chain(variables).copied()).output().unwrap())
}

#[test]
fn the_command_has_credentials_and_nobody_else() {
    let cluster = Cluster::any();
    let before = |job: &Job<'_>| listing(job.cluster.folder.path());
    for platform in [GitHubActions, GitLabCi, Platform::Spacelift] {
        let job = cluster.job(platform);
        let seen = before(&job);
        let script = "env >seen; cd \"$JOBPASS_DIR\"; ls; stat -c '%a %n' . .. key identity; cat jobpass.json >../../report; \
                      cat ssh_config; cp key identity tlskey ../..; ssh-keygen -L -f key-cert.pub >/dev/null && echo is-a-certificate";
        let ran = exec(&job, &[], script).ok();
        let seen_by_it = std::fs::read_to_string(cluster.path("seen")).unwrap();
        std::fs::remove_file(cluster.path("seen")).unwrap();
        let variable = |name: &str| {
            let line = seen_by_it.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
            line.unwrap_or_else(|| panic!("no {name}: {seen_by_it}")).to_owned()
        };
        let dir = PathBuf::from(variable("JOBPASS_DIR"));
        assert!(dir.starts_with(cluster.path("temp")), "{}", dir.display());
        assert!(!dir.exists() && !dir.parent().unwrap().exists(), "it is gone");
        // What it copied has been searched for in all that was printed; nor is it in its environment.
        let lines = key_lines(&cluster.path("temp"));
        assert!(lines.len() > 3 && !lines.iter().any(|line| seen_by_it.contains(line)), "{seen_by_it}");
        for name in ["key", "identity", "tlskey"] {
            std::fs::remove_file(cluster.path("temp").join(name)).unwrap();
        }
        assert_eq!(variable("JOBPASS_SSH_CONFIG"), dir.join("ssh_config").display().to_string());
        assert_eq!(variable("TELEPORT_IDENTITY_FILE"), dir.join("identity").display().to_string());
        assert_eq!(variable("TELEPORT_PROXY"), cluster.proxy());
        // What the platform gave the job is the command's as well.
        let given: Vec<_> = job.variables.iter().filter(|(name, _)| name.contains("TOKEN")).collect();
        assert!(given.iter().all(|(name, value)| variable(name) == *value));
        for part in ["700 .\n", "700 ..\n", "600 key\n", "600 identity\n", "is-a-certificate"] {
            assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
        }
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(ran.stderr.starts_with("logged in to sandbox.example as bot-ci"), "{}", ran.stderr);
        let report = cluster.path("temp/report");
        check_manifest(&std::fs::read_to_string(&report).unwrap());
        std::fs::remove_file(report).unwrap();
        // No later step learns of it.
        assert_eq!(before(&job), seen, "{platform:?}");
        for name in ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITLAB_ENV"] {
            assert_eq!(std::fs::read_to_string(cluster.path(name)).unwrap_or_default(), "", "{name}");
        }
    }
}

#[test]
fn each_step_is_told_and_no_secret() {
    let cluster = Cluster::any();
    for flags in [&["-v"][..], &["-v", "--agent"]] {
        let job = cluster.job(GitHubActions);
        let ran = exec(
            &job,
            flags,
            "for f in key identity tlskey; do cp $JOBPASS_DIR/$f . 2>/dev/null; done; true",
        )
        .ok();
        assert!(
            ran.stderr.contains("private folder `") && ran.stderr.contains("TCP connections"),
            "{}",
            ran.stderr
        );
        assert_eq!(key_lines(cluster.folder.path()).is_empty(), flags.len() > 1);
        job.assert_secret(&ran);
        for name in ["key", "identity", "tlskey"] {
            let _ = std::fs::remove_file(cluster.path(name));
        }
    }
}

#[test]
fn all_documented_variables_are_the_commands() {
    let kube = SandboxKubeCluster { name: "prod".into(), labels: Vec::new() };
    let options = SandboxOptions { kube_clusters: vec![kube], ..SandboxOptions::simulating(None) };
    let cluster = Cluster::start(options);
    let flags = [
        "--output",
        "ssh",
        "--output",
        "kube=prod",
        "--export-vars",
        "git,ansible",
        "--name",
        "dep-loy",
        "-q",
    ];
    let script = "for name in JOBPASS_DIR JOBPASS_SSH_CONFIG TELEPORT_PROXY TELEPORT_IDENTITY_FILE GIT_SSH_COMMAND \
                  ANSIBLE_SSH_ARGS; do eval \"test -n \\\"\\$${name}_DEP_LOY\\\"\" || echo no $name; done; \
                  test -r \"$KUBECONFIG_KUBE_PROD\" || echo no kubeconfig; test -z \"$JOBPASS_DIR\" || echo plain";
    let ran = exec(&cluster.job(GitHubActions), &flags, script).ok();
    assert_eq!(ran.all(), "");
    // Nothing of the command line or of the environment that is for logins is in its way.
    let job = cluster.job(GitHubActions);
    let job =
        job.set("JOBPASS_EXPORT", "shell").set("JOBPASS_JSON", "1").set("JOBPASS_OUTPUT_DIR", "/nowhere");
    let ran =
        exec(&job, &["-q", "--export", "none", "--output", "kube=prod"], "test -r \"$KUBECONFIG\"").ok();
    assert_eq!(ran.all(), "");
}

#[test]
fn the_status_is_the_commands() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    program(&cluster.path("bin"), "odd", "no such format\n");
    put(&cluster.path("bin/plain"), "echo\n");
    let (odd, plain) = (cluster.path("bin/odd"), cluster.path("bin/plain"));
    let (odd, plain) = (odd.to_str().unwrap(), plain.to_str().unwrap());
    for (words, code, said) in [
        (&["true"][..], 0, ""),
        (&["sh", "-c", "exit 7"], 7, ""),
        (&["sh", "-c", "exit 255"], 255, ""),
        (&["sh", "-c", "kill -TERM $$"], 143, ""),
        (&["sh", "-c", "kill -KILL $$"], 137, ""),
        (&["sh", "-c", "kill -INT $$"], 130, ""),
        (
            &["no-such-program"],
            127,
            "error: could not run `no-such-program`\n  caused by: no such file or directory",
        ),
        (&["./bin/absent"], 127, "error: could not run `./bin/absent`"),
        (&["/"], 126, "error: could not run `/`\n  caused by: permission denied"),
        (&[plain], 126, "  caused by: permission denied"),
        (&[odd], 126, "  caused by: exec format error"),
    ] {
        let before = listing(cluster.folder.path());
        let ran = run(&job, &["-q"], words);
        assert_eq!(ran.code, code, "{words:?}: {}", ran.all());
        assert!(
            ran.stderr.contains(said) && ran.stderr.is_empty() == said.is_empty(),
            "{words:?}: {}",
            ran.stderr
        );
        assert_eq!((ran.stdout.as_str(), listing(cluster.folder.path())), ("", before), "{words:?}");
    }
    let ran = run(&job, &["-q"], &["no-such-program"]);
    assert!(ran.stderr.contains("hint: check its name and `PATH`"), "{}", ran.stderr);
}

#[test]
fn standard_streams_are_the_commands() {
    use std::io::Write as _;
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    let proxy = cluster.proxy();
    let arguments =
        ["exec", "--proxy", &proxy, "--token", &job.token, "-q", "--", "sh", "-c", "cat; echo err >&2"];
    let mut command = job.command(&arguments);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let content: Vec<u8> = (0..200_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn({
        let content = content.clone();
        move || input.write_all(&content).unwrap()
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert_eq!((output.stdout == content, output.stderr.as_slice()), (true, &b"err\n"[..]));
}

#[test]
fn without_credentials_the_command_does_not_start() {
    let cluster = Cluster::any();
    for (flags, code) in [(&["--roles", "nobody-has-this"][..], 4), (&["--expect-cluster", "other"], 4)] {
        let job = cluster.job(GitHubActions);
        let before = listing(cluster.folder.path());
        let ran = exec(&job, flags, "echo started");
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{}", ran.all());
        assert_eq!(listing(cluster.folder.path()), before);
    }
    let mut job = cluster.job(GitHubActions);
    "no-such-token".clone_into(&mut job.token);
    // The summary of the step is an export, too.
    assert_eq!(exec(&job, &[], "echo started").code, 4);
    assert_eq!(std::fs::read_to_string(cluster.path("GITHUB_STEP_SUMMARY")).unwrap(), "");
    // With some of the outputs it does.
    let flags = ["--keep-going", "--output", "ssh", "--output", "kube=absent"];
    let ran = exec(&cluster.job(GitHubActions), &flags, "echo started; exit 3");
    assert_eq!((ran.code, ran.stdout.as_str()), (3, "started\n"), "{}", ran.all());
    let said = ran.stderr.replace('\n', " ");
    assert!(said.contains("without kube-absent") && said.contains("warning: "), "{}", ran.stderr);
}

#[test]
fn a_dry_run_lives_as_long_as_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let dead = crate::failures::DeadPort::new();
    let proxy = format!("http://{}", dead.address());
    // The cluster answers ssh-proxy while the command runs, past an HTTP proxy that does not.
    let script = format!(
        "{} ssh-proxy --dir \"$JOBPASS_DIR\" --ca-file \"$JOBPASS_DIR/../dry-run/web-ca.pem\" nowhere 22; echo $?",
        binary().display()
    );
    let ran = dry(
        folder.path(),
        &[("HTTPS_PROXY", &proxy), ("NO_PROXY", "example.com")],
        &["--", "sh", "-c", &script],
    )
    .ok();
    assert_eq!(ran.stdout, "4\n", "{}", ran.stderr);
    assert!(ran.stderr.starts_with("DRY-RUN: logged in to"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`nowhere` is not a node of `sandbox.example`"), "{}", ran.stderr);
    assert!(listing(folder.path()).is_empty(), "{:?}", listing(folder.path()));
    let real = dry(folder.path(), &[("CI", "true")], &["--", "echo", "started"]);
    assert_eq!((real.code, real.stdout.as_str()), (2, ""), "{}", real.all());
}

#[test]
fn a_tbot_yaml_counts_but_for_its_folders() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    let config = format!(
        "version: v2\nproxy_server: {}\nonboarding:\n  token: {}\n  join_method: github\noutputs:\n- type: identity\n  \
         roles: [ci-read]\n  destination:\n    type: directory\n    path: /nowhere/at/all\n",
        cluster.proxy(),
        job.token
    );
    put(&cluster.path("tbot.yaml"), config);
    let script = "cat \"$JOBPASS_DIR/jobpass.json\"";
    let ran = job.run(&["exec", "-q", "--config", "tbot.yaml", "--", "sh", "-c", script]).ok();
    assert!(ran.stdout.contains("\"ci-read\"") && !ran.stdout.contains("/nowhere"), "{}", ran.stdout);
}

#[test]
fn the_end_of_the_certificate_is_told_once() {
    let role = SandboxRole {
        name: "ci-read".into(),
        logins: vec!["me".into()],
        max_session_ttl: 2,
        ..SandboxRole::default()
    };
    let cluster = Cluster::start(SandboxOptions { roles: vec![role], ..SandboxOptions::simulating(None) });
    let job = cluster.job(GitHubActions);
    // The command waits for the line, which it finds where standard error goes.
    let said = cluster.path("said");
    let script = format!(
        "until grep -q 'have expired' '{}'; do sleep 0.02; done; sleep 0.2; echo saw",
        said.display()
    );
    let proxy = cluster.proxy();
    let mut command =
        job.command(&["exec", "--proxy", &proxy, "--token", &job.token, "--", "sh", "-c", &script]);
    let output = command.stderr(std::fs::File::create(&said).unwrap()).output().unwrap();
    let said = std::fs::read_to_string(&said).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"saw\n"[..]), "{said}");
    assert_eq!(said.matches("\nwarning: the credentials have expired").count(), 1, "{said}");
    assert_eq!(exec(&job, &["-q"], "true").ok().stderr, "");
}

#[test]
fn help_says_what_stays() {
    let help = Ran::of(&jobpass(Path::new("/"), &["exec", "--help"], []).output().unwrap()).ok().stdout;
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in
        ["jobpass exec [OPTIONS] -- <COMMAND>...", "not overwritten", "126", "127", "--roles", "watchdog"]
    {
        assert!(words.contains(part), "{part}: {help}");
    }
    for flag in ["--dir ", "--export ", "--json", "--print-command", "--request-nowait"] {
        assert!(!help.contains(flag), "{flag}: {help}");
    }
}

#[test]
fn the_folder_is_in_memory_where_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let shown = memory.path().display().to_string();
    let script = ["-v", "--", "sh", "-c", "echo \"$JOBPASS_DIR\""];
    for (variables, below, said) in [
        (&[("XDG_RUNTIME_DIR", shown.as_str())][..], shown.as_str(), "in memory"),
        (&[("JOBPASS_ROOT", "/")], "/dev/shm", "in memory"),
        (&[], folder.path().to_str().unwrap(), "private folder"),
    ] {
        let ran = dry(folder.path(), variables, &script).ok();
        let dir = ran.stdout.trim();
        assert!(dir.starts_with(&format!("{below}/jobpass-exec-")), "{dir}");
        let line = ran.stderr.lines().find(|line| line.contains("private folder `")).unwrap();
        assert!(line.contains(said) && dir.starts_with(line.split('`').nth(1).unwrap()), "{line}");
        assert!(!Path::new(dir).parent().unwrap().exists());
    }
    assert!(listing(memory.path()).is_empty() && listing(folder.path()).is_empty());
}

#[test]
fn without_a_watchdog_nothing_is_asked() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    let proxy = cluster.proxy();
    // An environment that does not know where the binary is.
    let mut env = jobpass::env::Env::new(job.variables.clone(), cluster.folder.path());
    env.exe = "/nowhere/jobpass".into();
    let words = ["jobpass", "exec", "--proxy", &proxy, "--token", &job.token, "--", "true"];
    let Ok(cli) = jobpass::cli::parse::parse(words.map(Into::into).to_vec(), &env) else { panic!() };
    // More than a test's thread has on its stack, where nothing is optimized.
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(jobpass::run::run(&cli, &env, &jobpass::log::Log::silent())).unwrap_err()
    };
    let error = std::thread::Builder::new().stack_size(16 << 20).spawn(run).unwrap().join().unwrap();
    let failure = jobpass::report::Failure::new(&error, jobpass::env::now());
    assert!(
        failure.message.contains("could not start `/nowhere/jobpass`, which is to remove"),
        "{failure:?}"
    );
    assert_eq!((failure.exit as i32, failure.hints.len(), cluster.sandbox.records().len()), (1, 1, 0));
}
