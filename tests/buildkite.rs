//! Buildkite: its agent's program, else what that asks.

use std::path::Path;

use jobpass::platform::Platform::Buildkite;
use jobpass::sandbox::SandboxOptions;
use serde_json::json;

use crate::support::cluster::{Cluster, Job};
use crate::support::command::{program, put};

/// The folder goes before the others in `PATH`.
fn with_path<'a>(job: Job<'a>, folder: &Path) -> Job<'a> {
    let path = format!("{}:{}", folder.display(), job.variable("PATH"));
    job.set("PATH", &path)
}

#[test]
fn its_program_makes_the_token() {
    let cluster = Cluster::any();
    let bin = cluster.path("bin");
    let audience = cluster.sandbox.audience(Buildkite).unwrap();
    let token = cluster.sandbox.id_token(Buildkite, &json!({ "aud": audience })).unwrap();
    put(&cluster.path("jwt"), format!("{}\n", token.expose()));
    // It finds the job by its variables, and writes what it does to standard error.
    let script = "#!/bin/sh\n[ \"$BUILDKITE_JOB_ID\" ] || exit 9\nprintf '%s\\n' \"$@\" >> called\n\
                  echo '2026-11-21 INFO   Requesting' >&2\ncat jwt\n";
    program(&bin, "buildkite-agent", script);
    let job = with_path(cluster.job(Buildkite), &bin);
    let ran = job.login(&[]).ok();
    assert!(ran.stderr.contains("eval \"$(jobpass login --export shell)\""), "{}", ran.stderr);
    let called = std::fs::read_to_string(cluster.path("called")).unwrap();
    assert!(
        called.starts_with(&format!("oidc\nrequest-token\n--audience\n{audience}\nannotate\n")),
        "{called}"
    );
    let asked: Vec<_> = cluster.sandbox.records().into_iter().flat_map(|seen| seen.paths).collect();
    assert!(!asked.iter().any(|path| path.starts_with("/_ci/")), "{asked:?}");

    // What it says is told, on one line, without what a log would read as a command.
    let script = "#!/bin/sh\necho '::error::x' >&2\nprintf '::warning::no \\033[31moidc\\n' >&2\nexit 7\n";
    program(&bin, "buildkite-agent", script);
    let ran = job.login(&[]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert!(
        ran.stderr.contains("the command `buildkite-agent`: it ended with exit status: 7"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("\n::") && !ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    assert!(ran.stderr.contains("mount-buildkite-agent"), "{}", ran.stderr);

    // It has as long as the whole run.
    program(&bin, "buildkite-agent", "#!/bin/sh\nexec sleep 600\n");
    let ran = job.login(&["--timeout", "2s"]);
    assert_ne!(ran.code, 0);
    assert!(ran.stderr.contains("deadline"), "{}", ran.stderr);
}

#[test]
fn without_its_program_the_address_is_asked() {
    let cluster = Cluster::any();
    let job = cluster.job(Buildkite);
    job.login(&[]).ok();
    let asked: Vec<_> = cluster.sandbox.records().into_iter().flat_map(|seen| seen.paths).collect();
    let path = format!("/_ci/buildkite/token/jobs/{}/oidc/tokens", job.variable("BUILDKITE_JOB_ID"));
    assert!(asked.contains(&path), "{asked:?}");
    // Nobody knows which audience, if the user does not say.
    let ran = job.unset("JOBPASS_AUDIENCE").login(&[]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(ran.stderr.contains("--audience"), "{}", ran.stderr);
}

#[test]
fn a_dry_run_in_a_job_asks_no_agent() {
    let cluster = Cluster::any();
    let bin = cluster.path("bin");
    program(&bin, "buildkite-agent", "#!/bin/sh\ntouch called\nexit 1\n");
    let job = with_path(cluster.job(Buildkite), &bin);
    job.run(&["login", "--dry-run", "--allow-dry-run-in-ci", "--dir", "out"]).ok();
    assert!(cluster.path("out/key").exists() && !cluster.path("called").exists());
}

/// An agent that keeps what it is told; `env set` ends with `$status`.
const AGENT: &str = "#!/bin/sh\n\
    printf '%s\\n' \"$*\" >>called\n\
    case \"$1 $2\" in\n\
      'oidc '*) cat jwt ;;\n\
      'env set') cat >variables; [ \"${fails:-}\" ] && { echo 'no job API here' >&2; exit 3; }; exit 0 ;;\n\
      annotate*) cat >page ;;\n\
    esac\n";

/// A job with such an agent, and the socket of an agent that is new enough.
fn with_agent(cluster: &Cluster) -> Job<'_> {
    let audience = cluster.sandbox.audience(Buildkite).unwrap();
    let token = cluster.sandbox.id_token(Buildkite, &json!({ "aud": audience })).unwrap();
    put(&cluster.path("jwt"), format!("{}\n", token.expose()));
    put(&cluster.path("socket"), "");
    program(&cluster.path("bin"), "buildkite-agent", AGENT);
    let job = with_path(cluster.job(Buildkite), &cluster.path("bin"));
    job.set("BUILDKITE_AGENT_JOB_API_SOCKET", &cluster.path("socket").display().to_string())
}

#[test]
fn later_phases_get_variables_and_the_build_a_page() {
    let cluster = Cluster::any();
    let odd = cluster.path("it's a $x %");
    let ran = with_agent(&cluster).login(&["--dir", odd.to_str().unwrap()]).ok();
    // The next lines of the same command do not see them.
    assert!(ran.stderr.contains("eval \"$(jobpass login --export shell)\""), "{}", ran.stderr);
    let text = std::fs::read_to_string(cluster.path("variables")).unwrap();
    assert_eq!(text.lines().count(), 1, "the agent reads one object a line");
    let variables: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(variables["JOBPASS_DIR"], odd.display().to_string());
    assert_eq!(variables["TELEPORT_PROXY"], cluster.proxy());
    let page = std::fs::read_to_string(cluster.path("page")).unwrap();
    assert!(page.contains("bot-ci") && page.contains("| valid until |"), "{page}");
    let called = std::fs::read_to_string(cluster.path("called")).unwrap();
    let job = with_agent(&cluster);
    let context =
        format!("annotate --style info --context jobpass-{} --append", job.variable("BUILDKITE_JOB_ID"));
    assert!(called.contains("env set --input-format=json --output-format=quiet -"), "{called}");
    assert!(called.contains(&context), "{called}");
    // Who wants nothing gets nothing.
    std::fs::remove_file(cluster.path("page")).unwrap();
    std::fs::remove_file(cluster.path("variables")).unwrap();
    job.login(&["--export", "none"]).ok();
    assert!(!cluster.path("page").exists() && !cluster.path("variables").exists());
}

#[test]
fn a_failing_agent_fails_the_run_only_if_it_was_asked_for() {
    let cluster = Cluster::any();
    let job = || with_agent(&cluster).set("fails", "1");
    let ran = job().login(&[]).ok();
    assert!(ran.stderr.contains("could not hand the variables over to `buildkite-agent`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("saying `no job API here`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: load the variables"), "{}", ran.stderr);
    let ran = job().login(&["--export", "buildkite", "--dir", "out"]);
    assert_eq!(ran.code, 6, "{}", ran.all());
    assert!(!cluster.path("out").exists());
    // Without the socket it is not tried.
    std::fs::remove_file(cluster.path("variables")).unwrap();
    let ran = job().unset("BUILDKITE_AGENT_JOB_API_SOCKET").login(&[]).ok();
    assert!(
        !cluster.path("variables").exists() && !ran.stderr.contains("hand the variables"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_refusal_is_on_the_page_of_the_build() {
    let mut options = SandboxOptions::simulating(Some(Buildkite));
    options.branch = Some("other".to_owned());
    let cluster = Cluster::start(options);
    let ran = with_agent(&cluster).login(&[]);
    assert_eq!(ran.code, 4, "{}", ran.all());
    let called = std::fs::read_to_string(cluster.path("called")).unwrap();
    let page = std::fs::read_to_string(cluster.path("page")).unwrap();
    assert!(called.contains("annotate --style error"), "{called}");
    assert!(page.contains("Teleport says"), "{page}");
}
