//! env0: `ENV0_ENV`, and a join by the stream alone.

use jobpass::platform::Platform::Env0;

use crate::support::cluster::Cluster;
use crate::support::command::{put, run};

#[test]
fn later_steps_read_env0_env() {
    let cluster = Cluster::any();
    let job = cluster.job(Env0);
    put(&cluster.path("ENV0_ENV"), "EARLIER=1\n");
    let ran = job.login(&[]).ok();
    assert!(ran.stderr.contains("eval \"$(jobpass login --export shell)\""), "{}", ran.stderr);
    let script = "while read -r line; do export \"$line\"; done < \"$0\"; echo \"$EARLIER $TELEPORT_PROXY\"; \
                  ls \"$JOBPASS_SSH_CONFIG\"";
    let seen = run("bash", &["-c", script, cluster.path("ENV0_ENV").to_str().unwrap()]).ok().stdout;
    assert!(
        seen.starts_with(&format!("1 {}\n", cluster.proxy())) && seen.ends_with("/ssh_config\n"),
        "{seen}"
    );
    let posted = cluster.sandbox.records().into_iter().flat_map(|seen| seen.paths);
    assert!(!posted.into_iter().any(|path| path.ends_with("/host/credentials")));
}
