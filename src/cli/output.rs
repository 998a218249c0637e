//! `--output KIND[=RESOURCE][,KEY=VALUE…]`.

use std::path::PathBuf;

use super::value;
use crate::output::{App, Database, FileFormat, Kind, Kube, KubeClusters};
use crate::text::is_name;

/// One `--output` as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSpec {
    /// What it is for.
    pub kind: Kind,
    /// `name=`.
    pub name: Option<String>,
    /// `roles=`, separated by `+`.
    pub roles: Option<Vec<String>>,
    /// `dir=`.
    pub dir: Option<PathBuf>,
}

impl Default for OutputSpec {
    /// What is issued when nothing is asked for.
    fn default() -> Self {
        Self { kind: Kind::Ssh { cluster: None }, name: None, roles: None, dir: None }
    }
}

/// Reads one. Values cannot hold a comma.
pub fn parse(text: &str) -> Result<OutputSpec, String> {
    let mut parts = text.split(',');
    let head = parts.next().unwrap_or_default();
    let (word, resource) = match head.split_once('=') {
        Some((word, resource)) => (word, Some(resource)),
        None => (head, None),
    };
    let mut kind = kind(word, resource)?;
    let (mut name, mut roles, mut dir) = (None, None, None);
    let mut seen: Vec<&str> = Vec::new();
    for part in parts {
        let Some((key, value)) = part.split_once('=').filter(|(_, v)| !v.is_empty()) else {
            return Err("expected `KEY=VALUE` after each comma".into());
        };
        if seen.contains(&key) {
            return Err(format!("`{key}=` is given twice"));
        }
        match key {
            "name" => name = Some(value::name(value).map_err(|e| format!("`name=`: {e}"))?),
            "dir" => dir = Some(value::folder(value)?),
            "roles" => {
                let all: Vec<String> = value.split('+').map(str::to_owned).collect();
                if all.iter().any(String::is_empty) {
                    return Err("a role in `roles=` is empty: separate roles by one `+`".into());
                }
                roles = Some(all);
            }
            _ => set(&mut kind, key, value)?,
        }
        seen.push(key);
    }
    Ok(OutputSpec { kind, name, roles, dir })
}

/// The kind, with the words of `tbot` too.
fn kind(word: &str, resource: Option<&str>) -> Result<Kind, String> {
    let named = |what: &str| match resource.filter(|name| !name.is_empty()) {
        Some(name) if is_name(name) => Ok(name.to_owned()),
        Some(_) => Err(format!("the name of the {what} has a control character, or is too long")),
        None => Err(format!("`{word}` needs the name of the {what}: write `{word}=NAME`")),
    };
    Ok(match word {
        "ssh" | "identity" if resource.is_none() => Kind::Ssh { cluster: None },
        "ssh" | "identity" => return Err(format!("`{word}` takes no value: write `{word},name=N`")),
        "kube" | "kubernetes" => {
            let clusters = clusters(&named("kubernetes cluster (`*`: all, `KEY:VALUE`: by label)")?)?;
            Kind::Kube(Kube { clusters, context: None, namespace: None, exec: false })
        }
        "database" | "db" => Kind::Database(Database {
            service: named("database")?,
            user: None,
            name: None,
            protocol: None,
            format: FileFormat::Plain,
        }),
        "app" | "application" => {
            Kind::App(App { name: named("application")?, target_port: None, format: FileFormat::Plain })
        }
        "" => return Err(value::EMPTY.into()),
        _ => return Err("its kind is unknown: expected `ssh`, `kube`, `database` or `app`".into()),
    })
}

/// `NAME`, `*`, `KEY:VALUE[+KEY:VALUE…]`. No name of a cluster has a colon (Teleport `api/types/kubernetes.go`).
fn clusters(text: &str) -> Result<KubeClusters, String> {
    if text == "*" {
        return Ok(KubeClusters::All);
    }
    if !text.contains(':') {
        return Ok(KubeClusters::Named(text.to_owned()));
    }
    let label = |pair: &str| match pair.split_once(':') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected `KEY:VALUE` labels, separated by `+`".to_owned()),
    };
    text.split('+').map(label).collect::<Result<_, _>>().map(KubeClusters::Labeled)
}

