//! What a `database` output leaves: a client certificate, and how to reach the database with it.

use super::client_certificate::{self, CERTIFICATE, HOST_CA, KEY, MONGO, path};
use super::command_line::{command_line, libpq, word};
use super::{Contents, Context, relay};
use crate::identity::route::{DatabaseRoute, Route};
use crate::issue::Issued;
use crate::net::HostPort;
use crate::output::{Database, FileFormat};

/// Files, variables, step outputs and commands.
pub(super) fn contents(issued: &Issued, database: &Database, context: &Context<'_>) -> Contents {
    let mut contents = client_certificate::contents(issued, database.format, context);
    let Route::Database(route) = &issued.first.route else { return contents };
    let proxy = HostPort::parse(context.proxy, 443).ok();
    let ports = context.ping.database_ports.as_ref();
    let direct = ports.zip(proxy).and_then(|(ports, proxy)| ports.address(&route.protocol, &proxy));
    contents.usage = match direct {
        Some(address) => direct_client(issued, route, &address, database.format).into_iter().collect(),
        None => by_relay(issued, route, context).unwrap_or_default(),
    };
    contents
}

/// The port a server of that protocol usually has, and the ALPN by which a proxy knows the protocol (gravitational/teleport
/// `lib/srv/alpnproxy/common`, 18).
fn protocol(name: &str) -> Option<(u16, &'static str)> {
    Some(match name {
        "postgres" => (5432, "teleport-postgres"),
        "cockroachdb" => (26257, "teleport-postgres"),
        "mysql" => (3306, "teleport-mysql"),
        "mongodb" => (27017, "teleport-mongodb"),
        "redis" => (6379, "teleport-redis"),
        "sqlserver" => (1433, "teleport-sqlserver"),
        "cassandra" => (9042, "teleport-cassandra"),
        "snowflake" => (4443, "teleport-snowflake"),
        "oracle" => (1521, "teleport-oracle"),
        "elasticsearch" => (9200, "teleport-elasticsearch"),
        "opensearch" => (9200, "teleport-opensearch"),
        "dynamodb" => (8000, "teleport-dynamodb"),
        "clickhouse" => (9440, "teleport-clickhouse"),
        "clickhouse-http" => (8443, "teleport-clickhouse"),
        _ => return None,
    })
}

/// With TLS routing: a relay, and a client that speaks plain to it.
fn by_relay(issued: &Issued, route: &DatabaseRoute, context: &Context<'_>) -> Option<Vec<String>> {
    let (port, alpn) = protocol(&route.protocol)?;
    let port_text = port.to_string();
    let client = match route.protocol.as_str() {
        "postgres" | "cockroachdb" => {
            let address = [libpq("host", "127.0.0.1"), libpq("port", &port_text)];
            let rest = [libpq("user", user(route)), database_name(route), libpq("sslmode", "disable")];
            command_line(["psql", &[address.as_slice(), &rest].concat().join(" ")])
        }
        "mysql" => {
            let words = mysql(route, "127.0.0.1", port);
            command_line(words.into_iter().chain(["--protocol", "TCP"].map(str::to_owned)))
        }
        "mongodb" => command_line(["mongosh".to_owned(), mongo_url(route, &format!("127.0.0.1:{port}"))]),
        "redis" => command_line(["redis-cli", "-h", "127.0.0.1", "-p", &port_text]),
        _ => None,
    };
    let relay = relay::line(issued, port, alpn, context)?;
    Some(std::iter::once(relay).chain(client).collect())
}

/// Without TLS routing: a client that shows the certificate to the proxy's own port for it.
fn direct_client(
    issued: &Issued,
    route: &DatabaseRoute,
    address: &HostPort,
    format: FileFormat,
) -> Option<String> {
    let file = |name: &str| word(&path(issued, name));
    let (host_ca, certificate, key) = (file(HOST_CA)?, file(CERTIFICATE)?, file(KEY)?);
    match route.protocol.as_str() {
        // libpq takes what is before a colon in `sslkey` for the name of an engine (34.1.2), and there is no escape.
        "postgres" | "cockroachdb" if !key.contains(':') => {
            let parts = [
                libpq("host", &address.host),
                libpq("port", &address.port.to_string()),
                libpq("user", user(route)),
                database_name(route),
                libpq("sslmode", "verify-full"),
                libpq("sslrootcert", &host_ca),
                libpq("sslcert", &certificate),
                libpq("sslkey", &key),
            ];
            command_line(["psql", &parts.join(" ")])
        }
        "mysql" => {
            let mut words = mysql(route, &address.host, address.port);
            words.extend(["--ssl-mode", "VERIFY_IDENTITY", "--ssl-ca", &host_ca].map(str::to_owned));
            words.extend(["--ssl-cert", &certificate, "--ssl-key", &key].map(str::to_owned));
            command_line(words)
        }
        "mongodb" if format == FileFormat::Mongo => {
            let both = file(MONGO)?;
            let url = mongo_url(route, &address.to_string());
            command_line([
                "mongosh",
                &url,
                "--tls",
                "--tlsCertificateKeyFile",
                &both,
                "--tlsCAFile",
                &host_ca,
            ])
        }
        _ => None,
    }
}

/// A stand-in where the certificate leaves the account to the client.
fn user(route: &DatabaseRoute) -> &str {
    if route.user.is_empty() { "USER" } else { &route.user }
}

fn database_name(route: &DatabaseRoute) -> String {
    libpq("dbname", if route.name.is_empty() { "DATABASE" } else { &route.name })
}

fn mysql(route: &DatabaseRoute, host: &str, port: u16) -> Vec<String> {
    let port = port.to_string();
    let mut words = vec!["mysql", "--host", host, "--port", &port, "--user", user(route)];
    if !route.name.is_empty() {
        words.extend(["--database", &route.name]);
    }
    words.into_iter().map(str::to_owned).collect()
}

fn mongo_url(route: &DatabaseRoute, address: &str) -> String {
    let name = percent_encoding::utf8_percent_encode(&route.name, percent_encoding::NON_ALPHANUMERIC);
    format!("mongodb://{address}/{name}")
}
