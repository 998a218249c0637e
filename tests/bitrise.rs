//! Bitrise: the token of its step, and `envman` for later steps.

use std::collections::BTreeMap;

use jobpass::platform::Platform::Bitrise;

use crate::support::cluster::{Cluster, Job};
use crate::support::command::program;

/// A job with this `envman`.
fn with_envman<'a>(cluster: &'a Cluster, script: &str) -> Job<'a> {
    program(&cluster.path("bin"), "envman", script);
    let job = cluster.job(Bitrise);
    let path = format!("{}:{}", cluster.path("bin").display(), job.variable("PATH"));
    job.set("PATH", &path)
}

#[test]
fn the_token_of_its_step_is_taken() {
    let cluster = Cluster::any();
    let ran = cluster.job(Bitrise).login(&["--json"]).ok();
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&report["platform"], &report["join_method"]), (&"bitrise".into(), &"generic_oidc".into()));
    // Without the program the user is told what to write.
    assert!(ran.stderr.contains("envman add"), "{}", ran.stderr);
}

/// As bitrise-io/envman takes it: one run a variable, nothing expanded, and what comes in by a pipe wins over `--value`.
#[test]
fn later_steps_get_variables_by_envman() {
    let cluster = Cluster::any();
    let script = "#!/bin/sh\n[ \"$1 $2 $4 $5\" = 'add --key --no-expand --value' ] && [ -z \"$(cat)\" ] || exit 9\n\
                  printf '%s\\0%s\\0' \"$3\" \"$6\" >>store\n";
    let odd = cluster.path("it's a $HOME %");
    let ran = with_envman(&cluster, script).login(&["--dir", odd.to_str().unwrap()]).ok();
    assert!(!ran.stderr.contains("hint"), "{}", ran.stderr);
    let store = std::fs::read_to_string(cluster.path("store")).unwrap();
    let words: Vec<&str> = store.split_terminator('\0').collect();
    let store: BTreeMap<&str, &str> = words.chunks(2).map(|pair| (pair[0], pair[1])).collect();
    assert_eq!(store["JOBPASS_DIR"], odd.display().to_string());
    assert_eq!(store["TELEPORT_PROXY"], cluster.proxy());
}
