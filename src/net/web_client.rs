//! HTTP to CI platforms and clouds, by reqwest: our TLS configuration with the system's roots, our resolver, our choice of proxy; no
//! redirects, bounded answers. reqwest itself reads nothing of the environment.

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use http::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Proxy, Url};
use rustls::ClientConfig;

use super::address::invalid_address;
use super::http::{AGENT, Answer, LIMIT, failure};
use super::{HostPort, NetError, Network, dial, tls};
use crate::text::{io_reason, safe};

/// What to ask.
pub struct Request<'a> {
    /// `GET`, `POST` or `PUT`.
    pub method: http::Method,
    /// Absolute, with its query.
    pub url: &'a str,
    /// Besides `User-Agent` and `Accept: application/json`, which the latter may replace. Values may be secret.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Empty for a `GET`.
    pub body: Vec<u8>,
}

/// Whom a client may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Anyone over TLS, through the network's HTTP proxies; this machine itself without TLS too.
    Web,
    /// The metadata service of a cloud, which is this machine or on its link: without TLS and never through a proxy, whatever
    /// the environment says.
    Metadata,
}

/// An HTTP client for one of the two scopes.
pub struct WebClient {
    network: Network,
    scope: Scope,
}

impl Network {
    /// For `https://` URLs, through the network's HTTP proxies; `http://` is for this machine only.
    pub fn web_client(&self) -> WebClient {
        WebClient { network: self.clone(), scope: Scope::Web }
    }

    /// For the metadata service of a cloud: `http://` to an address of this machine or its link, never through a proxy.
    pub fn metadata_client(&self) -> WebClient {
        WebClient { network: self.clone(), scope: Scope::Metadata }
    }
}

impl WebClient {
    /// reqwest's client for one exchange.
    fn client(&self, url: &Url) -> Result<Client, NetError> {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let builder = Client::builder()
            .tls_backend_preconfigured(self.tls_config(url)?)
            .dns_resolver(Resolver)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(0)
            .http1_only()
            .referer(false)
            .user_agent(AGENT)
            .default_headers(headers)
            // Else the process's own variables count.
            .no_proxy();
        let builder = match proxy(&self.network).filter(|_| self.scope == Scope::Web) {
            Some(proxy) => builder.proxy(proxy),
            None => builder,
        };
        builder.build().map_err(|error| NetError::Tls {
            peer: "the web".to_owned(),
            reason: format!("the HTTP client cannot be set up: {}", error.without_url()),
        })
    }

    fn tls_config(&self, url: &Url) -> Result<ClientConfig, NetError> {
        let mut config = match url.scheme() {
            // Of the target and of an HTTPS proxy before it.
            "https" => self.network.system_config()?,
            // No TLS is spoken, but without a configuration reqwest looks for one of the process and panics.
            _ => tls::config_that_trusts_nobody()?,
        };
        config.alpn_protocols = vec![tls::HTTP_1.to_vec()];
        Ok(config)
    }

    /// One exchange on a connection of its own, within `limit` and the run's deadline.
    pub async fn send(&self, request: Request<'_>, limit: Duration) -> Result<Answer, NetError> {
        let (url, target) = self.target(request.url)?;
        let peer = target.to_string();
        let exchange = self.exchange(request, url, &target);
        self.network.deadline().try_within(limit, &peer, "waiting for its answer", exchange).await?
    }

