//! The proxy's place for applications and databases: who shows a certificate with their route is let through.

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

/// What clients offer for TCP applications and for databases, each followed by a kind (gravitational/teleport
/// `lib/srv/alpnproxy/common`).
const TCP: &str = "teleport-tcp";
const DATABASES: [&str; 5] =
    ["teleport-postgres", "teleport-mysql", "teleport-mongodb", "teleport-redis", "teleport-cassandra"];

/// The protocol among those offered that is for a server which speaks no HTTP.
pub(super) fn tunneled(offered: &[String]) -> Option<&'static str> {
    DATABASES.into_iter().chain([TCP]).find(|protocol| offered.iter().any(|offer| offer == protocol))
}

/// All such protocols.
pub(super) fn tunneled_protocols() -> Vec<&'static [u8]> {
    DATABASES.into_iter().chain([TCP]).map(str::as_bytes).collect()
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
        Route::Database(route) if protocol == format!("teleport-{}", route.protocol) => {
            let mut targets = cluster.options.database_targets.iter();
            targets.find(|(name, _)| *name == route.service)?.1.to_string()
        }
        Route::App(route) if protocol == TCP => {
            let app = cluster.options.apps.iter().find(|app| app.name == route.name)?;
            app.uri.strip_prefix("tcp://")?.to_owned()
        }
        _ => return None,
    };
    let tcp = TcpStream::connect(target).await.ok()?;
    let _ = tcp.set_nodelay(true);
    Some(tcp)
}
