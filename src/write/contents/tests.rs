//! What client certificates leave: files by format, commands by protocol.

use std::path::Path;

use jiff::Timestamp;

use super::*;
use crate::identity::keys::{KeyKind, KeyPair};
use crate::identity::route::{AppRoute, DatabaseRoute, Route};
use crate::identity::tls::TlsCertificate;
use crate::identity::{Authorities, Authority, Identity, TlsIdentity};
use crate::issue::Credential;
use crate::output::{App, Database, Destination, FileFormat, Output};
use crate::teleport::ping::{Ping, read};

const CERTIFICATE: &str = include_str!("../../../tests/data/teleport/tbot_output/identity.txt");

fn issued(kind: Kind, route: Route, destination: Destination) -> Issued {
    let start = CERTIFICATE.find("-----BEGIN CERTIFICATE-----").unwrap();
    let cert = TlsCertificate::from_pem(&CERTIFICATE[start..]).unwrap();
    let tls = TlsIdentity { key: KeyPair::generate(KeyKind::P256).unwrap(), cert };
    let identity = Identity { ssh: None, tls, bundle_ssh_cert: None };
    Issued {
        output: Output { name: "x".into(), kind, roles: None, destination },
        roles: Vec::new(),
        by_request: false,
        first: Credential { route, identity },
        others: Vec::new(),
    }
}

fn authorities() -> Authorities {
    let of = |name: &str| {
        let one = |cluster: &str| Authority {
            cluster: cluster.into(),
            ssh_keys: Vec::new(),
            tls_certs: vec![format!("{name} {cluster} 1\n"), format!("{name} {cluster} 2\n")],
        };
        vec![one("root"), one("leaf")]
    };
    Authorities { host: of("host"), user: of("user"), database: of("database") }
}

/// A proxy's ping; with those fields in `proxy.db` where TLS routing is off.
fn ping(db: Option<&serde_json::Value>) -> Ping {
    let page = serde_json::json!({
        "cluster_name": "lab.example",
        "server_version": "18.2.0",
        "proxy": {"tls_routing_enabled": db.is_none(), "db": db},
    });
    read(page.to_string().as_bytes(), 200, "p").unwrap()
}

fn made(issued: &Issued, ping: &Ping, proxy: &str, ca_file: Option<&Path>) -> Contents {
    let authorities = authorities();
    let context = Context {
        authorities: &authorities,
        cluster: "lab.example",
        ping,
        proxy_host: proxy.split(':').next().unwrap(),
        proxy,
        binary: Path::new("/jobpass"),
        ca_file,
        kube: None,
        consumers: &[],
        sockets: None,
        renew: false,
        expires: Timestamp::UNIX_EPOCH,
    };
    contents(issued, &context).unwrap()
}

fn database(route: DatabaseRoute, format: FileFormat, destination: Destination) -> Issued {
    let (service, user) = (route.service.clone(), None);
    let kind = Kind::Database(Database { service, user, name: None, protocol: None, format });
    issued(kind, Route::Database(route), destination)
}

fn app(route: AppRoute, destination: Destination) -> Issued {
    let kind = App { name: route.name.clone(), target_port: None, format: FileFormat::Plain };
    issued(Kind::App(kind), Route::App(route), destination)
}

/// A file: whether it has the certificate, and the key; its CA part.
type More<'a> = (&'a str, bool, bool, &'a str);

