//! Bitrise: what its step leaves.

use jobpass::platform::Platform::Bitrise;

use crate::support::cluster::Cluster;

#[test]
fn the_token_of_its_step_is_taken() {
    let cluster = Cluster::any();
    let ran = cluster.job(Bitrise).login(&["--json"]).ok();
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&report["platform"], &report["join_method"]), (&"bitrise".into(), &"generic_oidc".into()));
    assert!(ran.stderr.contains("envman add"), "{}", ran.stderr);
}
