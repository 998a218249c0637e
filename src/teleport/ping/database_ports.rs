//! Ports of a proxy that serve databases alone: clusters without TLS routing.

use serde_json::Value;

use crate::net::HostPort;

/// What ping says in `proxy.db` (Teleport `api/client/webclient`, `DBProxySettings`); nothing where TLS routing is on, as all
/// protocols share the web port there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatabasePorts {
    postgres: DatabasePort,
    mysql: DatabasePort,
    mongo: DatabasePort,
}

/// One port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct DatabasePort {
    /// `…_public_addr`.
    public: Option<String>,
    /// The port of `…_listen_addr`.
    listen: Option<u16>,
}

impl DatabasePorts {
    /// Reads `proxy.db` of a ping.
    pub(super) fn read(page: &Value) -> Self {
        let text = |kind: &str, what: &str| {
            let text = page.pointer(&format!("/proxy/db/{kind}_{what}_addr")).and_then(Value::as_str);
            text.filter(|text| !text.is_empty())
        };
        let port = |kind: &str| DatabasePort {
            public: text(kind, "public").map(str::to_owned),
            listen: text(kind, "listen").and_then(|address| address.rsplit(':').next()?.parse().ok()),
        };
        Self { postgres: port("postgres"), mysql: port("mysql"), mongo: port("mongo") }
    }

    /// Where clients of that protocol connect, for a proxy reached at `proxy`; `None`: there is no port for it. The rule is
    /// `tsh`'s (`lib/client/api.go`, 18): the public address, else the port it listens on, else, for PostgreSQL, the web port.
    pub fn address(&self, protocol: &str, proxy: &HostPort) -> Option<HostPort> {
        let (port, or_web) = match protocol {
            "postgres" | "cockroachdb" => (&self.postgres, Some(proxy.clone())),
            "mysql" => (&self.mysql, None),
            "mongodb" => (&self.mongo, None),
            _ => return None,
        };
        let public = port.public.as_deref().and_then(|address| HostPort::parse(address, proxy.port).ok());
        let listen = port.listen.map(|port| HostPort { host: proxy.host.clone(), port });
        public.or(listen).or(or_web)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_public_or_listened_on_or_the_web_port() {
        let proxy = HostPort::parse("proxy.test:3080", 443).unwrap();
        let page = |db: Value| DatabasePorts::read(&serde_json::json!({"proxy": {"db": db}}));
        let listen = serde_json::json!({
            "postgres_listen_addr": "0.0.0.0:5432",
            "mysql_listen_addr": ":3036",
            "mongo_listen_addr": "[::]:27017",
        });
        let public = serde_json::json!({
            "postgres_public_addr": "pg.test:15432",
            "postgres_listen_addr": "0.0.0.0:5432",
            "mysql_public_addr": "my.test",
            "mongo_public_addr": "not an address",
        });
        for (db, wanted) in [
            (listen, ["proxy.test:5432", "proxy.test:5432", "proxy.test:3036", "proxy.test:27017", ""]),
            (public, ["pg.test:15432", "pg.test:15432", "my.test:3080", "", ""]),
            (serde_json::json!({}), ["proxy.test:3080", "proxy.test:3080", "", "", ""]),
            (serde_json::json!({"mysql_listen_addr": 3}), ["proxy.test:3080", "proxy.test:3080", "", "", ""]),
        ] {
            let ports = page(db.clone());
            for (protocol, want) in
                ["postgres", "cockroachdb", "mysql", "mongodb", "redis"].into_iter().zip(wanted)
            {
                let address = ports.address(protocol, &proxy).map(|a| a.to_string()).unwrap_or_default();
                assert_eq!(address, want, "{protocol} {db}");
            }
        }
    }
}
