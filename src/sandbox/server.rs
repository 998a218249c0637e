//! TLS: which service a connection reaches, by ALPN and server name, and which certificate it is shown.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tonic::Status;
use tonic::body::Body;

use super::ca::{Ca, Cas};
use super::cluster::Cluster;
use super::error::SandboxError;
use super::fault_injection::OddHandshake;
use super::peer::{Caller, Peer};
use super::records::Record;
use super::reply::unknown;
use super::truncated_stream::TruncatedStream;
use super::upgrade::Kind;
use super::{app, auth_service, join_service, kube, registration, transport, upgrade, web};
use crate::identity::keys::{KeyKind, KeyPair};
use crate::net::tls::provider;
use crate::net::{HostPort, Stream};
use crate::text::hex;

/// Clients have so long for a handshake (`HandshakeReadDeadline` in `lib/defaults`, 15; newer servers give more).
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Headers of HTTP/1 take no longer.
const HEADERS: Duration = Duration::from_secs(10);
const TLS_1_2: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
/// An impatient server waits so long.
const IMPATIENCE: Duration = Duration::from_millis(20);
const MAX_CONNECTIONS: usize = 256;

/// Names and protocols of gravitational/teleport `lib/srv/alpnproxy/common` and `api/constants`.
const CLUSTER_NAME: &str = "teleport.cluster.local";
const HTTP_1: &[u8] = b"http/1.1";
const HTTP_2: &[u8] = b"h2";
const JOIN: &[u8] = b"teleport-proxy-grpc";
const TRANSPORT: &[u8] = b"teleport-proxy-ssh-grpc";
const AUTH: &str = "teleport-auth@";
/// What a client offers to find out whether something in front terminates TLS.
const REVERSE_TUNNEL: &[u8] = b"teleport-reversetunnel";

/// One for each service on the one port.
pub(super) struct TlsConfigs {
    web: Arc<ServerConfig>,
    join: Arc<ServerConfig>,
    /// In an upgraded connection the proxy shows its host certificate, not its web certificate.
    join_upgraded: Arc<ServerConfig>,
    auth: Arc<ServerConfig>,
    /// The auth service dialled directly: who joins has no certificate yet.
    auth_port: Arc<ServerConfig>,
    transport: Arc<ServerConfig>,
    app: Arc<ServerConfig>,
    /// Databases and TCP applications.
    tunnel: Arc<ServerConfig>,
    kube: Arc<ServerConfig>,
    /// Agrees on no protocol.
    closed: Arc<ServerConfig>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Service {
    App,
    Auth,
    AuthPort,
    Closed,
    Join,
    Kube,
    Transport,
    Tunnel,
    Web,
}

/// A stream on which TLS is to begin.
struct Fresh {
    stream: Stream,
    ip: IpAddr,
    upgrade: Option<Kind>,
}

/// An established connection.
struct Connection {
    service: Service,
    peer: Peer,
    /// Takes the streams that its requests turned into.
    upgraded: mpsc::Sender<Fresh>,
}

impl TlsConfigs {
    pub(super) fn new(cluster: &Cluster) -> Result<Self, SandboxError> {
        let mut names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        if !names.contains(&cluster.public_host()) {
            names.push(cluster.public_host());
        }
        let of_apps = cluster.options.apps.iter().map(|app| app.public_addr.clone());
        names.extend(of_apps.filter(|name| HostPort::parse(name, 443).is_ok()));
        let cas = &cluster.cas;
        let web = Certificate::new(&cas.web, &names, false)?;
        let host =
            Certificate::new(cas.servers(), &[format!("*.{CLUSTER_NAME}"), CLUSTER_NAME.to_owned()], true)?;
        let kube_ca = if cluster.options.kube_web_certificate { &cas.web } else { cas.servers() };
        let kube = Certificate::new(kube_ca, &kube::names(cluster), true)?;
        Ok(Self {
            web: config(&web, &[HTTP_1, HTTP_2, REVERSE_TUNNEL], Clients::Any)?,
            // Recorded: where a client offers `h2` beside a protocol of Teleport's, `h2` is agreed on.
            join: config(&web, &[HTTP_2, JOIN], Clients::Any)?,
            join_upgraded: config(&host, &[HTTP_2, JOIN], Clients::Any)?,
            auth: auth_config(cluster, &host)?,
            auth_port: config(&host, &[HTTP_2], Clients::AnyOrOf(cas))?,
            transport: config(&host, &[HTTP_2, TRANSPORT], Clients::Of(cas))?,
            app: config(&web, &[HTTP_1, HTTP_2], Clients::AnyOrOf(cas))?,
            tunnel: config(&web, &app::tunneled_protocols(), Clients::Of(cas))?,
            kube: config(&kube, &[HTTP_2, HTTP_1], Clients::Of(cas))?,
            closed: config(&web, &[b"none"], Clients::Any)?,
        })
    }

