//! Values of flags: text → what the stages want. No error repeats the value, which may be a secret in the wrong place.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use jiff::{Span, SpanRelativeTo};
use percent_encoding::percent_decode_str;

use crate::export::Sink;
use crate::net::{HostPort, NetError};
use crate::platform::Platform;
use crate::sandbox::Simulated;
use crate::text::safe;
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

/// The longest branch: git keeps a branch as a file, whose name has 255 bytes at most.
const LONGEST_BRANCH: usize = 250;

/// Why a value cannot be what it should be. The message of [`text`] and others for what an unset variable leaves.
pub const EMPTY: &str = "it is empty";

/// A text of at least one character.
pub fn text(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err(EMPTY.to_owned()) } else { Ok(text.to_owned()) }
}

/// A folder: a path, or a `file://` URI as tbot takes it.
pub fn folder(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err(EMPTY.to_owned());
    }
    let Some((scheme, rest)) = text.split_once("://") else { return Ok(text.into()) };
    match rest.strip_prefix("localhost").unwrap_or(rest) {
        path if scheme.eq_ignore_ascii_case("file") && path.starts_with('/') => {
            let path = percent_decode_str(path).decode_utf8();
            path.map(|path| path.as_ref().into()).map_err(|_| "its path is not UTF-8".to_owned())
        }
        _ => Err("expected a folder: a path, or `file:///PATH`".to_owned()),
    }
}

/// `HOST[:PORT]`.
pub fn address(text: &str) -> Result<HostPort, String> {
    host_and_port(text, WEB_PORT)
}

fn host_and_port(text: &str, port: u16) -> Result<HostPort, String> {
    if text.is_empty() {
        return Err(EMPTY.to_owned());
    }
    HostPort::parse(text, port).map_err(|error| match error {
        NetError::Address { reason, .. } => reason,
        _ => "it is not an address".to_owned(),
    })
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
    let (name, address) = text.split_once('=').ok_or("expected `NAME=HOST:PORT`")?;
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || name.starts_with(['-', '.']) || name.ends_with('.') || !name.chars().all(valid) {
        return Err("the name of a node has letters, digits, `-`, `_` and dots only".to_owned());
    }
    Ok(Node { name: name.to_owned(), address: host_and_port(address, SSH_PORT)? })
}

/// A CA pin: SHA-256 of a `SubjectPublicKeyInfo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin(pub [u8; 32]);

/// `sha256:` and 64 hexadecimal digits.
pub fn pin(text: &str) -> Result<Pin, String> {
    let wrong = || "expected `sha256:` and 64 hexadecimal digits".to_owned();
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
    host_and_port(text, AUTH_PORT)
}

/// A duration such as `1h30m`, `1d` (24 hours), `PT1H`, or a number of seconds; above zero.
pub fn timeout(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(EMPTY.to_owned());
    }
    let wrong = || "expected a duration such as `90s`, `30m`, `1h30m` or `1d`".to_owned();
    let duration = if text.bytes().all(|b| b.is_ascii_digit()) {
        Duration::from_secs(text.parse().map_err(|_| wrong())?)
    } else {
        let span: Span = text.parse().map_err(|_| wrong())?;
        let exact = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
        Duration::try_from(exact).map_err(|_| wrong())?
    };
    if duration.is_zero() { Err("it must be above zero".into()) } else { Ok(duration) }
}

/// The life of a certificate: a minute at least. More than 24 h is cut later, with a warning.
pub fn duration(text: &str) -> Result<Duration, String> {
    match timeout(text)? {
        short if short < Duration::from_secs(60) => Err("it must be a minute at least".into()),
        long => Ok(long),
    }
}

/// A version of Teleport's, as written.
pub fn version(text: &str) -> Result<String, String> {
    let parsed = crate::rules::ServerVersion::parse(text);
    parsed.map(|_| text.to_owned()).ok_or_else(|| "expected a version such as `18.2.0`".to_owned())
}

/// A platform, or `auto`.
pub fn platforms() -> impl TypedValueParser<Value = Auto<Platform>> {
    let all = std::iter::once("auto").chain(Platform::ALL.map(Platform::id));
    PossibleValuesParser::new(all).map(|id| Auto(platform(&id)))
}

/// A kind of job that the sandbox acts out.
pub fn simulated() -> impl TypedValueParser<Value = Simulated> {
    let ids: Vec<&str> = Simulated::all().map(Simulated::id).collect();
    let unknown = "it is not a kind of job";
    PossibleValuesParser::new(ids).try_map(move |id| Simulated::all().find(|s| s.id() == id).ok_or(unknown))
}

fn platform(id: &str) -> Option<Platform> {
    Platform::ALL.into_iter().find(|p| p.id() == id)
}

/// `--export`.
#[derive(Debug, Clone, Copy)]
pub struct SinkParser;

impl SinkParser {
    const FILE: &str = "env-file=PATH";

    fn names() -> impl Iterator<Item = &'static str> {
        let platforms = Platform::ALL.into_iter().map(Platform::id);
        std::iter::once("auto").chain(platforms).chain(["shell", "fish", "powershell", Self::FILE, "none"])
    }
}

