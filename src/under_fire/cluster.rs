//! What a cluster answers, and what stands between: HTTP, gRPC, `WebSocket`, protobuf.

use http::header::{DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use prost::Message;
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::parser;
use super::peer::Peer;
use crate::net::http::{Answer, Connection};
use crate::net::{HostPort, retry};
use crate::teleport::wire::{self, join, resources};
use crate::teleport::{auth_service, grpc, host_credentials, ping, upgrade};
use crate::text;

/// From `tests/data`.
macro_rules! data {
    ($path:literal) => {
        include_str!(concat!("../../tests/data/", $path))
    };
}

/// Decodes as each of these types.
macro_rules! decode {
    ($bytes:expr, $($message:ty),* $(,)?) => { $( drop(<$message>::decode($bytes)); )* };
}

fn recorded(json: &str) -> Vec<Value> {
    serde_json::from_str(json).unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digits).collect()
}

/// The answers of recorded calls.
fn answers() -> Vec<Vec<u8>> {
    let all = recorded(data!("teleport/auth_service.json"))
        .into_iter()
        .chain(recorded(data!("teleport/auth_service_13.json")));
    let hex = all.filter_map(|call| call.get("response_hex")?.as_str().map(unhex));
    let mut bytes: Vec<_> = hex.filter(|bytes| bytes.len() < 4_000).collect();
    bytes.extend(messages());
    bytes.sort_by_key(Vec::len);
    bytes.dedup();
    bytes
}

/// Messages of the server's own types.
fn messages() -> Vec<Vec<u8>> {
    recorded(data!("teleport/messages.json"))
        .iter()
        .map(|message| unhex(message["hex"].as_str().unwrap()))
        .collect()
}

fn answer(status: u16, body: &[u8]) -> Answer {
    Answer { status, headers: HeaderMap::new(), body: body.to_vec() }
}

fn headers(name: HeaderName, value: &[u8]) -> HeaderMap {
    HeaderValue::from_bytes(value).map(|value| (name, value)).into_iter().collect()
}

#[test]
fn pages_of_the_proxy() {
    let pages = [
        data!("teleport/ping.json"),
        data!("teleport/ping_13.json"),
        data!("teleport/find.json"),
        "<!doctype html>",
    ];
    parser("ping pages", pages).memory(200, 256 * 1024).bytes(|bytes| {
        for status in [200, 404] {
            if let Ok(ping) = ping::read(bytes, status, "p") {
                assert!(text::is_name(&ping.cluster_name) && ping.server_version.chars().count() <= 50);
            }
        }
    });
}

#[test]
fn headers_with_times() {
    let times = ["Sat, 21 Nov 2026 04:53:59 GMT", "120", "Sat, 21 Nov 2026 04:53:59 +0000", "0.5", "-1"];
    parser("Date and Retry-After", times).bytes(|bytes| {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let dated = Answer { status: 200, headers: headers(DATE, bytes), body: Vec::new() };
        let _ = ping::clock_skew(&dated, now);
        let _ = retry::retry_after(&headers(RETRY_AFTER, bytes));
    });
}

#[test]
fn answers_to_a_join() {
    let calls = recorded(data!("teleport/join_http.json"));
    let bodies: Vec<String> = calls.iter().map(|call| call["response"].to_string()).collect();
    parser("answers to a join by HTTP", &bodies[..8]).slow(4).memory(200, 1024 * 1024).bytes(|bytes| {
        for status in [200, 403] {
            if let Ok(joined) = host_credentials::read(&answer(status, bytes)) {
                assert!(!joined.authorities.is_empty());
            }
        }
    });
}

#[test]
fn protobuf_of_the_cluster() {
    parser("protobuf of the cluster", answers()).memory(200, 256 * 1024).slow(2).bytes(|bytes| {
        decode!(
            bytes,
            wire::Certs,
            wire::GetClusterCaCertResponse,
            wire::CreateAppSessionResponse,
            wire::Role,
            wire::IsMfaRequiredResponse,
            wire::GetCertAuthoritiesResponse,
            wire::ProxySshResponse,
            wire::ClusterDetails,
            wire::RegisterWithChallengeResponse,
            resources::ListResourcesResponse,
            join::JoinResponse,
        );
        if let Ok(answer) = wire::PingResponse::decode(bytes) {
            let _ = ping::from_auth(answer);
        }
        if let Ok(answer) = wire::CertAuthority::decode(bytes) {
            let _ = auth_service::authority(answer);
        }
    });
}

