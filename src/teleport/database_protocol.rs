//! The protocols of databases: by which ALPN a proxy knows them, and which of them a plain client speaks through a tunnel.

/// The protocol of a `db` resource (gravitational/teleport `lib/defaults`, 18).
#[derive(Debug, PartialEq, Eq)]
pub struct DatabaseProtocol {
    /// `postgres`, `mysql`, …
    pub name: &'static str,
    /// The port that a server usually has.
    pub port: u16,
    /// What a client offers in ALPN (`lib/srv/alpnproxy/common`, 18). Never with `-ping` behind it: that is framing for
    /// keep-alive.
    pub alpn: &'static str,
    /// Whether a client that speaks plain to a tunnel reaches the database.
    pub plain: Plain,
}

/// Whether a client that speaks plain to a tunnel reaches the database.
#[derive(Debug, PartialEq, Eq)]
pub enum Plain {
    /// The bytes of the protocol are all that the proxy wants within its TLS.
    Served,
    /// The client needs something that a tunnel does not have: what, and what to do.
    Unserved(&'static str, &'static str),
}

use Plain::{Served, Unserved};

const fn protocol(name: &'static str, port: u16, alpn: &'static str, plain: Plain) -> DatabaseProtocol {
    DatabaseProtocol { name, port, alpn, plain }
}

/// Where a client insists on more than plain bytes, Teleport's own client makes up for it (`tool/tsh/common/proxy.go`, 18).
const TSH: &str = "run `tsh proxy db --tunnel`, with the `identity` file of an `ssh` output, or leave it to a client that can show a \
                   certificate";

const ALL: [DatabaseProtocol; 15] = [
    protocol("postgres", 5432, "teleport-postgres", Served),
    protocol("cockroachdb", 26257, "teleport-postgres", Served),
    protocol("mysql", 3306, "teleport-mysql", Served),
    protocol("mongodb", 27017, "teleport-mongodb", Served),
    protocol("redis", 6379, "teleport-redis", Served),
    protocol("sqlserver", 1433, "teleport-sqlserver", Served),
    protocol("cassandra", 9042, "teleport-cassandra", Served),
    protocol("elasticsearch", 9200, "teleport-elasticsearch", Served),
    protocol("opensearch", 9200, "teleport-opensearch", Served),
    protocol("clickhouse", 9440, "teleport-clickhouse", Served),
    protocol("clickhouse-http", 8443, "teleport-clickhouse", Served),
    protocol(
        "oracle",
        1521,
        "teleport-oracle",
        Unserved("its clients want TLS with a wallet of their own up to the tunnel", TSH),
    ),
    protocol(
        "snowflake",
        4443,
        "teleport-snowflake",
        Unserved("its clients want HTTPS and a token of their own up to the tunnel", TSH),
    ),
    protocol(
        "dynamodb",
        8000,
        "teleport-dynamodb",
        Unserved("its clients sign each request with AWS credentials", TSH),
    ),
    protocol(
        "spanner",
        443,
        "teleport-spanner",
        Unserved("its clients speak gRPC with Google credentials", TSH),
    ),
];

/// The protocol of that name.
pub fn find(name: &str) -> Option<&'static DatabaseProtocol> {
    ALL.iter().find(|protocol| protocol.name == name)
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static DatabaseProtocol> {
    ALL.iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_protocol_is_framed_and_each_has_one_name() {
        for (index, one) in ALL.iter().enumerate() {
            assert!(one.alpn.starts_with("teleport-") && !one.alpn.ends_with("-ping"), "{one:?}");
            assert_eq!(ALL.iter().position(|other| other.name == one.name), Some(index));
        }
        assert_eq!(find("cockroachdb").unwrap().alpn, "teleport-postgres");
        assert_eq!(find("postgresql"), None);
    }
}
