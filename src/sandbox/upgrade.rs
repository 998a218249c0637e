//! `/webapi/connectionupgrade`: a request that turns into a stream, on which a new TLS connection begins.

use http::header::{
    CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use http::{HeaderMap, Method, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tonic::body::Body;

use super::options::SandboxOptions;
use super::reply;
use crate::net::Stream;
use crate::teleport::upgrade::frames;

pub(super) const PATH: &str = "/webapi/connectionupgrade";

/// Raw bytes, or binary frames.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Alpn,
    WebSocket,
}

impl Kind {
    /// The word of the `Upgrade` header.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Alpn => "alpn",
            Self::WebSocket => "websocket",
        }
    }
}

/// Answers 101 and hands the stream on; 404, as the recorded 15 server, where none of the kinds offered is served.
pub(super) fn answer(
    options: &SandboxOptions,
    mut request: http::Request<Incoming>,
    hand_on: impl FnOnce(Stream, Kind) + Send + 'static,
) -> http::Response<Body> {
    let headers = request.headers();
    let kind = kind(options, headers).filter(|_| request.method() == Method::GET);
    let mut response = http::Response::new(Body::empty());
    let set = response.headers_mut();
    match kind {
        None => return reply::error(404, "path not found"),
        Some(Kind::Alpn) => {}
        Some(Kind::WebSocket) => {
            let Some(accept) = headers.get(SEC_WEBSOCKET_KEY).and_then(accept_value) else {
                return reply::error(400, "not a websocket handshake");
            };
            set.insert(SEC_WEBSOCKET_ACCEPT, accept);
            set.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("alpn"));
        }
    }
    let Some(kind) = kind else { return response };
    set.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    set.insert(UPGRADE, HeaderValue::from_static(kind.name()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    tokio::spawn(async move {
        let Ok(upgraded) = hyper::upgrade::on(&mut request).await else { return };
        let stream: Stream = Box::new(TokioIo::new(upgraded));
        match kind {
            Kind::Alpn => hand_on(stream, kind),
            Kind::WebSocket => hand_on(frames(stream, Role::Server).await, kind),
        }
    });
    response
}

/// The first of the kinds offered that is served.
fn kind(options: &SandboxOptions, headers: &HeaderMap) -> Option<Kind> {
    let lines = headers.get_all(UPGRADE).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).find_map(|offered| match offered.trim() {
        "websocket" if options.upgrade_websocket => Some(Kind::WebSocket),
        "alpn" if options.upgrade_alpn => Some(Kind::Alpn),
        _ => None,
    })
}

fn accept_value(key: &HeaderValue) -> Option<HeaderValue> {
    HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok()
}