#[test]
fn files_are_tbots() {
    let plain =
        ["tlscert", "key", "teleport-host-ca.crt", "teleport-user-ca.crt", "teleport-database-ca.crt"];
    let (host, db) = ("host root 1\nhost root 2\n", "database root 1\ndatabase root 2\n");
    // What is there besides, with its certificate, key and CA part; then the files of the variables.
    let cases: [(_, &[More<'_>], _); 4] = [
        (FileFormat::Plain, &[], ("tlscert", "key")),
        (
            FileFormat::Tls,
            &[("tls.crt", true, false, ""), ("tls.key", false, true, ""), ("tls.cas", false, false, host)],
            ("tls.crt", "tls.key"),
        ),
        (
            FileFormat::Mongo,
            &[("mongo.crt", true, true, ""), ("mongo.cas", false, false, db)],
            ("mongo.crt", "mongo.crt"),
        ),
        (
            FileFormat::Cockroach,
            &[
                ("cockroach/node.crt", true, false, ""),
                ("cockroach/node.key", false, true, ""),
                ("cockroach/ca.crt", false, false, db),
            ],
            ("cockroach/node.crt", "cockroach/node.key"),
        ),
    ];
    for (format, more, (certificate_file, key_file)) in cases {
        let destination = Destination { folder: "/d".into(), subfolder: "pg".into() };
        let issued = database(DatabaseRoute::default(), format, destination);
        let contents = made(&issued, &ping(None), "p.test:443", None);
        let names: Vec<_> = contents.files.iter().map(|f| f.path.to_str().unwrap().to_owned()).collect();
        let wanted: Vec<_> =
            plain.iter().copied().chain(more.iter().map(|m| m.0)).map(|n| format!("pg/{n}")).collect();
        assert_eq!(names, wanted, "{format:?}");
        assert!(contents.files.iter().all(|f| f.mode == 0o600));
        let text = |name: &str| {
            let file = contents.files.iter().find(|f| f.path == Path::new("pg").join(name));
            String::from_utf8(file.unwrap().content.to_vec()).unwrap()
        };
        let (certificate, key) = (text("tlscert"), text("key"));
        assert!(certificate.starts_with("-----BEGIN CERT") && key.starts_with("-----BEGIN PRIVATE KEY"));
        assert_eq!(text("teleport-host-ca.crt"), host);
        assert_eq!(text("teleport-database-ca.crt"), db);
        for (name, has_certificate, has_key, ca) in more {
            let parts =
                [if *has_certificate { &certificate } else { "" }, if *has_key { &key } else { "" }, ca];
            assert_eq!(text(name), parts.concat(), "{name}");
        }
        let (certificate_file, key_file) = (format!("/d/pg/{certificate_file}"), format!("/d/pg/{key_file}"));
        let variable = |name: &str| contents.variables.iter().find(|(n, _)| *n == name).unwrap().1.clone();
        let output = |name: &str| contents.step_outputs.iter().find(|(n, _)| *n == name).unwrap().1.clone();
        assert_eq!(variable("JOBPASS_DIR"), "/d/pg");
        assert_eq!(
            [variable("JOBPASS_CERTIFICATE_FILE"), output("certificate-file")],
            [certificate_file.as_str(); 2]
        );
        assert_eq!([variable("JOBPASS_KEY_FILE"), output("key-file")], [key_file.as_str(); 2]);
        assert_eq!(output("destination-dir"), "/d/pg");
    }
}

fn route(protocol: &str, user: &str, name: &str) -> DatabaseRoute {
    let text = str::to_owned;
    DatabaseRoute { service: text("pg"), protocol: text(protocol), user: text(user), name: text(name) }
}

fn used(protocol: &str, format: FileFormat, db: Option<&serde_json::Value>) -> Vec<String> {
    let issued = database(route(protocol, "ci", "my app"), format, Destination::whole("/d".into()));
    made(&issued, &ping(db), "p.test:443", None).usage
}

#[test]
fn with_tls_routing_a_relay_comes_first() {
    for (protocol, alpn, port, client) in [
        (
            "postgres",
            "teleport-postgres",
            5432,
            "psql \"host=127.0.0.1 port=5432 user=ci dbname='my app' sslmode=disable\"",
        ),
        (
            "cockroachdb",
            "teleport-postgres",
            26257,
            "psql \"host=127.0.0.1 port=26257 user=ci dbname='my app' sslmode=disable\"",
        ),
        (
            "mysql",
            "teleport-mysql",
            3306,
            "mysql --host 127.0.0.1 --port 3306 --user ci --database 'my app' --protocol TCP",
        ),
        ("mongodb", "teleport-mongodb", 27017, "mongosh 'mongodb://127.0.0.1:27017/my%20app'"),
        ("redis", "teleport-redis", 6379, "redis-cli -h 127.0.0.1 -p 6379"),
        ("sqlserver", "teleport-sqlserver", 1433, ""),
    ] {
        let relay = format!(
            "ncat --listen --keep-open 127.0.0.1 {port} --sh-exec 'openssl s_client -quiet -verify_quiet \
             -verify_return_error -verify_hostname p.test -connect p.test:443 -alpn {alpn} -cert /d/tlscert -key /d/key' &"
        );
        let wanted: Vec<_> = [relay.as_str(), client].into_iter().filter(|l| !l.is_empty()).collect();
        assert_eq!(used(protocol, FileFormat::Plain, None), wanted);
    }
    assert_eq!(used("unheard-of", FileFormat::Plain, None), [""; 0]);
}

#[test]
fn without_tls_routing_a_client_goes_to_the_port() {
    let db = || {
        Some(serde_json::json!({
            "postgres_public_addr": "pg.test:5432",
            "mysql_listen_addr": "0.0.0.0:3036",
            "mongo_listen_addr": "0.0.0.0:27017",
        }))
    };
    let files = "sslmode=verify-full sslrootcert=/d/teleport-host-ca.crt sslcert=/d/tlscert sslkey=/d/key";
    for (protocol, format, want) in [
        (
            "postgres",
            FileFormat::Plain,
            format!("psql \"host=pg.test port=5432 user=ci dbname='my app' {files}\""),
        ),
        (
            "mysql",
            FileFormat::Tls,
            "mysql --host p.test --port 3036 --user ci --database 'my app' --ssl-mode VERIFY_IDENTITY \
             --ssl-ca /d/teleport-host-ca.crt --ssl-cert /d/tlscert --ssl-key /d/key"
                .to_owned(),
        ),
        (
            "mongodb",
            FileFormat::Mongo,
            "mongosh 'mongodb://p.test:27017/my%20app' --tls --tlsCertificateKeyFile /d/mongo.crt \
             --tlsCAFile /d/teleport-host-ca.crt"
                .to_owned(),
        ),
    ] {
        assert_eq!(used(protocol, format, db().as_ref()), [want]);
    }
    let issued = database(route("postgres", "", ""), FileFormat::Plain, Destination::whole("/a:b".into()));
    assert_eq!(made(&issued, &ping(db().as_ref()), "p.test:443", None).usage, [""; 0], "an engine of libpq");
    // mongosh wants certificate and key in one file.
    assert_eq!(used("mongodb", FileFormat::Plain, db().as_ref()), [""; 0]);
    assert!(used("redis", FileFormat::Plain, db().as_ref())[0].contains("-alpn teleport-redis"));
}

#[test]
fn what_the_certificate_leaves_open_is_for_the_user() {
    let issued = database(route("postgres", "", ""), FileFormat::Plain, Destination::whole("/d".into()));
    let usage = made(&issued, &ping(None), "[::1]:3080", Some(Path::new("/ca file.pem"))).usage;
    let relay = shlex::split(&usage[0]).unwrap();
    let tls = shlex::split(&relay[relay.len() - 2]).unwrap();
    assert_eq!(tls[5..9], ["-verify_ip", "::1", "-connect", "[::1]:3080"], "{usage:?}");
    assert_eq!(tls[tls.len() - 2..], ["-CAfile", "/ca file.pem"], "{usage:?}");
    assert!(usage[1].contains("user=USER dbname=DATABASE"), "{usage:?}");
}

#[test]
fn an_http_application_has_a_line_for_curl() {
    let route = |public_addr: &str, uri: &str, target_port| AppRoute {
        name: "grafana".into(),
        public_addr: public_addr.into(),
        uri: uri.into(),
        target_port,
        ..AppRoute::default()
    };
    let made = |route: AppRoute, dir: &str, proxy: &str, ca_file: Option<&str>| {
        let issued = app(route, Destination::whole(dir.into()));
        super::tests::made(&issued, &ping(None), proxy, ca_file.map(Path::new))
    };
    let web = || route("grafana.lab.example", "http://localhost:3000", 0);
    let contents = made(web(), "/d", "p.test:3080", None);
    assert_eq!(contents.usage, ["curl --cert /d/tlscert --key /d/key https://grafana.lab.example:3080/"]);
    assert!(contents.variables.contains(&("JOBPASS_APP_URL", "https://grafana.lab.example:3080".into())));
    let contents = made(web(), "/a b:c", "p.test:3080", Some("/web ca.pem"));
    assert_eq!(
        contents.usage,
        [
            "curl --cert \"/a b\\\\:c/tlscert\" --key '/a b:c/key' --cacert '/web ca.pem' https://grafana.lab.example:3080/"
        ]
    );
    // A server's name that is none reaches no command.
    for bad in ["", "x y", "x;reboot", "$(x)", "-x", "a/b"] {
        let contents = made(route(bad, "http://localhost:3000", 0), "/d", "p.test:443", None);
        assert!(contents.usage.is_empty() && contents.variables.iter().all(|(n, _)| *n != "JOBPASS_APP_URL"));
        assert!(contents.warnings[0].contains("application `grafana`"), "{:?}", contents.warnings);
    }
    // TCP: the port asked for, else the application's own.
    for (uri, target_port, port) in [("tcp://db:5000", 0, 5000), ("tcp://db:5000", 6000, 6000)] {
        let usage = made(route("x.lab.example", uri, target_port), "/d", "p.test:443", None).usage;
        assert!(usage[0].starts_with(&format!("ncat --listen --keep-open 127.0.0.1 {port} --sh-exec ")));
        assert!(usage[0].contains(" -alpn teleport-tcp "), "{usage:?}");
    }
    assert_eq!(made(route("x.lab.example", "tcp://db", 0), "/d", "p.test:443", None).usage, [""; 0]);
}
