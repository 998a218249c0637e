use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, USER_AGENT};
use http_body_util::Full;

use super::*;
use crate::env::Env;
use crate::error::StageError as _;
use crate::log::Log;
use crate::net::error::CertificateFault;
use crate::net::http::Connection;
use crate::net::testing::{Pki, Server, VALID, collected, echo, network};
use crate::net::{Deadline, Options};

const MINUTE: Duration = Duration::from_secs(60);

fn ok(_: http::Request<hyper::body::Incoming>) -> http::Response<Full<bytes::Bytes>> {
    http::Response::default()
}

async fn get(network: &Network, url: &str) -> Result<Answer, NetError> {
    let request = Request { method: http::Method::GET, url, headers: Vec::new(), body: Vec::new() };
    network.web_client().send(request, MINUTE).await
}

async fn get_metadata(network: &Network, url: &str) -> Result<Answer, NetError> {
    let request = Request { method: http::Method::GET, url, headers: Vec::new(), body: Vec::new() };
    network.metadata_client().send(request, MINUTE).await
}

#[tokio::test]
async fn sends_what_was_asked() {
    let pki = Pki::new();
    let headers = [HOST, ACCEPT, USER_AGENT, AUTHORIZATION, CONTENT_LENGTH];
    let server = Server::http(Some(pki.server()), echo(&headers)).await;
    let port = server.address.port();
    let network = pki.network(&[]);
    let answer = get(&network, &format!("https://localhost:{port}?audience=a%2Fb")).await.unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let want = format!("GET /?audience=a%2Fb localhost:{port} application/json jobpass/{version} - -");
    assert_eq!((answer.status, String::from_utf8(answer.body).unwrap()), (418, want));

    let request = Request {
        method: http::Method::POST,
        url: &format!("https://127.0.0.1:{port}/x"),
        headers: vec![
            (ACCEPT, HeaderValue::from_static("text/plain")),
            (AUTHORIZATION, HeaderValue::from_static("Bearer b")),
        ],
        body: b"body".to_vec(),
    };
    let answer = network.web_client().send(request, MINUTE).await.unwrap();
    let want = format!("POST /x 127.0.0.1:{port} text/plain jobpass/{version} Bearer b 4");
    assert_eq!(String::from_utf8(answer.body).unwrap(), want);
    assert_eq!((server.accepted(), network.connections()), (2, 2));
}

/// Neither for what is asked here nor for an HTTPS proxy, whoever is behind it. The cluster has no other roots then.
#[tokio::test]
async fn the_ca_file_is_for_the_cluster_only() {
    let (cluster, web) = (Pki::named("Cluster Root"), Pki::named("Web Root"));
    let (ca_file, web_file) = (cluster.ca_file(), web.ca_file());
    let theirs = Server::http(Some(cluster.server()), ok).await;
    let others = Server::http(Some(web.server()), ok).await;
    let roots = ("SSL_CERT_FILE", web_file.to_str().unwrap());
    let direct = network(&[roots], Some(&ca_file), Log::silent()).unwrap();
    let asked = async |network: &Network, server: &Server| {
        get(network, &format!("https://{}/", server.target())).await.map(drop)
    };
    let connected = async |network: &Network, server: &Server| {
        Connection::open(network, &server.target()).await.map(drop)
    };
    let refused = |result: Result<(), NetError>, from: &str| match result {
        Err(NetError::Certificate { fault: CertificateFault::Issuer, peer, .. }) => assert_eq!(peer, from),
        other => panic!("{from}: {other:?}"),
    };
    refused(asked(&direct, &theirs).await, &theirs.target().to_string());
    asked(&direct, &others).await.unwrap();
    refused(connected(&direct, &others).await, &others.target().to_string());
    connected(&direct, &theirs).await.unwrap();

    for (pki, is_trusted) in [(&cluster, false), (&web, true)] {
        let (proxy, heads) = Server::proxy(Some(pki.server()), "200 OK", theirs.address).await;
        let url = format!("https://u:hunter2@localhost:{}", proxy.address.port());
        let through = network(&[roots, ("HTTPS_PROXY", &url)], Some(&ca_file), Log::silent()).unwrap();
        let name = format!("the HTTP proxy https://localhost:{}", proxy.address.port());
        let reached = connected(&through, &theirs).await;
        if is_trusted {
            reached.unwrap();
            refused(asked(&through, &theirs).await, &theirs.target().to_string());
        } else {
            refused(reached, &name);
            refused(asked(&through, &others).await, &name);
        }
        assert_eq!(heads.lock().unwrap().len(), if is_trusted { 2 } else { 0 });
    }
}

