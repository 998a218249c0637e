//! The proxy's place for applications and databases: who shows a certificate with their route is let through.

use std::net::SocketAddr;

use http::HeaderValue;
use http::header::{HOST, LOCATION};
use hyper::body::Incoming;
use tokio::net::TcpStream;
use tonic::body::Body;

use super::cluster::Cluster;
use super::options::SandboxApp;
use super::peer::Caller;
use super::reply;
use crate::identity::route::Route;
use crate::teleport::database_protocol;
use crate::teleport::target::TCP;

/// What clients offer for databases and for TCP applications.
fn protocols() -> impl Iterator<Item = &'static str> {
    database_protocol::all().map(|protocol| protocol.alpn).chain([TCP])
}

/// The protocol among those offered that is for a server which speaks no HTTP.
pub(super) fn tunneled(offered: &[String]) -> Option<&'static str> {
    protocols().find(|protocol| offered.iter().any(|offer| offer == protocol))
}

/// All such protocols.
pub(super) fn tunneled_protocols() -> Vec<&'static [u8]> {
    protocols().map(str::as_bytes).collect()
}

/// Whether the name is the public address of an application.
pub(super) fn is_public_address(cluster: &Cluster, name: Option<&str>) -> bool {
    name.is_some_and(|name| named(cluster, name).is_some())
}

fn named<'a>(cluster: &'a Cluster, host: &str) -> Option<&'a SandboxApp> {
    cluster.options.apps.iter().find(|app| app.public_addr.eq_ignore_ascii_case(host))
}

/// The application's answer. Recorded: without a certificate for it, a redirect to the login page.
pub(super) fn answer(
    cluster: &Cluster,
    caller: Option<&Caller>,
    request: &http::Request<Incoming>,
) -> http::Response<Body> {
    let header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().host().or(header).unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let route = caller.map(|caller| &caller.route);
    if let (Some(app), Some(Route::App(route)), Some(caller)) = (named(cluster, host), route, caller) {
        let is_same = route.name == app.name && route.public_addr.eq_ignore_ascii_case(&app.public_addr);
        if is_same && !route.session.is_empty() {
            let text = format!("{}: hello {}\n", app.name, caller.user);
            return reply::text(200, "text/plain; charset=utf-8", text);
        }
    }
    let mut response = reply::text(302, "text/plain; charset=utf-8", String::new());
    let login = format!("https://{}/web/launch/{host}", cluster.public_addr());
    if let Ok(login) = HeaderValue::from_str(&login) {
        response.headers_mut().insert(LOCATION, login);
    }
    response
}

/// A connection to the server that the certificate names, if its protocol is the one agreed on.
pub(super) async fn connect(cluster: &Cluster, caller: &Caller, protocol: &str) -> Option<TcpStream> {
    let target = match &caller.route {
        // Whose protocol is another than that of the connection is refused, whatever the certificate is for.
        Route::Database(route) if database_protocol::find(&route.protocol)?.alpn == protocol => {
            target(&cluster.options.database_targets, &route.service)?.to_string()
        }
        Route::App(route) if protocol == TCP => {
            let app = cluster.options.apps.iter().find(|app| app.name == route.name)?;
            app.uri.strip_prefix("tcp://")?.to_owned()
        }
        _ => return None,
    };
    stream(target).await
}

/// A connection to the server behind the web application or the kubernetes cluster that the certificate names, where there is one.
pub(super) async fn connect_web(cluster: &Cluster, caller: &Caller) -> Option<TcpStream> {
    let target = match &caller.route {
        Route::App(route) => target(&cluster.options.app_targets, &route.name)?,
        Route::Kube { kube } => target(&cluster.options.kube_targets, kube)?,
        Route::Database(_) | Route::Cluster => return None,
    };
    stream(target.to_string()).await
}

fn target(targets: &[(String, SocketAddr)], name: &str) -> Option<SocketAddr> {
    targets.iter().find(|(known, _)| known == name).map(|(_, address)| *address)
}

async fn stream(target: String) -> Option<TcpStream> {
    let tcp = TcpStream::connect(target).await.ok()?;
    let _ = tcp.set_nodelay(true);
    Some(tcp)
}
