//! Azure's metadata service gives no access token or no attested document, or one of no use.

use std::time::{Duration, Instant};

use jobpass::cloud::Cloud::Azure;
use jobpass::sandbox::fault_injection::{FaultInjection, JoinEnd, RefusedCall, StreamEnd};
use jobpass::sandbox::{SandboxOptions, Simulated};
use serde_json::{Value, json};

use super::{DeadPort, machine_fails};
use crate::support::cluster::Cluster;
use crate::support::stand_in::{Reply, StandIn, job};

const METHOD: [&str; 2] = ["--join-method", "azure"];
const TOKEN: &str = "/metadata/identity/oauth2/token";
const ATTESTED: &str = "/metadata/attested/document";

/// A metadata service that answers this to one kind of question.
fn says(cluster: &Cluster, part: &'static str, reply: impl Fn() -> Reply + Send + Sync + 'static) -> StandIn {
    StandIn::start(cluster.sandbox.metadata_address(), move |path, _| {
        if path.starts_with(part) { reply() } else { Reply::Pass }
    })
}

#[test]
fn nothing_answers() {
    let cluster = Cluster::any();
    let dead = DeadPort::new();
    let address = dead.address().parse().unwrap();
    machine_fails("azure-silent", 3, &cluster, &job(&cluster, Azure, address), &METHOD, &dead.address());
    let silent = StandIn::start(cluster.sandbox.metadata_address(), |_, _| Reply::Silence);
    let begin = Instant::now();
    let job = job(&cluster, Azure, silent.address());
    machine_fails("azure-slow", 3, &cluster, &job, &METHOD, &silent.address().to_string());
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[test]
fn there_is_no_access_token() {
    let cluster = Cluster::any();
    let error =
        |description: &str| json!({"error": "invalid_request", "error_description": description}).to_string();
    let several = "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the \
                   token request";
    for (name, exit, status, body, variable) in [
        ("azure-no-identity", 3, 400, error("Identity not found"), None),
        ("azure-several-identities", 3, 400, error(several), None),
        ("azure-client-id-of-variable", 3, 400, error("Identity not found"), Some("an-application")),
        ("azure-429", 5, 429, error("Temporarily throttled, too many requests"), None),
    ] {
        let service = says(&cluster, TOKEN, move || Reply::Say(status, body.clone()));
        let mut job = job(&cluster, Azure, service.address());
        if let Some(value) = variable {
            job = job.set("AZURE_CLIENT_ID", value);
        }
        machine_fails(name, exit, &cluster, &job, &METHOD, &service.address().to_string());
    }
    let job = job(&cluster, Azure, cluster.sandbox.metadata_address());
    let arguments = [&METHOD[..], &["--azure-client-id", "unknown"]].concat();
    machine_fails(
        "azure-client-id",
        3,
        &cluster,
        &job,
        &arguments,
        &cluster.sandbox.metadata_address().to_string(),
    );
    machine_fails(
        "azure-audience",
        2,
        &cluster,
        &job,
        &[&METHOD[..], &["--audience", "x"]].concat(),
        "no address",
    );
}

#[test]
fn it_answers_with_something_else() {
    let cluster = Cluster::any();
    let token = |claims: Value| {
        let token = cluster.sandbox.id_token(Simulated::machine(Azure).unwrap(), &claims).unwrap();
        json!({ "access_token": token.expose() }).to_string()
    };
    let past = jiff::Timestamp::now().as_second() - 7_200;
    for (name, part, body) in [
        ("azure-versions-page", "/metadata/versions", "<html>".to_owned()),
        ("azure-token-page", TOKEN, "<html>".to_owned()),
        ("azure-token-opaque", TOKEN, json!({"access_token": "opaque"}).to_string()),
        ("azure-token-audience", TOKEN, token(json!({"aud": "https://vault.azure.net"}))),
        ("azure-token-expired", TOKEN, token(json!({"exp": past}))),
        ("azure-attested-page", ATTESTED, "<html>".to_owned()),
        ("azure-attested-form", ATTESTED, json!({"encoding": "pkcs7", "signature": "AAAA"}).to_string()),
    ] {
        let service = says(&cluster, part, move || Reply::Say(200, body.clone()));
        let job = job(&cluster, Azure, service.address());
        machine_fails(name, 3, &cluster, &job, &METHOD, &service.address().to_string());
    }
    let elsewhere = says(&cluster, TOKEN, || Reply::Redirect);
    let job = job(&cluster, Azure, elsewhere.address());
    machine_fails("azure-redirect", 3, &cluster, &job, &METHOD, &elsewhere.address().to_string());
}

#[test]
fn the_attested_document_cannot_be_used() {
    // For another challenge, whatever is asked.
    let cluster = Cluster::any();
    let stale = crate::azure::stale_document(&cluster);
    let service = says(&cluster, ATTESTED, move || Reply::Say(200, stale.clone()));
    let stale = job(&cluster, Azure, service.address());
    machine_fails("azure-stale", 3, &cluster, &stale, &METHOD, &service.address().to_string());
    assert_eq!(service.count(ATTESTED), 3);
    let given_up = cluster.sandbox.records().into_iter().filter_map(|record| record.gave_up).count();
    assert_eq!(given_up, 1, "the server is told");

    // Without the way to Microsoft's certificates.
    let inject = FaultInjection { attests_without_intermediates: true, ..FaultInjection::default() };
    let cluster = Cluster::start(SandboxOptions {
        version: "18.6.0".into(),
        inject,
        ..SandboxOptions::simulating(None)
    });
    let dead = DeadPort::new();
    let job = job(&cluster, Azure, cluster.sandbox.metadata_address());
    let job = job.set("HTTPS_PROXY", &format!("http://{}", dead.address())).set("NO_PROXY", "127.0.0.1");
    machine_fails("azure-no-chain", 5, &cluster, &job, &METHOD, &dead.address());
}

#[test]
fn only_machines_that_teleport_admits() {
    let cluster = Cluster::any();
    let job = || job(&cluster, Azure, cluster.sandbox.metadata_address());
    let arc = job()
        .set("IDENTITY_ENDPOINT", "http://localhost:40342/x")
        .set("IMDS_ENDPOINT", "http://localhost:40342");
    machine_fails("azure-arc", 3, &cluster, &arc, &METHOD, "no address");
    let other = job().set("AZURE_POD_IDENTITY_AUTHORITY_HOST", "https://login.example.com");
    machine_fails("azure-other-host", 2, &cluster, &other, &METHOD, "no address");
    let service = job().set("IDENTITY_ENDPOINT", "http://192.0.2.1/msi").set("IDENTITY_HEADER", "s3cr3t");
    machine_fails("azure-other-endpoint", 2, &cluster, &service, &METHOD, "no address");
}

#[test]
fn the_cluster_refuses() {
    let mut options = SandboxOptions::simulating(None);
    for token in options.tokens.iter_mut().filter(|token| token.name == "ci-azure") {
        token.spec = json!({"allow": [{"subscription": "other"}]});
    }
    let cluster = Cluster::start(options);
    let address = cluster.sandbox.metadata_address();
    machine_fails("azure-rule", 4, &cluster, &job(&cluster, Azure, address), &METHOD, "no address");

    // A server that has the method by no way.
    let unknown = "unknown method RegisterUsingAzureMethod for service proto.JoinService";
    let stream = "join method azure is not yet implemented by the new join service";
    let inject = FaultInjection {
        refuse_calls: vec![RefusedCall {
            method: "RegisterUsingAzureMethod".into(),
            code: 12,
            message: unknown.into(),
        }],
        join_end: Some(JoinEnd {
            after_init: true,
            delay: Duration::ZERO,
            how: StreamEnd::Status(12, stream.into()),
        }),
        ..FaultInjection::default()
    };
    let cluster = Cluster::start(SandboxOptions {
        version: "18.3.0".into(),
        inject,
        ..SandboxOptions::simulating(None)
    });
    let address = cluster.sandbox.metadata_address();
    machine_fails("azure-not-served", 4, &cluster, &job(&cluster, Azure, address), &METHOD, "no address");
}
