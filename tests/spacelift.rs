//! Spacelift: the token's file, and the shell that its hooks share.

use jobpass::platform::Platform::Spacelift;

use crate::support::cluster::{Cluster, key_lines};
use crate::support::command::{put, run};

#[test]
fn a_hook_gets_the_variables_by_eval() {
    let cluster = Cluster::any();
    let job = cluster.job(Spacelift);
    let ran = job.login(&["--export", "shell"]).ok();
    put(&cluster.path("lines"), &ran.stdout);
    let script = "eval \"$(cat \"$0\")\"; echo \"$TELEPORT_PROXY\"; echo \"$JOBPASS_DIR\"";
    let seen = run("bash", &["-c", script, cluster.path("lines").to_str().unwrap()]).ok().stdout;
    let (proxy, dir) = seen.trim_end().split_once('\n').unwrap();
    assert_eq!(proxy, cluster.proxy());
    assert!(key_lines(dir.as_ref()).len() > 5);
    assert!(!ran.all().contains("add-mask"), "{}", ran.all());
    // The data is for the shell alone: every line is an export.
    assert!(ran.stdout.lines().all(|l| l.starts_with("export ")), "{}", ran.stdout);
}

#[test]
fn the_token_may_be_in_the_workspace() {
    let cluster = Cluster::any();
    let token = cluster.job(Spacelift).variable("SPACELIFT_OIDC_TOKEN").to_owned();
    put(&cluster.path("spacelift.oidc"), format!("{token}\n"));
    let job = cluster
        .job(Spacelift)
        .unset("SPACELIFT_OIDC_TOKEN")
        .set("TF_VAR_spacelift_workspace_root", cluster.folder.path().to_str().unwrap());
    let ran = job.login(&[]).ok();
    assert!(ran.stderr.contains("eval \"$(jobpass login --export shell)\""), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    // The workspace is uploaded while a run waits for approval: nothing secret is put there.
    assert!(!cluster.path("jobpass").exists());
}
