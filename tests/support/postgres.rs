//! A real PostgreSQL on loopback, which takes client certificates of one CA.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::command::{Ran, put, run};
use super::program::{Program, free_port};

/// The account that PostgreSQL runs in when the tests run as root, which it refuses to be.
const ACCOUNT: &str = "postgres";

pub struct Postgres {
    _server: Program,
    _folder: tempfile::TempDir,
    pub address: SocketAddr,
}

impl Postgres {
    /// `server`: certificate and key (PEM). A client that says it is `bot-ci` needs a certificate of that CA with this name; `ci` needs
    /// nothing but plain TCP. There is a database `app`.
    pub fn start(client_ca: &str, server: (&str, &str)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("data");
        let text = dir.display().to_string();
        if is_root() {
            run("chown", &[ACCOUNT, folder.path().to_str().unwrap()]).ok();
        }
        Ran::of(
            &as_account("initdb").args(["-N", "-A", "trust", "-U", "admin", "-D", &text]).output().unwrap(),
        )
        .ok();
        let (certificate, key) = server;
        for (name, content) in [
            ("ca.crt", client_ca),
            ("server.crt", certificate),
            ("server.key", key),
            (
                "pg_hba.conf",
                "local all all trust\nhostssl all all 127.0.0.1/32 cert clientcert=verify-full\nhostnossl app ci 127.0.0.1/32 trust\n",
            ),
        ] {
            put(&dir.join(name), content);
            if is_root() {
                run("chown", &[ACCOUNT, dir.join(name).to_str().unwrap()]).ok();
            }
        }
        for _ in 0..20 {
            let port = free_port();
            let mut command = as_account("postgres");
            command.args(["-D", &text, "-p", &port.to_string(), "-k", &text]);
            for setting in ["listen_addresses=127.0.0.1", "ssl=on", "ssl_ca_file=ca.crt", "fsync=off"] {
                command.args(["-c", setting]);
            }
            let mut server = Program::start(&mut command);
            let is_ready = |log: &str| log.contains("ready to accept connections");
            if !server.wait_for("a listening server", is_ready) {
                assert!(server.log().contains("in use"), "{}", server.log());
                continue;
            }
            for sql in ["create role \"bot-ci\" login", "create role ci login", "create database app"] {
                run(
                    "psql",
                    &["-h", &text, "-p", &port.to_string(), "-U", "admin", "-d", "postgres", "-c", sql],
                )
                .ok();
            }
            return Self { _server: server, _folder: folder, address: ([127, 0, 0, 1], port).into() };
        }
        panic!("no port for postgres");
    }
}

/// Debian has the server's programs outside the path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").unwrap().map(|entry| entry.unwrap().path());
    versions.map(|dir| dir.join("bin").join(name)).find(|path| path.exists()).unwrap()
}

/// One of the server's programs, in an account it accepts; signals reach it.
fn as_account(name: &str) -> Command {
    let program = program(name);
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir(Path::new("/"));
    command
}

fn is_root() -> bool {
    run("id", &["-u"]).stdout.trim() == "0"
}