    fn config(&self, service: Service, upgraded: bool) -> Arc<ServerConfig> {
        Arc::clone(match service {
            Service::Join if upgraded => &self.join_upgraded,
            Service::App => &self.app,
            Service::Auth => &self.auth,
            Service::AuthPort => &self.auth_port,
            Service::Closed => &self.closed,
            Service::Join => &self.join,
            Service::Kube => &self.kube,
            Service::Transport => &self.transport,
            Service::Tunnel => &self.tunnel,
            Service::Web => &self.web,
        })
    }
}

/// Accepts until the task is aborted; connections end with it.
pub(super) async fn run(listener: TcpListener, cluster: Arc<Cluster>, configs: TlsConfigs) {
    let configs = Arc::new(configs);
    let mut open = JoinSet::new();
    let (upgraded, mut from_upgrades) = mpsc::channel(MAX_CONNECTIONS);
    loop {
        let fresh = tokio::select! {
            accepted = listener.accept() => if let Ok((tcp, from)) = accepted {
                // Without it answers wait for acknowledgements.
                let _ = tcp.set_nodelay(true);
                let stream = Box::new(TruncatedStream::new(tcp, cluster.options.inject.close_after_bytes));
                Fresh { stream, ip: from.ip(), upgrade: None }
            } else {
                // Out of file descriptors, most likely: let some close.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            },
            Some(fresh) = from_upgrades.recv() => fresh,
            Some(_) = open.join_next(), if !open.is_empty() => continue,
        };
        if open.len() < MAX_CONNECTIONS {
            open.spawn(connection(fresh, Arc::clone(&cluster), Arc::clone(&configs), upgraded.clone()));
        }
    }
}

async fn connection(
    fresh: Fresh,
    cluster: Arc<Cluster>,
    configs: Arc<TlsConfigs>,
    upgraded: mpsc::Sender<Fresh>,
) {
    let Fresh { stream, ip, upgrade } = fresh;
    let acceptor = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
    let Ok(Ok(start)) = timeout(HANDSHAKE, acceptor).await else { return };
    let hello = start.client_hello();
    let sni = hello.server_name().map(str::to_owned);
    let offered: Vec<String> =
        hello.alpn().into_iter().flatten().map(|p| String::from_utf8_lossy(p).into_owned()).collect();
    let service = select(&cluster, sni.as_deref(), &offered);
    let tunneled = app::tunneled(&offered).filter(|_| service == Service::Tunnel);
    let number = cluster.records.connection(Record {
        sni,
        alpn_offered: offered,
        upgrade: upgrade.map(Kind::name),
        ..Record::default()
    });
    let handshake = start.into_stream(configs.config(service, upgrade.is_some()));
    if service == Service::Auth {
        if cluster.options.inject.auth_handshakes == Some(OddHandshake::Stalls) {
            return std::future::pending().await;
        }
        let impatient =
            cluster.impatient_handshakes.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        if impatient.is_ok() {
            return drop(timeout(IMPATIENCE, handshake).await);
        }
    }
    let Ok(Ok(stream)) = timeout(HANDSHAKE, handshake).await else { return };
    let (_, tls) = stream.get_ref();
    let caller = tls
        .peer_certificates()
        .and_then(|chain| chain.first())
        .and_then(|leaf| Caller::from_certificate(leaf));
    let alpn = tls.alpn_protocol().map(|p| String::from_utf8_lossy(p).into_owned());
    cluster.records.established(number, alpn, caller.as_ref().map(|c| c.user.clone()));
    if let (Some(protocol), Some(caller)) = (tunneled, &caller) {
        let Some(mut server) = app::connect(&cluster, caller, protocol).await else { return };
        let mut client = stream;
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        return;
    }
    let cut = Arc::new(Notify::new());
    let peer = Peer { number, cut: Arc::clone(&cut), ip, caller };
    let connection = Arc::new(Connection { service, peer, upgraded });
    let answers = service_fn(move |request| {
        let (cluster, connection) = (Arc::clone(&cluster), Arc::clone(&connection));
        async move { Ok::<_, Infallible>(answer(cluster, &connection, request).await) }
    });
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    // An error here is the client's going away.
    tokio::select! {
        _ = http.serve_connection_with_upgrades(TokioIo::new(stream), answers) => {}
        () = cut.notified() => {}
    }
}

fn select(cluster: &Cluster, sni: Option<&str>, offered: &[String]) -> Service {
    let has = |protocol: &[u8]| offered.iter().any(|p| p.as_bytes() == protocol);
    let internal = sni.is_some_and(|n| n == CLUSTER_NAME || n.ends_with(&format!(".{CLUSTER_NAME}")));
    if let Some(wanted) = offered.iter().find(|p| p.starts_with(AUTH)) {
        let own = format!("{AUTH}{}.{CLUSTER_NAME}", hex(cluster.options.cluster.as_bytes()));
        return if *wanted == own && internal { Service::Auth } else { Service::Closed };
    }
    match () {
        () if sni.is_some_and(kube::is_meant) => Service::Kube,
        () if has(TRANSPORT) && internal => Service::Transport,
        () if has(TRANSPORT) => Service::Closed,
        () if has(JOIN) => Service::Join,
        () if app::tunneled(offered).is_some() => Service::Tunnel,
        () if app::is_public_address(cluster, sni) => Service::App,
        // No browser offers this alone under that name.
        () if internal && offered.iter().all(|p| p.as_bytes() == HTTP_2) => Service::AuthPort,
        () => Service::Web,
    }
}

async fn answer(
    cluster: Arc<Cluster>,
    connection: &Connection,
    request: http::Request<Incoming>,
) -> http::Response<Body> {
    let Connection { service, peer, upgraded } = connection;
    let path = request.uri().path().to_owned();
    let with_query = request.uri().path_and_query().map_or(path.as_str(), |p| p.as_str());
    cluster.records.requested(peer.number, with_query);
    let inject = &cluster.options.inject;
    if !inject.delay.is_zero() {
        tokio::time::sleep(inject.delay).await;
    }
    if inject.hang_on.iter().any(|end| path.ends_with(end.as_str())) {
        std::future::pending::<()>().await;
    }
    for barrier in &cluster.barriers {
        if barrier.arrived(&path).await {
            break;
        }
    }
    if *service == Service::Web && path == upgrade::PATH && !inject.html_everywhere {
        let (ip, upgraded) = (peer.ip, upgraded.clone());
        return upgrade::answer(&cluster.options, request, move |stream, kind| {
            // A full queue means too many connections: this one is not served either.
            let _ = upgraded.try_send(Fresh { stream, ip, upgrade: Some(kind) });
        });
    }
    if *service == Service::Web {
        return web::answer(&cluster, peer.ip, request).await;
    }
    let method = path.rsplit('/').next().unwrap_or_default();
    if let Some(refused) = inject.refuse_calls.iter().find(|call| call.method == method) {
        return Status::new(refused.code.into(), refused.message.clone()).into_http();
    }
    match service {
        Service::App => app::answer(&cluster, peer.caller.as_ref(), &request),
        Service::AuthPort if path.starts_with("/teleport.join.") => {
            join_service::answer(cluster, peer, request).await
        }
        Service::AuthPort | Service::Join if path.starts_with(registration::SERVICE) => {
            registration::answer(cluster, peer, request).await
        }
        Service::Auth | Service::AuthPort => auth_service::answer(&cluster, peer, request).await,
        Service::Join => join_service::answer(cluster, peer, request).await,
        Service::Kube => kube::answer(&cluster, peer, request).await,
        Service::Transport => transport::answer(cluster, request).await,
        Service::Closed | Service::Tunnel | Service::Web => unknown(&path),
    }
}

/// A server certificate with its key.
struct Certificate {
    key: KeyPair,
    chain: Vec<CertificateDer<'static>>,
}

impl Certificate {
    fn new(ca: &Ca, names: &[String], with_ca: bool) -> Result<Self, SandboxError> {
        let (key, der) = ca.server(names)?;
        let mut chain = vec![CertificateDer::from(der)];
        if with_ca {
            chain.push(CertificateDer::from(ca.der.clone()));
        }
        Ok(Self { key, chain })
    }
}

/// Who may connect.
#[derive(Clone, Copy)]
enum Clients<'a> {
    /// Anyone; no certificate is asked for.
    Any,
    /// Anyone; a certificate that is shown must be one of the user CA.
    AnyOrOf(&'a Cas),
    /// Who has a certificate of the user CA.
    Of(&'a Cas),
}

/// The auth service's, odd where that is asked for.
fn auth_config(cluster: &Cluster, host: &Certificate) -> Result<Arc<ServerConfig>, SandboxError> {
    let clients = Clients::Of(&cluster.cas);
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    let mut versions = rustls::ALL_VERSIONS;
    match cluster.options.inject.auth_handshakes {
        Some(OddHandshake::ForeignCa) => {
            let foreign = Ca::new(&cluster.options.cluster, KeyKind::P256, KeyKind::Ed25519)?;
            let foreign = Certificate::new(&foreign, &[CLUSTER_NAME.to_owned()], true)?;
            return config(&foreign, &[HTTP_2], clients);
        }
        Some(OddHandshake::OtherKeyShare) => {
            provider.kx_groups.retain(|group| group.name() == rustls::NamedGroup::secp384r1);
        }
        Some(OddHandshake::Tls12) => versions = TLS_1_2,
        Some(OddHandshake::Stalls) | None => {}
    }
    config_by(Arc::new(provider), versions, host, &[HTTP_2], clients)
}

fn config(
    certificate: &Certificate,
    alpn: &[&[u8]],
    clients: Clients<'_>,
) -> Result<Arc<ServerConfig>, SandboxError> {
    config_by(provider(), rustls::ALL_VERSIONS, certificate, alpn, clients)
}

fn config_by(
    provider: Arc<CryptoProvider>,
    versions: &[&'static SupportedProtocolVersion],
    certificate: &Certificate,
    alpn: &[&[u8]],
    clients: Clients<'_>,
) -> Result<Arc<ServerConfig>, SandboxError> {
    let failed = |e: &dyn std::fmt::Display| SandboxError::create("TLS setup", e);
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .map_err(|e| failed(&e))?;
    let verifier = |cas: &Cas, optional: bool| {
        let mut roots = RootCertStore::empty();
        for ca in cas.users() {
            roots.add(CertificateDer::from(ca.der.clone())).map_err(|e| failed(&e))?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let verifier = if optional { verifier.allow_unauthenticated() } else { verifier };
        verifier.build().map_err(|e| failed(&e))
    };
    let builder = match clients {
        Clients::Any => builder.with_no_client_auth(),
        Clients::AnyOrOf(cas) => builder.with_client_cert_verifier(verifier(cas, true)?),
        Clients::Of(cas) => builder.with_client_cert_verifier(verifier(cas, false)?),
    };
    let key = PrivatePkcs8KeyDer::from(certificate.key.private().expose().to_vec());
    let mut config = builder
        .with_single_cert(certificate.chain.clone(), PrivateKeyDer::Pkcs8(key))
        .map_err(|e| failed(&e))?;
    config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
    Ok(Arc::new(config))
}
