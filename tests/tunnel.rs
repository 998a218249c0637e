//! `jobpass tunnel`: plain clients reach databases, applications and kubernetes through it, and nobody else does.

mod ends;
mod exec;
mod folder;
mod killed;
mod limits;
mod network;
mod refusals;
mod strangers;
mod web;

use std::net::TcpListener;

use jobpass::platform::Platform;
use jobpass::sandbox::{SandboxDatabase, SandboxOptions};

use crate::support::cluster::{Cluster, listing};
use crate::support::mariadb::MariaDb;
use crate::support::postgres::{Postgres, Server};
use crate::support::redis::Redis;
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
            assert_eq!(route, "the database `pg` (user `ci`, name `app`)");
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
            log.contains("tunnel `pg`: the database `pg` (user `ci`, name `app`) at 127.0.0.1:"),
            "{log}"
        );
        let ran = tunnels.stop("-TERM").ok();
        assert!(ran.stderr.ends_with("tunnel closed\n") && !ready.exists(), "{}", ran.all());
        drop(with.server);
    }
}

#[test]
fn psql_finds_a_unix_socket() {
    use std::os::unix::fs::PermissionsExt as _;

    let with = WithPostgres::start(|_| ());
    let job = with.cluster.job(Platform::GitLabCi);
    let mode = |path: &str| std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    let chosen = with.cluster.path(".s.PGSQL.7").display().to_string();
    let by_path = format!("database=pg,user=ci,database-name=app,name=mine,socket={chosen}");
    let tunnels = Tunnels::start(&job, &["database=pg,user=ci,database-name=app,unix", &by_path]);
    assert_eq!(tunnels.run("psql", WHO).ok().stdout, "ci|app\n", "{}", tunnels.log());
    let (folder, socket) = (&tunnels.variables["PGHOST"], &tunnels.variables["JOBPASS_TUNNEL_PG_SOCKET"]);
    assert_eq!((mode(folder), mode(socket), mode(&chosen)), (0o700, 0o600, 0o600));
    for name in ["PG", "MINE"] {
        let url = &tunnels.variables[&format!("JOBPASS_TUNNEL_{name}_URL")];
        assert_eq!(tunnels.run("psql", &[&[url.as_str()], WHO].concat()).ok().stdout, "ci|app\n", "{url}");
    }
    assert_eq!(tunnels.variables["PGPORT_MINE"], "7");
    let (folder, socket) = (folder.clone(), socket.clone());
    tunnels.stop("-INT").ok();
    for path in [folder, socket, chosen] {
        assert!(!std::path::Path::new(&path).exists(), "{path}");
    }
    assert_eq!(listing(&with.cluster.path("temp")), []);
}

#[test]
fn redis_and_mariadb_at_once() {
    let (redis, mariadb) = (Redis::start(), MariaDb::start());
    let cluster = Cluster::start(SandboxOptions {
        databases: vec![database("cache", "redis"), database("sql", "mysql")],
        database_targets: vec![("cache".into(), redis.address), ("sql".into(), mariadb.address)],
        ..SandboxOptions::simulating(None)
    });
    let job = cluster.job(Platform::GitLabCi);
    let sql = "database=sql,user=ci,database-name=app";
    let tunnels = Tunnels::start(&job, &["database=cache", sql, &format!("{sql},name=sock,unix")]);
    let url = tunnels.variables["JOBPASS_TUNNEL_CACHE_URL"].as_str();
    assert_eq!(tunnels.run("redis-cli", &["-u", url, "set", "key", "value"]).ok().stdout, "OK\n");
    assert_eq!(tunnels.run("redis-cli", &["-u", url, "get", "key"]).ok().stdout, "value\n");
    let who = ["--user", "ci", "--database", "app", "-BNe", "select current_user(), database()"];
    let by_variables = tunnels.run("mariadb", &who).ok();
    assert_eq!(by_variables.stdout, "ci@127.0.0.1\tapp\n");
    let socket = &tunnels.variables["MYSQL_UNIX_PORT_SOCK"];
    let by_socket =
        tunnels.run("mariadb", &[&["--socket", socket, "--host", "localhost"], &who[..]].concat()).ok();
    assert_eq!(by_socket.stdout, "ci@127.0.0.1\tapp\n");
    // Each had the credential of its own database.
    let routes: Vec<_> = cluster.sandbox.records().into_iter().filter_map(|seen| seen.route).collect();
    let count = |route: &str| routes.iter().filter(|seen| *seen == route).count();
    assert_eq!(count("the database `cache`"), 2, "{routes:?}");
    assert_eq!(count("the database `sql` (user `ci`, name `app`)"), 2, "{routes:?}");
}

#[test]
fn a_credential_is_for_one_database() {
    let with = WithPostgres::start(|_| ());
    let job = with.cluster.job(Platform::GitLabCi);
    let same = "user=ci,database-name=app";
    let tunnels = Tunnels::start(&job, &[&format!("database=pg,{same}"), &format!("database=other,{same}")]);
    let ask = |name: &str| {
        let url = &tunnels.variables[&format!("JOBPASS_TUNNEL_{name}_URL")];
        tunnels.run("psql", &[&[url.as_str()], WHO].concat())
    };
    ask("PG").ok();
    let refused = ask("OTHER");
    assert!(refused.code != 0 && refused.stderr.contains("closed the connection"), "{}", refused.all());
}