/// A process that has proxy variables runs the other tests, which know of none.
#[test]
#[allow(clippy::disallowed_methods)] // the variables of another process
fn reads_no_variable_of_the_process() {
    let nowhere = "http://127.0.0.1:1";
    for test in ["sends_what_was_asked", "what_no_proxy_names_is_reached_directly"] {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", &format!("net::web_client::tests::{test}")]);
        for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            child.env(name, nowhere);
        }
        let ran = child.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success() && said.contains("1 passed"), "{said}");
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
        assert_eq!(get(&network, "https://localhost:1/").await.unwrap().status, 200);
        let heads = heads.lock().unwrap().join("").to_ascii_lowercase();
        assert!(heads.starts_with("connect localhost:1 http/1.1\r\n"), "{heads}");
        // The base64 of `us@er:hunter2`.
        assert!(heads.contains("proxy-authorization: basic dxnazxi6ahvudgvymg==\r\n"), "{heads}");
        let logged = lines.lock().unwrap().join("\n");
        let want = format!("through the HTTP proxy {scheme}://localhost:{}", proxy.address.port());
        assert!(logged.contains(&want) && !logged.contains("hunter2"), "{logged}");
    }
}

#[tokio::test]
async fn what_no_proxy_names_is_reached_directly() {
    let pki = Pki::new();
    let server = Server::http(Some(pki.server()), ok).await;
    let plain = Server::http(None, ok).await;
    let (proxy, heads) = Server::proxy(None, "403 Forbidden", server.address).await;
    let url = format!("http://{}", proxy.address);
    let excepted = pki.network(&[("HTTPS_PROXY", &url), ("NO_PROXY", "127.0.0.0/8")]);
    assert_eq!(get(&excepted, &format!("https://{}", server.target())).await.unwrap().status, 200);
    // Without TLS, and metadata addresses: never through a proxy.
    let all = pki.network(&[("HTTPS_PROXY", &url), ("ALL_PROXY", &url), ("HTTP_PROXY", &url)]);
    assert_eq!(get(&all, &format!("http://{}/p", plain.target())).await.unwrap().status, 200);
    assert_eq!(get_metadata(&all, &format!("http://{}/p", plain.target())).await.unwrap().status, 200);
    assert_eq!(heads.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn says_why_the_proxy_does_not_connect() {
    let pki = Pki::new();
    let nowhere = "127.0.0.1:1".parse().unwrap();
    for (status, user, want, transient) in [
        ("407 Proxy Authentication Required", "", "it requires authentication (HTTP 407)", false),
        ("407 No", "u:hunter2@", "it does not accept the user and password (HTTP 407)", false),
        ("401 Unauthorized", "", "it requires authentication (HTTP 401)", false),
        ("403 Forbidden", "", "it answered HTTP 403 Forbidden", false),
        ("503 Busy", "", "it answered HTTP 503 Service Unavailable", true),
    ] {
        let (proxy, _) = Server::proxy(None, status, nowhere).await;
        let url = format!("http://{user}{}", proxy.address);
        let error =
            get(&pki.network(&[("HTTPS_PROXY", &url)]), "https://a.example/?hunter2").await.unwrap_err();
        let whole =
            format!("the HTTP proxy http://{} did not connect to a.example:443: {want}", proxy.address);
        assert_eq!((error.to_string(), error.is_transient()), (whole, transient));
    }
    // Its certificate, and that of the target behind it.
    let (other, server) = (Pki::named("Other Root"), Server::http(Some(pki.server()), ok).await);
    let foreign = Server::http(Some(other.server()), ok).await;
    for (config, upstream, by_proxy) in
        [(other.server(), server.address, true), (pki.server(), foreign.address, false)]
    {
        let (proxy, heads) = Server::proxy(Some(config), "200 OK", upstream).await;
        let url = format!("https://u:hunter2@localhost:{}", proxy.address.port());
        match get(&pki.network(&[("HTTPS_PROXY", &url)]), "https://localhost:1/").await {
            Err(NetError::Certificate { peer, fault: CertificateFault::Issuer, .. }) => {
                let named = format!("the HTTP proxy https://localhost:{}", proxy.address.port());
                assert_eq!(peer, if by_proxy { named.as_str() } else { "localhost:1" });
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(heads.lock().unwrap().is_empty(), by_proxy);
    }
}

#[tokio::test]
async fn each_failure_keeps_its_kind() {
    let pki = Pki::new();
    let network = pki.network(&[]);
    let bodies = |size| move |_| http::Response::new(Full::from(vec![b'x'; size]));
    let large = Server::http(Some(pki.server()), bodies(LIMIT + 1)).await;
    let whole = Server::http(Some(pki.server()), bodies(LIMIT)).await;
    let ssh = Server::saying(Some(pki.server()), b"SSH-2.0-OpenSSH_9.2\r\n").await;
    let short = Server::saying(Some(pki.server()), b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc").await;
    let silent = Server::saying(Some(pki.server()), b"").await;
    let not_tls = Server::saying(None, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let closing = Server::saying(None, b"").await;
    let error = async |server: &Server| {
        get(&network, &format!("https://{}/?hunter2", server.target())).await.unwrap_err()
    };
    assert!(matches!(error(&large).await, NetError::TooLarge { limit: LIMIT, .. }));
    assert!(matches!(error(&ssh).await, NetError::Http { .. }));
    assert!(matches!(error(&short).await, NetError::Closed { .. }));
    assert!(matches!(error(&silent).await, NetError::Closed { .. }));
    assert_eq!(
        error(&not_tls).await.to_string(),
        format!("TLS with {} failed: the answer is not TLS", not_tls.target())
    );
    let closed = error(&closing).await;
    assert_eq!(
        closed.to_string(),
        format!("{} closed the connection during the TLS handshake", closing.target())
    );
    assert_eq!(get(&network, &format!("https://{}", whole.target())).await.unwrap().body.len(), LIMIT);

    // Bound, so that nobody else gets the port, and not listening.
    let unused = tokio::net::TcpSocket::new_v4().unwrap();
    unused.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nobody = unused.local_addr().unwrap();
    let refused = get(&network, &format!("https://{nobody}/")).await.unwrap_err();
    assert_eq!(refused.to_string(), format!("no connection to {nobody}: connection refused"));
    assert!(refused.is_transient() && refused.hints()[0].contains("nothing listens"), "{refused:?}");
    let dns = get(&network, "https://does-not-exist.invalid/?hunter2").await.unwrap_err();
    assert!(matches!(&dns, NetError::Dns { host, .. } if host == "does-not-exist.invalid"), "{dns:?}");
}

#[tokio::test]
async fn a_certificate_that_is_not_accepted_is_refused() {
    let (pki, other) = (Pki::new(), Pki::named("Other Root"));
    let server = Server::http(Some(pki.server()), ok).await;
    let port = server.address.port();
    let old = pki.server_of(pki.leaf("DNS:localhost", ("20200101000000Z", "20200203040506Z")), false);
    let old = Server::http(Some(old), ok).await;
    let misnamed = Server::http(Some(pki.server_of(pki.leaf("DNS:a.example", VALID), false)), ok).await;
    for (trusting, url, want) in [
        (&other, format!("https://localhost:{port}/"), "its issuer `CN=Test Root` is not trusted"),
        (&pki, format!("https://localhost:{}/", old.address.port()), "it expired at 2020-02-03T04:05:06Z"),
        (&pki, format!("https://localhost:{}/", misnamed.address.port()), "it is for `a.example`"),
    ] {
        match get(&trusting.network(&[]), &url).await {
            Err(NetError::Certificate { reason, .. }) => assert!(reason.contains(want), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let pki = Pki::new();
    let away =
        |_| http::Response::builder().status(302).header("location", "/there").body(Full::default()).unwrap();
    let server = Server::http(Some(pki.server()), away).await;
    let answer = get(&pki.network(&[]), &format!("https://{}", server.target())).await.unwrap();
    assert_eq!(
        (answer.status, &answer.headers["location"], server.accepted()),
        (302, &"/there".parse().unwrap(), 1)
    );
}

#[tokio::test]
async fn asks_nobody_else() {
    let network = Pki::new().network(&[]);
    for url in [
        "http://example.com/?hunter2",
        "http://169.254.169.254/latest?hunter2",
        "ftp://localhost/",
        "/only/a/path",
        "https://u:hunter2@localhost/",
        "",
    ] {
        let error = get(&network, url).await.unwrap_err();
        assert!(matches!(error, NetError::Address { .. }), "{url}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let client = network.metadata_client();
    for (url, allowed) in [
        ("http://169.254.169.254/latest/api/token", true),
        ("http://169.254.170.2/v2/credentials", true),
        ("http://[fd00:ec2::254]/latest", true),
        ("http://[fe80::1]/", true),
        ("http://127.0.0.1:1/", true),
        ("https://169.254.169.254/", false),
        ("http://10.0.0.1/", false),
        ("http://[fd00::1]/", false),
        ("http://metadata.example/", false),
        ("http://u:hunter2@169.254.169.254/", false),
    ] {
        assert_eq!(client.target(url).is_ok(), allowed, "{url}");
    }
}

#[tokio::test]
async fn waits_no_longer_than_its_limit() {
    let server = Server::start(None, |stream| async move {
        let _stream = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let url = format!("http://{}/", server.target());
    let request = Request { method: http::Method::GET, url: &url, headers: Vec::new(), body: Vec::new() };
    let client = Pki::new().network(&[]).web_client();
    let error = client.send(request, Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, NetError::Timeout { .. }) && error.is_transient(), "{error}");
    let short = Deadline::after(Duration::from_millis(50));
    let network =
        Network::new(&Env::new([("", ""); 0], "/"), &Options::default(), short, Log::silent()).unwrap();
    let error = get(&network, &url).await.unwrap_err();
    assert!(matches!(error, NetError::Deadline { .. }) && !error.is_transient(), "{error}");
    assert!(error.hints()[0].contains("--timeout"));
}
