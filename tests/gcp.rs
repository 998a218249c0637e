//! Google Cloud: a machine's service account joins, whatever the network around the metadata server looks like.

use std::collections::BTreeMap;

use jobpass::cloud::Cloud::Gcp;
use jobpass::sandbox::SandboxOptions;

use crate::support::cluster::Cluster;
use crate::support::http_proxy::{HttpProxy, HttpProxyOptions};
use crate::support::stand_in::{StandIn, job};

const METHOD: [&str; 2] = ["--join-method", "gcp"];

#[test]
fn a_machine_joins_by_the_stream_and_by_the_post() {
    for version in ["18.6.0", "15.4.0"] {
        let options = SandboxOptions { version: version.into(), ..SandboxOptions::simulating(None) };
        let cluster = Cluster::start(options);
        let machine = StandIn::watching(cluster.sandbox.metadata_address());
        let ran = job(&cluster, Gcp, machine.address()).login(&METHOD).ok();
        assert!(ran.stderr.contains("as bot-ci"), "{}", ran.stderr);
        let asked = machine.asked();
        let token = asked.last().unwrap();
        let path = "get /computemetadata/v1/instance/service-accounts/default/identity?";
        assert!(token.starts_with(path), "{token}");
        for part in ["audience=teleport%2ecluster%2elocal&", "format=full", "\r\nmetadata-flavor: google\r\n"]
        {
            assert!(token.contains(part), "{part}: {token}");
        }
        assert_eq!(machine.count("identity"), 1, "{asked:?}");
    }
}

#[test]
fn the_metadata_server_is_asked_past_every_proxy() {
    let cluster = Cluster::any();
    let proxy = cluster.proxy();
    let names = BTreeMap::from([(proxy.clone(), cluster.sandbox.address)]);
    let http_proxy = HttpProxy::start(HttpProxyOptions { names, ..HttpProxyOptions::default() });
    let url = format!("http://{}", http_proxy.address());
    let machine = StandIn::watching(cluster.sandbox.metadata_address());
    let mut job = job(&cluster, Gcp, machine.address());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        job = job.set(name, &url);
    }
    job.login(&METHOD).ok();
    assert_eq!(machine.count("identity"), 1);
    let asked = http_proxy.asked();
    assert!(!asked.is_empty() && asked.iter().all(|target| *target == proxy), "{asked:?}");
}

#[test]
fn another_audience_can_be_asked_for() {
    let cluster = Cluster::any();
    let machine = StandIn::watching(cluster.sandbox.metadata_address());
    // What the cluster says to it is its own affair.
    let arguments = ["--join-method", "gcp", "--audience", "a b/c"];
    let ran = job(&cluster, Gcp, machine.address()).login(&arguments);
    assert_eq!(ran.code, 4, "{}", ran.all());
    assert_eq!(machine.count("audience=a%20b%2fc&"), 1, "{:?}", machine.asked());
}

#[test]
fn doctor_tries_the_metadata_server() {
    let cluster = Cluster::any();
    let machine = StandIn::watching(cluster.sandbox.metadata_address());
    let arguments = ["doctor", "--proxy", &cluster.proxy(), "--token", "ci-gcp", "--join-method", "gcp"];
    let ran = job(&cluster, Gcp, machine.address()).run(&arguments).ok();
    assert!(ran.stdout.contains("of `https://accounts.google.com`, valid for"), "{}", ran.stdout);
    assert!(ran.stdout.contains("`teleport.cluster.local`, as the cluster requires"), "{}", ran.stdout);
}
