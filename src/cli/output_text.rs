//! An output as it is written after `--output`: the inverse of `output::parse`.

use std::fmt::Write as _;

use super::output::OutputSpec;
use crate::output::{FileFormat, Kind, KubeClusters};

/// `KIND[=RESOURCE][,KEY=VALUE…]`, always in the same order.
pub fn text(spec: &OutputSpec) -> String {
    let mut text = spec.kind.name().to_owned();
    let mut add = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            let _ = write!(text, ",{key}={value}");
        }
    };
    match &spec.kind {
        Kind::Ssh { cluster } => add("cluster", cluster.as_deref()),
        Kind::Kube(kube) => {
            add("context", kube.context.as_deref());
            add("namespace", kube.namespace.as_deref());
        }
        Kind::Database(database) => {
            add("user", database.user.as_deref());
            add("database-name", database.name.as_deref());
            add("protocol", database.protocol.as_deref());
            add("format", format(database.format));
        }
        Kind::App(app) => {
            add("target-port", app.target_port.map(|port| port.to_string()).as_deref());
            add("format", format(app.format));
        }
    }
    add("roles", spec.roles.as_ref().map(|roles| roles.join("+")).as_deref());
    add("name", spec.name.as_deref());
    add("dir", spec.dir.as_ref().map(|dir| dir.display().to_string()).as_deref());
    match resource(&spec.kind) {
        Some(resource) => text.replacen(spec.kind.name(), &format!("{}={resource}", spec.kind.name()), 1),
        None => text,
    }
}

fn resource(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Kube(kube) => Some(match &kube.clusters {
            KubeClusters::All => "*".to_owned(),
            KubeClusters::Named(name) => name.clone(),
            KubeClusters::Labeled(labels) => {
                labels.iter().map(|(key, value)| format!("{key}:{value}")).collect::<Vec<_>>().join("+")
            }
        }),
        _ => kind.resource().map(str::to_owned),
    }
}

fn format(format: FileFormat) -> Option<&'static str> {
    match format {
        FileFormat::Plain => None,
        FileFormat::Tls => Some("tls"),
        FileFormat::Mongo => Some("mongo"),
        FileFormat::Cockroach => Some("cockroach"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::parse;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        for (given, want) in [
            ("ssh", "ssh"),
            ("identity,name=a,cluster=leaf,roles=x+y,dir=/d e", "ssh,cluster=leaf,roles=x+y,name=a,dir=/d e"),
            ("kubernetes=*", "kube=*"),
            (
                "kube=kube,namespace=web,context={kube}@{cluster}",
                "kube=kube,context={kube}@{cluster},namespace=web",
            ),
            ("kube=env:prod+team:a:b", "kube=env:prod+team:a:b"),
            ("db=pg,format=plain", "database=pg"),
            (
                "database=pg,format=cockroach,protocol=p,database-name=n,user=u",
                "database=pg,user=u,database-name=n,protocol=p,format=cockroach",
            ),
            ("app=a,format=tls,target-port=80", "app=a,target-port=80,format=tls"),
            ("database=m,format=mongo", "database=m,format=mongo"),
        ] {
            let spec = parse(given).unwrap();
            assert_eq!(text(&spec), want);
            assert_eq!(parse(want).unwrap(), spec);
        }
    }
}
