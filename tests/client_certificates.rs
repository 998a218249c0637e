//! What `database` and `app` outputs leave, in the hands of those it is for: curl, nginx, PostgreSQL. Tunnels are in `tunnel/folder.rs`.

use std::path::{Path, PathBuf};

use jobpass::platform::Platform;
use jobpass::sandbox::{SandboxApp, SandboxDatabase, SandboxOptions};
use serde_json::Value;

use crate::inspect::recorded;
use crate::support::cluster::{Cluster, listing};
use crate::support::command::{Ran, jobpass, put, run};
use crate::support::nginx::Nginx;
use crate::support::postgres::Postgres;

/// A folder that has all a path may have.
const FOLDER: &str = "it's a:folder $x";
/// One without a colon: libpq takes what is before it in `sslkey` for the name of an engine.
const FOLDER_FOR_LIBPQ: &str = "it's a folder $x";

/// A cluster with a database and web applications.
struct Targets {
    cluster: Cluster,
}

impl Targets {
    fn start(version: &str) -> Self {
        let app = |name: &str, public_addr: &str, uri: &str| SandboxApp {
            name: name.into(),
            public_addr: public_addr.into(),
            uri: uri.into(),
        };
        let cluster = Cluster::start(SandboxOptions {
            version: version.into(),
            databases: vec![SandboxDatabase { name: "pg".into(), protocol: "postgres".into() }],
            apps: vec![
                app("grafana", "localhost", "http://localhost:3000"),
                app("other", "other.sandbox.example", "http://localhost:3001"),
            ],
            ..SandboxOptions::simulating(None)
        });
        Self { cluster }
    }

    /// The report of a login with these outputs.
    fn login(&self, folder: &str, outputs: &[&str]) -> (PathBuf, Value) {
        let dir = self.cluster.path(folder);
        let ca = self.cluster.path("web-ca.pem").display().to_string();
        let mut all = vec!["--json", "--dir", dir.to_str().unwrap(), "--ca-file", &ca];
        all.extend(outputs.iter().flat_map(|output| ["--output", *output]));
        let ran = self.cluster.job(Platform::GitHubActions).login(&all).ok();
        for (file, mode) in listing(&dir) {
            assert_eq!(mode, if dir.join(&file).is_dir() { 0o700 } else { 0o600 }, "{file}");
        }
        (dir, serde_json::from_str(&ran.stdout).unwrap())
    }
}

/// A line of the report in a shell that has nothing but a path.
fn shell(line: &str) -> Ran {
    run("sh", &["-c", line])
}

fn usage(report: &Value, output: usize) -> Vec<&str> {
    let lines = report["outputs"][output]["usage"].as_array().unwrap();
    lines.iter().map(|line| line.as_str().unwrap()).collect()
}

#[test]
fn curl_reaches_the_application_with_the_line_as_printed() {
    for version in ["18.2.0", "15.4.0"] {
        let targets = Targets::start(version);
        let (dir, report) = targets.login(FOLDER, &["app=grafana", "app=other"]);
        let [line] = usage(&report, 0)[..] else { panic!("{report}") };
        assert_eq!(shell(&format!("{line} -sS")).ok().stdout, "grafana: hello bot-ci\n", "{line}");
        // Without the certificate, and with that of another application: the login page.
        let port = targets.cluster.sandbox.address.port();
        let login = format!("302 https://{}/web/launch/localhost", targets.cluster.proxy());
        let other = dir.join("app-other");
        let file = |name: &str| other.join(name).display().to_string().replace(':', "\\:");
        let (certificate, key) = (file("tlscert"), other.join("key").display().to_string());
        for shown in [vec![], vec!["--cert", &certificate, "--key", &key]] {
            let url = format!("https://localhost:{port}/");
            let ca = targets.cluster.path("web-ca.pem").display().to_string();
            let mut all = vec!["-sS", "-w", "%{http_code} %{redirect_url}", "--cacert", &ca, &url];
            all.extend(shown);
            assert_eq!(run("curl", &all).ok().stdout, login, "{all:?}");
        }
    }
}

