//! HTTP through tunnels: applications under the name that the proxy knows, kubernetes for a plain kubectl; streams stay streams.

use std::convert::Infallible;
use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jobpass::platform::Platform;
use jobpass::sandbox::{SandboxApp, SandboxKubeCluster, SandboxOptions};
use tokio::sync::Notify;

use crate::support::background::Background;
use crate::support::cluster::Cluster;
use crate::support::command::{put, run};
use crate::support::kubectl::kubectl;
use crate::support::tunnel::Tunnels;

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>;

/// A web server that shows what it was asked, streams, redirects, and changes protocols.
fn server() -> Background {
    let go = Arc::new(Notify::new());
    Background::serve(move |tcp| {
        let go = Arc::clone(&go);
        async move {
            let answers = service_fn(move |request| {
                let go = Arc::clone(&go);
                async move { Ok::<_, Infallible>(answer(request, go).await) }
            });
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(TokioIo::new(tcp), answers).with_upgrades().await;
        }
    })
}

fn text(text: impl Into<Bytes>) -> http::Response<Body> {
    http::Response::new(Full::new(text.into()).boxed_unsync())
}

async fn answer(mut request: http::Request<Incoming>, go: Arc<Notify>) -> http::Response<Body> {
    let header = |name: &str| {
        let found = request.headers().get(name).and_then(|value| value.to_str().ok());
        found.unwrap_or("-").to_owned()
    };
    match request.uri().path() {
        "/stream" => {
            let second = futures_util::stream::once(async move {
                go.notified().await;
                Bytes::from("second\n")
            });
            let first = futures_util::stream::iter([Bytes::from("first\n")]);
            let frames = first.chain(second).map(|bytes| Ok(Frame::data(bytes)));
            http::Response::new(StreamBody::new(frames).boxed_unsync())
        }
        "/go" => {
            go.notify_one();
            text("gone\n")
        }
        "/away" => {
            let mut away = text("");
            *away.status_mut() = http::StatusCode::FOUND;
            let location = format!("https://{}/there", header("host"));
            away.headers_mut().insert("location", location.parse().unwrap());
            away
        }
        "/upload" => {
            let length = request.into_body().collect().await.unwrap().to_bytes().len();
            text(format!("{length} bytes\n"))
        }
        "/change" => {
            let mut changed = text("");
            *changed.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
            changed.headers_mut().insert("connection", "Upgrade".parse().unwrap());
            changed.headers_mut().insert("upgrade", header("upgrade").parse().unwrap());
            tokio::spawn(async move {
                let mut stream = TokioIo::new(hyper::upgrade::on(&mut request).await.unwrap());
                let (mut reader, mut writer) = tokio::io::split(&mut stream);
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
            });
            changed
        }
        path => {
            let names = ["host", "authorization", "origin", "connection", "x-own", "expect"];
            let headers: Vec<String> = names.iter().map(|name| format!("{name}={}", header(name))).collect();
            text(format!("{} {path} {}\n", request.method(), headers.join(" ")))
        }
    }
}

fn options(server: &Background) -> SandboxOptions {
    let app = |name: &str, uri: &str| SandboxApp {
        name: name.into(),
        public_addr: format!("{name}.sandbox.example"),
        uri: uri.into(),
    };
    SandboxOptions {
        apps: vec![
            app("grafana", "http://localhost:3000"),
            app("shown", "https://localhost:3001"),
            app("echo", &format!("tcp://{}", server.address)),
        ],
        app_targets: vec![("shown".into(), server.address)],
        kube_clusters: ["dev", "prod"]
            .map(|name| SandboxKubeCluster { name: name.into(), labels: vec![] })
            .into(),
        kube_targets: vec![("prod".into(), server.address)],
        ..SandboxOptions::simulating(None)
    }
}

/// A request in full; the connection.
fn ask(port: u16, request: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(request.replace('\n', "\r\n").as_bytes()).unwrap();
    BufReader::new(stream)
}

fn line(stream: &mut impl std::io::BufRead) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

fn head(stream: &mut impl std::io::BufRead) -> Vec<String> {
    std::iter::repeat_with(|| line(stream)).take_while(|line| !line.is_empty()).collect()
}

