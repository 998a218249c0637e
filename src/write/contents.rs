//! Issued → the files of its folder: tbot's names, tbot's layout.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::FileToWrite;
use crate::identity::formats::{self, SshConfigParts};
use crate::identity::{Authorities, Authority};
use crate::issue::Issued;

/// What the files say beside the identity.
#[derive(Debug, Clone)]
pub struct Surroundings<'a> {
    /// The folder the files will be in, absolute.
    pub dir: &'a Path,
    /// Host of the proxy.
    pub proxy_host: &'a str,
    /// Absolute path of the binary the `ProxyCommand` runs.
    pub binary: &'a Path,
    /// `--ca-file`, absolute: the `ProxyCommand` needs the same roots.
    pub ca_file: Option<&'a Path>,
}

/// Whether the files can be in that folder and name each other.
pub fn fits(dir: &Path) -> Result<(), super::WriteError> {
    let unfit = |reason: String| super::WriteError::Unfit { path: dir.display().to_string(), reason };
    let text = dir.to_str().ok_or_else(|| unfit("its path is not UTF-8".into()))?;
    let odd = "its path has a quote, a backslash, `${` or a control character, which ssh_config cannot carry";
    formats::fits(text).map_err(|_| unfit(odd.into()))
}

/// All files of one output, below `prefix` (empty, or the output's name).
pub fn contents(
    issued: &Issued,
    cas: &Authorities,
    around: &Surroundings<'_>,
    prefix: &Path,
) -> Result<Vec<FileToWrite>, super::WriteError> {
    use secrecy::ExposeSecret as _;
    let identity = &issued.identity;
    let dir = if prefix.as_os_str().is_empty() { around.dir.to_owned() } else { around.dir.join(prefix) };
    let unfit =
        |what: &str| super::WriteError::Unfit { path: dir.display().to_string(), reason: what.to_owned() };
    let dir_text = dir.to_str().ok_or_else(|| unfit("its path is not UTF-8"))?;
    let clusters: Vec<String> = cas.host.iter().map(|ca| ca.cluster.clone()).collect();
    let text_of =
        |path: &Path| path.to_str().map(str::to_owned).ok_or_else(|| unfit("a path in it is not UTF-8"));
    let mut words = vec![text_of(around.binary)?, "ssh-proxy".into(), "--dir".into(), dir_text.to_owned()];
    if let Some(file) = around.ca_file {
        words.extend(["--ca-file".into(), text_of(file)?]);
    }
    let parts = SshConfigParts {
        dir: dir_text,
        proxy_host: around.proxy_host,
        clusters: &clusters,
        proxy_command: Some(&words),
    };
    let mut files = Vec::new();
    let mut add = |name: &str, content: &str| {
        let content = Zeroizing::new(content.as_bytes().to_vec());
        files.push(FileToWrite { path: prefix.join(name), content, mode: 0o600 });
    };
    let text = |result: Result<String, formats::FormatError>| result.map_err(|e| unfit(&e.to_string()));
    add("identity", &formats::identity_file(identity, cas).map_err(|e| unfit(&e.to_string()))?);
    if let Some(ssh) = &identity.ssh {
        add("key", ssh.key.ssh_pem().expose_secret());
        add("key.pub", &ssh.key.public_ssh_line());
        add("key-cert.pub", &format!("{}\n", ssh.cert.line));
    }
    add("tlscert", &identity.tls.cert.pem);
    if let Some(tls) = identity.split_tls_key() {
        add("tlskey", tls.tls_pem().expose_secret());
    }
    add("teleport-host-ca.crt", &pems(cas.host.first()));
    add("teleport-user-ca.crt", &pems(cas.user.first()));
    add("teleport-database-ca.crt", &pems(cas.database.first()));
    add("known_hosts", &text(formats::known_hosts(around.proxy_host, cas))?);
    add("ssh_config", &text(formats::ssh_config(&parts))?);
    for cluster in &clusters {
        add(&format!("{cluster}.ssh_config"), &text(formats::ssh_config_for_cluster(&parts, cluster))?);
    }
    Ok(files)
}

/// A copy of the running binary.
pub fn binary(name: &str, exe: &Path) -> Result<FileToWrite, super::WriteError> {
    let content = std::fs::read(exe).map_err(|source| super::io("reading", exe, source))?;
    Ok(FileToWrite { path: PathBuf::from(name), content: Zeroizing::new(content), mode: 0o700 })
}

/// The manifest, which is the report.
pub fn manifest(json: &str) -> FileToWrite {
    FileToWrite {
        path: PathBuf::from(super::MANIFEST),
        content: Zeroizing::new(json.as_bytes().to_vec()),
        mode: 0o600,
    }
}

fn pems(ca: Option<&Authority>) -> String {
    ca.map(|ca| ca.tls_certs.concat()).unwrap_or_default()
}
