//! Answers that are the same everywhere: JSON, Teleport's error body, gRPC's "unknown service".

use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use http_body_util::Full;
use serde_json::{Value, json};
use tonic::Status;
use tonic::body::Body;

/// gRPC's answer to a service or method that does not exist, in grpc-go's words.
pub(super) fn unknown(path: &str) -> http::Response<Body> {
    let service = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    Status::unimplemented(format!("unknown service {service}")).into_http()
}

/// Teleport's error body.
pub(super) fn error(status: u16, message: &str) -> http::Response<Body> {
    json_body(status, &json!({"error": {"message": message}}))
}

pub(super) fn json_body(status: u16, body: &Value) -> http::Response<Body> {
    text(status, "application/json", body.to_string())
}

/// Any text, with its media type.
pub(super) fn text(status: u16, media_type: &'static str, body: String) -> http::Response<Body> {
    let mut response = http::Response::new(Body::new(Full::new(Bytes::from(body))));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
