//! A real sshd on loopback that trusts one user CA and shows a host certificate.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use super::command::{put, run};

/// A running sshd; stops when dropped.
pub struct Sshd {
    child: Child,
    log: Arc<Mutex<String>>,
    _privileges: Privileges,
    /// Where it listens.
    pub port: u16,
}

/// The account sshd lets in; as root any existing one would do, as another user only oneself.
pub fn me() -> String {
    run("id", &["-un"]).stdout.trim().to_owned()
}

impl Sshd {
    /// `principals` are who may come in; `host_certificate` signs the public key line it is given.
    pub fn start(
        folder: &Path,
        user_ca: &str,
        principals: &[&str],
        host_certificate: impl FnOnce(&str) -> String,
    ) -> Self {
        let dir = folder.join("sshd");
        let public = Self::host_key(&dir);
        put(&dir.join("host_key-cert.pub"), host_certificate(&public) + "\n");
        put(&dir.join("user_ca.pub"), format!("{}\n", user_ca.trim()));
        Self::start_in(&dir, principals)
    }

    /// With an account of that name, which is the user's own under another name for this sshd alone: only principals of that name may
    /// come in.
    pub fn start_for(
        folder: &Path,
        account: &str,
        user_ca: &str,
        host_certificate: impl FnOnce(&str) -> String,
    ) -> Self {
        let dir = folder.join("sshd");
        let public = Self::host_key(&dir);
        put(&dir.join("host_key-cert.pub"), host_certificate(&public) + "\n");
        put(&dir.join("user_ca.pub"), format!("{}\n", user_ca.trim()));
        let of_user = run("getent", &["passwd", &me()]).ok().stdout;
        let rest = of_user.trim().split_once(':').unwrap().1;
        let accounts = std::fs::read_to_string("/etc/passwd").unwrap();
        put(&dir.join("passwd"), format!("{accounts}{account}:{rest}\n"));
        let library = run("find", &["/usr/lib", "-name", "libnss_wrapper.so"]).stdout;
        let library = library.lines().next().expect("libnss_wrapper.so: install libnss-wrapper");
        let passwd = dir.join("passwd").display().to_string();
        let variables =
            [("LD_PRELOAD", library), ("NSS_WRAPPER_PASSWD", &passwd), ("NSS_WRAPPER_GROUP", "/etc/group")];
        Self::start_with(&dir, &[account], &variables)
    }

    /// Creates the folder with a host key; returns the line of its public half.
    pub fn host_key(dir: &Path) -> String {
        std::fs::create_dir(dir).unwrap();
        let key = dir.join("host_key").display().to_string();
        run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &key]).ok();
        std::fs::read_to_string(key + ".pub").unwrap()
    }

    /// On a folder that has `host_key`, `host_key-cert.pub` and `user_ca.pub`.
    pub fn start_in(dir: &Path, principals: &[&str]) -> Self {
        Self::start_with(dir, principals, &[])
    }

    fn start_with(dir: &Path, principals: &[&str], variables: &[(&str, &str)]) -> Self {
        let path = |name: &str| dir.join(name).display().to_string();
        let privileges = Privileges::new();
        put(&dir.join("principals"), principals.join("\n") + "\n");
        // sshd cannot say which port it took, so one is found for it; another process may be quicker, then the next is tried.
        for _ in 0..20 {
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let config = PathBuf::from(path("config"));
            put(
                &config,
                format!(
                    "ListenAddress 127.0.0.1:{port}\nHostKey {}\nHostCertificate {}\nPidFile none\nAuthorizedKeysFile none\n\
                 TrustedUserCAKeys {}\nAuthorizedPrincipalsFile {}\nAuthenticationMethods publickey\n\
                 PermitRootLogin prohibit-password\nUsePAM no\nStrictModes no\nSubsystem sftp internal-sftp\nLogLevel VERBOSE\n",
                    path("host_key"),
                    path("host_key-cert.pub"),
                    path("user_ca.pub"),
                    path("principals"),
                ),
            );
            let mut child = Command::new("/usr/sbin/sshd")
                .args(["-D", "-e", "-f"])
                .arg(&config)
                .env_clear()
                .envs(variables.iter().copied())
                .stdin(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stderr.take().unwrap());
            let log = Arc::new(Mutex::new(String::new()));
            let mut line = String::new();
            let mut listening = false;
            while !listening && lines.read_line(&mut line).unwrap_or(0) > 0 {
                listening = line.contains("Server listening on");
                log.lock().unwrap().push_str(&line);
                line.clear();
            }
            if !listening {
                let _ = child.wait();
                assert!(log.lock().unwrap().contains("Address already in use"), "{}", log.lock().unwrap());
                continue;
            }
            let sink = Arc::clone(&log);
            std::thread::spawn(move || {
                for line in lines.lines().map_while(Result::ok) {
                    let mut log = sink.lock().unwrap();
                    log.push_str(&line);
                    log.push('\n');
                }
            });
            return Self { child, log, _privileges: privileges, port };
        }
        panic!("no port for sshd");
    }

    pub fn address(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// What it has logged once `wanted` is there: logs follow the client's end by a little.
    #[track_caller]
    pub fn logged(&self, wanted: &str) -> String {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        loop {
            let log = self.log.lock().unwrap().clone();
            if log.contains(wanted) {
                return log;
            }
            assert!(std::time::Instant::now() < end, "sshd did not log {wanted:?}:\n{log}");
            std::thread::yield_now();
        }
    }
}

/// The folder in which an sshd that runs as root separates its privileges. It has one name for all sshds, which is built into
/// them; the last one to stop removes it, if it was not there before.
struct Privileges;

/// How many need the folder, and whether we created it.
static NEEDED: Mutex<(usize, bool)> = Mutex::new((0, false));
const SEPARATION: &str = "/run/sshd";

impl Privileges {
    fn new() -> Self {
        let mut needed = NEEDED.lock().unwrap();
        needed.0 += 1;
        if run("id", &["-u"]).stdout.trim() == "0" && !Path::new(SEPARATION).exists() {
            std::fs::create_dir_all(SEPARATION).unwrap();
            needed.1 = true;
        }
        Self
    }
}

impl Drop for Privileges {
    fn drop(&mut self) {
        // A failed test must not hide behind a second one.
        let Ok(mut needed) = NEEDED.lock() else { return };
        needed.0 -= 1;
        if *needed == (0, true) {
            let _ = std::fs::remove_dir(SEPARATION);
            needed.1 = false;
        }
    }
}

/// Joins every connection to `gate` with one to `target`, both ways: for a server whose address must be known before it runs.
pub fn join(gate: std::net::TcpListener, target: std::net::SocketAddr) {
    std::thread::spawn(move || {
        for near in gate.incoming().map_while(Result::ok) {
            let Ok(far) = std::net::TcpStream::connect(target) else { return };
            let (mut near_in, mut far_out) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut near_in, &mut far_out);
                let _ = far_out.shutdown(std::net::Shutdown::Write);
            });
            let (mut far_in, mut near_out) = (far, near);
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut far_in, &mut near_out);
                let _ = near_out.shutdown(std::net::Shutdown::Both);
            });
        }
    });
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
