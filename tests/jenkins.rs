//! Jenkins: a token that the pipeline binds, the folder beside the workspace.

use jobpass::platform::Platform::Jenkins;

use crate::support::cluster::Cluster;
use crate::support::command::put;

#[test]
fn the_credential_is_bound_by_its_usual_name_by_another_or_to_a_file() {
    let cluster = Cluster::any();
    let ran = cluster.job(Jenkins).login(&[]).ok();
    assert!(ran.stderr.contains("eval \"$(jobpass login --export shell)\""), "{}", ran.stderr);
    assert!(
        cluster.path("temp/jobpass/key").exists(),
        "beside the workspace, where the next build replaces it"
    );
    let token = cluster.job(Jenkins).variable("JENKINS_ID_TOKEN").to_owned();
    let bare = || cluster.job(Jenkins).unset("JENKINS_ID_TOKEN");
    bare().set("MY_TOKEN", &token).login(&["--id-token-env", "MY_TOKEN"]).ok();
    put(&cluster.path("token"), &token);
    bare().login(&["--id-token-file", "token"]).ok();
    let ran = bare().login(&["--id-token-env", "MISSING"]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert!(ran.stderr.contains("variable: 'MISSING'"), "{}", ran.stderr);
}
