//! A real `MariaDB` on loopback.

use std::net::SocketAddr;
use std::process::Command;

use super::command::run;
use super::program::{Program, free_port};

/// A running server with its data folder; both end with the value. Anyone may log in as `ci`, without a password.
pub struct MariaDb {
    program: Program,
    pub address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl MariaDb {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (data, socket, init) = (path("data"), path("s"), path("init.sql"));
        super::command::put(
            folder.path().join("init.sql").as_path(),
            "CREATE USER IF NOT EXISTS ci@'127.0.0.1';\nCREATE DATABASE IF NOT EXISTS app;\nGRANT ALL ON app.* TO ci@'127.0.0.1';\n",
        );
        // As root it wants to be told that this is meant; another account is none of its own.
        let user = run("id", &["-un"]).stdout.trim().to_owned();
        let common = [format!("--datadir={data}"), format!("--user={user}"), "--no-defaults".to_owned()];
        // `--no-defaults` counts in the first place only.
        let [datadir, user, no_defaults] = &common;
        run(
            "mariadb-install-db",
            &[no_defaults, datadir, user, "--skip-test-db", "--auth-root-authentication-method=normal"],
        )
        .ok();
        for _ in 0..20 {
            let port = free_port();
            let mut command = Command::new("mariadbd");
            command.args([no_defaults, datadir, user, "--bind-address=127.0.0.1", "--skip-name-resolve"]);
            command.args(["--innodb-buffer-pool-size=8M", "--skip-log-bin", &format!("--port={port}")]);
            command.args([format!("--socket={socket}"), format!("--init-file={init}")]);
            let mut program = Program::start(&mut command);
            if program.wait_for("a listening server", |log| log.contains("ready for connections")) {
                return Self { program, address: ([127, 0, 0, 1], port).into(), _folder: folder };
            }
            assert!(program.log().contains("in use"), "{}", program.log());
        }
        panic!("no port for mariadbd");
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        self.program.terminate();
    }
}
