//! A minimal client: TLS with any name, protocols and certificate; HTTP/1.1; gRPC.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

use super::*;
use crate::identity::keys::{KeyKind, KeyPair};
use crate::identity::tls::ders_of;
use crate::net::tls::provider;

/// A certificate (DER) with its key.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) der: Vec<u8>,
    pub(super) key: KeyPair,
}

pub(super) const INTERNAL: &str = "teleport.cluster.local";
pub(super) const TRANSPORT: &str = "teleport-proxy-ssh-grpc";

/// The protocol of the auth service of that cluster.
pub(super) fn auth_alpn(cluster: &str) -> String {
    format!("teleport-auth@{}.{INTERNAL}", crate::text::hex(cluster.as_bytes()))
}

pub(super) async fn tls(
    sandbox: &Sandbox,
    name: &str,
    alpn: &[&str],
    root: &[u8],
    client: Option<&Client>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(root.to_vec())).unwrap();
    let builder = rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match client {
        Some(client) => {
            let key = PrivatePkcs8KeyDer::from(client.key.private().expose().to_vec());
            builder.with_client_auth_cert(vec![CertificateDer::from(client.der.clone())], key.into()).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|p| p.as_bytes().to_vec()).collect();
    let tcp = TcpStream::connect(sandbox.address).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

/// The root of the web certificate, DER.
pub(super) fn web_root(sandbox: &Sandbox) -> Vec<u8> {
    ders_of(sandbox.web_ca_pem()).unwrap().remove(0)
}

/// One HTTP/1.1 exchange: status, content type, body.
pub(super) async fn http(
    sandbox: &Sandbox,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> (u16, String, String) {
    let stream = tls(sandbox, "127.0.0.1", &["http/1.1"], &web_root(sandbox), None).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Full<bytes::Bytes>>(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = http::Request::builder().method(method).uri(path).header("host", "127.0.0.1");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = sender.send_request(request.body(Full::from(body)).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let kind =
        answer.headers().get("content-type").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, kind, String::from_utf8(body.to_vec()).unwrap())
}

/// GET of JSON.
pub(super) async fn json_of(sandbox: &Sandbox, path: &str) -> Value {
    let (status, kind, body) = http(sandbox, "GET", path, &[], String::new()).await;
    assert_eq!((status, kind.as_str()), (200, "application/json"), "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// POST of a join by the old path, with a fresh P-256 key for both; fields of `changes` on top.
pub(super) async fn post_join(
    sandbox: &Sandbox,
    token: &str,
    id_token: &str,
    changes: Value,
) -> (u16, Value, KeyPair) {
    let key = KeyPair::generate(KeyKind::P256).unwrap();
    let mut request = serde_json::json!({
        "role": "Bot",
        "token": token,
        "public_tls_key": STANDARD.encode(key.public_pem()),
        "public_ssh_key": STANDARD.encode(key.public_ssh_line()),
        "id_token": id_token,
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        request[name] = value.clone();
    }
    let json = [("content-type", "application/json")];
    let path = "/v1/webapi/host/credentials";
    let (status, _, body) = http(sandbox, "POST", path, &json, request.to_string()).await;
    (status, serde_json::from_str(&body).unwrap(), key)
}

/// The text of a base64 field.
pub(super) fn text(value: &Value) -> String {
    String::from_utf8(STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap()
}

/// A bot that joined as GitHub job, and the host CA (DER).
pub(super) async fn bot(sandbox: &Sandbox) -> (Client, Vec<u8>) {
    let jwt = sandbox
        .id_token(Platform::GitHubActions, &serde_json::json!({"aud": "teleport.cluster.local"}))
        .unwrap();
    let (status, answer, key) = post_join(sandbox, "ci-github", jwt.expose(), Value::Null).await;
    assert_eq!(status, 200, "{answer}");
    let der = ders_of(&text(&answer["tls"])).unwrap().remove(0);
    let host_ca = ders_of(&text(&answer["tls_ca_certs"][1])).unwrap().remove(0);
    (Client { der, key }, host_ca)
}

/// A gRPC connection.
pub(super) struct Channel(Grpc<Http2>);

impl Channel {
    pub(super) async fn over(stream: TlsStream<TcpStream>) -> Self {
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(Grpc::with_origin(Http2(sender), "https://teleport.cluster.local".parse().unwrap()))
    }

    pub(super) async fn join(sandbox: &Sandbox) -> Self {
        let alpn = ["teleport-proxy-grpc", "h2"];
        Self::over(tls(sandbox, "127.0.0.1", &alpn, &web_root(sandbox), None).await.unwrap()).await
    }

    pub(super) async fn auth(sandbox: &Sandbox, host_ca: &[u8], client: &Client) -> Self {
        let own = auth_alpn("sandbox.example");
        Self::over(tls(sandbox, INTERNAL, &[&own, "h2"], host_ca, Some(client)).await.unwrap()).await
    }

    pub(super) async fn call<Q, A>(&mut self, path: &'static str, request: Q) -> Result<A, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        self.0.ready().await.unwrap();
        let path = http::uri::PathAndQuery::from_static(path);
        let codec = ProstCodec::<Q, A>::default();
        self.0.unary(Request::new(request), path, codec).await.map(tonic::Response::into_inner)
    }

    pub(super) async fn stream<Q, A>(
        &mut self,
        path: &'static str,
        requests: impl tokio_stream::Stream<Item = Q> + Send + 'static,
    ) -> Result<Streaming<A>, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        self.0.ready().await.unwrap();
        let path = http::uri::PathAndQuery::from_static(path);
        let codec = ProstCodec::<Q, A>::default();
        self.0.streaming(Request::new(requests), path, codec).await.map(tonic::Response::into_inner)
    }
}

struct Http2(hyper::client::conn::http2::SendRequest<Body>);

impl tower_service::Service<http::Request<Body>> for Http2 {
    type Response = http::Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}
