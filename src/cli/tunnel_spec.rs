//! `KIND=RESOURCE[:PORT][,KEY=VALUE…]`: one tunnel.

use std::path::PathBuf;

use super::output::{self, OutputSpec};
use super::value;
use crate::output::{Kind, KubeClusters};

/// One tunnel as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TunnelSpec {
    /// What it leads to.
    pub output: OutputSpec,
    /// Where it is to listen.
    pub at: At,
}

/// Where a tunnel is to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// That port of 127.0.0.1; `None`: a free one.
    Port(Option<u16>),
    /// A Unix socket; `None`: in a private folder.
    Socket(Option<PathBuf>),
}

/// Keys of an output that a tunnel, which writes no credential, has no use for.
const OF_FILES: [&str; 2] = ["dir", "format"];

/// Reads one.
pub fn parse(text: &str) -> Result<TunnelSpec, String> {
    let (head, rest) = text.split_once(',').map_or((text, ""), |(head, rest)| (head, rest));
    let (head, port) = port(head)?;
    let mut socket: Option<Option<PathBuf>> = None;
    let mut kept = vec![head];
    for part in rest.split(',').filter(|_| text.contains(',')) {
        let found = match part.split_once('=') {
            Some(("socket", path)) => Some(value::folder(path).map_err(|e| format!("`socket=`: {e}"))?),
            None if part == "unix" => None,
            Some((key, _)) if OF_FILES.contains(&key) => {
                return Err(format!(
                    "`{key}=` is about files, and a tunnel writes no credential: leave it out"
                ));
            }
            _ => {
                kept.push(part);
                continue;
            }
        };
        if socket.replace(found).is_some() {
            return Err("where it listens is given twice".into());
        }
    }
    let output = output::parse(&kept.join(",")).map_err(|e| {
        e.replace(", `dir`", "")
            .replace(" or `format`", "")
            .replace("expected `ssh`, `kube`", "expected `kube`")
    })?;
    match &output.kind {
        Kind::Ssh { .. } => {
            return Err("ssh needs no tunnel: the `ssh_config` that `login` writes is one".into());
        }
        Kind::Kube(kube) if !matches!(kube.clusters, KubeClusters::Named(_)) => {
            return Err("a tunnel leads to one kubernetes cluster: name it, `kube=CLUSTER`".into());
        }
        Kind::Kube(kube) if kube.context.as_ref().is_some_and(|context| context.contains('{')) => {
            return Err("`context=`: expected a name, as there is one cluster".into());
        }
        Kind::Kube(_) if socket.is_some() => {
            return Err("kubectl cannot use a Unix socket: leave out `unix` and `socket=`".into());
        }
        Kind::Kube(_) | Kind::Database(_) | Kind::App(_) => {}
    }
    let at = match (port, socket) {
        (Some(_), Some(_)) => return Err("it listens at a port or at a Unix socket, not at both".into()),
        (port, None) => At::Port(port),
        (None, Some(path)) => At::Socket(path),
    };
    Ok(TunnelSpec { output, at })
}

/// `--listen`: a port, `unix`, or the path of a socket.
pub fn at(text: &str) -> Result<At, String> {
    if text == "unix" {
        return Ok(At::Socket(None));
    }
    if text.contains('/') {
        return Ok(At::Socket(Some(value::folder(text)?)));
    }
    match text.parse() {
        Ok(port) if port != 0 => Ok(At::Port(Some(port))),
        _ => Err("expected a port, 1 to 65535, `unix`, or the path of a socket with a `/` in it".into()),
    }
}