/// What only some kinds have.
fn set(kind: &mut Kind, key: &str, value: &str) -> Result<(), String> {
    if !is_name(value) {
        return Err(format!("`{key}=` has a control character, or is too long"));
    }
    let text = value.to_owned();
    match (&mut *kind, key) {
        (Kind::Ssh { cluster }, "cluster") => *cluster = Some(text),
        (_, "cluster") => {
            return Err(format!(
                "Machine ID reaches leaf clusters by ssh only: leave out `cluster=`, or join the leaf cluster itself for its {}",
                plural(kind)
            ));
        }
        (Kind::Kube(kube), "context") => kube.context = Some(context(value, &kube.clusters)?),
        (Kind::Kube(kube), "namespace") => kube.namespace = Some(namespace(value)?),
        (Kind::Database(database), "user" | "username") => database.user = Some(text),
        (Kind::Database(database), "database-name" | "database") => database.name = Some(text),
        (Kind::Database(database), "protocol") => database.protocol = Some(text),
        (Kind::Database(database), "format") => database.format = format(value, true)?,
        (Kind::App(app), "format") => app.format = format(value, false)?,
        (Kind::App(app), "target-port") => {
            let port = value.parse().ok().filter(|port| *port != 0);
            app.target_port = Some(port.ok_or("`target-port=`: expected a port, 1 to 65535")?);
        }
        _ => return Err(format!("it has an unknown key: expected {}", keys(kind))),
    }
    Ok(())
}

fn plural(kind: &Kind) -> &'static str {
    match kind {
        Kind::Ssh { .. } => "nodes",
        Kind::Kube(_) => "kubernetes clusters",
        Kind::Database(_) => "databases",
        Kind::App(_) => "applications",
    }
}

fn keys(kind: &Kind) -> &'static str {
    match kind {
        Kind::Ssh { .. } => "`roles`, `name`, `dir` or `cluster`",
        Kind::Kube(_) => "`roles`, `name`, `dir`, `context` or `namespace`",
        Kind::Database(_) => "`roles`, `name`, `dir`, `user`, `database-name`, `protocol` or `format`",
        Kind::App(_) => "`roles`, `name`, `dir`, `target-port` or `format`",
    }
}

fn format(word: &str, is_database: bool) -> Result<FileFormat, String> {
    match word {
        "plain" => Ok(FileFormat::Plain),
        "tls" => Ok(FileFormat::Tls),
        "mongo" if is_database => Ok(FileFormat::Mongo),
        "cockroach" if is_database => Ok(FileFormat::Cockroach),
        _ if is_database => Err("`format=`: expected `plain`, `tls`, `mongo` or `cockroach`".into()),
        _ => Err("`format=`: expected `plain` or `tls`".into()),
    }
}

/// A name, or a template with `{cluster}` and `{kube}`.
fn context(text: &str, clusters: &KubeClusters) -> Result<String, String> {
    let rest = text.replace("{cluster}", "").replace("{kube}", "");
    if rest.contains(['{', '}']) {
        return Err("`context=`: expected text with `{cluster}` and `{kube}`".into());
    }
    let is_for_one = matches!(clusters, KubeClusters::Named(_));
    if !is_for_one && !text.contains("{kube}") {
        return Err("`context=`: all contexts would have the same name: put `{kube}` into it".into());
    }
    Ok(text.to_owned())
}

