//! Codefresh: its address, which wants the bare secret, and what its step leaves.

use jobpass::platform::Platform::Codefresh;
use serde_json::json;

use crate::support::cluster::Cluster;

#[test]
fn the_address_or_the_token_of_its_step() {
    let cluster = Cluster::any();
    let ran = cluster.job(Codefresh).login(&[]).ok();
    assert!(ran.stderr.contains("eval \"$(jobpass login --export shell)\""), "{}", ran.stderr);
    let asked: Vec<_> = cluster.sandbox.records().into_iter().flat_map(|seen| seen.paths).collect();
    assert!(
        asked.iter().any(|path| path == "/_ci/codefresh/token?audience=teleport.example.com"),
        "{asked:?}"
    );

    let by_step = |audience: &str| {
        let token = cluster.sandbox.id_token(Codefresh, &json!({ "aud": audience })).unwrap();
        cluster.job(Codefresh).unset("CF_OIDC_REQUEST_URL").set("ID_TOKEN", token.expose())
    };
    by_step("teleport.example.com").login(&[]).ok();
    // The step made it for another audience than the one asked for.
    let ran = by_step("https://g.codefresh.io").login(&[]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert!(
        ran.stderr.contains("its audience is `https://g.codefresh.io`, not `teleport.example.com`"),
        "{}",
        ran.stderr
    );
}
