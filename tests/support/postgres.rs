//! A real PostgreSQL on loopback, which takes client certificates of one CA.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::command::{Ran, put, run};
use super::program::{Program, free_port};

/// The account that PostgreSQL runs in when the tests run as root, which it refuses to be.
const ACCOUNT: &str = "postgres";

/// Its data folder.
pub struct Postgres {
    folder: tempfile::TempDir,
}

/// A running server; stops when dropped.
pub struct Server {
    program: Program,
    pub address: SocketAddr,
}

impl Postgres {
    /// `server`: certificate and key (PEM). A client that says it is `bot-ci` needs a certificate of that CA with this name; `ci` needs
    /// nothing but plain TCP. There is a database `app`.
    pub fn new(client_ca: &str, server: (&str, &str)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = Self { folder };
        if is_root() {
            run("chown", &[ACCOUNT, postgres.folder.path().to_str().unwrap()]).ok();
        }
        let initdb = ["-N", "-A", "trust", "-U", "admin", "-D", &postgres.data()];
        Ran::of(&as_account("initdb", "").args(initdb).output().unwrap()).ok();
        for (name, content) in [
            ("ca.crt", client_ca),
            ("server.crt", server.0),
            ("server.key", server.1),
            (
                "pg_hba.conf",
                "local all all trust\nhostssl all all 127.0.0.1/32 cert clientcert=verify-full\n\
                 hostnossl app ci 127.0.0.1/32 trust\n",
            ),
            ("openssl.cnf", &openssl_conf()),
        ] {
            postgres.put(name, content);
        }
        let server = postgres.start(false);
        let port = server.address.port().to_string();
        for sql in ["create role \"bot-ci\" login", "create role ci login", "create database app"] {
            run("psql", &["-h", &postgres.data(), "-p", &port, "-U", "admin", "-d", "postgres", "-c", sql])
                .ok();
        }
        postgres
    }

    /// Starts the server; with names for Teleport's attributes of a subject, or without.
    pub fn start(&self, knows_attributes: bool) -> Server {
        let conf = if knows_attributes { format!("{}/openssl.cnf", self.data()) } else { String::new() };
        for _ in 0..20 {
            let port = free_port();
            let mut command = as_account("postgres", &conf);
            command.args(["-D", &self.data(), "-p", &port.to_string(), "-k", &self.data()]);
            for setting in ["listen_addresses=127.0.0.1", "ssl=on", "ssl_ca_file=ca.crt", "fsync=off"] {
                command.args(["-c", setting]);
            }
            let mut program = Program::start(&mut command);
            if program.wait_for("a listening server", |log| log.contains("ready to accept connections")) {
                return Server { program, address: ([127, 0, 0, 1], port).into() };
            }
            assert!(program.log().contains("in use"), "{}", program.log());
        }
        panic!("no port for postgres");
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn put(&self, name: &str, content: &str) {
        let path = self.folder.path().join("data").join(name);
        put(&path, content);
        if is_root() {
            run("chown", &[ACCOUNT, path.to_str().unwrap()]).ok();
        }
    }
}

impl Server {
    pub fn log(&self) -> String {
        self.program.log()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.program.interrupt();
    }
}

/// Names for all attributes that Teleport has, as OpenSSL reads them.
fn openssl_conf() -> String {
    let mut text = "openssl_conf = init\n[init]\noid_section = oids\n[oids]\n".to_owned();
    for (arc, last) in [(1, 30), (2, 30)] {
        for number in 1..=last {
            let _ = writeln!(text, "teleport{arc}x{number} = 1.3.9999.{arc}.{number}");
        }
    }
    text
}

/// Debian has the server's programs outside the path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").unwrap().map(|entry| entry.unwrap().path());
    versions.map(|dir| dir.join("bin").join(name)).find(|path| path.exists()).unwrap()
}

/// One of the server's programs, in an account it accepts; signals reach it.
fn as_account(name: &str, openssl_conf: &str) -> Command {
    let mut command = Command::new("env");
    if !openssl_conf.is_empty() {
        command.arg(format!("OPENSSL_CONF={openssl_conf}"));
    }
    if is_root() {
        command.args(["setpriv", "--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups"]);
    }
    command.arg(program(name)).current_dir(Path::new("/"));
    command
}

fn is_root() -> bool {
    run("id", &["-u"]).stdout.trim() == "0"
}
