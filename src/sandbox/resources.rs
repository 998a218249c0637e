//! `ListResources`: registered databases, applications and kubernetes clusters.
//!
//! Messages within messages are encoded as bytes, which protobuf does not tell apart; numbers are those of `api/proto`.

use std::collections::HashMap;

use hyper::body::Incoming;
use prost::{Message, Oneof};
use tonic::body::Body;

use super::cluster::Cluster;
use super::grpc;
use super::peer::Caller;
use super::refusal::Refusal;
use crate::teleport::wire::Metadata;

/// Recorded: the bot's own identity sees nothing, an issued one does. One by an access request has roles that see, too.
pub(super) async fn answer(
    cluster: &Cluster,
    caller: &Caller,
    request: http::Request<Incoming>,
) -> http::Response<Body> {
    let answer = |wanted: ListRequest| {
        let mut found = if caller.issued || !caller.requests.is_empty() {
            resources(cluster, &wanted.resource_type)?
        } else {
            Vec::new()
        };
        if let Some(wanted) = named(&wanted.predicate) {
            found.retain(|(name, _)| name == wanted);
        }
        // Only kubernetes clusters have labels here.
        let has_labels = |name: &String| {
            let kube = cluster.options.kube_clusters.iter().find(|kube| kube.name == *name);
            let has = |pair: (&String, &String)| {
                kube.is_some_and(|kube| kube.labels.iter().any(|(key, value)| (key, value) == pair))
            };
            wanted.labels.iter().all(has)
        };
        found.retain(|(name, _)| has_labels(name));
        Ok(ListResponse { resources: found.into_iter().map(|(_, of)| Resource { of: Some(of) }).collect() })
    };
    grpc::unary(cluster.options.inject.newer, request, answer).await
}

/// The name in `name == "NAME"`, the one predicate understood here.
fn named(predicate: &str) -> Option<&str> {
    predicate.trim().strip_prefix("name == \"")?.strip_suffix('"')
}

fn resources(cluster: &Cluster, kind: &str) -> Result<Vec<(String, ResourceOf)>, Refusal> {
    let options = &cluster.options;
    Ok(match kind {
        "db_server" => options
            .databases
            .iter()
            .map(|db| {
                let spec = TwoTexts { first: db.protocol.clone(), second: "127.0.0.1:5432".to_owned() };
                let server = InTwelve { inner: described("db", &db.name, &spec) };
                (db.name.clone(), ResourceOf::Database(described(kind, &db.name, &server)))
            })
            .collect(),
        "app_server" => options
            .apps
            .iter()
            .map(|app| {
                let spec = TwoTexts { first: app.uri.clone(), second: app.public_addr.clone() };
                let server = InFive { inner: described("app", &app.name, &spec) };
                (app.name.clone(), ResourceOf::App(described(kind, &app.name, &server)))
            })
            .collect(),
        "kube_server" => options
            .kube_clusters
            .iter()
            .map(|kube| {
                let inner = labeled("kube_cluster", &kube.name, &kube.labels, &TwoTexts::default());
                let server = InFive { inner };
                (kube.name.clone(), ResourceOf::Kube(described(kind, &kube.name, &server)))
            })
            .collect(),
        "node" => Vec::new(),
        _ => return Err(Refusal::bad(format!("resource type {kind:?} is not supported"))),
    })
}

fn described(kind: &str, name: &str, spec: &impl Message) -> Vec<u8> {
    labeled(kind, name, &[], spec)
}

fn labeled(kind: &str, name: &str, labels: &[(String, String)], spec: &impl Message) -> Vec<u8> {
    let labels = labels.iter().cloned().collect();
    let metadata = Metadata { name: name.to_owned(), namespace: "default".to_owned(), labels };
    Described { kind: kind.to_owned(), metadata: Some(metadata), spec: spec.encode_to_vec() }.encode_to_vec()
}

#[derive(Clone, PartialEq, Message)]
struct ListRequest {
    #[prost(string, tag = "1")]
    resource_type: String,
    #[prost(map = "string, string", tag = "5")]
    labels: HashMap<String, String>,
    #[prost(string, tag = "6")]
    predicate: String,
}
#[derive(Clone, PartialEq, Message)]
struct ListResponse {
    #[prost(message, repeated, tag = "1")]
    resources: Vec<Resource>,
}
/// `PaginatedResource`.
#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(oneof = "ResourceOf", tags = "1, 2, 7")]
    of: Option<ResourceOf>,
}
#[derive(Clone, PartialEq, Oneof)]
enum ResourceOf {
    #[prost(bytes, tag = "1")]
    Database(Vec<u8>),
    #[prost(bytes, tag = "2")]
    App(Vec<u8>),
    #[prost(bytes, tag = "7")]
    Kube(Vec<u8>),
}
/// Every resource: kind, metadata, spec.
#[derive(Clone, PartialEq, Message)]
struct Described {
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(message, optional, tag = "4")]
    metadata: Option<Metadata>,
    #[prost(bytes = "vec", tag = "5")]
    spec: Vec<u8>,
}
/// `DatabaseSpecV3` (protocol, URI) and `AppSpecV3` (URI, public address).
#[derive(Clone, PartialEq, Message)]
struct TwoTexts {
    #[prost(string, tag = "1")]
    first: String,
    #[prost(string, tag = "2")]
    second: String,
}
/// `AppServerSpecV3`, `KubernetesServerSpecV3`.
#[derive(Clone, PartialEq, Message)]
struct InFive {
    #[prost(bytes = "vec", tag = "5")]
    inner: Vec<u8>,
}
/// `DatabaseServerSpecV3`.
#[derive(Clone, PartialEq, Message)]
struct InTwelve {
    #[prost(bytes = "vec", tag = "12")]
    inner: Vec<u8>,
}
