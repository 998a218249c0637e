//! What a certificate is for, beside its user and roles: a cluster, a kubernetes cluster, a database, an application.
//!
//! X.509 subject attributes under 1.3.9999 (Teleport `lib/tlsca`; recorded with 13 and 15).

use super::tls::TlsCertificate;

/// The route of one certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Route {
    /// A Teleport cluster: ssh, and Teleport's own tools.
    #[default]
    Cluster,
    /// A kubernetes cluster.
    Kube {
        /// The name of its `kube_cluster` resource.
        kube: String,
    },
    /// A database.
    Database(DatabaseRoute),
    /// An application.
    App(AppRoute),
}

/// What the certificate of a database says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatabaseRoute {
    /// The name of its `db` resource.
    pub service: String,
    /// `postgres`, `mysql`, … (`lib/defaults`).
    pub protocol: String,
    /// The account in the database; empty: the client says.
    pub user: String,
    /// The database in the service; empty: the client says.
    pub name: String,
}

/// What the certificate of an application says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AppRoute {
    /// The name of its `app` resource.
    pub name: String,
    /// Its public address, a host name.
    pub public_addr: String,
    /// The Teleport cluster it is in.
    pub cluster: String,
    /// Where the application service reaches it: `http://…`, `tcp://…`; not in the certificate.
    pub uri: String,
    /// The session of servers up to 16; empty: the server makes one.
    pub session: String,
    /// The port of a TCP application with several; 0: the only one.
    pub target_port: u16,
}

impl AppRoute {
    /// Whether it is a TCP application, which no web client reaches.
    pub fn is_tcp(&self) -> bool {
        self.uri.starts_with("tcp://")
    }
}

impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cluster => f.write_str("the Teleport cluster"),
            Self::Kube { kube } => write!(f, "the kubernetes cluster `{kube}`"),
            Self::Database(database) => {
                let said = [("user", &database.user), ("name", &database.name)];
                let said = said.iter().filter(|(_, value)| !value.is_empty());
                let said: Vec<_> = said.map(|(what, value)| format!("{what} `{value}`")).collect();
                let said = if said.is_empty() { String::new() } else { format!(" ({})", said.join(", ")) };
                write!(f, "the database `{}`{said}", database.service)
            }
            Self::App(app) => write!(f, "the application `{}` at `{}`", app.name, app.public_addr),
        }
    }
}

impl Route {
    /// Whether a certificate for this one is what was asked for as `wanted`. A session that the server made is its own.
    pub fn serves(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::App(app), Self::App(wanted)) => {
                (&app.name, &app.public_addr, &app.cluster)
                    == (&wanted.name, &wanted.public_addr, &wanted.cluster)
                    && (wanted.session.is_empty() || app.session == wanted.session)
            }
            _ => self == wanted,
        }
    }

    /// Reads the route of a certificate. What is not in certificates stays empty. A kubernetes cluster counts least: where none is asked
    /// for, the server may put one in by default (recorded with 15, by an access request).
    pub fn of(cert: &TlsCertificate) -> Self {
        let text = |tail: &str| cert.attribute(tail).unwrap_or_default().to_owned();
        let is_there = |tail: &str| cert.attribute(tail).is_some_and(|value| !value.is_empty());
        if is_there("2.1") {
            Self::Database(DatabaseRoute {
                service: text("2.1"),
                protocol: text("2.2"),
                user: text("2.3"),
                name: text("2.4"),
            })
        } else if is_there("1.10") {
            Self::App(AppRoute {
                name: text("1.10"),
                public_addr: text("1.6"),
                cluster: text("1.5"),
                session: text("1.4"),
                ..AppRoute::default()
            })
        } else if is_there("1.3") {
            Self::Kube { kube: text("1.3") }
        } else {
            Self::Cluster
        }
    }
}
