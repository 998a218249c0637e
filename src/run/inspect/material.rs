//! What is read of a folder or bundle: keys and certificates, with what is wrong about each.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::env;
use crate::identity::keys::{KeyError, KeyPair};
use crate::identity::ssh::SshCertificate;
use crate::identity::tls::TlsCertificate;
use crate::run::error::RunError;
use crate::write::MANIFEST;

/// Names in a folder; `sshcert` is what older tbot calls it.
const KEY: &str = "key";
const TLS_KEY: &str = "tlskey";
const TLS_CERT: &str = "tlscert";
const SSH_CERTS: [&str; 2] = ["key-cert.pub", "sshcert"];
const BUNDLE: &str = "identity";
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// All that was found.
#[derive(Debug, Default)]
pub struct Material {
    /// The folder or file.
    pub path: String,
    /// SSH certificates by file, the main one first.
    pub ssh: Vec<(String, SshCertificate)>,
    /// X.509 certificates by file, the main one first.
    pub tls: Vec<(String, TlsCertificate)>,
    /// Whether the key of each certificate is the one beside it: file of the key, file of the certificate, verdict.
    pub pairs: Vec<(String, String, bool)>,
    /// The manifest says that a dry run made it.
    pub dry_run: bool,
    /// To be known, but nothing broken.
    pub warnings: Vec<String>,
    /// What is broken.
    pub problems: Vec<String>,
}

impl Material {
    /// Reads a folder or an `identity` file (absolute). An error when there is no certificate in it at all.
    pub fn read(path: &Path) -> Result<Self, RunError> {
        let shown = path.display().to_string();
        let nothing = |reason: String, hint: &str| RunError::NoCredentials {
            path: shown.clone(),
            reason,
            hint: hint.to_owned(),
        };
        let about = path
            .metadata()
            .map_err(|e| nothing(plain(&e), "check the path and that this user may read it"))?;
        let mut material = Self { path: shown.clone(), ..Self::default() };
        let manifest = if about.is_dir() { material.folder(path) } else { material.file(path) };
        if !material.ssh.is_empty() || !material.tls.is_empty() {
            return Ok(material);
        }
        let below = below(manifest.as_ref());
        let reason = match material.problems.first() {
            _ if !below.is_empty() => "it has a folder for each output".to_owned(),
            Some(problem) => problem.clone(),
            None => format!("no `{BUNDLE}`, `{TLS_CERT}` or `{}` is in it", SSH_CERTS.join("` or `")),
        };
        let hint = if below.is_empty() {
            "name a folder that `jobpass login` or tbot wrote, or its `identity` file".to_owned()
        } else {
            format!("name one of them: {}", below.join(", "))
        };
        Err(nothing(reason, &hint))
    }

    fn folder(&mut self, dir: &Path) -> Option<Value> {
        let key = self.text(dir, KEY).and_then(|text| self.key(KEY, &text));
        let tls_key_text = self.text(dir, TLS_KEY);
        let split = tls_key_text.is_some();
        let tls_key = tls_key_text.and_then(|text| self.key(TLS_KEY, &text));
        let ssh = SSH_CERTS.iter().find_map(|name| Some((*name, self.text(dir, name)?)));
        if let Some((name, text)) = ssh {
            self.ssh_certificate(name, &text, KEY, key.as_ref());
        }
        if let Some(text) = self.text(dir, TLS_CERT) {
            let (name, key) = if split { (TLS_KEY, tls_key) } else { (KEY, key) };
            self.tls_certificate(TLS_CERT, &text, name, key.as_ref());
        }
        if let Some(text) = self.text(dir, BUNDLE) {
            self.bundle(BUNDLE, &text);
        }
        let manifest: Option<Value> =
            env::read_text(&dir.join(MANIFEST)).ok().and_then(|text| serde_json::from_str(&text).ok());
        self.dry_run = manifest.as_ref().is_some_and(|m| m.get("dry_run") == Some(&Value::Bool(true)));
        manifest
    }

    fn file(&mut self, path: &Path) -> Option<Value> {
        let name =
            path.file_name().map_or_else(|| "the file".to_owned(), |n| n.to_string_lossy().into_owned());
        if let Some(text) = self.text(path.parent().unwrap_or(Path::new("/")), &name) {
            self.bundle(&name, &text);
        }
        None
    }

