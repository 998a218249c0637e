//! `HOST:PORT` as users write it.

use std::net::{IpAddr, Ipv6Addr};

use super::NetError;

/// A host (name or address, IPv6 without brackets) and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// DNS name in ASCII, or address; lower case.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl HostPort {
    /// Reads `host`, `host:port`, `[::1]:3080`, `::1`, `https://host[:port][/]`. White space, userinfo, paths and other schemes are refused.
    /// Names come out in lower case; a URL without a port means 443, whatever the default.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, NetError> {
        let (rest, default_port) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => {
                (rest.strip_suffix('/').unwrap_or(rest), 443)
            }
            Some(_) => return Err(invalid_address(text, "only `https://` may come before it")),
            None => (text, default_port),
        };
        authority(rest, default_port).map_err(|reason| invalid_address(text, reason))
    }

    /// Whether this is the machine itself: `localhost`, 127.0.0.0/8 or `::1`.
    pub fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost") || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    /// The address; `None` when the host is a name.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl std::fmt::Display for HostPort {
    /// IPv6 in brackets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn authority(text: &str, default_port: u16) -> Result<HostPort, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("it contains white space");
    }
    if text.contains('@') {
        return Err("it must not contain a user or password");
    }
    if text.contains(['/', '?', '#']) {
        return Err("it must not contain a path or query");
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Ok(HostPort { host: text.to_ascii_lowercase(), port: default_port });
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or("the bracket is not closed")?;
        host.parse::<Ipv6Addr>().map_err(|_| "only an IPv6 address may be in brackets")?;
        let port = match after.strip_prefix(':') {
            Some(port) => parse_port(port)?,
            None if after.is_empty() => default_port,
            None => return Err("only `:PORT` may follow the bracket"),
        };
        return Ok(HostPort { host: host.to_ascii_lowercase(), port });
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, parse_port(port)?),
        None => (text, default_port),
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    check_name(host)?;
    Ok(HostPort { host: host.to_ascii_lowercase(), port })
}

fn parse_port(text: &str) -> Result<u16, &'static str> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err("the port is not a number from 1 to 65535"),
    }
}

/// Host names as RFC 1123 has them, with the underscore some private zones use; or an IPv4 address.
fn check_name(host: &str) -> Result<(), &'static str> {
    if host.is_empty() {
        return Err("the host is missing");
    }
    if !host.is_ascii() {
        return Err("write the host in its ASCII form, `xn--…`");
    }
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if host.len() > 253 || !host.split('.').all(label) {
        return Err("the host is not a valid name");
    }
    let last_is_number = host.rsplit('.').next().is_some_and(|l| l.bytes().all(|b| b.is_ascii_digit()));
    if last_is_number && host.parse::<std::net::Ipv4Addr>().is_err() {
        return Err("the host is not a valid IPv4 address");
    }
    Ok(())
}

/// The error, without what could be a password or a query; any `@` may end a password, or be part of a query.
pub(super) fn invalid_address(text: &str, reason: &str) -> NetError {
    let text = match (text.contains('@'), text.split_once("://")) {
        (true, Some((scheme, _))) => format!("{scheme}://…"),
        (true, None) => "…".to_owned(),
        (false, _) => text.split(['?', '#']).next().unwrap_or_default().to_owned(),
    };
    let text = text.chars().take(300).flat_map(char::escape_debug).collect();
    NetError::Address { text, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_users_write() {
        for (text, host, port) in [
            ("example.com", "example.com", 3080),
            ("Example.COM.:443", "example.com", 443),
            ("https://example.com", "example.com", 443),
            ("HTTPS://example.com:3080/", "example.com", 3080),
            ("[::1]:443", "::1", 443),
            ("[2001:DB8::1]", "2001:db8::1", 3080),
            ("::1", "::1", 3080),
            ("https://[::1]/", "::1", 443),
            ("127.0.0.1:1", "127.0.0.1", 1),
            ("my_host:65535", "my_host", 65535),
        ] {
            let got = HostPort::parse(text, 3080).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!((got.host.as_str(), got.port), (host, port), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_an_address() {
        for (text, reason) in [
            ("", "empty"),
            ("https://", "empty"),
            (" example.com", "white space"),
            ("example.com\n", "white space"),
            ("http://example.com", "only `https://`"),
            ("ssh://example.com", "only `https://`"),
            ("example.com/web", "path"),
            ("https://example.com//", "path"),
            ("https://example.com?x=1", "path"),
            ("user:pw@example.com", "user"),
            ("example.com:", "port"),
            ("example.com:0", "port"),
            ("example.com:65536", "port"),
            ("example.com:+80", "port"),
            ("a:b:c", "port"),
            ("[::1", "bracket"),
            ("[::1]443", "bracket"),
            ("[example.com]:443", "IPv6"),
            ("[fe80::1%eth0]:443", "IPv6"),
            (":443", "missing"),
            ("a..b", "valid name"),
            ("-a.example.com", "valid name"),
            ("*.example.com", "valid name"),
            ("exämple.com", "ASCII"),
            ("256.1.1.1", "IPv4"),
            ("1.2.3", "IPv4"),
        ] {
            match HostPort::parse(text, 443) {
                Err(NetError::Address { reason: got, .. }) => {
                    assert!(got.contains(reason), "{text:?}: {got}");
                }
                other => panic!("{text:?}: {other:?}"),
            }
        }
        let long = format!("{}.com", "a".repeat(64));
        assert!(HostPort::parse(&long, 443).is_err());
    }

    #[test]
    fn errors_keep_credentials_and_queries_to_themselves() {
        for text in [
            "https://user:hunter2@host/x",
            "user:hunter2@host",
            "https://host/x?hunter2=1",
            "h#hunter2",
            "https://u:hunter2?x@h",
            "h?hunter2@x",
        ] {
            let error = HostPort::parse(text, 443).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn knows_loopback() {
        for (text, want) in [
            ("localhost", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("10.0.0.1", false),
            ("localhost.example", false),
        ] {
            assert_eq!(HostPort::parse(text, 1).unwrap().is_loopback(), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}", port: u16) {
            if let Ok(read) = HostPort::parse(&text, port) {
                prop_assert_eq!(HostPort::parse(&read.to_string(), 1).ok(), (port > 0 || read.port > 0).then_some(read));
            }
        }

        #[test]
        fn prints_what_it_reads(host in "(\\[[0-9a-f]{1,4}::[0-9a-f]{1,4}\\]|[a-z][a-z0-9]{0,9}(\\.[a-z]{1,5}){0,3})", port in 1u16..) {
            let text = format!("{host}:{port}");
            let read = HostPort::parse(&text, 9).unwrap();
            prop_assert_eq!(read.to_string(), text);
        }
    }
}