/// What is before the port, and the port. No name of a resource that Teleport takes ends in a colon and digits.
fn port(head: &str) -> Result<(&str, Option<u16>), String> {
    let Some((before, digits)) = head.rsplit_once(':') else { return Ok((head, None)) };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Ok((head, None));
    }
    let port = digits.parse().ok().filter(|port| *port != 0);
    let port =
        port.ok_or("expected a port, 1 to 65535, after the colon; without one a free port is taken")?;
    Ok((before, Some(port)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{App, Database, FileFormat, Kube};

    #[test]
    fn reads_every_part() {
        let some = |text: &str| Some(text.to_owned());
        let plain = |kind| OutputSpec { kind, name: None, roles: None, dir: None };
        let database = |user, name, protocol| {
            let (service, format) = ("pg".to_owned(), FileFormat::Plain);
            plain(Kind::Database(Database { service, user, name, protocol, format }))
        };
        let app = |target_port| {
            plain(Kind::App(App { name: "grafana".into(), target_port, format: FileFormat::Plain }))
        };
        let kube = |context, namespace| {
            let clusters = KubeClusters::Named("prod".into());
            plain(Kind::Kube(Kube { clusters, context, namespace, exec: false }))
        };
        let port = |port| At::Port(Some(port));
        for (text, output, at) in [
            ("database=pg", database(None, None, None), At::Port(None)),
            ("db=pg:5432", database(None, None, None), port(5432)),
            (
                "database=pg:1,user=ci,database-name=app,protocol=postgres",
                database(some("ci"), some("app"), some("postgres")),
                port(1),
            ),
            (
                "database=pg,name=main,roles=a+b,unix",
                OutputSpec {
                    name: some("main"),
                    roles: Some(vec!["a".into(), "b".into()]),
                    ..database(None, None, None)
                },
                At::Socket(None),
            ),
            (
                "database=pg,socket=/s/x y,user=a:1",
                database(some("a:1"), None, None),
                At::Socket(Some("/s/x y".into())),
            ),
            ("app=grafana:65535", app(None), port(65535)),
            ("app=grafana,target-port=8080", app(Some(8080)), At::Port(None)),
            ("kube=prod:6443,namespace=web,context=ci", kube(some("ci"), some("web")), port(6443)),
        ] {
            assert_eq!(parse(text), Ok(TunnelSpec { output, at }), "{text}");
        }
    }

    #[test]
    fn a_place_is_a_port_or_a_socket() {
        for (text, want) in [
            ("5432", Some(At::Port(Some(5432)))),
            ("unix", Some(At::Socket(None))),
            ("./s", Some(At::Socket(Some("./s".into())))),
            ("/run/x y", Some(At::Socket(Some("/run/x y".into())))),
            ("", None),
            ("0", None),
            ("65536", None),
            ("socket", None),
            ("127.0.0.1:5432", None),
        ] {
            assert_eq!(at(text).ok(), want, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_tunnel() {
        for (text, want) in [
            ("", "it is empty"),
            ("ssh", "ssh needs no tunnel"),
            ("postgres=pg", "its kind is unknown: expected `kube`, `database` or `app`"),
            ("database", "needs the name of the database"),
            ("database=:5432", "needs the name of the database"),
            ("database=pg:0", "expected a port, 1 to 65535"),
            ("database=pg:65536", "expected a port, 1 to 65535"),
            ("database=pg,", "expected `KEY=VALUE`"),
            ("database=pg,dir=/x", "`dir=` is about files"),
            ("database=pg,format=tls", "`format=` is about files"),
            ("database=pg,cluster=leaf", "leaf clusters by ssh only"),
            ("database=pg,target-port=1", "expected `roles`, `name`, `user`, `database-name`, `protocol`"),
            ("database=pg:1,unix", "not at both"),
            ("database=pg,unix,socket=/s", "given twice"),
            ("database=pg,socket=", "`socket=`: it is empty"),
            ("database=pg,user=a,user=b", "given twice"),
            ("app=x,user=y", "expected `roles`, `name`, `target-port`"),
            ("kube=*", "leads to one kubernetes cluster"),
            ("kube=env:prod", "leads to one kubernetes cluster"),
            ("kube=prod,unix", "kubectl cannot use a Unix socket"),
            ("kube=prod,context={kube}", "expected a name"),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.contains(want), "{text}: {said}");
        }
    }
}