#[test]
fn nginx_takes_the_certificate_of_an_application() {
    let targets = Targets::start("18.2.0");
    let (dir, _) = targets.login(FOLDER, &["app=grafana,format=tls"]);
    let text = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    let (certificate, key) = targets.cluster.sandbox.database_server(&["localhost"]).unwrap();
    let folder = targets.cluster.folder.path();
    let nginx = Nginx::start(folder, &text("teleport-user-ca.crt"), (&certificate, &key));
    let (socket, ca) = (nginx.socket.display().to_string(), dir.join("teleport-database-ca.crt"));
    let curl = |more: &[&str]| {
        let mut all =
            vec!["-sS", "--unix-socket", &socket, "--cacert", ca.to_str().unwrap(), "https://localhost/"];
        all.extend(more);
        run("curl", &all).ok().stdout
    };
    for (certificate, key) in [("tlscert", "key"), ("tls.crt", "tls.key")] {
        let file = |name: &str| dir.join(name).display().to_string();
        let answer = curl(&["--cert", &file(certificate).replace(':', "\\:"), "--key", &file(key)]);
        // Several roles in one RDN, and attributes that nginx has no name for.
        assert!(answer.starts_with("SUCCESS ") && answer.contains("CN=bot-ci"), "{answer}");
        for part in ["+O=ci-", "1.3.9999.1.10=#", "1.3.9999.1.6=#", "1.3.9999.1.7=#"] {
            assert!(answer.contains(part), "{part} is not in {answer}");
        }
    }
    // The subject that a real cluster gave.
    let real = as_recorded(&targets.cluster, &dir, "application");
    let answer = curl(&["--cert", real.to_str().unwrap(), "--key", dir.join("key").to_str().unwrap()]);
    assert!(answer.starts_with("SUCCESS ") && answer.contains("+O=ci-"), "{answer}");
    for part in ["1.3.9999.1.10=#", "1.3.9999.1.15=#", "postalCode=", "+L="] {
        assert!(answer.contains(part), "{part} is not in {answer}");
    }
    assert!(curl(&[]).contains("400 No required SSL certificate was sent"));
    let stranger = Targets::start("18.2.0");
    let (strange, _) = stranger.login(FOLDER, &["app=grafana"]);
    let file = |name: &str| strange.join(name).display().to_string();
    let answer = curl(&["--cert", &file("tlscert").replace(':', "\\:"), "--key", &file("key")]);
    assert!(answer.contains("400 The SSL certificate error"), "{answer}");
}

/// A certificate for the key of an output, with the subject of a recorded one of that case.
fn as_recorded(cluster: &Cluster, dir: &Path, case: &str) -> PathBuf {
    let own = std::fs::read_to_string(dir.join("tlscert")).unwrap();
    let path = cluster.path("recorded");
    put(&path, cluster.sandbox.user_certificate(&recorded("auth_service.json", case), &own).unwrap());
    path
}

