//! What a cluster says of itself: name, version, public address, TLS routing, suite, clock.

use http::Method;
use http::header::LOCATION;
use jiff::Timestamp;
use serde_json::Value;

use super::ClusterError;
use super::error::ConnectionError;
use super::wire::PingResponse;
use crate::identity::Suite;
use crate::net::HostPort;
use crate::net::http::{Answer, Connection};
use crate::text::{is_name, safe};

/// The parts of `/webapi/ping` that are used.
#[derive(Debug, Clone, PartialEq)]
pub struct Ping {
    /// `cluster_name`.
    pub cluster_name: String,
    /// `server_version`.
    pub server_version: String,
    /// Its first number; decides the fields of `UserCertsRequest`.
    pub major: u32,
    /// `proxy.ssh.public_addr`: what the cluster calls itself.
    pub public_address: Option<HostPort>,
    /// `proxy.tls_routing_enabled`.
    pub tls_routing: bool,
    /// `proxy.kube`; `None` where it is not reported.
    pub kube: Option<KubePing>,
    /// `auth.signature_algorithm_suite` (from 17); `None`: not reported.
    pub suite: Option<Suite>,
    /// `edition`, where the server reports it (from 16).
    pub edition: Option<String>,
    /// The server's clock minus ours, whole seconds, from the HTTP `Date` header.
    pub clock_skew: Option<i64>,
}

/// What the proxy says of its kubernetes service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KubePing {
    /// `enabled`.
    pub enabled: bool,
    /// `public_addr`: its port of its own, which counts without TLS routing.
    pub public_address: Option<HostPort>,
    /// `listen_addr`: the same as the proxy's machine sees it.
    pub listen_address: Option<HostPort>,
}

/// The port of the kubernetes service where none is named (gravitational/teleport `lib/defaults`, v18).
const KUBE_PORT: u16 = 3026;

/// Path of the page; `/webapi/find` has the same without `auth`.
pub const PATH: &str = "/webapi/ping";

/// Asks the proxy. The answer is unauthenticated.
pub async fn ping(
    web: &mut Connection,
    peer: &str,
    now: impl Fn() -> Timestamp,
) -> Result<Ping, ClusterError> {
    let answer = web.send(Method::GET, PATH, Vec::new(), Vec::new()).await?;
    if matches!(answer.status, 429 | 502..=504) {
        let reason = format!("HTTP {}", answer.status);
        return Err(ConnectionError::Unanswered { call: "the ping", reason }.into());
    }
    if let Some(error) = redirect(&answer, peer) {
        return Err(error.into());
    }
    let skew = clock_skew(&answer, now());
    read(&answer.body, answer.status, peer).map(|ping| Ping { clock_skew: skew, ..ping })
}

/// Reads the page that came with that HTTP status.
pub fn read(body: &[u8], status: u16, peer: &str) -> Result<Ping, ClusterError> {
    let not_teleport = |found: String| ConnectionError::NotTeleport { peer: peer.to_owned(), found };
    let page: Value = match serde_json::from_slice(body) {
        Ok(page @ Value::Object(_)) => page,
        _ if looks_like_html(body) => {
            return Err(not_teleport(format!("`{PATH}` is an HTML page (HTTP {status})")).into());
        }
        _ => return Err(not_teleport(format!("`{PATH}` is not JSON (HTTP {status})")).into()),
    };
    if let Some(message) = page.pointer("/error/message").and_then(Value::as_str) {
        return Err(not_teleport(format!("`{PATH}` says: {}", safe(message, 200))).into());
    }
    if status != 200 {
        return Err(not_teleport(format!("`{PATH}` gives HTTP {status}")).into());
    }
    let text = |path: &str| page.pointer(path).and_then(Value::as_str).filter(|t| !t.is_empty());
    let missing = |field: &str| ClusterError::malformed("the proxy's ping", field);
    let server_version = text("/server_version").ok_or_else(|| missing("server_version"))?;
    let suite = match page.pointer("/auth/signature_algorithm_suite") {
        Some(Value::String(name)) => Suite::parse(name),
        Some(Value::Number(number)) => Suite::parse(&number.to_string()),
        _ => None,
    };
    let public = text("/proxy/ssh/public_addr");
    let tls_routing = page.pointer("/proxy/tls_routing_enabled").and_then(Value::as_bool).unwrap_or(false);
    let kube_address = |field: &str| {
        text(&format!("/proxy/kube/{field}")).and_then(|address| HostPort::parse(address, KUBE_PORT).ok())
    };
    let kube = page.pointer("/proxy/kube/enabled").and_then(Value::as_bool).map(|enabled| KubePing {
        enabled,
        public_address: kube_address("public_addr"),
        listen_address: kube_address("listen_addr"),
    });
    Ok(Ping {
        cluster_name: text("/cluster_name")
            .filter(|name| is_name(name))
            .ok_or_else(|| missing("cluster_name"))?
            .to_owned(),
        major: major(server_version).ok_or_else(|| missing("server_version"))?,
        server_version: safe(server_version, 50),
        public_address: public.and_then(|address| HostPort::parse(address, 443).ok()),
        tls_routing,
        kube,
        suite,
        edition: text("/edition").map(|name| safe(name, 50)),
        clock_skew: None,
    })
}