#[test]
fn curl_reaches_applications_under_their_own_name() {
    let server = server();
    for version in ["18.2.0", "15.4.0"] {
        let cluster = Cluster::start(SandboxOptions { version: version.into(), ..options(&server) });
        let tunnels = Tunnels::start(
            &cluster.job(Platform::GitLabCi),
            &["app=grafana", "app=shown", "app=echo", "app=shown,name=sock,unix"],
        );
        let url = |name: &str| tunnels.variables[&format!("JOBPASS_TUNNEL_{name}_URL")].clone();
        let port = cluster.sandbox.address.port();
        let curl =
            |arguments: &[&str]| run("curl", &[&["-sS", "--max-time", "60"], arguments].concat()).ok().stdout;
        // The sandbox's own answer, by the certificate and the name.
        assert_eq!(curl(&[&url("GRAFANA")]), "grafana: hello bot-ci\n", "{version}: {}", tunnels.log());
        let (shown, own) = (url("SHOWN"), format!("shown.sandbox.example:{port}"));
        let rest = "connection=- x-own=- expect=-";
        let more = ["-H", "Authorization: Bearer x", "-H", "X-Own: 1", "-H", "Connection: x-own"];
        assert_eq!(
            curl(&[&[shown.as_str()], &more[..]].concat()),
            format!("GET / host={own} authorization=Bearer x origin=- {rest}\n")
        );
        let from = |origin: &str| curl(&["-H", &format!("Origin: {origin}"), &shown]);
        for origin in [&shown, &format!("https://{own}")] {
            let seen = format!("GET / host={own} authorization=- origin=https://{own} {rest}\n");
            assert_eq!(from(origin), seen);
        }
        assert_eq!(from("https://x.test"), "jobpass: requests of other sites' pages are refused\n");
        // A redirect to itself is followed through the tunnel.
        let there = curl(&["-L", &format!("{shown}/away")]);
        assert_eq!(there, format!("GET /there host={own} authorization=- origin=- {rest}\n"));
        let socket = &tunnels.variables["JOBPASS_TUNNEL_SOCK_SOCKET"];
        let by_socket = curl(&["--unix-socket", socket, "http://shown/x"]);
        assert_eq!(by_socket, format!("GET /x host={own} authorization=- origin=- {rest}\n"));
        // Two requests on one connection, and a body that waits for leave to come.
        let big = cluster.path("big");
        put(&big, vec![b'x'; 3_000_000]);
        let upload = format!("@{}", big.display());
        let uploaded = curl(&[
            "-H",
            "Expect: 100-continue",
            "--data-binary",
            &upload,
            &format!("{shown}/upload"),
            "--next",
            "-sS",
            &shown,
        ]);
        assert!(uploaded.starts_with("3000000 bytes\nGET / "), "{uploaded}");
        // A TCP application has its bytes unchanged.
        let echo = curl(&[&url("ECHO").replace("tcp://", "http://")]);
        assert!(echo.starts_with(&format!("GET / host=127.0.0.1:{} ", tunnels.port("ECHO"))), "{echo}");
        let seen = cluster.sandbox.records();
        let app =
            seen.iter().find(|seen| seen.route.as_deref().is_some_and(|r| r.contains("`shown`"))).unwrap();
        assert_eq!(app.sni.as_deref(), Some("shown.sandbox.example"));
        assert_eq!(app.alpn_offered, ["http/1.1"]);
    }
}

#[test]
fn pages_of_other_sites_do_not_get_in() {
    let server = server();
    let cluster = Cluster::start(options(&server));
    let tunnels = Tunnels::start(&cluster.job(Platform::GitLabCi), &["app=shown", "kube=prod"]);
    for name in ["SHOWN", "PROD"] {
        let port = tunnels.port(name);
        for (host, more, status) in [
            (format!("127.0.0.1:{port}"), "", "200 OK"),
            (format!("LocalHost:{port}"), "", "200 OK"),
            (format!("rebound.test:{port}"), "", "421 Misdirected Request"),
            ("127.0.0.1".to_owned(), "", "421 Misdirected Request"),
            (format!("127.0.0.1:{port}"), "Sec-Fetch-Site: cross-site\n", "403 Forbidden"),
            (format!("127.0.0.1:{port}"), "Sec-Fetch-Site: same-origin\n", "200 OK"),
            // All that Chromium says of a WebSocket that a page of another site opens.
            (
                format!("127.0.0.1:{port}"),
                "Origin: https://x.test\nUpgrade: websocket\nConnection: Upgrade\n",
                "403 Forbidden",
            ),
        ] {
            let mut answer = ask(port, &format!("GET / HTTP/1.1\nHost: {host}\n{more}Connection: close\n\n"));
            assert_eq!(line(&mut answer), format!("HTTP/1.1 {status}"), "{name} {host} {more}");
        }
    }
}

