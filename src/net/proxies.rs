//! The HTTP proxies of the CI network: which target goes through one.

use std::fmt;

use http::header::HeaderValue;
use hyper_util::client::proxy::matcher::Matcher;

use super::address::HostPort;
use super::error::NetError;
use crate::env::Env;

/// curl's variables for `https` targets; the first that is set counts (curl.se/docs/manpage.html, "ENVIRONMENT").
/// `HTTP_PROXY` is for `http` targets, which never leave this machine and its link.
pub const VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const EXCEPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The decision which targets go through a proxy.
pub(super) struct Proxies {
    proxy: Option<Proxy>,
    matcher: Matcher,
}

/// One HTTP proxy.
#[derive(Clone)]
pub(super) struct Proxy {
    pub(super) address: HostPort,
    pub(super) tls: bool,
    /// `Proxy-Authorization`: a secret.
    pub(super) auth: Option<HeaderValue>,
}

impl Proxies {
    /// Reads curl's variables. What is not the URL of an HTTP proxy is an error: to go out directly is not what was asked for.
    pub(super) fn from_env(env: &Env) -> Result<Self, NetError> {
        let Some((variable, url)) = VARIABLES.iter().find_map(|v| Some((*v, env.var(v)?.trim()))) else {
            return Ok(Self { proxy: None, matcher: Matcher::builder().build() });
        };
        let proxy = Proxy::parse(url).map_err(|reason| NetError::ProxySetting {
            variable: variable.to_owned(),
            reason: reason.to_owned(),
        })?;
        let except = EXCEPTIONS.iter().find_map(|v| env.var(v)).unwrap_or_default();
        // The matcher applies it to names only; curl and Go to addresses too.
        if exceptions(except).split(',').any(|entry| entry == "*") {
            return Ok(Self { proxy: None, matcher: Matcher::builder().build() });
        }
        let matcher = Matcher::builder().https(url).no(exceptions(except)).build();
        Ok(Self { proxy: Some(proxy), matcher })
    }

    /// The proxy of this run; `None`: every target is reached directly.
    pub(super) fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// The proxy for a target, unless `NO_PROXY` names it.
    pub(super) fn for_target(&self, target: &HostPort) -> Option<&Proxy> {
        let proxy = self.proxy.as_ref()?;
        let uri = format!("https://{target}").parse().ok()?;
        self.matcher.intercept(&uri).map(|_| proxy)
    }
}

impl Proxy {
    fn parse(url: &str) -> Result<Self, &'static str> {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        let tls = match scheme.as_deref() {
            None | Some("http") => false,
            Some("https") => true,
            Some(_) => return Err("only `http://` and `https://` proxies are supported"),
        };
        // The matcher reads user and password, and gives nothing for what is not a URL.
        let any = http::Uri::from_static("https://any");
        let found = Matcher::builder().https(url).build().intercept(&any).ok_or(NOT_A_URL)?;
        let authority = found.uri().authority().ok_or(NOT_A_URL)?;
        let address =
            HostPort::parse(authority.as_str(), if tls { 443 } else { 80 }).map_err(|_| NOT_A_URL)?;
        Ok(Self { address, tls, auth: found.basic_auth().cloned() })
    }
}

impl fmt::Display for Proxy {
    /// Without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.address)
    }
}

const NOT_A_URL: &str = "it is not a proxy URL, `http://[USER:PASSWORD@]HOST:PORT`";

/// `NO_PROXY` in the form the matcher knows: separated by commas, `.example.com` for `*.example.com`.
fn exceptions(text: &str) -> String {
    let entry = |e: &str| match e.strip_prefix('*') {
        Some(rest) if rest.starts_with('.') => rest.to_owned(),
        _ => e.trim_end_matches('.').to_owned(),
    };
    let entries = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|e| !e.is_empty());
    entries.map(entry).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_under_fire() {
        let urls = [
            "http://u:p%40w@[2001:db8::1]:3128/",
            "HTTPS://proxy.example",
            "q:3128",
            "*.example.com, 10.0.0.0/8 ,b.",
        ];
        crate::under_fire::parser("URLs of HTTP proxies", urls).text(|text| {
            if let Ok(proxy) = Proxy::parse(text) {
                let shown = proxy.to_string();
                assert!(!shown.contains('@') && proxy.address.port > 0, "{shown}");
            }
            let _ = exceptions(text);
        });
    }
}
