//! CircleCI: `BASH_ENV`, a folder nobody can guess; an env file for whoever wants one.

use std::os::unix::fs::PermissionsExt as _;

use jobpass::platform::Platform::CircleCi;
use serde_json::json;

use crate::support::cluster::{Cluster, listing};
use crate::support::command::{program, put, run};

#[test]
fn later_steps_read_bash_env() {
    let cluster = Cluster::any();
    let job = cluster.job(CircleCi);
    put(&cluster.path("BASH_ENV"), "export EARLIER='1'\n");
    job.login(&[]).ok();
    let script = "echo \"$EARLIER $TELEPORT_PROXY $TELEPORT_AUTH_SERVER\"; ls -d \"$JOBPASS_DIR\"; \
                  ls \"$JOBPASS_SSH_CONFIG\" \"$TELEPORT_IDENTITY_FILE\"";
    // As CircleCI does: bash itself reads the file named by the variable.
    let env = format!("BASH_ENV={}", cluster.path("BASH_ENV").display());
    let seen = run("env", &[&env, "bash", "-c", script]).ok().stdout;
    let proxy = cluster.proxy();
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!(lines[0], format!("1 {proxy} {proxy}"));
    let dir = std::path::Path::new(lines[1]);
    let name = dir.file_name().unwrap().to_str().unwrap();
    let random = name.strip_prefix("jobpass-").unwrap();
    assert!(random.len() == 16 && random.bytes().all(|b| b.is_ascii_hexdigit()), "{name}");
    assert_eq!(dir.parent().unwrap(), cluster.path("temp"));
    assert_eq!(dir.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let text = std::fs::read_to_string(cluster.path("BASH_ENV")).unwrap();
    for line in crate::support::cluster::key_lines(dir) {
        assert!(!text.contains(&line));
    }
    assert!(!text.contains("eyJ"));

    // Another login has another folder: others may write where these are.
    cluster.job(CircleCi).login(&[]).ok();
    assert_eq!(listing(&cluster.path("temp")).iter().filter(|(f, _)| !f.contains('/')).count(), 2);
    // The user's own runtime folder comes before the one for all.
    let runtime = cluster.path("runtime");
    std::fs::create_dir(&runtime).unwrap();
    cluster.job(CircleCi).set("XDG_RUNTIME_DIR", runtime.to_str().unwrap()).login(&[]).ok();
    assert!(listing(&runtime)[0].0.starts_with("jobpass-"));
}

#[test]
fn an_env_file_is_replaced_as_a_whole() {
    let cluster = Cluster::any();
    put(&cluster.path("job.env"), "OLD=1\n");
    let ran = cluster.job(CircleCi).login(&["--export", "env-file=job.env"]).ok();
    assert_eq!(ran.stdout, "");
    let path = cluster.path("job.env");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    let names: Vec<&str> = text.lines().map(|l| l.split_once('=').unwrap().0).collect();
    let wanted = [
        "TELEPORT_PROXY",
        "TELEPORT_AUTH_SERVER",
        "TELEPORT_IDENTITY_FILE",
        "JOBPASS_DIR",
        "JOBPASS_SSH_CONFIG",
    ];
    assert_eq!(names, wanted);
    let seen = run("sh", &["-c", ". \"$0\"; ls \"$JOBPASS_SSH_CONFIG\"", path.to_str().unwrap()]);
    assert!(seen.ok().stdout.ends_with("/ssh_config\n"));
    // Where a file is told, the platform's is not.
    assert_eq!(std::fs::read_to_string(cluster.path("BASH_ENV")).unwrap(), "");
}

#[test]
fn nothing_is_told_with_export_none() {
    let cluster = Cluster::any();
    cluster.job(CircleCi).unset("BASH_ENV").login(&["--export", "none"]).ok();
}

/// `circleci run oidc get` is asked where the variable has nothing, or a token that is over, and for another audience.
#[test]
fn its_program_makes_new_tokens() {
    let cluster = Cluster::any();
    let bin = cluster.path("bin");
    let organization = cluster.job(CircleCi).variable("CIRCLE_ORGANIZATION_ID").to_owned();
    let good = cluster.job(CircleCi).variable("CIRCLE_OIDC_TOKEN").to_owned();
    let past = jiff::Timestamp::now().as_second() - 7_200;
    let old = cluster.sandbox.id_token(CircleCi, &json!({ "exp": past })).unwrap();
    put(&cluster.path("jwt"), format!("{good}\n"));
    program(&bin, "circleci", "#!/bin/sh\nprintf '%s\\n' \"$@\" > called\ncat jwt\n");
    let bare = || {
        let job = cluster.job(CircleCi).unset("CIRCLE_OIDC_TOKEN").unset("CIRCLE_OIDC_TOKEN_V2");
        let path = format!("{}:{}", bin.display(), job.variable("PATH"));
        job.set("PATH", &path)
    };
    let called = || {
        let text = std::fs::read_to_string(cluster.path("called")).unwrap_or_default();
        let _ = std::fs::remove_file(cluster.path("called"));
        text
    };
    let own = format!("run\noidc\nget\n--claims\n{{\"aud\":\"{organization}\"}}\n");
    bare().login(&[]).ok();
    assert_eq!(called(), own);
    bare().set("CIRCLE_OIDC_TOKEN", old.expose()).login(&[]).ok();
    assert_eq!(called(), own);
    // A good one is taken as it is.
    bare().set("CIRCLE_OIDC_TOKEN", &good).login(&[]).ok();
    assert_eq!(called(), "");
    // The token is for whom the user says, and the cluster's to judge.
    bare().set("CIRCLE_OIDC_TOKEN", &good).login(&["--audience", "a \"b\""]).ok();
    assert!(called().ends_with("\n{\"aud\":\"a \\\"b\\\"\"}\n"));
    program(&bin, "circleci", "#!/bin/sh\necho 'unknown command' >&2\nexit 255\n");
    let ran = bare().login(&[]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert!(ran.stderr.contains("exit status: 255, saying `unknown command`"), "{}", ran.stderr);
}
