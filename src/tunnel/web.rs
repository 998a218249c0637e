//! HTTP/1.1 through a tunnel: requests go on under the name that the proxy knows, answers come back as they are. Bodies stream in both
//! directions, and what turns into a stream of its own (WebSocket, SPDY of `kubectl exec`) stays one.

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION,
    ORIGIN, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{Request, Response, StatusCode, Uri, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::sync::Mutex;

use super::place::{HOST as ADDRESS, Place};
use super::relay::between;
use super::upstream::Upstream;
use crate::net::Stream;

type Body = UnsyncBoxBody<Bytes, hyper::Error>;

/// How HTTP goes through.
#[derive(Debug, Clone)]
pub struct Web {
    /// `HOST[:PORT]` that the proxy knows the server by.
    pub host: String,
    /// Whether the proxy alone says who the client is: what the client says of itself is left out.
    pub is_anonymous: bool,
    /// Where clients find it.
    pub place: Place,
}

/// What a browser says of a request that another site's page makes (Fetch Metadata, 2.3).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// For one connection only (RFC 9110, 7.6.1), beside those that `Connection` names.
const HOP_BY_HOP: [HeaderName; 7] = [
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
];

/// Serves one client, over one connection to the proxy for as long as that is kept open.
pub(super) async fn serve(client: Stream, web: &Web, upstream: &Upstream) -> Result<(), String> {
    let exchange = Exchange { web, upstream, sender: Mutex::default(), changed: Mutex::default() };
    let answers = service_fn(async |request| Ok::<_, hyper::Error>(exchange.answer(request).await));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(client), answers).with_upgrades();
    connection.await.map_err(|error| error.to_string())?;
    // A stream is the same connection still: it counts among those that are open, and ends with the tunnel.
    let Some((on_client, on_server)) = exchange.changed.into_inner() else { return Ok(()) };
    let (client, server) = tokio::try_join!(on_client, on_server).map_err(|error| error.to_string())?;
    let (mut client, mut server): (Stream, Stream) =
        (Box::new(TokioIo::new(client)), Box::new(TokioIo::new(server)));
    between(&mut client, &mut server).await
}

/// The requests of one client.
struct Exchange<'a> {
    web: &'a Web,
    upstream: &'a Upstream,
    sender: Mutex<Option<SendRequest<Incoming>>>,
    /// Both sides of what turns into a stream: the client's, the server's.
    changed: Mutex<Option<(OnUpgrade, OnUpgrade)>>,
}

impl Exchange<'_> {
    async fn answer(&self, mut request: Request<Incoming>) -> Response<Body> {
        if let Err((status, reason)) = self.web.admit(&request) {
            return plain(status, reason);
        }
        let on_client = is_upgrade(request.headers()).then(|| hyper::upgrade::on(&mut request));
        if let Err(reason) = self.web.outgoing(&mut request) {
            return plain(StatusCode::BAD_REQUEST, reason);
        }
        let mut answer = match self.exchange(request).await {
            Ok(answer) => answer,
            Err(reason) => return plain(StatusCode::BAD_GATEWAY, &reason),
        };
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            let Some(on_client) = on_client else {
                return plain(
                    StatusCode::BAD_GATEWAY,
                    "the server switches protocols without having been asked",
                );
            };
            *self.changed.lock().await = Some((on_client, hyper::upgrade::on(&mut answer)));
            let (parts, _) = answer.into_parts();
            return Response::from_parts(parts, Empty::new().map_err(|never| match never {}).boxed_unsync());
        }
        self.web.incoming(answer.headers_mut());
        answer.map(http_body_util::BodyExt::boxed_unsync)
    }

    /// One request on the connection that is open, or on a new one where the proxy has closed that.
    async fn exchange(&self, request: Request<Incoming>) -> Result<Response<Incoming>, String> {
        let mut sender = self.sender.lock().await;
        let mut request = request;
        if let Some(mut open) = sender.take()
            && open.ready().await.is_ok()
        {
            match open.try_send_request(request).await {
                Ok(answer) => {
                    *sender = Some(open);
                    return Ok(answer);
                }
                // Not sent at all: it is still whole.
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(error.into_error().to_string()),
                },
            }
        }
        let stream = self.upstream.open().await?;
        let (mut open, connection) = handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
        tokio::spawn(connection.with_upgrades());
        let answer = open.send_request(request).await.map_err(|e| e.to_string())?;
        *sender = Some(open);
        Ok(answer)
    }
}

