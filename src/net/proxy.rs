//! A tunnel through an HTTP proxy.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, PROXY_AUTHORIZATION, USER_AGENT};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;

use super::proxies::Proxy;
use super::tls::{TlsSpec, Trust};
use super::{HostPort, NetError, Network, Stream, dial, http::AGENT};

/// How long a proxy may take to answer CONNECT.
const LIMIT: Duration = Duration::from_secs(10);

impl Network {
    /// A TCP connection to the target, through the CI network's HTTP proxy where one applies (CONNECT; `https://` proxies too). Else
    /// tries all addresses of the name, IPv6 and IPv4 in turns (RFC 8305).
    pub async fn tcp(&self, target: &HostPort) -> Result<Stream, NetError> {
        let Some(proxy) = self.inner.proxies.for_target(target) else {
            return Ok(Box::new(dial::dial(self, target, &target.to_string()).await?));
        };
        self.log().detail(format!("connecting to {target} through the HTTP proxy {proxy}"));
        proxy.connect(self, target).await
    }
}

impl Proxy {
    /// A tunnel to the target (CONNECT).
    pub(super) async fn connect(&self, network: &Network, target: &HostPort) -> Result<Stream, NetError> {
        let peer = format!("the HTTP proxy {self}");
        let tcp = dial::dial(network, &self.address, &peer).await?;
        let mut stream: Stream = Box::new(tcp);
        if self.tls {
            let spec = TlsSpec {
                peer: peer.clone(),
                server_name: self.address.host.clone(),
                alpn: vec![b"http/1.1".to_vec()],
                // As curl, whose `--cacert` is not for proxies either.
                trust: Trust::System,
                client: None,
            };
            stream = network.tls(stream, &spec).await.map_err(|e| self.own_failure(e, target))?.stream;
        }
        let doing = format!("opening a tunnel to {target}");
        network.deadline().try_within(LIMIT, &peer, &doing, self.tunnel(stream, target)).await?
    }

    async fn tunnel(&self, stream: Stream, target: &HostPort) -> Result<Stream, NetError> {
        let odd = |reason: String| self.failure(target, reason, None);
        let failed = |_: hyper::Error| odd("it closed the connection, or did not answer in HTTP".to_owned());
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
        // Ends with the tunnel, or when the sender is dropped.
        tokio::spawn(connection.with_upgrades());
        let mut request = http::Request::connect(target.to_string())
            .header(HOST, target.to_string())
            .header(USER_AGENT, AGENT)
            .body(Empty::<Bytes>::new())
            .map_err(|_| odd("the target does not fit into a request".to_owned()))?;
        if let Some(auth) = &self.auth {
            request.headers_mut().insert(PROXY_AUTHORIZATION, auth.clone());
        }
        let answer = sender.send_request(request).await.map_err(failed)?;
        let status = answer.status();
        if !status.is_success() {
            let reason = match status.as_u16() {
                code @ (401 | 407) if self.auth.is_some() => {
                    format!("it does not accept the user and password (HTTP {code})")
                }
                code @ (401 | 407) => format!("it requires authentication (HTTP {code})"),
                _ => format!("it answered HTTP {status}"),
            };
            return Err(self.failure(target, reason, Some(status.as_u16())));
        }
        let tunnel = hyper::upgrade::on(answer).await.map_err(failed)?;
        Ok(Box::new(TokioIo::new(tunnel)))
    }

    fn failure(&self, target: &HostPort, reason: String, status: Option<u16>) -> NetError {
        NetError::Proxy { proxy: self.to_string(), peer: target.to_string(), reason, status }
    }