impl TypedValueParser for SinkParser {
    type Value = Sink;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Sink, clap::Error> {
        StringValueParser::new().try_map(|text| sink(&text)).parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Self::names().map(PossibleValue::new)))
    }
}

/// `--export`.
pub fn sink(text: &str) -> Result<Sink, String> {
    match text {
        "" => Err(EMPTY.into()),
        "auto" => Ok(Sink::Auto),
        "shell" => Ok(Sink::Shell),
        "fish" => Ok(Sink::Fish),
        "powershell" => Ok(Sink::PowerShell),
        "none" => Ok(Sink::None),
        "env-file" | "env-file=" => Err("it names no file: `env-file=PATH`".into()),
        _ => match text.strip_prefix("env-file=") {
            Some(path) => Ok(Sink::EnvFile(path.into())),
            None => platform(text).map(Sink::Platform).ok_or_else(|| {
                let all: Vec<_> = SinkParser::names().collect();
                format!("expected one of {}", all.join(", "))
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
        _ => Err("expected `LOGIN@NODE`".into()),
    }
}

/// A name that can be part of a folder's and a variable's name.
pub fn name(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err(EMPTY.to_owned());
    }
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let starts = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if starts && text.len() <= 64 && text.chars().all(good) {
        Ok(text.to_owned())
    } else {
        Err("expected letters, digits, `-` and `_`, a letter or digit first, 64 characters at most".into())
    }
}

/// The name of a git branch, by the rules of `git check-ref-format --branch`.
pub fn branch(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err(EMPTY.to_owned());
    }
    if text.starts_with("refs/") {
        return Err("expected the short name, without `refs/heads/`".into());
    }
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    let is_odd_part =
        |part: &str| part.is_empty() || part.starts_with('.') || part.strip_suffix(".lock").is_some();
    let wrong = text.starts_with('-')
        || text.ends_with('.')
        || text == "@"
        || text == "HEAD"
        || text.len() > LONGEST_BRANCH
        || text.chars().any(is_odd)
        || text.contains("..")
        || text.contains("@{")
        || text.split('/').any(is_odd_part)
        || safe(text, LONGEST_BRANCH) != text;
    if wrong { Err("it is not a valid name of a git branch".into()) } else { Ok(text.to_owned()) }
}

/// A command, split as a POSIX shell would split it; nothing is expanded.
pub fn words(text: &str) -> Result<Words, String> {
    if text.trim().is_empty() {
        return Err(EMPTY.to_owned());
    }
    crate::token::command_words(text).map(Words).map_err(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_or_have_units() {
        for (text, seconds) in [
            ("1h30m", 5_400),
            ("PT1H", 3_600),
            ("5", 5),
            ("90", 90),
            ("1d", 86_400),
            ("1d 2h", 93_600),
            (" 5s ", 5),
        ] {
            assert_eq!(timeout(text), Ok(Duration::from_secs(seconds)), "{text:?}");
        }
        for bad in ["", "-1h", "0s", "0", "1 fortnight", "1mo", "99999999999999999999"] {
            assert!(timeout(bad).is_err(), "{bad:?}");
        }
        assert!(duration("59s").is_err() && duration("59").is_err() && duration("60").is_ok());
    }

    #[test]
    fn folders_may_be_uris() {
        for (text, want) in [
            ("/x", Some("/x")),
            ("a/b", Some("a/b")),
            ("file:///x", Some("/x")),
            ("FILE://localhost/a%20b", Some("/a b")),
            ("", None),
            ("file://x", None),
            ("memory://", None),
            ("kubernetes-secret://name", None),
        ] {
            assert_eq!(folder(text).ok(), want.map(PathBuf::from), "{text}");
        }
    }

    #[test]
    fn branches_are_those_of_git() {
        for good in ["main", "feature/a-b", "renovate/x@1.2", "é", "a.b", "dependabot/npm_and_yarn/a"] {
            assert_eq!(branch(good).as_deref(), Ok(good));
        }
        assert!(branch(&"a".repeat(250)).is_ok());
        let long = "a".repeat(251);
        for bad in [
            "",
            " ",
            "-x",
            "a b",
            "a..b",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a.lock/b",
            "a.",
            "@",
            "a@{1}",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[b",
            "a\\b",
            "a\nb",
            "a\u{1b}",
            "HEAD",
            "refs/heads/a",
            &long,
            "\u{202e}a",
            "eyJhbGciOiJSUzI1NiJ9.eyJhIjoxMjM0NTY3OH0.c2lnbmF0dXJl",
        ] {
            assert!(branch(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn sinks_and_names() {
        assert_eq!(sink("env-file=a b"), Ok(Sink::EnvFile("a b".into())));
        assert_eq!(sink("gitlab"), Ok(Sink::Platform(Platform::GitLabCi)));
        for bad in ["env-file", "env-file=", "bash", ""] {
            assert!(sink(bad).is_err(), "{bad}");
        }
        for bad in ["", "-a", "a b", "../x", &"a".repeat(65)] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
