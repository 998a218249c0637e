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

fn made(issued: &Issued, proxy: &str, ca_file: Option<&Path>) -> Contents {
    made_behind(issued, proxy, ca_file, false)
}

fn made_behind(issued: &Issued, proxy: &str, ca_file: Option<&Path>, is_behind_a_balancer: bool) -> Contents {
    let authorities = authorities();
    let context = Context {
        authorities: &authorities,
        cluster: "lab.example",
        proxy_host: proxy.split(':').next().unwrap(),
        proxy,
        binary: Path::new("/jobpass"),
        command: Path::new("jobpass"),
        ca_file,
        is_behind_a_balancer,
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
        let contents = made(&issued, "p.test:443", None);
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

fn used(route: DatabaseRoute, dir: &str) -> Vec<String> {
    let issued = database(route, FileFormat::Plain, Destination::whole(dir.into()));
    made(&issued, "p.test:443", None).usage
}

#[test]
fn a_database_has_a_line_with_a_tunnel_and_its_client() {
    for (protocol, client) in [
        ("postgres", " -- psql"),
        ("cockroachdb", " -- psql"),
        ("mysql", " -- mysql --user ci --database 'my app'"),
        ("mongodb", " -- sh -c 'mongosh \"$JOBPASS_TUNNEL_PG_URL\"'"),
        ("redis", " -- sh -c 'redis-cli -u \"$JOBPASS_TUNNEL_PG_URL\"'"),
        ("sqlserver", ""),
        ("cassandra", ""),
    ] {
        assert_eq!(
            used(route(protocol, "ci", "my app"), "/d"),
            [format!("jobpass tunnel --dir /d{client}")],
            "{protocol}"
        );
    }
    for protocol in ["oracle", "dynamodb", "unheard-of"] {
        assert_eq!(used(route(protocol, "ci", "app"), "/d"), [""; 0], "{protocol}");
    }
}

#[test]
fn what_the_certificate_leaves_open_is_for_the_user() {
    for (protocol, user, name, client) in [
        ("postgres", "", "", "psql 'user=USER dbname=DATABASE'"),
        ("postgres", "ci", "", "psql 'dbname=DATABASE'"),
        ("postgres", "", "app", "psql 'user=USER'"),
        ("mysql", "", "", "mysql --user USER"),
    ] {
        let usage = used(route(protocol, user, name), "/it's a folder");
        let wanted = format!("jobpass tunnel --dir \"/it's a folder\" -- {client}");
        let words = |line: &str| shlex::split(line).unwrap();
        assert_eq!(usage.iter().map(|line| words(line)).collect::<Vec<_>>(), [words(&wanted)]);
    }
    // What cannot be shown is in no line.
    assert_eq!(used(route("postgres", "ci", "app"), "/a\nb"), [""; 0]);
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
        super::tests::made(&issued, proxy, ca_file.map(Path::new))
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
    // Neither a web client reaches these, nor one without a certificate where something before the proxy terminates TLS.
    let usage = made(route("x.lab.example", "tcp://db:5000", 0), "/d", "p.test:443", None).usage;
    assert_eq!(usage, ["jobpass tunnel --dir /d"]);
    let issued = app(web(), Destination::whole("/d".into()));
    let usage = made_behind(&issued, "p.test:443", Some(Path::new("/ca")), true).usage;
    assert_eq!(usage, ["jobpass tunnel --dir /d -- sh -c 'curl \"$JOBPASS_TUNNEL_GRAFANA_URL\"'"]);
}
