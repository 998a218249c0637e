//! From here to the cluster: DNS, TCP, TLS, web ping, clock, route to its services, auth service.

use jiff::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::name::Name;

use crate::env;
use crate::net::http::Connection;
use crate::net::tls::{TlsSpec, TlsStream, Trust};
use crate::net::{HostPort, NetError, Network};
use crate::rules::{self, ServerVersion, Unserved};
use crate::run::doctor::check::{Check, Found, State};
use crate::run::doctor::limit::{LIMIT, within};
use crate::teleport::dial::Route;
use crate::teleport::ping::{self, Ping};
use crate::teleport::{ClusterError, ConnectionError, JoinMethod, probe};
use crate::text::{clocks, safe};

const DNS: &str = "DNS";
const TCP: &str = "TCP";
const TLS: &str = "TLS";
const PING: &str = "web ping";
const CLOCK: &str = "clock";
const ALPN: &str = "ALPN";
const AUTH: &str = "auth service";
/// In their order.
const ALL: [&str; 7] = [DNS, TCP, TLS, PING, CLOCK, ALPN, AUTH];
/// Certificates of a chain that are shown.
const MAX_CHAIN: usize = 4;
/// From this many seconds between the clocks there is a warning: tokens have a leeway of a minute at most.
const SKEW: i64 = 30;

/// The cluster, and the network to reach it over.
pub struct Target<'a> {
    /// The proxy's web address.
    pub address: &'a HostPort,
    /// Good up to TCP, and beyond if `trusted`.
    pub network: &'a Network,
    /// Whether its web roots are the ones asked for, so that TLS may be tried.
    pub trusted: bool,
}

/// One step after the other, as each needs the previous one; after the first that fails the rest are skipped.
pub async fn reach(
    target: Result<&Target<'_>, &str>,
    method: Option<JoinMethod>,
) -> (Vec<Check>, Option<Ping>) {
    let mut checks = Vec::new();
    let ping = match target {
        Ok(target) => steps(target, method, &mut checks).await,
        Err(needs) => {
            checks.push(Check::skipped(DNS, format!("needs {needs}")));
            None
        }
    };
    let failed = checks.last().is_some_and(|c| c.state() == State::Failed);
    let stopped = match target {
        Err(needs) => needs,
        Ok(_) if failed => ALL.get(checks.len().saturating_sub(1)).copied().unwrap_or_default(),
        Ok(_) => "the web roots",
    };
    for name in ALL.iter().skip(checks.len()) {
        checks.push(Check::skipped(name, format!("needs {stopped}")));
    }
    (checks, ping)
}

async fn steps(target: &Target<'_>, method: Option<JoinMethod>, checks: &mut Vec<Check>) -> Option<Ping> {
    let Target { address: target, network, trusted } = *target;
    let mut passed = |check: Check| {
        let passed = check.state() != State::Failed;
        checks.push(check);
        passed.then_some(())
    };
    passed(dns(network, target).await)?;
    let (check, stream) = tcp(network, target).await;
    passed(check)?;
    if !trusted {
        return None;
    }
    let (check, connection) = tls(network, target, stream?).await;
    passed(check)?;
    let connection = connection?;
    let ((ping_check, ping), (route_check, route)) =
        tokio::join!(web_ping(network, target, connection, method), route(network, target));
    checks.push(ping_check);
    checks.push(match &ping {
        Some(ping) => clock(ping),
        None => Check::skipped(CLOCK, "needs web ping"),
    });
    checks.push(route_check);
    checks.push(match (&ping, route) {
        (None, _) => Check::skipped(AUTH, "needs web ping"),
        (_, None) => Check::skipped(AUTH, "needs ALPN, or an upgrade instead"),
        (Some(ping), Some(route)) => auth(network, target, route, &ping.cluster_name).await,
    });
    ping
}

async fn dns(network: &Network, target: &HostPort) -> Check {
    if network.proxy_for(target).is_some() {
        return Check::skipped(DNS, "not needed: the HTTP proxy resolves the name");
    }
    if target.ip().is_some() {
        return Check::ok(DNS, format!("`{}` is an address", target.host));
    }
    match within(network, LIMIT, &target.to_string(), "resolving its name", network.resolve(target)).await {
        Ok(Ok(found)) => {
            let mut shown: Vec<String> = found.iter().take(3).map(|a| a.ip().to_string()).collect();
            if found.len() > 3 {
                shown.push(format!("{} more", found.len() - 3));
            }
            Check::ok(DNS, format!("`{}` is {}", target.host, shown.join(", ")))
        }
        Ok(Err(error)) | Err(error) => Check::error(DNS, error),
    }
}

async fn tcp(network: &Network, target: &HostPort) -> Found<crate::net::Stream> {
    match within(network, LIMIT, &target.to_string(), "connecting", network.tcp(target)).await {
        Ok(Ok(stream)) => {
            let through = network.proxy_for(target).map(|p| format!(" through {p}")).unwrap_or_default();
            (Check::ok(TCP, format!("connected to {target}{through}")), Some(stream))
        }
        Ok(Err(error)) | Err(error) => (Check::error(TCP, error), None),
    }
}