#[test]
fn streams_stay_streams() {
    let server = server();
    let cluster = Cluster::start(options(&server));
    let tunnels = Tunnels::start(&cluster.job(Platform::GitLabCi), &["app=shown", "kube=prod"]);
    for name in ["SHOWN", "PROD"] {
        let port = tunnels.port(name);
        let get = |path: &str, more: &str| {
            ask(port, &format!("GET {path} HTTP/1.1\nHost: localhost:{port}\n{more}\n"))
        };
        // The first part is here before the second is made.
        let mut stream = get("/stream", "");
        head(&mut stream);
        assert_eq!([line(&mut stream), line(&mut stream)], ["6", "first"]);
        assert_eq!(line(&mut stream), "");
        assert_eq!(head(&mut get("/go", ""))[0], "HTTP/1.1 200 OK");
        assert_eq!([line(&mut stream), line(&mut stream)], ["7", "second"]);

        for protocol in ["websocket", "SPDY/3.1"] {
            let mut changed = get("/change", &format!("Connection: Upgrade\nUpgrade: {protocol}\n"));
            let answer = head(&mut changed);
            assert_eq!(answer[0], "HTTP/1.1 101 Switching Protocols");
            assert!(
                answer.iter().any(|line| line.eq_ignore_ascii_case(&format!("upgrade: {protocol}"))),
                "{answer:?}"
            );
            for round in 0..3 {
                let said = format!("{protocol} {round}\n");
                changed.get_mut().write_all(said.as_bytes()).unwrap();
                assert_eq!(line(&mut changed), said.trim_end());
            }
            changed.get_mut().shutdown(std::net::Shutdown::Write).unwrap();
            let mut rest = Vec::new();
            changed.read_to_end(&mut rest).unwrap();
            assert_eq!(rest, b"");
        }
    }
}

/// It counts among those that are open, and its end is told like that of any other.
#[test]
fn a_stream_is_still_a_connection() {
    let server = server();
    let cluster = Cluster::start(options(&server));
    let mut tunnels = Tunnels::start(&cluster.job(Platform::GitLabCi), &["app=shown", "-v"]);
    let port = tunnels.port("SHOWN");
    let upgrade = "Connection: Upgrade\nUpgrade: websocket\n";
    let mut changed = ask(port, &format!("GET /change HTTP/1.1\nHost: localhost:{port}\n{upgrade}\n"));
    assert_eq!(head(&mut changed)[0], "HTTP/1.1 101 Switching Protocols");
    changed.get_mut().write_all(b"x").unwrap();
    // What is there and not read makes the end a reset.
    changed.get_mut().peek(&mut [0]).unwrap();
    drop(changed);
    tunnels.wait_for("its end", |tunnels| tunnels.log().contains("tunnel `shown`: a connection ended: "));
}

#[test]
fn kubectl_needs_no_credential() {
    let server = server();
    let cluster = Cluster::start(options(&server));
    let tunnels =
        Tunnels::start(&cluster.job(Platform::GitLabCi), &["kube=dev,namespace=web", "kube=prod,context=p"]);
    let home = cluster.path("home");
    std::fs::create_dir(&home).unwrap();
    let config = std::path::Path::new(&tunnels.variables["KUBECONFIG"]).to_owned();
    let pods = kubectl(&home, &config, &["get", "pods"], &[]).ok();
    assert!(pods.stdout.contains("dev-web-0"), "{}\n{}", pods.all(), tunnels.log());
    let text = std::fs::read_to_string(&config).unwrap();
    let port = tunnels.port("DEV");
    assert!(
        text.contains(&format!("server: http://127.0.0.1:{port}")) && text.contains("namespace: web"),
        "{text}"
    );
    assert!(!text.contains("-data") && !text.contains("token"), "{text}");
    let seen = cluster.sandbox.records();
    let is_for_kube = |sni: &String| sni.starts_with("kube-");
    let seen = seen.iter().find(|seen| seen.sni.as_ref().is_some_and(is_for_kube)).unwrap();
    assert_eq!(seen.route.as_deref(), Some("the kubernetes cluster `dev`"));
    assert_eq!(seen.sni.as_deref(), Some("kube-teleport-proxy-alpn.teleport.cluster.local"));

    // Who the client is, is the proxy's to say.
    let other = std::path::Path::new(&tunnels.variables["KUBECONFIG_PROD"]).to_owned();
    assert!(std::fs::read_to_string(&other).unwrap().contains("current-context: p"));
    let raw = ["get", "--raw", "/x", "--token", "eyy-secret"];
    let answer = kubectl(&home, &other, &raw, &[]).ok().stdout;
    assert!(answer.starts_with(&format!("GET /x host={} authorization=- ", cluster.proxy())), "{answer}");
    let answer =
        run("curl", &["-sS", "-H", "Authorization: Bearer x", &tunnels.variables["JOBPASS_TUNNEL_PROD_URL"]])
            .ok();
    assert!(answer.stdout.contains(" authorization=- "), "{}", answer.all());
}