/// What the sandbox takes.
#[test]
fn protobuf_of_clients() {
    parser("protobuf of clients", messages()).memory(200, 256 * 1024).bytes(|bytes| {
        decode!(
            bytes,
            wire::RegisterUsingTokenRequest,
            wire::RegisterUsingIamMethodRequest,
            wire::RegisterUsingAzureMethodRequest,
            wire::UserCertsRequest,
            wire::GetRoleRequest,
            wire::CreateAppSessionRequest,
            wire::IsMfaRequiredRequest,
            wire::GetCertAuthoritiesRequest,
            wire::GetCertAuthorityRequest,
            wire::ProxySshRequest,
            resources::ListResourcesRequest,
            join::JoinRequest,
        );
    });
}

/// HTTP/2 and gRPC's own framing: settings, headers, one message, trailers.
#[test]
fn frames_of_grpc() {
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
    };
    // RFC 7541: `:status: 200` and `content-type` of the static table, literals for the rest.
    let head = [b"\x88\x0f\x10\x10".as_slice(), b"application/grpc"].concat();
    let trailers =
        |code: &str| [b"\x00\x0bgrpc-status\x01", code.as_bytes(), b"\x00\x0cgrpc-message\x02no"].concat();
    let message =
        wire::PingResponse { cluster_name: "lab.example".into(), ..Default::default() }.encode_to_vec();
    let message = [&[0], &u32::try_from(message.len()).unwrap().to_be_bytes()[..], &message].concat();
    let start = frame(4, 0, 0, &[0, 3, 0, 0, 0, 100]);
    let good = [
        start.clone(),
        frame(4, 1, 0, &[]),
        frame(1, 4, 1, &head),
        frame(0, 0, 1, &message),
        frame(1, 5, 1, &trailers("0")),
    ];
    let refused = [start.clone(), frame(1, 5, 1, &[head.clone(), trailers("7")].concat())];
    let gone = [start, frame(7, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 2]), frame(3, 0, 1, &[0, 0, 0, 8])];
    let peer = Peer::new();
    // h2 keeps windows and buffers of its own.
    parser("frames of gRPC", [good.concat(), refused.concat(), gone.concat()])
        .slow(5)
        .memory(512, 8 << 20)
        .bytes(move |bytes| {
            peer.says(bytes, async |network, stream| {
                let channel = grpc::Channel::over(stream, "p", network.deadline()).await;
                let Ok(channel) = channel else { return };
                let answer = channel
                    .unary::<_, wire::PingResponse>("the call", "/proto.AuthService/Ping", wire::Empty {})
                    .await;
                let _ = answer.map(ping::from_auth);
            });
        });
}

#[test]
fn answers_of_http() {
    let good = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx: y\r\n\r\nok";
    let chunked = "HTTP/1.1 403 No\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n";
    let peer = Peer::new();
    parser("answers of HTTP", [good, chunked, "HTTP/1.0 302 Found\r\nlocation: https://a/web\r\n\r\n"])
        .slow(2)
        .memory(64, 4 << 20)
        .bytes(move |bytes| {
            peer.says(bytes, async |network, stream| {
                let Ok(mut web) = Connection::over(&network, stream, &target()).await else { return };
                if let Ok(answer) = web.send(http::Method::GET, "/", Vec::new(), Vec::new()).await {
                    assert!(answer.body.len() <= crate::net::http::LIMIT);
                }
            });
        });
}

#[test]
fn frames_of_websockets() {
    // RFC 6455, 5.7: text, binary, a ping, 256 bytes, a close with its reason, a masked one that servers must not send.
    let long = [b"\x82\x7e\x01\x00".as_slice(), &[7; 256]].concat();
    let seeds = [
        b"\x82\x05Hello\x89\x05Hello\x88\x02\x03\xe8".to_vec(),
        b"\x01\x03Hel\x80\x02lo".to_vec(),
        b"\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58".to_vec(),
        b"\x82\x7f\x00\x00\x00\x00\x00\x10\x00\x00x".to_vec(),
        long,
    ];
    let peer = Peer::new();
    // A frame of at most 1 MiB, and what the pump has in its buffers.
    parser("frames of WebSockets", seeds).slow(2).memory(64, 4 << 20).bytes(move |bytes| {
        peer.says(bytes, async |_, stream| {
            let mut stream = upgrade::frames(stream, Role::Client).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
    });
}

fn target() -> HostPort {
    HostPort { host: "a.example".into(), port: 443 }
}
