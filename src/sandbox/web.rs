//! The web port: ping, the old join path, the CI token endpoint, OIDC discovery.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use http::header::AUTHORIZATION;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};
use tonic::body::Body;

use super::cluster::Cluster;
use super::error::SandboxError;
use super::joining::{self, BOT_ROLE};
use super::options::Verdict;
use super::refusal::Refusal;
use super::reply::{self, json_body};
use super::{job, ping, sts};
use crate::platform::Platform;
use crate::platform::endpoint::{AudienceIn, Protocol};
use crate::rules;

const MAX_BODY: usize = 1024 * 1024;
const BODY_TIME: Duration = Duration::from_secs(30);
const HTML: &str =
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in</body></html>\n";

pub(super) async fn answer(
    cluster: &Cluster,
    ip: IpAddr,
    request: http::Request<Incoming>,
) -> http::Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let inject = &cluster.options.inject;
    let is_ping = matches!(path, "/webapi/ping" | "/webapi/find");
    if let Some((platform, protocol)) = job::platform_of(path) {
        let body = tokio::time::timeout(BODY_TIME, Limited::new(body, MAX_BODY).collect()).await;
        let body =
            body.ok().and_then(Result::ok).map(http_body_util::Collected::to_bytes).unwrap_or_default();
        return ci_token(cluster, platform, protocol, &parts, &body);
    }
    if inject.html_everywhere || (inject.html && is_ping) {
        return reply::text(200, "text/html; charset=utf-8", HTML.to_owned());
    }
    match (&parts.method, path) {
        (&Method::GET, "/webapi/ping") => json_body(200, &ping::body(cluster, true)),
        (&Method::GET, "/webapi/find") => json_body(200, &ping::body(cluster, false)),
        (&Method::GET, "/.well-known/openid-configuration") => {
            json_body(200, &cluster.issuer.discovery(&cluster.url()))
        }
        (&Method::GET, "/jwks" | "/.well-known/jwks") => json_body(200, &cluster.issuer.jwks()),
        (&Method::POST, "/") if parts.headers.contains_key("x-amz-date") => match read(body).await {
            Ok(body) => sts_call(cluster, &parts, &body),
            Err(refusal) => reply::error(refusal.http_status(), &refusal.text),
        },
        (&Method::POST, path) if path.starts_with(CONTROL_PATH) => {
            let answered = read(body).await.and_then(|body| answer_request(cluster, &parts, &body));
            answered.map_or_else(
                |refusal| reply::error(refusal.http_status(), &refusal.text),
                |()| json_body(200, &json!({})),
            )
        }
        (&Method::POST, "/v1/webapi/host/credentials" | "/webapi/host/credentials")
            if cluster.options.join_old =>
        {
            let answer = read(body).await.and_then(|body| host_credentials(cluster, ip, &body));
            answer.map_or_else(
                |refusal| reply::error(refusal.http_status(), &refusal.text),
                |body| json_body(200, &body),
            )
        }
        _ => reply::error(404, "path not found"),
    }
}

async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(BODY_TIME, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        _ => Err(Refusal::bad("the request's body is too large or did not come")),
    }
}

/// A call of AWS STS.
fn sts_call(cluster: &Cluster, parts: &http::request::Parts, body: &[u8]) -> http::Response<Body> {
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let request = sts::Request {
        method: "POST",
        path: "/",
        headers: parts.headers.iter().filter_map(header).collect(),
        body: std::str::from_utf8(body).unwrap_or_default(),
    };
    let (status, answer) = sts::answer(cluster, &request);
    json_body(status, &answer)
}

/// The request of the old join path. `id_token` is secret.
#[derive(Default, Deserialize)]
#[serde(default)]
struct HostCredentials {
    #[serde(rename = "hostID")]
    host_id: String,
    role: String,
    token: String,
    public_tls_key: Option<String>,
    public_ssh_key: Option<String>,
    id_token: String,
    expires: Option<String>,
}

