//! A tunnel through a load balancer that terminates TLS: one `GET` that turns into a stream (`/webapi/connectionupgrade`).

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{CONNECTION, HOST, HeaderMap, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::ClusterError;
use super::error::ConnectionError;
use crate::net::tls::TlsSpec;
use crate::net::{HostPort, NetError, Network, Stream};
use crate::text::safe;

/// Where a proxy turns a request into a stream (Teleport RFD 123, servers since 12.1).
pub const PATH: &str = "/webapi/connectionupgrade";
/// Raw bytes after the 101.
const ALPN: &str = "alpn";
/// Binary frames after the 101.
const WEBSOCKET: &str = "websocket";
/// Bytes that wait between the two sides of the pump, and the largest frame taken.
const BUFFER: usize = 64 * 1024;
const MAX_FRAME: usize = 1024 * 1024;

/// Web TLS on `tcp`, then the upgrade. Offers both kinds, because a server knows one or the other; returns a stream for the inner
/// TLS.
pub async fn upgrade(network: &Network, tcp: Stream, target: &HostPort) -> Result<Stream, ClusterError> {
    let peer = target.to_string();
    let not_teleport = |found| ConnectionError::NotTeleport { peer: peer.clone(), found };
    let tls = network.tls(tcp, &TlsSpec::web(target)).await?;
    let key = generate_key();
    let answer = ask(network, tls.stream, target, &key).await?;
    if answer.status() != http::StatusCode::SWITCHING_PROTOCOLS {
        return Err(not_teleport(format!("`{PATH}` gives HTTP {}", answer.status().as_u16())).into());
    }
    let headers = answer.headers().clone();
    let upgraded = hyper::upgrade::on(answer).await;
    let upgraded = upgraded.map_err(|e| NetError::Http { peer: peer.clone(), reason: e.to_string() })?;
    // Tunnels end one direction before the other; what terminates TLS on the way may take the end of one for that of both.
    let stream: Stream = Box::new(KeptOpen(TokioIo::new(upgraded)));
    match kind(&headers, &key).map_err(not_teleport)? {
        Kind::Raw => Ok(stream),
        Kind::Frames => Ok(frames(stream, Role::Client).await),
    }
}

async fn ask(
    network: &Network,
    stream: Stream,
    target: &HostPort,
    key: &str,
) -> Result<http::Response<hyper::body::Incoming>, NetError> {
    let peer = target.to_string();
    let broken = |e: hyper::Error| NetError::Http { peer: peer.clone(), reason: e.to_string() };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    tokio::spawn(connection.with_upgrades());
    let request = http::Request::get(PATH)
        .header(HOST, target.to_string())
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, WEBSOCKET)
        .header(UPGRADE, ALPN)
        .header("X-Teleport-Upgrade", ALPN)
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", key)
        .header(SEC_WEBSOCKET_PROTOCOL, ALPN)
        .body(http_body_util::Empty::<bytes::Bytes>::new())
        .map_err(|e| NetError::Http { peer: target.to_string(), reason: e.to_string() })?;
    let sent = sender.send_request(request);
    network.deadline().run("waiting for a connection upgrade", sent).await?.map_err(broken)
}

/// Which of the two the server took.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Raw,
    Frames,
}

fn kind(headers: &HeaderMap, key: &str) -> Result<Kind, String> {
    let text =
        |name| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    match text(UPGRADE).as_str() {
        ALPN => Ok(Kind::Raw),
        WEBSOCKET => {
            let accept = headers.get(SEC_WEBSOCKET_ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
            if accept != derive_accept_key(key.as_bytes()) {
                return Err(format!("`{PATH}` gives a wrong `Sec-WebSocket-Accept`"));
            }
            if text(SEC_WEBSOCKET_PROTOCOL) != ALPN {
                return Err(format!("`{PATH}` agrees to another WebSocket protocol"));
            }
            Ok(Kind::Frames)
        }
        other => Err(format!("`{PATH}` upgrades to `{}`", safe(other, 50))),
    }
}

/// A byte stream whose bytes travel in binary frames. For the client, and for the sandbox at the other end.
pub async fn frames(stream: Stream, role: Role) -> Stream {
    let config = WebSocketConfig::default().max_message_size(Some(MAX_FRAME)).max_frame_size(Some(MAX_FRAME));
    let socket = WebSocketStream::from_raw_socket(stream, role, Some(config)).await;
    let (near, far) = tokio::io::duplex(BUFFER);
    tokio::spawn(pump(socket, far));
    Box::new(KeptOpen(near))
}

/// A stream whose writing side ends with the whole: the TLS within says itself that one direction has ended, and frames have no
/// word for that.
struct KeptOpen<S>(S);

impl<S: AsyncRead + Unpin> AsyncRead for KeptOpen<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for KeptOpen<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.poll_flush(context)
    }
}

