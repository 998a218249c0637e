//! The kubernetes API, as far as `kubectl get pods` asks: discovery, one pod, and what the caller may do.

use std::time::Duration;

use http::Method;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tonic::body::Body;

use super::cluster::Cluster;
use super::peer::Peer;
use super::reply::json_body;
use crate::identity::route::Route;

/// The first label of the server name that leads here (gravitational/teleport `api/constants`).
const LABEL: &str = "kube-teleport-proxy-alpn";
const MAX_BODY: usize = 64 * 1024;
const BODY_TIME: Duration = Duration::from_secs(10);
const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// Whether a server name leads here.
pub(super) fn is_meant(sni: &str) -> bool {
    sni.strip_prefix(LABEL).is_some_and(|rest| rest.starts_with('.'))
}

/// The names of the certificate: below the proxy's host, and below that of the cluster's own servers.
pub(super) fn names(cluster: &Cluster) -> Vec<String> {
    let mut names = vec!["*.teleport.cluster.local".to_owned()];
    let host = cluster.public_host();
    if host.parse::<std::net::IpAddr>().is_err() {
        names.push(format!("{LABEL}.{host}"));
    }
    names
}

/// The cluster that the certificate is for answers.
pub(super) async fn answer(
    cluster: &Cluster,
    peer: &Peer,
    request: http::Request<Incoming>,
) -> http::Response<Body> {
    let routed = peer.caller.as_ref().and_then(|caller| match &caller.route {
        Route::Kube { kube } => Some(kube.as_str()),
        _ => None,
    });
    let Some(name) = routed.filter(|name| cluster.options.kube_clusters.iter().any(|k| k.name == **name))
    else {
        return status(404, "NotFound", "the certificate is for no kubernetes cluster of this cluster");
    };
    let (parts, body) = request.into_parts();
    match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/version") => json_body(
            200,
            &json!({"major": "1", "minor": "30", "gitVersion": "v1.30.0", "platform": "linux/amd64"}),
        ),
        (&Method::GET, "/api") => json_body(200, &json!({"kind": "APIVersions", "versions": ["v1"]})),
        (&Method::GET, "/apis") => {
            json_body(200, &json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": []}))
        }
        (&Method::GET, "/api/v1") => json_body(200, &resources()),
        (&Method::POST, REVIEWS) => {
            let read = tokio::time::timeout(BODY_TIME, Limited::new(body, MAX_BODY).collect()).await;
            let review = read.ok().and_then(Result::ok).map(http_body_util::Collected::to_bytes);
            let review: Option<Value> = review.and_then(|body| serde_json::from_slice(&body).ok());
            let spec = review.and_then(|review| review.get("spec").cloned());
            let Some(spec) = spec else { return status(400, "BadRequest", "it is no review") };
            let review = json!({
                "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {},
                "spec": spec, "status": {"allowed": true},
            });
            json_body(201, &review)
        }
        (&Method::GET, path) => match namespace(path) {
            Some(namespace) => json_body(200, &pods(name, namespace)),
            None => status(404, "NotFound", "the server could not find the requested resource"),
        },
        _ => status(405, "MethodNotAllowed", "the sandbox only shows pods"),
    }
}

/// That of the pods asked for; those of all namespaces are in `default`.
fn namespace(path: &str) -> Option<&str> {
    match path.strip_prefix("/api/v1/")? {
        "pods" => Some("default"),
        rest => rest.strip_prefix("namespaces/")?.strip_suffix("/pods").filter(|name| !name.contains('/')),
    }
}

fn resources() -> Value {
    json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1",
        "resources": [{
            "name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod", "verbs": ["get", "list"],
            "shortNames": ["po"],
        }],
    })
}

/// One pod, which says what cluster it is in.
fn pods(kube: &str, namespace: &str) -> Value {
    json!({
        "kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"},
        "items": [{
            "metadata": {"name": format!("{kube}-web-0"), "namespace": namespace, "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"containers": [{"name": "web", "image": "web"}]},
            "status": {"phase": "Running"},
        }],
    })
}

fn status(code: u16, reason: &str, message: &str) -> http::Response<Body> {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message,
    });
    json_body(code, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_names_lead_here_or_not() {
        for (path, want) in [
            ("/api/v1/pods", Some("default")),
            ("/api/v1/namespaces/web/pods", Some("web")),
            ("/api/v1/namespaces/web/secrets", None),
            ("/api/v1/namespaces/a/b/pods", None),
            ("/api/v2/pods", None),
        ] {
            assert_eq!(namespace(path), want, "{path}");
        }
        for (sni, want) in [
            ("kube-teleport-proxy-alpn.teleport.test", true),
            ("kube-teleport-proxy-alpn", false),
            ("kube-teleport-proxy-alpnx.teleport.test", false),
            ("teleport.cluster.local", false),
        ] {
            assert_eq!(is_meant(sni), want, "{sni}");
        }
    }
}
