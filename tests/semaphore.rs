//! Semaphore: a token of its own audience.

use jobpass::platform::Platform::Semaphore;
use serde_json::json;

use crate::support::cluster::Cluster;

#[test]
fn a_token_of_another_audience_has_another_variable() {
    let cluster = Cluster::any();
    let good = cluster.job(Semaphore).variable("SEMAPHORE_OIDC_TOKEN").to_owned();
    let other = cluster.sandbox.id_token(Semaphore, &json!({"aud": "https://vault.example"})).unwrap();
    let job = || {
        let job = cluster.job(Semaphore).unset("SEMAPHORE_OIDC_TOKEN");
        job.set("SEMAPHORE_OIDC_TOKEN", other.expose()).set("TELEPORT_TOKEN", &good)
    };
    assert_eq!(job().login(&[]).code, 4);
    let ran = job().login(&["--id-token-env", "TELEPORT_TOKEN"]).ok();
    assert!(ran.stderr.contains("eval \"$(jobpass login --export shell)\""), "{}", ran.stderr);
    let ran = job().login(&["--id-token-env", "MISSING"]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert!(ran.stderr.contains("oidc_tokens: { MISSING: { aud: <audience> } }"), "{}", ran.stderr);
}
