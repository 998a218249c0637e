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
    let exchange = Exchange { web, upstream, sender: Mutex::default() };
    let answers = service_fn(async |request| Ok::<_, hyper::Error>(exchange.answer(request).await));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(client), answers).with_upgrades();
    connection.await.map_err(|error| error.to_string())
}

/// The requests of one client.
struct Exchange<'a> {
    web: &'a Web,
    upstream: &'a Upstream,
    sender: Mutex<Option<SendRequest<Incoming>>>,
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
            let on_server = hyper::upgrade::on(&mut answer);
            // Ends with either side; the tunnel's end ends both.
            tokio::spawn(async move {
                let (Ok(client), Ok(server)) = tokio::join!(on_client, on_server) else { return };
                let (mut client, mut server): (Stream, Stream) =
                    (Box::new(TokioIo::new(client)), Box::new(TokioIo::new(server)));
                let _ = between(&mut client, &mut server).await;
            });
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
    /// and not across sites.
    fn admit(&self, request: &Request<Incoming>) -> Result<(), (StatusCode, &'static str)> {
        let headers = request.headers();
        if headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site") {
            return Err((StatusCode::FORBIDDEN, "requests of other sites' pages are refused"));
        }
        let Place::Port(port) = self.place else { return Ok(()) };
        let named = headers.get(HOST).and_then(|host| host.to_str().ok());
        let named = request.uri().authority().map(http::uri::Authority::as_str).or(named).unwrap_or_default();
        let is_own = |host: &str| named.eq_ignore_ascii_case(&format!("{host}:{port}"));
        let is_local = is_own("localhost") || is_own(&ADDRESS.to_string());
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
