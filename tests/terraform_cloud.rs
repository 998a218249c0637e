//! HCP Terraform: tagged variables.

use jobpass::platform::Platform::TerraformCloud;
use serde_json::json;

use crate::support::cluster::Cluster;

const PLAIN: &str = "TFC_WORKLOAD_IDENTITY_TOKEN";

#[test]
fn the_token_tagged_for_teleport_comes_first() {
    let cluster = Cluster::any();
    let job = || cluster.job(TerraformCloud);
    let good = job().variable(PLAIN).to_owned();
    let vault = cluster.sandbox.id_token(TerraformCloud, &json!({"aud": "https://vault.example"})).unwrap();
    let tag = |tag: &str| format!("{PLAIN}_{tag}");
    // The plain one is Vault's.
    let tagged = job().unset(PLAIN).set(PLAIN, vault.expose()).set(&tag("TELEPORT"), &good);
    tagged.login(&["--dir", "a"]).ok();
    // Only one has a tag.
    job().unset(PLAIN).set(&tag("CLUSTER_A"), &good).login(&["--dir", "b"]).ok();
    // Several have: the user says which.
    let several = || job().unset(PLAIN).set(&tag("A"), &good).set(&tag("VAULT"), vault.expose());
    let ran = several().login(&["--dir", "c"]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert!(ran.stderr.contains("--id-token-env TFC_WORKLOAD_IDENTITY_TOKEN_A"), "{}", ran.stderr);
    several().login(&["--dir", "c", "--id-token-env", &tag("A")]).ok();
    let ran = several().login(&["--dir", "d", "--id-token-env", &tag("B")]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert!(ran.stderr.contains("`TFC_WORKLOAD_IDENTITY_AUDIENCE_B`"), "{}", ran.stderr);
}