/// The web certificate. When it is not accepted, a second handshake shows what was sent.
async fn tls(network: &Network, target: &HostPort, stream: crate::net::Stream) -> Found<Connection> {
    let peer = target.to_string();
    let shaken = async {
        let TlsStream { stream, peer_chain, .. } = network.tls(stream, &TlsSpec::web(target)).await?;
        Ok::<_, NetError>((Connection::over(network, stream, target).await?, peer_chain))
    };
    match within(network, LIMIT, &peer, "the TLS handshake", shaken).await {
        Ok(Ok((connection, chain))) => {
            let leaf = chain.first().map_or_else(String::new, |der| certificate(der));
            (Check::ok(TLS, format!("trusted: {leaf}")), Some(connection))
        }
        Ok(Err(error @ NetError::Certificate { .. })) => {
            let look = TlsSpec { trust: Trust::Blindly, ..TlsSpec::web(target) };
            let again = async { network.tls(network.tcp(target).await?, &look).await };
            let sent = match within(network, LIMIT, &peer, "repeating the TLS handshake", again).await {
                Ok(Ok(tls)) => {
                    let all = tls.peer_chain.iter().take(MAX_CHAIN).map(|der| certificate(der));
                    format!("; it sent {}", all.collect::<Vec<_>>().join(", then "))
                }
                _ => String::new(),
            };
            (Check::error(TLS, error).and(&sent), None)
        }
        Ok(Err(error)) | Err(error) => (Check::error(TLS, error), None),
    }
}

async fn web_ping(
    network: &Network,
    target: &HostPort,
    mut connection: Connection,
    method: Option<JoinMethod>,
) -> Found<Ping> {
    let peer = target.to_string();
    let asked = ping::ping(&mut connection, &peer, env::now);
    let ping = match within(network, LIMIT, &peer, "asking for its ping", asked).await {
        Ok(Ok(ping)) if !ping.tls_routing => {
            return (Check::error(PING, ClusterError::from(ConnectionError::NoTlsRouting { peer })), None);
        }
        Ok(Ok(ping)) => ping,
        Ok(Err(error)) => return (Check::error(PING, error), None),
        Err(error) => return (Check::error(PING, error), None),
    };
    let edition = ping.edition.as_ref().map(|e| format!(" ({e})")).unwrap_or_default();
    let finding = format!(
        "cluster `{}`, Teleport {}{edition}, TLS routing is on",
        ping.cluster_name, ping.server_version
    );
    let check = match unserved(&ping, method) {
        Some(Unserved { problem, hint }) => Check::warning(PING, format!("{finding}; {problem}"), hint),
        None => Check::ok(PING, finding),
    };
    (check, Some(ping))
}

/// What the server lacks for this join method, and what to do.
fn unserved(ping: &Ping, method: Option<JoinMethod>) -> Option<Unserved> {
    rules::unserved(method?, ServerVersion::parse(&ping.server_version), ping.edition.as_deref())
}

fn clock(ping: &Ping) -> Check {
    match ping.clock_skew {
        None => Check::skipped(CLOCK, "the server reports no time"),
        Some(skew) if skew.abs() <= SKEW => Check::ok(CLOCK, clocks(skew, 1)),
        Some(skew) => {
            Check::warning(CLOCK, clocks(skew, 1), "set this machine's clock (NTP), or have the server's set")
        }
    }
}

async fn route(network: &Network, target: &HostPort) -> Found<Route> {
    match within(network, LIMIT, &target.to_string(), "probing", probe::route(network, target)).await {
        Ok(Ok(Route::Upgraded)) => {
            let finding =
                "lost on the way: something before the proxy terminates TLS; an upgraded connection works";
            (Check::ok(ALPN, finding), Some(Route::Upgraded))
        }
        Ok(Ok(route)) => (Check::ok(ALPN, "reaches the proxy"), Some(route)),
        Ok(Err(error)) => (Check::error(ALPN, error), None),
        Err(error) => (Check::error(ALPN, error), None),
    }
}

async fn auth(network: &Network, target: &HostPort, route: Route, cluster: &str) -> Check {
    let shaken = probe::auth_service(network, target, route, cluster);
    match within(network, LIMIT, &target.to_string(), "the TLS handshake with the auth service", shaken).await
    {
        Ok(Ok(())) => Check::ok(AUTH, "answers (TLS handshake only: who may use it shows in the join)"),
        Ok(Err(error)) => Check::error(AUTH, error),
        Err(error) => Check::error(AUTH, error),
    }
}

/// `a`, issued by `b`, until 2027-01-01T00:00:00Z.
fn certificate(der: &[u8]) -> String {
    let Ok(certificate) = Certificate::from_der(der) else {
        return "something that is not a certificate".to_owned();
    };
    let tbs = certificate.tbs_certificate();
    let end = i64::try_from(tbs.validity().not_after.to_unix_duration().as_secs()).ok();
    let end = end.and_then(|s| Timestamp::from_second(s).ok()).map(|t| format!(", until {t}"));
    format!("{}, issued by {}{}", shown(tbs.subject()), shown(tbs.issuer()), end.unwrap_or_default())
}

/// The common name, else all of it; at most 100 characters.
fn shown(name: &Name) -> String {
    let common = name.common_name().ok().flatten().map(|n| n.value().into_owned());
    let text = common.unwrap_or_else(|| name.to_string());
    let short = safe(&text.replace('`', ""), 100);
    if short.is_empty() { "no name".to_owned() } else { format!("`{short}`") }
}
