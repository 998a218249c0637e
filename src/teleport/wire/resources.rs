//! `ListResources`: what is registered in the cluster. Each database, application and kubernetes cluster comes once for each server
//! that serves it.

use std::collections::HashMap;

use prost::{Message, Oneof};

use super::{Empty, Metadata};

#[derive(Clone, PartialEq, Message)]
pub struct ListResourcesRequest {
    /// `db_server`, `app_server`, `kube_server`, …
    #[prost(string, tag = "1")]
    pub resource_type: String,
    #[prost(string, tag = "2")]
    pub namespace: String,
    #[prost(int32, tag = "3")]
    pub limit: i32,
    #[prost(string, tag = "4")]
    pub start_key: String,
    /// All of them must match.
    #[prost(map = "string, string", tag = "5")]
    pub labels: HashMap<String, String>,
    #[prost(string, tag = "6")]
    pub predicate_expression: String,
    /// Sent empty, as Teleport's own client does: how to sort.
    #[prost(message, optional, tag = "8")]
    pub sort_by: Option<Empty>,
    /// Sent empty likewise.
    #[prost(message, optional, tag = "10")]
    pub windows_desktop_filter: Option<Empty>,
}
#[derive(Clone, PartialEq, Message)]
pub struct ListResourcesResponse {
    #[prost(message, repeated, tag = "1")]
    pub resources: Vec<PaginatedResource>,
    #[prost(string, tag = "2")]
    pub next_key: String,
}
#[derive(Clone, PartialEq, Message)]
pub struct PaginatedResource {
    #[prost(oneof = "Resource", tags = "1, 2, 7")]
    pub resource: Option<Resource>,
}
#[derive(Clone, PartialEq, Oneof)]
pub enum Resource {
    #[prost(message, tag = "1")]
    DatabaseServer(DatabaseServer),
    #[prost(message, tag = "2")]
    AppServer(AppServer),
    #[prost(message, tag = "7")]
    KubernetesServer(KubernetesServer),
}

#[derive(Clone, PartialEq, Message)]
pub struct DatabaseServer {
    #[prost(string, tag = "1")]
    pub kind: String,
    #[prost(message, optional, tag = "4")]
    pub metadata: Option<Metadata>,
    #[prost(message, optional, tag = "5")]
    pub spec: Option<DatabaseServerSpec>,
}
#[derive(Clone, PartialEq, Message)]
pub struct DatabaseServerSpec {
    #[prost(message, optional, tag = "12")]
    pub database: Option<Database>,
}
#[derive(Clone, PartialEq, Message)]
pub struct Database {
    #[prost(string, tag = "1")]
    pub kind: String,
    #[prost(message, optional, tag = "4")]
    pub metadata: Option<Metadata>,
    #[prost(message, optional, tag = "5")]
    pub spec: Option<DatabaseSpec>,
}
#[derive(Clone, PartialEq, Message)]
pub struct DatabaseSpec {
    #[prost(string, tag = "1")]
    pub protocol: String,
    #[prost(string, tag = "2")]
    pub uri: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct AppServer {
    #[prost(string, tag = "1")]
    pub kind: String,
    #[prost(message, optional, tag = "4")]
    pub metadata: Option<Metadata>,
    #[prost(message, optional, tag = "5")]
    pub spec: Option<AppServerSpec>,
}
#[derive(Clone, PartialEq, Message)]
pub struct AppServerSpec {
    #[prost(message, optional, tag = "5")]
    pub app: Option<App>,
}
#[derive(Clone, PartialEq, Message)]
pub struct App {
    #[prost(string, tag = "1")]
    pub kind: String,
    #[prost(message, optional, tag = "4")]
    pub metadata: Option<Metadata>,
    #[prost(message, optional, tag = "5")]
    pub spec: Option<AppSpec>,
}
#[derive(Clone, PartialEq, Message)]
pub struct AppSpec {
    #[prost(string, tag = "1")]
    pub uri: String,
    #[prost(string, tag = "2")]
    pub public_addr: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct KubernetesServer {
    #[prost(string, tag = "1")]
    pub kind: String,
    #[prost(message, optional, tag = "4")]
    pub metadata: Option<Metadata>,
    #[prost(message, optional, tag = "5")]
    pub spec: Option<KubernetesServerSpec>,
}
#[derive(Clone, PartialEq, Message)]
pub struct KubernetesServerSpec {
    #[prost(message, optional, tag = "5")]
    pub cluster: Option<KubernetesCluster>,
}
#[derive(Clone, PartialEq, Message)]
pub struct KubernetesCluster {
    #[prost(string, tag = "1")]
    pub kind: String,
    #[prost(message, optional, tag = "4")]
    pub metadata: Option<Metadata>,
}