    async fn exchange(&self, request: Request<'_>, url: Url, target: &HostPort) -> Result<Answer, NetError> {
        if let Some(proxy) = self.proxy_for(&url, target) {
            let log = self.network.log();
            log.detail(format!("connecting to {target} through the HTTP proxy {proxy}"));
        }
        let mut builder = self.client(&url)?.request(request.method.clone(), url.clone());
        builder = builder.headers(request.headers.into_iter().collect());
        if request.method != http::Method::GET {
            builder = builder.body(request.body);
        }
        let answer = builder.send().await;
        let mut answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Err(self.failure(error, &url, target).await),
        };
        self.network.count_connection();
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > LIMIT => {
                    return Err(NetError::TooLarge { peer: target.to_string(), limit: LIMIT });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => return Err(self.failure(error, &url, target).await),
            }
        }
        Ok(Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body })
    }

    /// The URL and whom it leads to, if this client may ask there.
    fn target(&self, text: &str) -> Result<(Url, HostPort), NetError> {
        let url = Url::parse(text).map_err(|_| invalid_address(text, "it is not a URL"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid_address(text, "it must not contain a user or password"));
        }
        let target = host_port(&url).ok_or_else(|| invalid_address(text, "it has no host"))?;
        match (self.scope, url.scheme()) {
            (Scope::Web, "https") => {}
            (Scope::Web, "http") if target.is_loopback() => {}
            (Scope::Web, "http") => {
                return Err(invalid_address(text, "without TLS only this machine itself may be asked"));
            }
            (Scope::Metadata, "http") if target.is_loopback() || target.ip().is_some_and(is_link_local) => {}
            (Scope::Metadata, _) => return Err(invalid_address(text, "it is not a metadata address")),
            (Scope::Web, _) => return Err(invalid_address(text, "it does not begin with `https://`")),
        }
        Ok((url, target))
    }

    fn proxy_for(&self, url: &Url, target: &HostPort) -> Option<String> {
        let proxied = self.scope == Scope::Web && url.scheme() == "https";
        proxied.then(|| self.network.proxy_for(target)).flatten()
    }

    /// reqwest's error as ours, by what lies behind it.
    async fn failure(&self, error: reqwest::Error, url: &Url, target: &HostPort) -> NetError {
        let peer = target.to_string();
        let error = error.without_url();
        if self.proxy_for(url, target).is_some() && chain(&error).any(is_about_tunnel) {
            // Neither the status of the proxy's answer nor its name is kept by that error: our own dialer meets the same
            // failure and reports both.
            return match self.network.tcp(target).await {
                Err(error) => error,
                Ok(_) => {
                    NetError::Closed { peer, during: " in its tunnel through the HTTP proxy".to_owned() }
                }
            };
        }
        if let Some(error) = chain(&error).find_map(|e| e.downcast_ref::<NetError>()) {
            return error.clone();
        }
        if let Some(error) = chain(&error).find_map(|e| e.downcast_ref::<rustls::Error>()) {
            return tls::failure(error, peer, &[tls::HTTP_1.to_vec()]);
        }
        // The innermost is the system's; what wraps it has no kind of its own.
        let system = chain(&error).filter_map(|e| e.downcast_ref::<io::Error>()).last();
        match system {
            Some(system) if error.is_connect() => match system.kind() {
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                    NetError::Closed { peer, during: " during the TLS handshake".to_owned() }
                }
                kind => {
                    let refused = kind == io::ErrorKind::ConnectionRefused;
                    NetError::Connect { peer, reason: io_reason(system), refused }
                }
            },
            _ => match chain(&error).find_map(|e| e.downcast_ref::<hyper::Error>()) {
                Some(error) => failure(&peer, error),
                None => NetError::Http { peer, reason: safe(&error.to_string(), 200) },
            },
        }
    }
}

/// The network's own choice, as reqwest takes it.
fn proxy(network: &Network) -> Option<Proxy> {
    let proxies = network.proxies();
    let auth = proxies.proxy()?.auth.clone();
    let choose = move |url: &Url| -> Option<String> {
        let target = host_port(url).filter(|_| url.scheme() == "https")?;
        proxies.for_target(&target).map(ToString::to_string)
    };
    let proxy = Proxy::custom(choose);
    Some(match auth {
        Some(auth) => proxy.custom_http_auth(auth),
        None => proxy,
    })
}

fn host_port(url: &Url) -> Option<HostPort> {
    let host = url.host_str()?;
    let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    Some(HostPort { host: host.to_owned(), port: url.port_or_known_default()? })
}

/// `169.254.0.0/16` and `fe80::/10`; `fd00:ec2::/32`, where AWS has the same services for IPv6.
fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.segments()[..2] == [0xfd00, 0x0ec2],
    }
}

/// Our own, so that a name that does not resolve is the same error everywhere.
struct Resolver;

impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move {
            // Port 0 stands for the URL's.
            let found = dial::resolve(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

/// An error and all that lies behind it. `io::Error::source` passes over the error that it carries itself.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

/// hyper-util's `TunnelError` has no public name; these are the first words of its text.
fn is_about_tunnel(error: &(dyn Error + 'static)) -> bool {
    error.to_string().starts_with("tunnel error: ")
}

#[cfg(test)]
mod tests;
