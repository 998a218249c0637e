//! `jobpass tunnel`: plain clients reach databases, applications and kubernetes through it, and nobody else does.

use std::net::TcpListener;

use jobpass::platform::Platform;
use jobpass::sandbox::{SandboxDatabase, SandboxOptions};

use crate::support::cluster::{Cluster, listing};
use crate::support::postgres::{Postgres, Server};
use crate::support::sshd::join;
use crate::support::tunnel::Tunnels;

fn gate() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

pub fn database(name: &str, protocol: &str) -> SandboxDatabase {
    SandboxDatabase { name: name.into(), protocol: protocol.into() }
}

/// A cluster with a real PostgreSQL behind its database service, and a database that nobody serves.
struct WithPostgres {
    cluster: Cluster,
    server: Server,
    _postgres: Postgres,
}

impl WithPostgres {
    fn start(change: impl FnOnce(&mut SandboxOptions)) -> Self {
        // The sandbox must know its port before it runs, and it the sandbox's certificates.
        let gate = gate();
        let mut options = SandboxOptions {
            databases: vec![database("pg", "postgres"), database("other", "postgres")],
            database_targets: vec![("pg".into(), gate.local_addr().unwrap())],
            ..SandboxOptions::simulating(None)
        };
        change(&mut options);
        let cluster = Cluster::start(options);
        let (certificate, key) = cluster.sandbox.database_server(&["localhost"]).unwrap();
        let postgres = Postgres::new(cluster.sandbox.web_ca_pem(), (&certificate, &key));
        let server = postgres.start(false);
        join(gate, server.address);
        Self { cluster, server, _postgres: postgres }
    }
}

const WHO: &[&str] = &["-Atc", "select current_user, current_database()"];

#[test]
fn psql_reaches_the_database() {
    for version in ["18.2.0", "15.4.0"] {
        let with = WithPostgres::start(|options| options.version = version.into());
        let job = with.cluster.job(Platform::GitLabCi);
        let tunnels = Tunnels::start(&job, &["database=pg,user=ci,database-name=app"]);
        let port = tunnels.port("PG").to_string();
        for (name, value) in [
            ("PGHOST", "127.0.0.1"),
            ("PGPORT", &port),
            ("PGUSER", "ci"),
            ("PGDATABASE", "app"),
            ("PGSSLMODE", "disable"),
            ("JOBPASS_TUNNEL_PG_HOST", "127.0.0.1"),
            ("JOBPASS_TUNNEL_PG_URL", &format!("postgresql://ci@127.0.0.1:{port}/app?sslmode=disable")),
        ] {
            assert_eq!(tunnels.variables[name], value, "{name}");
        }
        assert_eq!(tunnels.run("psql", WHO).ok().stdout, "ci|app\n", "{}", tunnels.log());
        let url = &tunnels.variables["JOBPASS_TUNNEL_PG_URL"];
        assert_eq!(tunnels.run("psql", &[&[url.as_str()], WHO].concat()).ok().stdout, "ci|app\n");
        // The route is the certificate's, the protocol that of Teleport's clients, without the framing of `-ping`.
        let seen = with.cluster.sandbox.records();
        let seen: Vec<_> = seen.iter().filter(|seen| seen.route.is_some()).collect();
        assert_eq!(seen.len(), 2, "a connection for each of psql's: {seen:#?}");
        for seen in seen {
            let route = seen.route.as_deref().unwrap();
            assert_eq!(route, "the database `pg` (user `ci`) (name `app`)");
            assert_eq!(seen.alpn_offered, ["teleport-postgres"]);
        }
        // No credential is written: not in the job's folders, not in the log.
        let files = listing(with.cluster.folder.path());
        for (file, _) in files.iter().filter(|(file, _)| with.cluster.path(file).is_file()) {
            let text = std::fs::read(with.cluster.path(file)).unwrap();
            assert!(!String::from_utf8_lossy(&text).contains("PRIVATE KEY"), "{file}");
        }
        let (ready, log) = (tunnels.ready_file.clone(), tunnels.log());
        assert!(
            log.contains("tunnel `pg`: the database `pg` (user `ci`) (name `app`) at 127.0.0.1:"),
            "{log}"
        );
        let ran = tunnels.stop("-TERM").ok();
        assert!(ran.stderr.ends_with("tunnel closed\n") && !ready.exists(), "{}", ran.all());
        drop(with.server);
    }
}