impl Web {
    /// A page of another site in this user's browser must not get in: not under a name of its own that leads to loopback (DNS rebinding),
    /// and not across sites. Browsers say of a WebSocket where it comes from by `Origin` alone, and no other check keeps a page from it.
    fn admit<B>(&self, request: &Request<B>) -> Result<(), (StatusCode, &'static str)> {
        const FOREIGN: (StatusCode, &str) =
            (StatusCode::FORBIDDEN, "requests of other sites' pages are refused");
        let headers = request.headers();
        if headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site") {
            return Err(FOREIGN);
        }
        let Place::Port(port) = self.place else { return Ok(()) };
        let own = [&self.local()[..], &[format!("https://{}", self.host)]].concat();
        if headers.get_all(ORIGIN).iter().any(|origin| !own.iter().any(|own| origin == own)) {
            return Err(FOREIGN);
        }
        let named = headers.get(HOST).and_then(|host| host.to_str().ok());
        let named = request.uri().authority().map(http::uri::Authority::as_str).or(named).unwrap_or_default();
        let named = named.to_ascii_lowercase();
        let is_local = self.local().iter().any(|local| local.strip_prefix("http://") == Some(&named));
        // The port that HTTP has anyway may be named as well.
        let is_local =
            is_local || [format!("localhost:{port}"), format!("{ADDRESS}:{port}")].contains(&named);
        if is_local || named.eq_ignore_ascii_case(&self.host) {
            return Ok(());
        }
        Err((
            StatusCode::MISDIRECTED_REQUEST,
            "this tunnel answers to 127.0.0.1 and localhost, with its port",
        ))
    }

    /// What goes on to the proxy.
    fn outgoing(&self, request: &mut Request<Incoming>) -> Result<(), &'static str> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse::<Uri>().map_err(|_| "the request names no path")?;
        *request.version_mut() = Version::HTTP_11;
        let host = HeaderValue::from_str(&self.host).map_err(|_| "the server's name is not one for HTTP")?;
        let local = self.local();
        let headers = request.headers_mut();
        let kept = hop_by_hop(headers);
        headers.insert(HOST, host);
        // The client's library waits for it, and has got it from here.
        headers.remove(EXPECT);
        if headers.get(ORIGIN).is_some_and(|origin| local.iter().any(|local| origin == local)) {
            let origin = HeaderValue::from_str(&format!("https://{}", self.host));
            headers.insert(ORIGIN, origin.map_err(|_| "the server's name is not one for HTTP")?);
        }
        if self.is_anonymous {
            headers.remove(AUTHORIZATION);
        }
        if let Some(protocol) = kept {
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(UPGRADE, protocol);
        }
        Ok(())
    }

    /// What comes back: a redirect to the server's own address stays in the tunnel.
    fn incoming(&self, headers: &mut HeaderMap) {
        hop_by_hop(headers);
        let [local, _] = self.local();
        if local.is_empty() {
            return;
        }
        let moved = headers.get(LOCATION).and_then(|location| location.to_str().ok());
        let rest = moved.and_then(|moved| moved.strip_prefix("https://")?.strip_prefix(self.host.as_str()));
        let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']));
        if let Some(location) = rest.and_then(|rest| HeaderValue::from_str(&format!("{local}{rest}")).ok()) {
            headers.insert(LOCATION, location);
        }
    }

    /// The origins by which clients on loopback know it.
    fn local(&self) -> [String; 2] {
        match self.place {
            // As clients write it.
            Place::Port(80) => [format!("http://{ADDRESS}"), "http://localhost".to_owned()],
            Place::Port(port) => [format!("http://{ADDRESS}:{port}"), format!("http://localhost:{port}")],
            Place::Socket(_) => [String::new(), String::new()],
        }
    }
}

/// Removes what is for one connection only; gives the protocol that the client wants to change to.
fn hop_by_hop(headers: &mut HeaderMap) -> Option<HeaderValue> {
    let upgrade = is_upgrade(headers).then(|| headers.get(UPGRADE).cloned()).flatten();
    let named: Vec<HeaderName> = tokens(headers).filter_map(|name| name.parse().ok()).collect();
    let has_trailers = headers.get(TE).is_some_and(|te| te == "trailers");
    for name in named.iter().chain(&HOP_BY_HOP).chain([&CONNECTION, &UPGRADE]) {
        headers.remove(name);
    }
    if has_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    upgrade
}

fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(UPGRADE) && tokens(headers).any(|token| token.eq_ignore_ascii_case("upgrade"))
}

/// The words of `Connection`.
fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(CONNECTION).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

