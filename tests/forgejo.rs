//! Forgejo Actions: GitHub's files, its own issuer and marker.

use jobpass::platform::Platform::Forgejo;

use crate::github::heredocs;
use crate::support::cluster::Cluster;

#[test]
fn later_steps_get_variables_as_github_s_do() {
    let cluster = Cluster::any();
    let job = cluster.job(Forgejo);
    assert_eq!(job.variable("GITHUB_ACTIONS"), "true");
    let ran = job.login(&["--json"]).ok();
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&report["platform"], &report["join_method"]), (&"forgejo".into(), &"generic_oidc".into()));
    let told = heredocs(&std::fs::read_to_string(cluster.path("GITHUB_ENV")).unwrap());
    let dir = cluster.path("temp/jobpass").display().to_string();
    assert!(told.contains(&("JOBPASS_DIR".to_owned(), dir)), "{told:?}");
    let asked: Vec<_> = cluster.sandbox.records().into_iter().flat_map(|seen| seen.paths).collect();
    let path = "/_ci/forgejo/token?placeholder=true&audience=teleport.example.com";
    assert!(asked.iter().any(|asked| asked == path), "{asked:?}");
}

#[test]
fn it_is_not_github() {
    let cluster = Cluster::any();
    // The audience of GitHub's method is of no use here, and its method is not tried.
    let ran = cluster.job(Forgejo).unset("JOBPASS_AUDIENCE").login(&[]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(ran.stderr.contains("Forgejo Actions makes a token for one audience"), "{}", ran.stderr);
    let only = cluster.job(Forgejo).run(&["doctor", "--platform-only"]).ok();
    assert!(
        only.stdout.contains("GITHUB_ACTIONS is true, but FORGEJO_ACTIONS is set, too"),
        "{}",
        only.stdout
    );
}