    /// Key, SSH certificate and X.509 certificate in one file; CAs, which follow, are not looked at.
    fn bundle(&mut self, name: &str, text: &str) {
        let ssh = text
            .lines()
            .find(|l| l.split(' ').next().is_some_and(|kind| kind.ends_with("-cert-v01@openssh.com")));
        if ssh.is_none() && !text.contains(CERTIFICATE) {
            self.problems.push(format!("`{name}` has no certificate in it"));
            return;
        }
        let key = if text.contains("PRIVATE KEY-----") { self.key(name, text) } else { None };
        if let Some(line) = ssh {
            self.ssh_certificate(name, line, name, key.as_ref());
        }
        // A damaged key before it must not hide it.
        if let Some(at) = text.find(CERTIFICATE) {
            self.tls_certificate(name, text.get(at..).unwrap_or_default(), name, key.as_ref());
        }
    }

    /// A regular file's text; `None` when it is not there, and when it cannot be read, which is told.
    fn text(&mut self, dir: &Path, name: &str) -> Option<Zeroizing<String>> {
        let path = dir.join(name);
        let about = match path.metadata() {
            Ok(about) => about,
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => {
                self.problems.push(format!("`{name}` cannot be read: {}", plain(&error)));
                return None;
            }
        };
        if !about.is_file() {
            self.problems.push(format!("`{name}` is no regular file"));
            return None;
        }
        let mode = about.permissions().mode() & 0o777;
        match env::read_text(&path) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                if mode & 0o077 != 0 && text.contains("PRIVATE KEY-----") {
                    let path = path.display();
                    self.warnings.push(format!(
                        "`{name}` holds a private key and is open to other users (mode {mode:04o}): \
                         `chmod 600 {path}`"
                    ));
                }
                Some(text)
            }
            Err(error) => {
                self.problems.push(format!("`{name}` cannot be read: {}", plain(&error)));
                None
            }
        }
    }

    fn key(&mut self, name: &str, text: &str) -> Option<KeyPair> {
        match KeyPair::from_pem(text) {
            Ok(key) => Some(key),
            Err(error) => {
                let why = match error {
                    KeyError::Unreadable(why) => why.to_owned(),
                    other => other.to_string(),
                };
                self.problems.push(format!("`{name}` has no private key readable: {why}"));
                None
            }
        }
    }

    fn ssh_certificate(&mut self, name: &str, text: &str, key_name: &str, key: Option<&KeyPair>) {
        match SshCertificate::from_line(text) {
            Ok(certificate) => {
                let matches = key.map(|k| *k.public_ssh() == certificate.public_key);
                self.pair(key_name, name, matches);
                self.ssh.push((name.to_owned(), certificate));
            }
            Err(error) => self.problems.push(format!("`{name}`: {error}")),
        }
    }

    fn tls_certificate(&mut self, name: &str, text: &str, key_name: &str, key: Option<&KeyPair>) {
        match TlsCertificate::from_pem(text) {
            Ok(certificate) => {
                let matches = key.map(|k| k.public_der() == certificate.public_key);
                self.pair(key_name, name, matches);
                self.tls.push((name.to_owned(), certificate));
            }
            Err(error) => self.problems.push(format!("`{name}`: {error}")),
        }
    }

    fn pair(&mut self, key: &str, certificate: &str, matches: Option<bool>) {
        let problem = match matches {
            Some(true) => None,
            Some(false) if key == certificate => {
                Some(format!("the key and a certificate in `{key}` do not belong together"))
            }
            Some(false) => Some(format!("`{certificate}` is not for the key in `{key}`")),
            None if self.problems.iter().any(|p| p.starts_with(&format!("`{key}` "))) => None,
            None => Some(format!("no private key for `{certificate}` is there")),
        };
        self.problems.extend(problem.filter(|p| !self.problems.contains(p)));
        if let Some(matches) = matches {
            self.pairs.push((key.to_owned(), certificate.to_owned(), matches));
        }
    }
}

/// The folders of a manifest with several outputs.
fn below(manifest: Option<&Value>) -> Vec<String> {
    let outputs = manifest.and_then(|m| m.get("outputs")).and_then(Value::as_array);
    let dirs = outputs.into_iter().flatten().filter_map(|o| o.get("dir")?.as_str());
    dirs.take(20).map(|d| format!("`{}`", crate::teleport::fault::plain(d))).collect()
}

/// The error without its number.
fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::InvalidData => "it is no text".to_owned(),
        ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