/// A label of RFC 1123, as kubernetes names its namespaces.
fn namespace(text: &str) -> Result<String, String> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.len() > 63 || !text.bytes().all(fits) || text.starts_with('-') || text.ends_with('-') {
        return Err("`namespace=`: expected small letters, digits and `-`, 63 at most".into());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_part() {
        let spec = parse("ssh,roles=a+b,name=deploy,dir=/x y,cluster=leaf.example").unwrap();
        assert_eq!(spec.roles.unwrap(), ["a", "b"]);
        assert_eq!(spec.name.unwrap(), "deploy");
        assert_eq!(spec.dir.unwrap(), PathBuf::from("/x y"));
        assert_eq!(spec.kind, Kind::Ssh { cluster: Some("leaf.example".into()) });
    }

    #[test]
    fn reads_every_kind() {
        let kube = |clusters, context: Option<&str>, namespace: Option<&str>| {
            let (context, namespace) = (context.map(str::to_owned), namespace.map(str::to_owned));
            Kind::Kube(Kube { clusters, context, namespace, exec: false })
        };
        let labels = vec![("env".to_owned(), "prod".to_owned()), ("team".to_owned(), "a".to_owned())];
        let some = |text: &str| Some(text.to_owned());
        let database = |user, name, protocol, format| {
            Kind::Database(Database { service: "pg".into(), user, name, protocol, format })
        };
        let app = |target_port, format| Kind::App(App { name: "grafana".into(), target_port, format });
        for (text, want) in [
            ("identity", Kind::Ssh { cluster: None }),
            ("kube=prod", kube(KubeClusters::Named("prod".into()), None, None)),
            ("kubernetes=*", kube(KubeClusters::All, None, None)),
            ("kube=env:prod+team:a", kube(KubeClusters::Labeled(labels), None, None)),
            (
                "kube=prod,context={kube}@{cluster},namespace=web",
                kube(KubeClusters::Named("prod".into()), Some("{kube}@{cluster}"), Some("web")),
            ),
            ("kube=prod,context=ci", kube(KubeClusters::Named("prod".into()), Some("ci"), None)),
            ("kube=*,context=ci-{kube}", kube(KubeClusters::All, Some("ci-{kube}"), None)),
            ("database=pg", database(None, None, None, FileFormat::Plain)),
            (
                "db=pg,user=ci,database-name=app,protocol=postgres,format=cockroach",
                database(some("ci"), some("app"), some("postgres"), FileFormat::Cockroach),
            ),
            ("database=pg,format=tls", database(None, None, None, FileFormat::Tls)),
            ("database=pg,format=mongo", database(None, None, None, FileFormat::Mongo)),
            ("database=pg,format=plain", database(None, None, None, FileFormat::Plain)),
            ("app=grafana", app(None, FileFormat::Plain)),
            ("application=grafana,target-port=8443,format=tls", app(Some(8443), FileFormat::Tls)),
        ] {
            assert_eq!(parse(text).unwrap().kind, want, "{text}");
        }
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for (text, want) in [
            ("", "empty"),
            ("sssh", "kind is unknown"),
            ("ssh=x", "takes no value"),
            ("kube", "`kube=NAME`"),
            ("kube=", "`kube=NAME`"),
            ("database", "needs the name of the database"),
            ("app=", "needs the name of the application"),
            ("app=a\nb", "control character"),
            ("kube=env:", "`KEY:VALUE` labels"),
            ("kube=:prod", "`KEY:VALUE` labels"),
            ("kube=env:prod+", "`KEY:VALUE` labels"),
            ("kube=prod,context={user}", "`{cluster}` and `{kube}`"),
            ("kube=*,context=x", "put `{kube}` into it"),
            ("kube=env:prod,context={cluster}", "put `{kube}` into it"),
            ("kube=prod,namespace=a b", "`namespace=`: expected small letters"),
            ("kube=prod,namespace=Web", "`namespace=`: expected small letters"),
            ("kube=prod,namespace=-a", "`namespace=`: expected small letters"),
            ("kube=prod,user=x", "`context` or `namespace`"),
            ("kube=prod,cluster=leaf", "leaf clusters by ssh only"),
            ("database=pg,cluster=leaf", "for its databases"),
            ("app=x,cluster=leaf", "for its applications"),
            ("database=pg,format=pem", "`mongo` or `cockroach`"),
            ("database=pg,user=a\u{1b}", "control character"),
            ("app=x,format=mongo", "`plain` or `tls`"),
            ("app=x,target-port=0", "1 to 65535"),
            ("app=x,target-port=65536", "1 to 65535"),
            ("app=x,user=y", "`target-port` or `format`"),
            ("ssh,", "expected `KEY=VALUE`"),
            ("ssh,name", "expected `KEY=VALUE`"),
            ("ssh,name=", "expected `KEY=VALUE`"),
            ("ssh,name=../x", "expected letters"),
            ("ssh,name=a,name=b", "given twice"),
            ("ssh,cluster=a,cluster=b", "given twice"),
            ("ssh,roles=a++b", "is empty"),
            ("ssh,user=x", "unknown key"),
        ] {
            assert!(parse(text).unwrap_err().contains(want), "{text}: {:?}", parse(text));
        }
    }
}
