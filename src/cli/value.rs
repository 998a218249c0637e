//! Values of flags: text → what the stages want, with an error clap can show.

use std::time::Duration;

use crate::export::Sink;
use crate::net::HostPort;
use crate::platform::Platform;
use crate::teleport::JoinMethod;
use crate::verify::policy::Target;

/// `auto`, or a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Auto<T>(pub Option<T>);

impl<T> Default for Auto<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// Words of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(pub Vec<String>);

/// The web port when none is given.
const WEB_PORT: u16 = 443;

/// The auth service's port when none is given.
const AUTH_PORT: u16 = 3025;

/// sshd's port when none is given.
const SSH_PORT: u16 = 22;

/// `HOST[:PORT]`.
pub fn address(text: &str) -> Result<HostPort, String> {
    HostPort::parse(text, WEB_PORT).map_err(|e| e.to_string())
}

/// A node for the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name, with `.LEAF` for one in a leaf cluster.
    pub name: String,
    /// Where its sshd listens.
    pub address: HostPort,
}

/// `NAME=HOST[:PORT]`.
pub fn node(text: &str) -> Result<Node, String> {
    let (name, address) = text.split_once('=').ok_or("a node is `NAME=HOST:PORT`")?;
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || name.starts_with(['-', '.']) || name.ends_with('.') || !name.chars().all(valid) {
        return Err("the name of a node has letters, digits, `-`, `_` and dots only".to_owned());
    }
    let address = HostPort::parse(address, SSH_PORT).map_err(|e| e.to_string())?;
    Ok(Node { name: name.to_owned(), address })
}

/// A CA pin: SHA-256 of a `SubjectPublicKeyInfo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin(pub [u8; 32]);

/// `sha256:` and 64 hexadecimal digits.
pub fn pin(text: &str) -> Result<Pin, String> {
    let wrong = || "a CA pin is `sha256:` and 64 hexadecimal digits".to_owned();
    let hex = text.strip_prefix("sha256:").filter(|h| h.len() == 64 && h.is_ascii()).ok_or_else(wrong)?;
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        let pair = hex.get(index * 2..index * 2 + 2).ok_or_else(wrong)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(Pin(bytes))
}

/// `HOST[:PORT]` of an auth service.
pub fn auth_address(text: &str) -> Result<HostPort, String> {
    HostPort::parse(text, AUTH_PORT).map_err(|e| e.to_string())
}

/// A duration such as `1h30m` or `PT1H`; above zero.
pub fn timeout(text: &str) -> Result<Duration, String> {
    let parsed: Result<jiff::SignedDuration, _> = text.trim().parse();
    match parsed.ok().and_then(|d| Duration::try_from(d).ok()) {
        Some(duration) if !duration.is_zero() => Ok(duration),
        Some(_) => Err("it must be longer than nothing".into()),
        None => Err("write it with units, e.g. `30m`, `1h` or `1h30m`".into()),
    }
}

/// The life of a certificate: a minute at least. More than 24 h is cut later, with a warning.
pub fn duration(text: &str) -> Result<Duration, String> {
    match timeout(text)? {
        short if short < Duration::from_secs(60) => {
            Err("a certificate must live for a minute at least".into())
        }
        long => Ok(long),
    }
}

/// A version of Teleport's, as written.
pub fn version(text: &str) -> Result<String, String> {
    let parsed = crate::rules::ServerVersion::parse(text);
    parsed.map(|_| text.to_owned()).ok_or_else(|| "write it like `18.2.0`".to_owned())
}

/// A join method of Teleport's, or `auto`.
pub fn method(text: &str) -> Result<Auto<JoinMethod>, String> {
    if text == "auto" {
        return Ok(Auto(None));
    }
    let parsed: Result<JoinMethod, ()> = text.parse();
    parsed.map(|m| Auto(Some(m))).map_err(|()| {
        let all: Vec<_> = JoinMethod::ALL.iter().map(|m| m.name()).collect();
        format!("not a join method; one of auto, {}", all.join(", "))
    })
}

/// A platform, or `auto`.
pub fn platform(text: &str) -> Result<Auto<Platform>, String> {
    if text == "auto" { Ok(Auto(None)) } else { simulated(text).map(|p| Auto(Some(p))) }
}

/// A platform.
pub fn simulated(text: &str) -> Result<Platform, String> {
    Platform::ALL.into_iter().find(|p| p.id() == text).ok_or_else(|| {
        let all: Vec<_> = Platform::ALL.iter().map(|p| p.id()).collect();
        format!("not a platform jobpass knows; one of {}", all.join(", "))
    })
}

/// `--export`.
pub fn sink(text: &str) -> Result<Sink, String> {
    match text {
        "auto" => Ok(Sink::Auto),
        "shell" => Ok(Sink::Shell),
        "none" => Ok(Sink::None),
        "env-file" => Err("say which file: `env-file=PATH`".into()),
        _ => match text.strip_prefix("env-file=") {
            Some("") => Err("say which file: `env-file=PATH`".into()),
            Some(path) => Ok(Sink::EnvFile(path.into())),
            None => simulated(text).map(Sink::Platform).map_err(|_| {
                "one of auto, github, gitlab, circleci, spacelift, shell, env-file=PATH, none".into()
            }),
        },
    }
}

/// `LOGIN@NODE`.
pub fn target(text: &str) -> Result<Target, String> {
    match text.split_once('@') {
        Some((login, node)) if !login.is_empty() && !node.is_empty() => {
            Ok(Target { login: login.to_owned(), node: node.to_owned() })
        }
        _ => Err("write it as `LOGIN@NODE`".into()),
    }
}

/// A name that can be part of a folder's and a variable's name.
pub fn name(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let starts = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if starts && text.len() <= 64 && text.chars().all(good) {
        Ok(text.to_owned())
    } else {
        Err("a name has letters, digits, `-` and `_`, begins with a letter or digit, and is at most 64 long"
            .into())
    }
}

/// A command, split as a POSIX shell would split it; nothing is expanded.
pub fn words(text: &str) -> Result<Words, String> {
    crate::token::command_words(text).map(Words).map_err(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(duration("PT1H"), Ok(Duration::from_secs(3_600)));
        for bad in ["3600", "", "-1h", "0s", "59s", "1 fortnight"] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn sinks_and_names() {
        assert_eq!(sink("env-file=a b"), Ok(Sink::EnvFile("a b".into())));
        assert_eq!(sink("gitlab"), Ok(Sink::Platform(Platform::GitLabCi)));
        for bad in ["env-file", "env-file=", "bash"] {
            assert!(sink(bad).is_err(), "{bad}");
        }
        for bad in ["", "-a", "a b", "../x", &"a".repeat(65)] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