#[test]
fn postgres_takes_the_certificate_of_a_database() {
    let targets = Targets::start("18.2.0");
    let (dir, _) = targets.login(FOLDER_FOR_LIBPQ, &["database=pg,user=ci,database-name=app"]);
    let text = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    let (certificate, key) = targets.cluster.sandbox.database_server(&["localhost"]).unwrap();
    let postgres = Postgres::new(&text("teleport-user-ca.crt"), (&certificate, &key));

    // The server's own TLS: the user is the certificate's.
    let direct = |port: u16, certificate: &Path, key: &Path, user: &str| {
        let file = |path: &Path| path.display().to_string().replace('\'', "\\'");
        let connection = format!(
            "host=localhost hostaddr=127.0.0.1 port={port} user={user} dbname=app sslmode=verify-full \
             sslrootcert='{}' sslcert='{}' sslkey='{}'",
            file(&dir.join("teleport-database-ca.crt")),
            file(certificate),
            file(key)
        );
        let sql = "select current_user, ssl, client_dn from pg_stat_ssl where pid = pg_backend_pid()";
        run("psql", &[&connection, "-Atc", sql])
    };
    let own = dir.join("key");
    // The subject that a real cluster gave.
    let real = as_recorded(&targets.cluster, &dir, "database, asked with the bot's own identity");
    let issued = dir.join("tlscert");
    {
        let server = postgres.start(true);
        let port = server.address.port();
        for certificate in [&issued, &real] {
            let answer = direct(port, certificate, &own, "bot-ci").ok().stdout;
            assert!(answer.starts_with("bot-ci|t|/L="), "{answer}");
        }
        let refused = direct(port, &issued, &own, "ci");
        assert!(
            refused.code != 0 && refused.stderr.contains("certificate authentication failed"),
            "{refused:?}"
        );
        let stranger = Targets::start("18.2.0");
        let (strange, _) = stranger.login(FOLDER_FOR_LIBPQ, &["database=pg"]);
        let refused = direct(port, &strange.join("tlscert"), &strange.join("key"), "bot-ci");
        assert!(refused.code != 0 && refused.stderr.contains("alert"), "{refused:?}\n{}", server.log());
    }

    // PostgreSQL has no certificate with attributes that its OpenSSL has no names for, once it is let in: in Teleport the
    // proxy is shown these certificates, never the server.
    let server = postgres.start(false);
    for certificate in [&issued, &real] {
        let refused = direct(server.address.port(), certificate, &own, "bot-ci");
        assert!(refused.code != 0 && refused.stderr.contains("could not get NID"), "{refused:?}");
    }
}

#[test]
fn what_only_a_later_output_has_is_there_by_its_plain_name() {
    let targets = Targets::start("18.2.0");
    let outputs = ["ssh", "app=grafana", "app=other"];
    let names = |report: &Value, output: usize| -> Vec<String> {
        report["outputs"][output]["variables"].as_object().unwrap().keys().cloned().collect()
    };
    let (_, report) = targets.login(FOLDER, &outputs);
    let first = ["JOBPASS_APP_URL", "JOBPASS_CERTIFICATE_FILE", "JOBPASS_KEY_FILE"];
    let suffixed = |suffix: &str| -> Vec<String> {
        let all = [first[0], first[1], "JOBPASS_DIR", first[2]];
        all.iter().map(|name| format!("{name}_{suffix}")).collect()
    };
    let mut wanted = [suffixed("APP_GRAFANA"), first.map(str::to_owned).to_vec()].concat();
    wanted.sort();
    assert_eq!(names(&report, 1), wanted);
    assert_eq!(names(&report, 2), suffixed("APP_OTHER"));
    // Who names the identity wants the plain names left alone.
    let dir = targets.cluster.path("named");
    let all = [
        "--json",
        "--name",
        "x",
        "--dir",
        dir.to_str().unwrap(),
        "--output",
        "ssh",
        "--output",
        "app=grafana",
    ];
    let ran = targets.cluster.job(Platform::GitHubActions).login(&all).ok();
    assert_eq!(names(&serde_json::from_str(&ran.stdout).unwrap(), 1), suffixed("APP_GRAFANA"));
}

#[test]
fn commands_are_printed_but_not_by_a_dry_run() {
    let targets = Targets::start("18.2.0");
    let (dir, ca) = (targets.cluster.path("out"), targets.cluster.path("web-ca.pem").display().to_string());
    let all = ["--dir", dir.to_str().unwrap(), "--ca-file", &ca, "--output", "app=grafana"];
    let ran = targets.cluster.job(Platform::GitHubActions).login(&all).ok();
    let line = ran.stderr.lines().find(|line| line.starts_with("  curl ")).unwrap();
    assert_eq!(shell(&format!("{line} -sS")).ok().stdout, "grafana: hello bot-ci\n");

    let folder = targets.cluster.folder.path();
    let dry = ["login", "--dry-run", "--simulate", "gitlab", "--dir", "dry", "--output", "app=grafana"];
    let variables = [("TMPDIR", folder.to_str().unwrap())];
    let ran = Ran::of(&jobpass(folder, &dry, variables).output().unwrap()).ok();
    assert!(ran.stderr.contains("app grafana") && !ran.stderr.contains("curl"), "{}", ran.stderr);
}
