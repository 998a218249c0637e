//! What is registered in the cluster: databases, applications, kubernetes clusters. The bot's own identity sees none of them, an
//! issued one what its roles allow (recorded).

use std::collections::{BTreeMap, HashMap};

use super::ClusterError;
use super::auth_service::AuthService;
use super::wire::resources::{ListResourcesRequest, ListResourcesResponse, Resource};
use super::wire::{Empty, Metadata};
use crate::text::is_name;

/// Which ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter<'a> {
    /// All that are to be seen.
    All,
    /// The one of that name.
    Named(&'a str),
    /// Those with all of these labels.
    Labeled(&'a [(String, String)]),
}

/// A database service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// The name of its `db` resource.
    pub name: String,
    /// `postgres`, `mysql`, …
    pub protocol: String,
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// The name of its `app` resource.
    pub name: String,
    /// A host name.
    pub public_addr: String,
    /// Where the application service reaches it: `http://…`, `tcp://…`.
    pub uri: String,
}

/// As many as a page has at most (`lib/defaults`), and as many pages as are read.
const PAGE: i32 = 1_000;
const PAGES: usize = 20;

impl AuthService {
    /// Databases, by name.
    pub async fn databases(&self, filter: Filter<'_>) -> Result<Vec<Database>, ClusterError> {
        let mut all = BTreeMap::new();
        for resource in self.resources("db_server", filter).await? {
            let Resource::DatabaseServer(server) = resource else { continue };
            let Some(database) = server.spec.and_then(|spec| spec.database) else { continue };
            let (Some(name), Some(spec)) = (name_of(database.metadata), database.spec) else { continue };
            if is_name(&spec.protocol) {
                all.entry(name.clone()).or_insert(Database { name, protocol: spec.protocol });
            }
        }
        Ok(all.into_values().collect())
    }

    /// Applications, by name.
    pub async fn apps(&self, filter: Filter<'_>) -> Result<Vec<App>, ClusterError> {
        let mut all = BTreeMap::new();
        for resource in self.resources("app_server", filter).await? {
            let Resource::AppServer(server) = resource else { continue };
            let Some(app) = server.spec.and_then(|spec| spec.app) else { continue };
            let (Some(name), Some(spec)) = (name_of(app.metadata), app.spec) else { continue };
            let uri = if is_name(&spec.uri) { spec.uri } else { String::new() };
            if is_host(&spec.public_addr) {
                all.entry(name.clone()).or_insert(App { name, public_addr: spec.public_addr, uri });
            }
        }
        Ok(all.into_values().collect())
    }

    /// The names of kubernetes clusters, sorted.
    pub async fn kube_clusters(&self, filter: Filter<'_>) -> Result<Vec<String>, ClusterError> {
        let clusters = self.resources("kube_server", filter).await?.into_iter().filter_map(|resource| {
            let Resource::KubernetesServer(server) = resource else { return None };
            name_of(server.spec?.cluster?.metadata)
        });
        let mut clusters: Vec<String> = clusters.collect();
        clusters.sort();
        clusters.dedup();
        Ok(clusters)
    }

    async fn resources(&self, kind: &str, filter: Filter<'_>) -> Result<Vec<Resource>, ClusterError> {
        let mut all = Vec::new();
        let mut start_key = String::new();
        for _ in 0..PAGES {
            let request = request(kind, filter, std::mem::take(&mut start_key));
            let path = "/proto.AuthService/ListResources";
            let answer: ListResourcesResponse = self.channel().unary("ListResources", path, request).await?;
            all.extend(answer.resources.into_iter().filter_map(|resource| resource.resource));
            if answer.next_key.is_empty() {
                break;
            }
            start_key = answer.next_key;
        }
        Ok(all)
    }
}

/// The message for one page.
pub fn request(kind: &str, filter: Filter<'_>, start_key: String) -> ListResourcesRequest {
    let mut request = ListResourcesRequest {
        resource_type: kind.to_owned(),
        namespace: "default".to_owned(),
        limit: PAGE,
        start_key,
        sort_by: Some(Empty {}),
        windows_desktop_filter: Some(Empty {}),
        ..ListResourcesRequest::default()
    };
    match filter {
        Filter::All => {}
        // The predicate language quotes as Go does, of which JSON's strings are a part.
        Filter::Named(name) => {
            request.predicate_expression = format!("name == {}", serde_json::Value::from(name));
        }
        Filter::Labeled(labels) => request.labels = labels.iter().cloned().collect::<HashMap<_, _>>(),
    }
    request
}

/// A name that Teleport would not allow is nobody's to use.
fn name_of(metadata: Option<Metadata>) -> Option<String> {
    metadata.map(|metadata| metadata.name).filter(|name| is_name(name))
}

fn is_host(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    !text.is_empty() && text.len() <= 255 && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predicates_are_quoted() {
        for (name, want) in [("pg", r#"name == "pg""#), (r#"a" || true"#, r#"name == "a\" || true""#)] {
            let request = request("db_server", Filter::Named(name), String::new());
            assert_eq!(request.predicate_expression, want);
        }
    }

    #[test]
    fn hosts_are_hosts() {
        for (text, good) in [
            ("grafana.example.com", true),
            ("a:443", true),
            ("", false),
            ("a b", false),
            ("a\"b", false),
            ("a/b", false),
        ] {
            assert_eq!(is_host(text), good, "{text}");
        }
    }
}