/// Carries bytes in both directions until either side ends; pings are answered by the library.
async fn pump(socket: WebSocketStream<Stream>, pipe: DuplexStream) {
    let (mut outgoing, mut incoming) = socket.split();
    let (mut reader, mut writer) = tokio::io::split(pipe);
    let send = async {
        let mut buffer = vec![0_u8; BUFFER];
        while let Ok(read @ 1..) = reader.read(&mut buffer).await {
            let frame = bytes::Bytes::copy_from_slice(buffer.get(..read).unwrap_or_default());
            if outgoing.send(Message::Binary(frame)).await.is_err() {
                return;
            }
        }
        let _ = outgoing.close().await;
    };
    let receive = async {
        while let Some(Ok(message)) = incoming.next().await {
            match message {
                Message::Binary(data) if writer.write_all(&data).await.is_err() => return,
                Message::Close(_) => break,
                _ => {}
            }
        }
        let _ = writer.shutdown().await;
    };
    tokio::join!(send, receive);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_either_kind_and_nothing_else() {
        // The example of RFC 6455, 1.3.
        let (key, accept) = ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        for (headers, want) in [
            (vec![("upgrade", "alpn")], Ok(Kind::Raw)),
            (
                vec![
                    ("upgrade", "WebSocket"),
                    ("sec-websocket-accept", accept),
                    ("sec-websocket-protocol", "alpn"),
                ],
                Ok(Kind::Frames),
            ),
            (
                vec![("upgrade", "websocket"), ("sec-websocket-protocol", "alpn")],
                Err("wrong `Sec-WebSocket-Accept`"),
            ),
            (
                vec![("upgrade", "websocket"), ("sec-websocket-accept", accept)],
                Err("another WebSocket protocol"),
            ),
            (vec![("upgrade", "h2c")], Err("upgrades to `h2c`")),
            (vec![], Err("upgrades to ``")),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(http::HeaderName::from_static(name), value.parse().unwrap());
            }
            match (kind(&map, key), want) {
                (Ok(got), Ok(want)) => assert_eq!(got, want),
                (Err(got), Err(want)) => assert!(got.contains(want), "{got}"),
                (got, want) => panic!("{got:?} is not {want:?}"),
            }
        }
    }

    #[tokio::test]
    async fn frames_are_as_large_as_they_may_be() {
        let (near, far) = tokio::io::duplex(1 << 16);
        let mut stream = frames(Box::new(near), Role::Client).await;
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let far: Stream = Box::new(far);
        let mut peer = WebSocketStream::from_raw_socket(far, Role::Server, Some(config)).await;

        // What is written at once goes in one frame, up to 64 KiB.
        stream.write_all(&vec![1; 65_536]).await.unwrap();
        let frame = peer.next().await.unwrap().unwrap();
        assert_eq!(frame, Message::Binary(vec![1; 65_536].into()));

        let mut received = Vec::new();
        let sends = async {
            for size in [1_048_576, 1_048_577] {
                let _ = peer.send(Message::Binary(vec![2; size].into())).await;
            }
            // Dropped only after the other side has given up.
            while let Some(Ok(_)) = peer.next().await {}
        };
        let reads = async {
            let _ = stream.read_to_end(&mut received).await;
            drop(stream);
        };
        tokio::join!(sends, reads);
        assert_eq!(received.len(), 1_048_576, "a longer frame than 1 MiB ends the connection");
    }

    #[tokio::test]
    async fn a_peer_that_says_goodbye_has_ended_the_stream() {
        let (near, far) = tokio::io::duplex(1 << 16);
        let mut stream = frames(Box::new(near), Role::Client).await;
        let far: Stream = Box::new(far);
        let mut peer = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
        peer.send(Message::Binary("last words".into())).await.unwrap();
        peer.send(Message::Close(None)).await.unwrap();
        // The connection itself stays open.
        let mut received = Vec::new();
        let end = stream.read_to_end(&mut received);
        tokio::time::timeout(std::time::Duration::from_secs(10), end).await.unwrap().unwrap();
        assert_eq!(received, b"last words");
        drop(peer);
    }

    #[test]
    fn answers_to_an_upgrade_under_fire() {
        use crate::under_fire::{parser, peer::Peer};

        let key = "dGhlIHNhbXBsZSBub25jZQ==";
        let answers = [
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: alpn\r\nConnection: Upgrade\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: alpn\r\n\r\n\x02\x01",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        ];
        let target = HostPort { host: "a.example".into(), port: 443 };
        let peer = Peer::new();
        parser("answers to an upgrade", answers).slow(2).memory(64, 4 << 20).bytes(move |bytes| {
            peer.says(bytes, async |network, stream| {
                let Ok(answer) = ask(&network, stream, &target, key).await else { return };
                let _ = kind(answer.headers(), key);
                let _ = hyper::upgrade::on(answer).await;
            });
        });
    }
}
