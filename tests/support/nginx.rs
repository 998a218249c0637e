//! A real nginx that lets in who has a client certificate of one CA, and says who that is.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::command::put;
use super::program::Program;

pub struct Nginx {
    _server: Program,
    /// It listens there, with TLS.
    pub socket: PathBuf,
}

impl Nginx {
    /// `server`: certificate and key (PEM).
    pub fn start(folder: &Path, client_ca: &str, server: (&str, &str)) -> Self {
        let dir = folder.join("nginx");
        std::fs::create_dir(&dir).unwrap();
        let path = |name: &str| dir.join(name).display().to_string();
        put(&dir.join("ca.crt"), client_ca);
        put(&dir.join("server.crt"), server.0);
        put(&dir.join("server.key"), server.1);
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|kind| format!("{kind}_temp_path {};", path(kind))).join(" ");
        let config = format!(
            "daemon off; master_process off; pid {pid}; error_log stderr; events {{}}\n\
             http {{ access_log off; {temporary}\nserver {{ listen unix:{socket} ssl;\n\
             ssl_certificate {crt}; ssl_certificate_key {key}; ssl_client_certificate {ca};\n\
             ssl_verify_client on; ssl_verify_depth 2;\n\
             location / {{ return 200 \"$ssl_client_verify $ssl_client_s_dn\\n\"; }} }} }}\n",
            pid = path("pid"),
            socket = path("socket"),
            crt = path("server.crt"),
            key = path("server.key"),
            ca = path("ca.crt"),
        );
        put(&dir.join("nginx.conf"), config);
        let mut command = Command::new("nginx");
        command.args(["-p", dir.to_str().unwrap(), "-c", &path("nginx.conf")]);
        let mut server = Program::start(&mut command);
        let socket = dir.join("socket");
        let is_up = |_: &str| std::os::unix::net::UnixStream::connect(&socket).is_ok();
        assert!(server.wait_for("a listening nginx", is_up), "{}", server.log());
        Self { _server: server, socket }
    }
}