/// A proxy that is reached under another name than its public address redirects to that, to its web interface (seen on 15). Others
/// redirect elsewhere.
fn redirect(answer: &Answer, peer: &str) -> Option<ConnectionError> {
    let location = answer.headers.get(LOCATION).filter(|_| (300..400).contains(&answer.status))?;
    let location = location.to_str().unwrap_or_default();
    let (authority, path) = location
        .strip_prefix("https://")
        .map(|rest| rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())))
        .unwrap_or_default();
    let peer = peer.to_owned();
    Some(match HostPort::parse(authority, 443) {
        Ok(address) if path == "/web" || path.starts_with("/web/") => {
            ConnectionError::Moved { peer, public_address: address.to_string() }
        }
        Ok(address) => {
            ConnectionError::NotTeleport { peer, found: format!("`{PATH}` redirects to {address}") }
        }
        Err(_) => {
            ConnectionError::NotTeleport { peer, found: format!("`{PATH}` gives HTTP {}", answer.status) }
        }
    })
}

/// The same of an auth service, which answers those who have joined.
pub fn from_auth(answer: PingResponse) -> Result<Ping, ClusterError> {
    let missing = |field: &str| ClusterError::malformed("the auth service's ping", field);
    let suite = (answer.signature_algorithm_suite != 0).then(|| answer.signature_algorithm_suite.to_string());
    Ok(Ping {
        major: major(&answer.server_version).ok_or_else(|| missing("server_version"))?,
        server_version: safe(&answer.server_version, 50),
        public_address: HostPort::parse(&answer.proxy_public_addr, 443).ok(),
        cluster_name: Some(answer.cluster_name)
            .filter(|name| is_name(name))
            .ok_or_else(|| missing("cluster_name"))?,
        tls_routing: true,
        kube: None,
        suite: suite.and_then(|s| Suite::parse(&s)),
        edition: None,
        clock_skew: None,
    })
}

/// The first number of a version such as `15.0.0-dev`.
fn major(version: &str) -> Option<u32> {
    version.trim_start_matches('v').split('.').next()?.parse().ok()
}

/// Whole seconds the server's `Date` (IMF-fixdate, RFC 9110) is ahead of us.
pub fn clock_skew(answer: &Answer, now: Timestamp) -> Option<i64> {
    let date = answer.headers.get(http::header::DATE)?.to_str().ok()?;
    let zoned = jiff::fmt::rfc2822::parse(date).ok()?;
    Some(zoned.timestamp().as_second() - now.as_second())
}