/// Order and texts of the refusals are the recorded ones.
fn host_credentials(cluster: &Cluster, ip: IpAddr, body: &[u8]) -> Result<Value, Refusal> {
    let request: HostCredentials =
        serde_json::from_slice(body).map_err(|_| Refusal::bad("failed to parse request"))?;
    if request.role != BOT_ROLE && request.host_id.is_empty() {
        return Err(Refusal::bad("missing parameter HostID"));
    }
    if request.role != BOT_ROLE {
        return Err(Refusal::denied("only bots join here"));
    }
    let token = joining::find(cluster, &request.token)?;
    if rules::is_stream_only(token.method) {
        return Err(Refusal::bad(format!("join method {} is not implemented", token.method)));
    }
    joining::admit(cluster, token, &request.id_token)?;
    let ssh_line = decode(request.public_ssh_key.as_deref())?;
    let tls_pem = decode(request.public_tls_key.as_deref())?;
    let expires = match request.expires.as_deref() {
        None | Some("") => None,
        Some(text) => {
            let end: Timestamp = text.parse().map_err(|_| Refusal::bad("failed to parse request"))?;
            Some(end.as_second())
        }
    };
    let keys = (&ssh_line[..], &tls_pem[..]);
    let issued = joining::certify_older(cluster, token, keys, expires, &ip.to_string())?;
    let line = issued.ssh.to_openssh().map_err(|e| SandboxError::create("SSH certificate", e))?;
    let cas = || cluster.cas.users().chain(cluster.cas.hosts());
    let mut answer = json!({
        "ssh": STANDARD.encode(format!("{line}\n")),
        "tls": STANDARD.encode(crate::identity::tls::pem_of(&issued.tls)),
        "tls_ca_certs": cas().map(|ca| STANDARD.encode(ca.pem())).collect::<Vec<_>>(),
        "ssh_ca_certs": cas().map(|ca| STANDARD.encode(ca.ssh_line())).collect::<Vec<_>>(),
    });
    if cluster.options.inject.newer {
        answer["not_known_yet"] = json!([]);
    }
    Ok(answer)
}

/// Before the id of an access request that somebody answers by hand.
pub const CONTROL_PATH: &str = "/_sandbox/access_requests/";

/// An answer by `jobpass sandbox approve` or `deny`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    verdict: String,
    reason: String,
}

fn answer_request(cluster: &Cluster, parts: &http::request::Parts, body: &[u8]) -> Result<(), Refusal> {
    let authorization = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if authorization.and_then(|text| text.strip_prefix("Bearer ")) != Some(cluster.control.as_str()) {
        return Err(Refusal::denied("the secret of the sandbox is missing"));
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|_| Refusal::bad("failed to parse request"))?;
    let verdict = match answer.verdict.as_str() {
        "approve" => Verdict::Approve,
        "deny" => Verdict::Deny,
        _ => return Err(Refusal::bad("the verdict is neither `approve` nor `deny`")),
    };
    let id = parts.uri.path().strip_prefix(CONTROL_PATH).unwrap_or_default();
    cluster.requests.answer(&cluster.options, id, verdict, &answer.reason)
}

fn decode(base64: Option<&str>) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(base64.unwrap_or_default()).map_err(|_| Refusal::bad("failed to parse request"))
}

/// A platform's token endpoint, by its protocol.
fn ci_token(
    cluster: &Cluster,
    platform: Platform,
    protocol: &Protocol,
    parts: &http::request::Parts,
    body: &[u8],
) -> http::Response<Body> {
    let waiting = cluster.token_503.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
    if waiting.is_ok() {
        return reply::text(503, "text/plain", "try again".to_owned());
    }
    if parts.method != (if protocol.posts { Method::POST } else { Method::GET }) {
        return reply::text(405, "text/plain", "method not allowed".to_owned());
    }
    let authorization = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if authorization.and_then(|a| a.strip_prefix(protocol.scheme)) != Some(cluster.bearer.as_str()) {
        return reply::text(401, "text/plain", "unauthorized".to_owned());
    }
    let audience = match protocol.audience {
        AudienceIn::Query => {
            let query = parts.uri.query().unwrap_or_default();
            let asked = query.split('&').find_map(|part| part.strip_prefix("audience="));
            asked.map(|a| percent_decode_str(&a.replace('+', " ")).decode_utf8_lossy().into_owned())
        }
        AudienceIn::Body => serde_json::from_slice::<Value>(body)
            .ok()
            .and_then(|body| Some(body.get("audience")?.as_str()?.to_owned())),
        AudienceIn::Nowhere => None,
    };
    let audience = audience.filter(|a| !a.is_empty());
    match job::token(cluster, platform.into(), audience.as_deref(), &Value::Null) {
        Ok(jwt) => json_body(200, &json!({ protocol.field: jwt.expose() })),
        Err(e) => reply::text(500, "text/plain", e.to_string()),
    }
}
