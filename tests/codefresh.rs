//! Codefresh: its address, which wants the bare secret, and what its step leaves.

use jobpass::platform::Platform::Codefresh;
use serde_json::json;

use crate::support::cluster::Cluster;
use crate::support::command::put;

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

/// The file that its own `cf_export` appends to: for credentials on the volume that steps share, and only if asked for.
#[test]
fn later_steps_are_told_where_the_user_says_so() {
    let cluster = Cluster::any();
    let volume = cluster.path("volume");
    std::fs::create_dir(&volume).unwrap();
    let job = || cluster.job(Codefresh).set("CF_VOLUME_PATH", &volume.display().to_string());
    let file = volume.join("env_vars_to_export");
    job().login(&[]).ok();
    assert!(!file.exists());
    put(&file, "EARLIER=1");
    let dir = volume.join("creds").display().to_string();
    let ran = job().login(&["--export", "codefresh", "--dir", &dir]).ok();
    assert!(!ran.stderr.contains("hint"), "{}", ran.stderr);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("EARLIER=1\n") && text.contains(&format!("\nJOBPASS_DIR={dir}\n")), "{text}");
    // Nobody says how its quotes are read, so no value that needs some is written.
    let odd = volume.join("a b").display().to_string();
    let ran = job().login(&["--export", "codefresh", "--dir", &odd]);
    assert!(ran.code == 6 && !volume.join("a b").exists(), "{}", ran.all());
}
