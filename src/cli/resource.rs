//! Values of the sandbox's flags: roles, databases, applications, traits.

use std::time::Duration;

use super::value;
use crate::net::HostPort;
use crate::teleport::database_protocol;
use crate::text::is_name;

/// A role of the sandbox's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// `allow.logins`.
    pub logins: Vec<String>,
    /// `require_session_mfa: yes`.
    pub mfa: bool,
    /// `device_trust_mode: required`.
    pub device_trust: bool,
    /// `max_session_ttl`.
    pub max_ttl: Option<Duration>,
}

/// A name and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// What stands before the `=`.
    pub name: String,
    /// What stands behind it.
    pub value: String,
}

/// `NAME[:LOGIN[+LOGIN…]][,mfa][,device-trust][,max-ttl=DURATION]`.
pub fn role(text: &str) -> Result<Role, String> {
    let mut parts = text.split(',');
    let head = parts.next().unwrap_or_default();
    let (name, logins) = match head.split_once(':') {
        Some((name, logins)) => (name, logins.split('+').map(str::to_owned).collect()),
        None => (head, Vec::new()),
    };
    if !is_name(name) || !logins.iter().all(|login: &String| is_name(login)) {
        return Err("expected `NAME`, or `NAME:LOGIN+LOGIN`".to_owned());
    }
    let mut role = Role { name: name.to_owned(), logins, mfa: false, device_trust: false, max_ttl: None };
    for part in parts {
        match part.split_once('=') {
            None if part == "mfa" => role.mfa = true,
            None if part == "device-trust" => role.device_trust = true,
            Some(("max-ttl", ttl)) => {
                role.max_ttl = Some(value::duration(ttl).map_err(|e| format!("`max-ttl=`: {e}"))?);
            }
            _ => {
                return Err(
                    "it has an unknown option: expected `mfa`, `device-trust` or `max-ttl=`".to_owned()
                );
            }
        }
    }
    Ok(role)
}

/// A database of the sandbox's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// `postgres`, `mysql`, …
    pub protocol: String,
    /// Where a server listens that clients are led to.
    pub address: Option<HostPort>,
}

/// `NAME=PROTOCOL[://HOST[:PORT]]`.
pub fn database(text: &str) -> Result<Database, String> {
    let wrong = || "expected `NAME=PROTOCOL`, such as `pg=postgres`, or `pg=postgres://HOST:PORT`".to_owned();
    let Named { name, value } = named(text).ok_or_else(wrong)?;
    let (protocol, address) = match value.split_once("://") {
        None => (value.as_str(), None),
        Some((protocol, address)) => {
            let port = database_protocol::find(protocol).ok_or_else(wrong)?.port;
            (protocol, Some(HostPort::parse(address, port).map_err(|_| wrong())?))
        }
    };
    Ok(Database { name, protocol: protocol.to_owned(), address })
}

/// `NAME=URI`.
pub fn app(text: &str) -> Result<Named, String> {
    let wrong = || "expected `NAME=URI`, such as `grafana=http://localhost:3000`".to_owned();
    let app = named(text).ok_or_else(wrong)?;
    let schemes = ["http://", "https://", "tcp://"];
    if schemes.iter().any(|scheme| app.value.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty())) {
        Ok(app)
    } else {
        Err(wrong())
    }
}

/// `NAME=VALUE[+VALUE…]`.
pub fn bot_trait(text: &str) -> Result<Named, String> {
    let found = named(text).filter(|found| found.value.split('+').all(|value| !value.is_empty()));
    found.ok_or_else(|| "expected `NAME=VALUE+VALUE`, such as `logins=deploy+root`".to_owned())
}

fn named(text: &str) -> Option<Named> {
    let (name, value) = text.split_once('=').filter(|(name, value)| is_name(name) && is_name(value))?;
    Some(Named { name: name.to_owned(), value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_have_logins_and_options() {
        let plain =
            Role { name: "ci".into(), logins: Vec::new(), mfa: false, device_trust: false, max_ttl: None };
        for (text, want) in [
            ("ci", plain.clone()),
            (
                "ci:a+{{internal.logins}}",
                Role { logins: vec!["a".into(), "{{internal.logins}}".into()], ..plain.clone() },
            ),
            ("ci,mfa", Role { mfa: true, ..plain.clone() }),
            ("ci,device-trust", Role { device_trust: true, ..plain.clone() }),
            (
                "ci:a,max-ttl=30m,mfa",
                Role {
                    logins: vec!["a".into()],
                    mfa: true,
                    max_ttl: Some(Duration::from_secs(1800)),
                    ..plain
                },
            ),
        ] {
            assert_eq!(role(text), Ok(want), "{text}");
        }
        for (text, want) in [
            ("", "expected `NAME`"),
            (":a", "expected `NAME`"),
            ("ci:", "expected `NAME`"),
            ("ci:a++b", "expected `NAME`"),
            ("c\u{1b}i", "expected `NAME`"),
            ("ci,", "unknown option"),
            ("ci,mfa=1", "unknown option"),
            ("ci,max-ttl=1s", "`max-ttl=`: it must be a minute"),
        ] {
            assert!(role(text).unwrap_err().contains(want), "{text}: {:?}", role(text));
        }
    }

    #[test]
    fn other_values_are_pairs() {
        for (text, protocol, address) in [
            ("pg=postgres", "postgres", None),
            ("pg=newest", "newest", None),
            ("pg=postgres://127.0.0.1:15432", "postgres", Some("127.0.0.1:15432")),
            ("pg=redis://localhost", "redis", Some("localhost:6379")),
        ] {
            let found = database(text).unwrap();
            let at = found.address.map(|address| address.to_string());
            assert_eq!((found.name.as_str(), found.protocol.as_str()), ("pg", protocol), "{text}");
            assert_eq!(at.as_deref(), address, "{text}");
        }
        for bad in ["pg=newest://127.0.0.1:1", "pg=postgres://", "pg=postgres://x:y", "pg=://x:1"] {
            assert!(database(bad).is_err(), "{bad}");
        }
        assert!(app("x=tcp://localhost:1").is_ok() && bot_trait("logins=a+b").is_ok());
        for bad in ["", "pg", "pg=", "=x", "p\u{7}g=x"] {
            assert!(database(bad).is_err() && app(bad).is_err() && bot_trait(bad).is_err(), "{bad:?}");
        }
        assert!(app("x=localhost").is_err() && app("x=http://").is_err() && bot_trait("x=a++b").is_err());
    }
}