fn looks_like_html(body: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&body[..body.len().min(512)]).trim_start().to_ascii_lowercase();
    start.starts_with("<!doctype") || start.starts_with("<html") || start.starts_with('<')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StageError as _;

    fn page(change: impl Fn(&mut Value)) -> Vec<u8> {
        let mut page = serde_json::json!({
            "auth": {"signature_algorithm_suite": "balanced-v1"},
            "proxy": {"ssh": {"public_addr": "teleport.test:3080"}, "tls_routing_enabled": true},
            "server_version": "18.2.0",
            "cluster_name": "lab.example",
            "something_new": {"a": [1]},
        });
        change(&mut page);
        serde_json::to_vec(&page).unwrap()
    }

    #[test]
    fn reads_what_is_known_and_skips_the_rest() {
        let ping = read(&page(|_| {}), 200, "p").unwrap();
        assert_eq!((ping.cluster_name.as_str(), ping.major, ping.tls_routing), ("lab.example", 18, true));
        assert_eq!(ping.suite, Some(Suite::BalancedV1));
        assert_eq!(ping.public_address.unwrap().to_string(), "teleport.test:3080");
        let number = read(&page(|p| p["auth"]["signature_algorithm_suite"] = 2.into()), 200, "p").unwrap();
        assert_eq!(number.suite, Some(Suite::BalancedV1));
    }

    #[test]
    fn reads_where_kubernetes_is() {
        let address = |text: &str| HostPort::parse(text, 1).ok();
        for page in [
            include_str!("../../tests/data/teleport/ping.json"),
            include_str!("../../tests/data/teleport/ping_13.json"),
            include_str!("../../tests/data/teleport/find.json"),
        ] {
            let kube = read(page.as_bytes(), 200, "p").unwrap().kube;
            let listen_address = address("127.0.0.1:3080");
            assert_eq!(kube, Some(KubePing { enabled: true, public_address: None, listen_address }));
        }
        let kube = |kube: Value| read(&page(|p| p["proxy"]["kube"] = kube.clone()), 200, "p").unwrap().kube;
        let public = kube(serde_json::json!({
            "enabled": true, "public_addr": "kube.test:3026", "listen_addr": "[::]:3026",
        }));
        let listen_address = address("[::]:3026");
        let public_address = address("kube.test:3026");
        assert_eq!(public, Some(KubePing { enabled: true, public_address, listen_address }));
        for (said, want) in [
            (serde_json::json!({"enabled": false}), Some(KubePing::default())),
            (serde_json::json!({"enabled": "yes", "public_addr": "kube.test"}), None),
            (
                serde_json::json!({"enabled": false, "public_addr": "a b:1", "listen_addr": 7}),
                Some(KubePing::default()),
            ),
            (serde_json::json!(null), None),
        ] {
            assert_eq!(kube(said.clone()), want, "{said}");
        }
        let default_port = kube(serde_json::json!({"enabled": true, "public_addr": "kube.test"})).unwrap();
        assert_eq!(default_port.public_address, address("kube.test:3026"));
    }

    #[test]
    fn names_what_is_missing() {
        for field in ["cluster_name", "server_version"] {
            let body = page(|p| {
                p.as_object_mut().unwrap().remove(field);
            });
            assert!(read(&body, 200, "p").unwrap_err().to_string().contains(field), "{field}");
        }
    }

    #[test]
    fn a_redirect_names_the_public_address() {
        let moved = "old.test:443 redirects to another address: the cluster's public address is ";
        let other = "old.test:443 does not answer like a Teleport proxy: `/webapi/ping` ";
        for (status, location, want, hint) in [
            (
                302,
                "https://teleport.test:3080/web",
                format!("{moved}teleport.test:3080"),
                "pass `--proxy teleport.test:3080`",
            ),
            (
                307,
                "https://teleport.test/web/login?x=1",
                format!("{moved}teleport.test:443"),
                "pass `--proxy teleport.test:443`",
            ),
            (
                302,
                "https://sso.test/login?next=secret",
                format!("{other}redirects to sso.test:443"),
                "check `--proxy`",
            ),
            (
                302,
                "https://teleport.test/website",
                format!("{other}redirects to teleport.test:443"),
                "check `--proxy`",
            ),
            (302, "https://u:secret@teleport.test/web", format!("{other}gives HTTP 302"), "check `--proxy`"),
            (302, "/web", format!("{other}gives HTTP 302"), "check `--proxy`"),
            (302, "http://teleport.test/web", format!("{other}gives HTTP 302"), "check `--proxy`"),
        ] {
            let headers = [(LOCATION, location.parse().unwrap())].into_iter().collect();
            let error = redirect(&Answer { status, headers, body: Vec::new() }, "old.test:443").unwrap();
            assert_eq!(error.to_string(), want);
            assert!(error.hints()[0].contains(hint), "{location}: {:?}", error.hints());
            assert_eq!(error.exit(), crate::error::Exit::Network);
        }
        let headers = [(LOCATION, "https://teleport.test/web".parse().unwrap())].into_iter().collect();
        assert!(redirect(&Answer { status: 200, headers, body: Vec::new() }, "p").is_none());
    }

    #[tokio::test]
    async fn a_redirect_of_the_page_is_read() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = HostPort::parse(&listener.local_addr().unwrap().to_string(), 443).unwrap();
        let serve = async {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let (mut tcp, _) = listener.accept().await.unwrap();
            let _ = tcp.read(&mut [0; 4096]).await.unwrap();
            let answer = b"HTTP/1.1 302 Found\r\nlocation: https://teleport.test:3080/web\r\ncontent-length: 0\r\n\r\n";
            tcp.write_all(answer).await.unwrap();
        };
        let ask = async {
            let deadline = crate::net::Deadline::after(std::time::Duration::from_secs(60));
            let (env, log) = (crate::env::Env::new([("", ""); 0], "/"), crate::log::Log::silent());
            let network =
                crate::net::Network::new(&env, &crate::net::Options::default(), deadline, log).unwrap();
            let tcp = network.tcp(&address).await.unwrap();
            let mut web = Connection::over(&network, tcp, &address).await.unwrap();
            ping(&mut web, "p:443", crate::env::now).await.unwrap_err().to_string()
        };
        let (error, ()) = tokio::join!(ask, serve);
        assert!(error.contains("the cluster's public address is teleport.test:3080"), "{error}");
    }

    #[test]
    fn recognises_other_web_servers() {
        for (body, status, want) in [
            ("<!DOCTYPE html><p>hi", 200, "HTML page"),
            ("  <html>", 404, "HTML page"),
            ("hello", 200, "not JSON"),
            ("[]", 200, "not JSON"),
            ("{\"error\":{\"message\":\"path not found\"}}", 404, "path not found"),
            ("{}", 500, "HTTP 500"),
        ] {
            let error = read(body.as_bytes(), status, "p.example:443").unwrap_err();
            assert!(error.to_string().contains(want), "{error}");
            assert!(error.to_string().contains("p.example:443"), "{error}");
        }
    }
}
