//! Bitbucket Pipelines: a folder of its own in the step's container, and the shell that a script is.

use jobpass::platform::Platform::Bitbucket;

use crate::support::cluster::{Cluster, listing};
use crate::support::command::{put, run};

#[test]
fn the_rest_of_the_script_gets_the_variables_by_eval() {
    let cluster = Cluster::any();
    let ran = cluster.job(Bitbucket).login(&[]).ok();
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("eval \"$(jobpass login --export shell)\""), "{}", ran.stderr);
    assert!(listing(&cluster.path("temp"))[0].0.starts_with("jobpass-"), "nobody can guess the folder");

    let ran = cluster.job(Bitbucket).login(&["--export", "shell"]).ok();
    put(&cluster.path("lines"), &ran.stdout);
    let script = "eval \"$(cat \"$0\")\"; echo \"$TELEPORT_PROXY\"; ls \"$JOBPASS_SSH_CONFIG\"";
    let seen = run("sh", &["-c", script, cluster.path("lines").to_str().unwrap()]).ok().stdout;
    assert!(seen.starts_with(&format!("{}\n", cluster.proxy())) && seen.ends_with("/ssh_config\n"), "{seen}");
}

#[test]
fn a_folder_in_the_clone_is_warned_about() {
    let cluster = Cluster::any();
    let clone = cluster.folder.path().to_str().unwrap();
    let ran = cluster.job(Bitbucket).set("BITBUCKET_CLONE_DIR", clone).login(&["--dir", "keys"]).ok();
    assert!(ran.stderr.contains("is inside the checkout"), "{}", ran.stderr);
}