fn plain(status: StatusCode, reason: &str) -> Response<Body> {
    let body = Full::from(format!("jobpass: {reason}\n")).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    fn web(place: Place) -> Web {
        Web { host: "grafana.p.test:3080".into(), is_anonymous: false, place }
    }

    #[test]
    fn what_is_for_one_connection_stays_there() {
        for (sent, kept, upgrade) in [
            (
                &[
                    ("connection", "close, X-Own"),
                    ("x-own", "1"),
                    ("x-other", "2"),
                    ("transfer-encoding", "chunked"),
                ][..],
                &["x-other"][..],
                None,
            ),
            (
                &[("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "k")],
                &["sec-websocket-key"],
                Some("websocket"),
            ),
            (
                &[("connection", "keep-alive"), ("connection", "upgrade"), ("upgrade", "SPDY/3.1")],
                &[],
                Some("SPDY/3.1"),
            ),
            (&[("upgrade", "h2c"), ("keep-alive", "5")], &[], None),
            (&[("te", "trailers"), ("trailer", "x"), ("proxy-authorization", "Basic x")], &["te"], None),
            (&[("te", "gzip")], &[], None),
        ] {
            let mut headers = headers(sent);
            let found = hop_by_hop(&mut headers);
            let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
            assert_eq!(names, kept, "{sent:?}");
            assert_eq!(found.as_ref().map(|value| value.to_str().unwrap()), upgrade, "{sent:?}");
        }
    }

    #[test]
    fn only_its_own_names_and_pages_get_in() {
        for (port, sent, status) in [
            (4000, &[("host", "127.0.0.1:4000")][..], 200),
            (4000, &[("host", "LOCALHOST:4000")], 200),
            (4000, &[("host", "Grafana.p.test:3080")], 200),
            (4000, &[("host", "localhost")], 421),
            (4000, &[], 421),
            (80, &[("host", "localhost")], 200),
            (80, &[("host", "127.0.0.1:80"), ("origin", "http://127.0.0.1")], 200),
            (80, &[("host", "x.test")], 421),
            (4000, &[("host", "localhost:4000"), ("origin", "http://localhost:4000")], 200),
            (4000, &[("host", "localhost:4000"), ("origin", "http://127.0.0.1:4000")], 200),
            (4000, &[("host", "localhost:4000"), ("origin", "https://grafana.p.test:3080")], 200),
            // Another port of this machine, and a page that names no origin.
            (4000, &[("host", "localhost:4000"), ("origin", "http://localhost:3000")], 403),
            (4000, &[("host", "localhost:4000"), ("origin", "https://x.test")], 403),
            (4000, &[("host", "localhost:4000"), ("origin", "null")], 403),
            (
                4000,
                &[
                    ("host", "localhost:4000"),
                    ("origin", "http://localhost:4000"),
                    ("origin", "https://x.test"),
                ],
                403,
            ),
            (4000, &[("host", "localhost:4000"), ("sec-fetch-site", "cross-site")], 403),
            (4000, &[("host", "localhost:4000"), ("sec-fetch-site", "same-site")], 200),
        ] {
            let mut request = Request::new(());
            *request.headers_mut() = headers(sent);
            let found =
                web(Place::Port(port)).admit(&request).map_or_else(|(status, _)| status.as_u16(), |()| 200);
            assert_eq!(found, status, "{port} {sent:?}");
        }
        // No browser gets to a socket; what stands between may have another name.
        let mut request = Request::new(());
        *request.headers_mut() = headers(&[("host", "x.test"), ("origin", "https://x.test")]);
        assert!(web(Place::Socket("/s".into())).admit(&request).is_ok());
        request.headers_mut().insert(SEC_FETCH_SITE, HeaderValue::from_static("cross-site"));
        assert!(web(Place::Socket("/s".into())).admit(&request).is_err());
    }

    #[test]
    fn a_redirect_to_the_server_itself_stays_in_the_tunnel() {
        for (location, want) in [
            ("https://grafana.p.test:3080/login?x=1", "http://127.0.0.1:4000/login?x=1"),
            ("https://grafana.p.test:3080", "http://127.0.0.1:4000"),
            ("https://grafana.p.test:30801/x", "https://grafana.p.test:30801/x"),
            ("https://p.test:3080/web/launch/x", "https://p.test:3080/web/launch/x"),
            ("http://grafana.p.test:3080/x", "http://grafana.p.test:3080/x"),
            ("/login", "/login"),
        ] {
            let mut found = HeaderMap::new();
            found.insert(LOCATION, HeaderValue::from_static(location));
            web(Place::Port(4000)).incoming(&mut found);
            assert_eq!(found[LOCATION], want, "{location}");
        }
        let mut found = headers(&[("location", "https://grafana.p.test:3080/x")]);
        web(Place::Socket("/s".into())).incoming(&mut found);
        assert_eq!(found[LOCATION], "https://grafana.p.test:3080/x");
    }
}