    /// `https://` for a proxy that does not speak TLS is a mistake in the proxy's URL, not at the target.
    fn own_failure(&self, error: NetError, target: &HostPort) -> NetError {
        match error {
            NetError::Tls { reason, .. } => {
                self.failure(target, format!("TLS with it failed: {reason}"), None)
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::error::StageError as _;
    use crate::net::error::CertificateFault;
    use crate::net::http::Connection;
    use crate::net::testing::{Pki, Server, collected, network};

    fn ok(_: http::Request<hyper::body::Incoming>) -> http::Response<http_body_util::Full<Bytes>> {
        http::Response::default()
    }

    /// The status of one request to the target.
    async fn get(network: &Network, target: &str) -> Result<u16, NetError> {
        let target = HostPort::parse(target, 443).unwrap();
        let mut connection = Connection::open(network, &target).await?;
        let answer = connection.send(http::Method::GET, "/", Vec::new(), Vec::new()).await?;
        Ok(answer.status)
    }

    /// The proxy of `target` in an environment.
    fn chosen(vars: &[(&str, &str)], target: &str) -> Option<String> {
        network(vars, None, crate::log::Log::silent())
            .unwrap()
            .proxy_for(&HostPort::parse(target, 443).unwrap())
    }

    #[test]
    fn chooses_as_curl_does() {
        let p = ("HTTPS_PROXY", "http://p:1");
        for (vars, target, want) in [
            (&[p][..], "a.example", Some("http://p:1")),
            (&[p], "localhost", Some("http://p:1")),
            (&[p], "[::1]:443", Some("http://p:1")),
            (&[("https_proxy", "http://q"), p], "a.example", Some("http://q:80")),
            (&[("https_proxy", ""), p], "a.example", Some("http://p:1")),
            (&[("HTTP_PROXY", "http://p:1")], "a.example", None),
            (&[("http_proxy", "socks5://p:1")], "a.example", None),
            (&[("ALL_PROXY", "q:3128")], "a.example", Some("http://q:3128")),
            (&[("all_proxy", "http://q:1"), p], "a.example", Some("http://p:1")),
            (&[("ALL_PROXY", "socks5://q:1"), p], "a.example", Some("http://p:1")),
            (
                &[("HTTPS_PROXY", "HTTPS://u:p%40w@[2001:db8::1]")],
                "a.example",
                Some("https://[2001:db8::1]:443"),
            ),
            (&[p, ("NO_PROXY", "*")], "a.example", None),
            (&[p, ("NO_PROXY", "b.example *")], "10.1.2.3", None),
            (&[p, ("NO_PROXY", "b.example, A.example")], "a.example", None),
            (&[p, ("NO_PROXY", ".example")], "x.a.example", None),
            (&[p, ("NO_PROXY", "b.test *.example")], "x.a.example", None),
            (&[p, ("NO_PROXY", "a.example")], "x.a.example", None),
            (&[p, ("NO_PROXY", "a.example")], "nota.example", Some("http://p:1")),
            (&[p, ("NO_PROXY", "10.0.0.0/8,fd00::/8")], "10.1.2.3", None),
            (&[p, ("NO_PROXY", "10.0.0.0/8,fd00::/8")], "[fd00::1]", None),
            (&[p, ("NO_PROXY", "10.0.0.0/8,fd00::/8")], "11.1.2.3", Some("http://p:1")),
            (&[p, ("no_proxy", "b.example"), ("NO_PROXY", "*")], "a.example", Some("http://p:1")),
        ] {
            assert_eq!(chosen(vars, target).as_deref(), want, "{vars:?} {target}");
        }
    }

    #[test]
    fn an_invalid_url_is_reported_without_its_password() {
        for url in [
            "socks5://u:hunter2@p:1",
            "http://u:hunt#er2@p",
            "http://u:hunter2@@",
            "http://u:hunter2@p:port",
            "http://",
            "p:99999",
        ] {
            match network(&[("https_proxy", url)], None, crate::log::Log::silent()) {
                Err(error @ NetError::ProxySetting { .. }) => {
                    let text = error.to_string();
                    assert!(
                        text.starts_with("`https_proxy` cannot be used") && !text.contains("hunt"),
                        "{text}"
                    );
                }
                other => panic!("{url}: {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn goes_through_the_proxy_with_its_password() {
        let pki = Pki::new();
        let server = Server::http(Some(pki.server()), ok).await;
        for tls in [false, true] {
            let (proxy, heads) = Server::proxy(tls.then(|| pki.server()), "200 OK", server.address).await;
            let scheme = if tls { "https" } else { "http" };
            let url = format!("{scheme}://us%40er:hunter2@localhost:{}", proxy.address.port());
            let (log, lines) = collected();
            let network = pki.network_with(&[("HTTPS_PROXY", &url)], log);
            // Only the proxy knows this port of the target.
            assert_eq!(get(&network, "localhost:1").await.unwrap(), 200);
            let heads = heads.lock().unwrap().join("");
            assert!(heads.starts_with("CONNECT localhost:1 HTTP/1.1\r\n"), "{heads}");
            // The base64 of `us@er:hunter2`.
            assert!(heads.contains("proxy-authorization: Basic dXNAZXI6aHVudGVyMg==\r\n"), "{heads}");
            let logged = lines.lock().unwrap().join("\n");
            let want = format!(
                "connecting to localhost:1 through the HTTP proxy {scheme}://localhost:{}",
                proxy.address.port()
            );
            assert!(logged.contains(&want) && !logged.contains("hunter2"), "{logged}");
        }
    }

    #[tokio::test]
    async fn a_target_of_no_proxy_is_reached_directly() {
        let pki = Pki::new();
        let server = Server::http(Some(pki.server()), ok).await;
        let (proxy, heads) = Server::proxy(None, "403 Forbidden", server.address).await;
        let url = format!("http://{}", proxy.address);
        let network = pki.network(&[("HTTPS_PROXY", &url), ("NO_PROXY", "127.0.0.0/8")]);
        assert_eq!(get(&network, &server.target().to_string()).await.unwrap(), 200);
        assert_eq!(heads.lock().unwrap().len(), 0);
    }

    /// The password goes out only where the proxy has proven its name.
    #[tokio::test]
    async fn the_certificate_of_the_proxy_is_verified() {
        let (pki, other) = (Pki::new(), Pki::named("Other Root"));
        let server = Server::http(Some(pki.server()), ok).await;
        let foreign = other.server();
        let misnamed = pki.server_of(pki.leaf("DNS:a.example", super::super::testing::VALID), false);
        for (config, want) in [(foreign, CertificateFault::Issuer), (misnamed, CertificateFault::Name)] {
            let (proxy, heads) = Server::proxy(Some(config), "200 OK", server.address).await;
            let url = format!("https://us:hunter2@localhost:{}", proxy.address.port());
            match get(&pki.network(&[("HTTPS_PROXY", &url)]), "localhost:1").await {
                Err(NetError::Certificate { fault, peer, .. }) => {
                    let named = format!("the HTTP proxy https://localhost:{}", proxy.address.port());
                    assert_eq!((fault, peer), (want, named));
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(heads.lock().unwrap().len(), 0);
        }
    }

    #[tokio::test]
    async fn says_why_the_proxy_does_not_connect() {
        let nowhere: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let required = "it requires authentication (HTTP 407)";
        let wrong = "it does not accept the user and password (HTTP 407)";
        let busy = "it answered HTTP 503 Service Unavailable";
        for (status, user, want, transient, hint) in [
            ("407 Proxy Authentication Required", "", required, false, "USER:PASSWORD"),
            ("407 No", "u:hunter2@", wrong, false, "USER:PASSWORD"),
            ("401 Unauthorized", "", "it requires authentication (HTTP 401)", false, "USER:PASSWORD"),
            ("403 Forbidden", "", "it answered HTTP 403 Forbidden", false, "NO_PROXY"),
            ("503 Busy", "", busy, true, "NO_PROXY"),
        ] {
            let (proxy, _) = Server::proxy(None, status, nowhere).await;
            let url = format!("http://{user}{}", proxy.address);
            let error = get(&Pki::new().network(&[("HTTPS_PROXY", &url)]), "a.example").await.unwrap_err();
            let whole =
                format!("the HTTP proxy http://{} did not connect to a.example:443: {want}", proxy.address);
            assert_eq!(error.to_string(), whole);
            assert_eq!(error.is_transient(), transient, "{status}");
            assert!(error.hints()[0].contains(hint), "{status}");
        }
        // `https://` for a proxy without TLS, `http://` for one that is something else.
        let odd = Server::saying(None, b"220 mail.example ESMTP\r\n").await;
        for scheme in ["https", "http"] {
            let url = format!("{scheme}://{}", odd.address);
            let error = get(&Pki::new().network(&[("HTTPS_PROXY", &url)]), "a.example").await.unwrap_err();
            assert!(matches!(error, NetError::Proxy { status: None, .. }), "{error}");
        }
    }

    /// Heads of proxies' answers to CONNECT.
    #[test]
    fn answers_to_connect_under_fire() {
        use crate::under_fire::{parser, peer::Peer};
        use tokio::io::AsyncReadExt as _;

        let heads = [
            "HTTP/1.1 200 Connection established\r\n\r\n",
            "HTTP/1.0 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 2\r\n\r\nno",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\n\r\n",
        ];
        let proxy = Proxy { address: HostPort { host: "p".into(), port: 1 }, tls: false, auth: None };
        let target = HostPort { host: "a.example".into(), port: 443 };
        let peer = Peer::new();
        parser("answers to CONNECT", heads).slow(2).memory(64, 4 << 20).bytes(move |bytes| {
            peer.says(bytes, async |_, stream| match proxy.tunnel(stream, &target).await {
                Ok(mut tunnel) => drop(tunnel.read_to_end(&mut Vec::new()).await),
                Err(error) => assert!(matches!(error, NetError::Proxy { .. }), "{error}"),
            });
        });
    }
}
