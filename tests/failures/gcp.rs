//! Google Cloud's metadata server gives no identity token, or one of no use.

use std::time::{Duration, Instant};

use jobpass::cloud::Cloud::Gcp;
use jobpass::sandbox::Simulated;
use serde_json::{Value, json};

use super::{DeadPort, machine_fails};
use crate::support::cluster::Cluster;
use crate::support::stand_in::{Reply, StandIn, job};

const METHOD: [&str; 2] = ["--join-method", "gcp"];
const IN_POD: (&str, &str) = ("KUBERNETES_SERVICE_HOST", "10.96.0.1");

/// A metadata server that answers this to the question for the token.
fn says(cluster: &Cluster, reply: impl Fn() -> Reply + Send + Sync + 'static) -> StandIn {
    StandIn::start(cluster.sandbox.metadata_address(), move |path, _| {
        if path.contains("/identity?") { reply() } else { Reply::Pass }
    })
}

#[test]
fn nothing_answers() {
    let cluster = Cluster::any();
    let dead = DeadPort::new();
    let address = dead.address().parse().unwrap();
    machine_fails("gcp-silent", 3, &cluster, &job(&cluster, Gcp, address), &METHOD, &dead.address());
    let silent = StandIn::start(cluster.sandbox.metadata_address(), |_, _| Reply::Silence);
    let begin = Instant::now();
    let job = job(&cluster, Gcp, silent.address());
    machine_fails("gcp-slow", 3, &cluster, &job, &METHOD, &silent.address().to_string());
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[test]
fn the_metadata_server_refuses() {
    let cluster = Cluster::any();
    let unlinked = "Your Kubernetes service account (ci/deployer) is not annotated with a target Google service account, \
                    which is a requirement for retrieving Identity Tokens using Workload Identity.";
    let denied = "Unable to generate identity token: PERMISSION_DENIED: iam.serviceAccounts.getOpenIdToken";
    for (name, exit, status, body, variable) in [
        ("gcp-no-account", 3, 404, "service account not found", None),
        ("gcp-header", 3, 403, "Missing Metadata-Flavor:Google header.", None),
        ("gcp-gke-unlinked", 3, 404, unlinked, Some(IN_POD)),
        ("gcp-gke-denied", 3, 403, denied, Some(IN_POD)),
        ("gcp-cloud-build", 3, 404, "Not Found", Some(("BUILDER_OUTPUT", "/builder/outputs"))),
        ("gcp-500", 5, 500, "Internal Server Error", None),
    ] {
        let server = says(&cluster, move || Reply::Say(status, body.to_owned()));
        let mut job = job(&cluster, Gcp, server.address());
        if let Some((variable, value)) = variable {
            job = job.set(variable, value);
        }
        machine_fails(name, exit, &cluster, &job, &METHOD, &server.address().to_string());
    }
}

#[test]
fn it_answers_with_something_else() {
    let cluster = Cluster::any();
    let token = |claims: Value| {
        let token = cluster.sandbox.id_token(Simulated::machine(Gcp).unwrap(), &claims).unwrap();
        token.expose().to_owned()
    };
    let past = jiff::Timestamp::now().as_second() - 7_200;
    let default = "123456789012-compute@developer.gserviceaccount.com";
    for (name, body) in [
        ("gcp-page", "<html>Sign in</html>".to_owned()),
        ("gcp-audience", token(json!({"aud": "other.example"}))),
        ("gcp-expired", token(json!({"exp": past}))),
        ("gcp-default-account", token(json!({"email": default, "google": null}))),
        ("gcp-no-email", token(json!({"email": null, "google": null}))),
    ] {
        let server = says(&cluster, move || Reply::Say(200, body.clone()));
        let job = job(&cluster, Gcp, server.address());
        machine_fails(name, 3, &cluster, &job, &METHOD, &server.address().to_string());
    }
    let elsewhere = says(&cluster, || Reply::Redirect);
    let job = job(&cluster, Gcp, elsewhere.address());
    machine_fails("gcp-redirect", 3, &cluster, &job, &METHOD, &elsewhere.address().to_string());
    assert_eq!(elsewhere.count("elsewhere"), 0);
}

#[test]
fn only_a_metadata_address_is_asked() {
    let cluster = Cluster::any();
    let address = cluster.sandbox.metadata_address();
    for (name, value) in [
        ("gcp-other-host", "192.0.2.1"),
        ("gcp-other-name", "metadata.example.com"),
        ("gcp-url", "http://127.0.0.1/"),
    ] {
        let job = job(&cluster, Gcp, address).set("GCE_METADATA_HOST", value);
        machine_fails(name, 2, &cluster, &job, &METHOD, "no address");
    }
    assert_eq!(cluster.sandbox.records().iter().filter(|r| r.client.is_some()).count(), 0);
}

#[test]
fn the_cluster_refuses() {
    let mut options = jobpass::sandbox::SandboxOptions::simulating(None);
    for token in options.tokens.iter_mut().filter(|token| token.name == "ci-gcp") {
        token.spec = json!({"allow": [{"project_ids": ["other"], "locations": ["us-west1"]}]});
    }
    let cluster = Cluster::start(options);
    let address = cluster.sandbox.metadata_address();
    machine_fails("gcp-rule", 4, &cluster, &job(&cluster, Gcp, address), &METHOD, "no address");
    let mut other = job(&cluster, Gcp, address);
    other.token = "ci-gitlab".to_owned();
    machine_fails("gcp-method", 4, &cluster, &other, &METHOD, "no address");
}
