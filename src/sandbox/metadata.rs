//! The metadata services of the simulated machines, without TLS on a port of loopback of their own: Google's and Azure's.
//!
//! Paths, headers and refusals as in cloud.google.com, "About VM metadata" and "Verify the identity of instances", and
//! learn.microsoft.com, "Azure Instance Metadata Service", "Use managed identities on a virtual machine to acquire an access token".

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::cluster::Cluster;
use super::job;
use super::simulated::Simulated;
use crate::cloud::{Cloud, azure};
use crate::secret::Jwt;

const GOOGLES: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";
const FLAVOR: &str = "metadata-flavor";
const VERSIONS: &str = "/metadata/versions";
const ATTESTED: &str = "/metadata/attested/document";
const ACCESS: &str = "/metadata/identity/oauth2/token";
/// The newest last, as Azure lists them.
const AZURES: [&str; 4] = ["2017-03-01", "2019-06-04", "2020-09-01", "2021-12-13"];
const HEADERS: Duration = Duration::from_secs(10);
const MAX_CONNECTIONS: usize = 64;

type Response = http::Response<Full<Bytes>>;

/// Accepts until the task is aborted; connections end with it.
pub(super) async fn run(listener: TcpListener, cluster: Arc<Cluster>) {
    let mut open = JoinSet::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                stream
            } else {
                // Out of file descriptors, most likely: let some close.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            },
            Some(_) = open.join_next(), if !open.is_empty() => continue,
        };
        if open.len() < MAX_CONNECTIONS {
            let cluster = Arc::clone(&cluster);
            open.spawn(async move {
                let answers = service_fn(|request| {
                    let answer = answer(&cluster, &request);
                    async move { Ok::<_, Infallible>(answer) }
                });
                let mut http = http1::Builder::new();
                http.timer(TokioTimer::new()).header_read_timeout(HEADERS);
                // An error here is the client's going away.
                let _ = http.serve_connection(TokioIo::new(stream), answers).await;
            });
        }
    }
}

/// A question, its query taken apart.
struct Question<'a> {
    request: &'a http::Request<Incoming>,
}

impl Question<'_> {
    fn query(&self, name: &str) -> Option<String> {
        let query = self.request.uri().query().unwrap_or_default();
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        let value = percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned();
        Some(value).filter(|value| !value.is_empty())
    }

    fn says(&self, header: &str, wanted: &str) -> bool {
        let value = self.request.headers().get(header).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.eq_ignore_ascii_case(wanted))
    }
}

fn answer(cluster: &Cluster, request: &http::Request<Incoming>) -> Response {
    let question = Question { request };
    let path = request.uri().path();
    // Both refuse what a proxy has forwarded: it would be the proxy's identity.
    if request.method() != Method::GET || request.headers().contains_key("x-forwarded-for") {
        return text(403, "Forbidden");
    }
    match path {
        "/" => googles(text(200, "computeMetadata/\n")),
        GOOGLES => googles(identity_token(cluster, &question)),
        VERSIONS | ATTESTED | ACCESS => azures(cluster, path, &question),
        _ => text(404, "Not Found"),
    }
}

fn identity_token(cluster: &Cluster, question: &Question<'_>) -> Response {
    if !question.says(FLAVOR, "Google") {
        return text(403, "Missing Metadata-Flavor:Google header.");
    }
    let Some(audience) = question.query("audience") else {
        return text(400, "non-empty audience parameter required");
    };
    // Without `format=full` the token says nothing of the machine.
    let full = question.query("format").as_deref() == Some("full");
    let claims = if full { Value::Null } else { json!({"google": null, "email": null}) };
    match token(cluster, Cloud::Gcp, &audience, &claims) {
        Some(jwt) => text(200, jwt.expose()),
        None => text(500, "Internal Server Error"),
    }
}

fn googles(mut response: Response) -> Response {
    response.headers_mut().insert(FLAVOR, HeaderValue::from_static("Google"));
    response
}

fn azures(cluster: &Cluster, path: &str, question: &Question<'_>) -> Response {
    if !question.says("metadata", "true") {
        return json_body(400, &json!({"error": "Bad request. Required metadata header not specified"}));
    }
    if path == VERSIONS {
        return json_body(200, &json!({"apiVersions": AZURES}));
    }
    let version = question.query("api-version").unwrap_or_default();
    let is_known = AZURES.contains(&version.as_str()) || (path == ACCESS && version == "2018-02-01");
    if !is_known {
        let newest = AZURES.iter().rev().take(2).collect::<Vec<_>>();
        let error = "Bad request. api-version is invalid or was not specified in the request.";
        return json_body(400, &json!({"error": error, "newest-versions": newest}));
    }
    if path == ATTESTED { attested(cluster, question) } else { access_token(cluster, question) }
}

fn attested(cluster: &Cluster, question: &Question<'_>) -> Response {
    let nonce = question.query("nonce").unwrap_or_else(|| "20260101-000000".to_owned());
    let machine =
        json!({"subscriptionId": azure::simulation::SUBSCRIPTION, "vmId": azure::simulation::VM_ID});
    let with_intermediates = !cluster.options.inject.attests_without_intermediates;
    match cluster.attester.document(&nonce, &machine, with_intermediates) {
        Ok(document) => json_body(200, &document),
        Err(error) => json_body(500, &json!({"error": error.to_string()})),
    }
}

fn access_token(cluster: &Cluster, question: &Question<'_>) -> Response {
    let refused = |description: &str| {
        json_body(400, &json!({"error": "invalid_request", "error_description": description}))
    };
    let Some(resource) = question.query("resource") else {
        return refused("Required audience parameter not specified");
    };
    let claims = match question.query("client_id") {
        None => Value::Null,
        Some(id) if id == azure::simulation::CLIENT_ID => azure::simulation::user_assigned(),
        Some(_) => return refused("Identity not found"),
    };
    match token(cluster, Cloud::Azure, &resource, &claims) {
        Some(jwt) => json_body(
            200,
            &json!({
                "access_token": jwt.expose(), "expires_in": "3599", "ext_expires_in": "3599", "resource": resource,
                "token_type": "Bearer",
            }),
        ),
        None => json_body(500, &json!({"error": "unknown"})),
    }
}

fn token(cluster: &Cluster, cloud: Cloud, audience: &str, claims: &Value) -> Option<Jwt> {
    job::token(cluster, Simulated::machine(cloud)?, Some(audience), claims).ok()
}

fn json_body(status: u16, body: &Value) -> Response {
    let mut response = text(status, &body.to_string());
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn text(status: u16, body: &str) -> Response {
    let mut response = http::Response::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response
}
