//! What is read of a folder or bundle: keys and certificates, with what is wrong about each.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;
use zeroize::Zeroizing;

use super::{agent, kubeconfig};
use crate::env;
use crate::error::StageError as _;
use crate::identity::keys::{KeyError, KeyPair};
use crate::identity::logins::LoginSource;
use crate::identity::ssh::SshCertificate;
use crate::identity::tls::TlsCertificate;
use crate::run::error::RunError;
use crate::text::{io_reason, safe};
use crate::write::MANIFEST;
use crate::write::contents::kube::KUBECONFIG;

/// Names in a folder; `sshcert` is what older tbot calls it.
const KEY: &str = "key";
const TLS_KEY: &str = "tlskey";
const TLS_CERT: &str = "tlscert";
const SSH_CERTS: [&str; 2] = ["key-cert.pub", "sshcert"];
const BUNDLE: &str = "identity";
/// What the formats of databases and applications have besides: certificate and key, or both in one.
const FORMATS: [(&str, &str); 3] =
    [("tls.crt", "tls.key"), ("mongo.crt", "mongo.crt"), ("cockroach/node.crt", "cockroach/node.key")];
/// Files with a certificate that are looked at, at most.
const MAX_MORE: usize = 1_000;
/// Outputs of a manifest that are looked at, at most.
const MAX_OUTPUTS: usize = 50;
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// What the files of one folder, or one file, have.
#[derive(Debug, Default)]
pub struct Material {
    /// The folder or file.
    pub path: String,
    /// SSH certificates by file, the main one first.
    pub ssh: Vec<(String, SshCertificate)>,
    /// X.509 certificates by file, the main one first.
    pub tls: Vec<(String, TlsCertificate)>,
    /// The contexts of a kubeconfig, the current one first.
    pub contexts: Vec<String>,
    /// For each certificate, whether it is for the key beside it; `None`: the key is missing or unreadable.
    pub matches: Vec<Option<bool>>,
    /// The ssh-agent of a running `jobpass exec --agent` that has the keys of this folder, which are in no file of it.
    pub agent: Option<PathBuf>,
    /// Whether the manifest says that a dry run created it.
    pub dry_run: bool,
    /// What the manifest says of the logins of this folder.
    pub login_sources: Vec<LoginSource>,
    /// What to know though nothing is broken.
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
            .map_err(|e| nothing(reason(&e), "check the path and that this user may read it"))?;
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

    /// The same, or the folder of each output where a folder has nothing but those.
    pub fn read_all(path: &Path) -> Result<Vec<Self>, RunError> {
        let error = match Self::read(path) {
            Ok(material) => return Ok(vec![material]),
            Err(error) => error,
        };
        let manifest = manifest_in(path);
        let folders: Vec<&Path> = dirs(manifest.as_ref()).map(Path::new).collect();
        let is_inside = |dir: &&Path| {
            dir.strip_prefix(path)
                .is_ok_and(|below| below.components().all(|part| matches!(part, Component::Normal(_))))
        };
        // A manifest leads nowhere else.
        if folders.is_empty() || !folders.iter().all(is_inside) {
            return Err(error);
        }
        folders.into_iter().map(Self::read).collect()
    }

    /// Whether all certificates are for their keys; `None`: none is for another one, but a key is missing or unreadable.
    pub fn belong_together(&self) -> Option<bool> {
        if self.matches.contains(&Some(false)) {
            return Some(false);
        }
        (!self.matches.is_empty() && !self.matches.contains(&None)).then_some(true)
    }

    fn folder(&mut self, dir: &Path) -> Option<Value> {
        self.modes(dir);
        let key = self.text(dir, KEY).and_then(|text| self.key(KEY, &text));
        let tls_key_text = self.text(dir, TLS_KEY);
        let split = tls_key_text.is_some();
        let tls_key = tls_key_text.and_then(|text| self.key(TLS_KEY, &text));
        let ssh = SSH_CERTS.iter().find_map(|name| Some((*name, self.text(dir, name)?)));
        if let Some((name, text)) = ssh {
            if key.is_none() && self.problems.is_empty() {
                self.agent = agent::with_key(dir, &text);
            }
            self.ssh_certificate(name, &text, KEY, key.as_ref());
        }
        if let Some(text) = self.text(dir, TLS_CERT) {
            let (name, key) = if split { (TLS_KEY, tls_key) } else { (KEY, key) };
            self.tls_certificate(TLS_CERT, &text, name, key.as_ref());
            for (file, text) in self.more_certificates(dir) {
                self.tls_certificate(&file, &text, name, key.as_ref());
            }
        }
        if let Some(text) = self.text(dir, KUBECONFIG) {
            self.kubeconfig(KUBECONFIG, &text);
        }
        if let Some(text) = self.text(dir, BUNDLE) {
            self.bundle(BUNDLE, &text);
        }
        for (certificate, key_name) in FORMATS {
            let Some(text) = self.text(dir, certificate) else { continue };
            if certificate == key_name {
                self.bundle(certificate, &text);
                continue;
            }
            let key = self.text(dir, key_name).and_then(|text| self.key(key_name, &text));
            self.tls_certificate(certificate, &text, key_name, key.as_ref());
        }
        let manifest = manifest_in(dir);
        self.dry_run = manifest.as_ref().is_some_and(|m| m.get("dry_run") == Some(&Value::Bool(true)));
        // That of several outputs is in the folder above.
        let above = || manifest_in(dir.parent()?);
        let of_output = manifest.as_ref().and_then(|m| sources(m, dir)).or_else(|| sources(&above()?, dir));
        self.login_sources = of_output.unwrap_or_default();
        manifest
    }

    fn file(&mut self, path: &Path) -> Option<Value> {
        let name =
            path.file_name().map_or_else(|| "the file".to_owned(), |n| n.to_string_lossy().into_owned());
        if let Some(text) = self.text(path.parent().unwrap_or(Path::new("/")), &name) {
            if kubeconfig::is_kubeconfig(&text) {
                self.kubeconfig(&name, &text);
            } else {
                self.bundle(&name, &text);
            }
        }
        None
    }

    /// Those of more kubernetes clusters, by file.
    fn more_certificates(&mut self, dir: &Path) -> Vec<(String, Zeroizing<String>)> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let end = format!(".{TLS_CERT}");
        let mut names: Vec<String> = names.filter(|name| name.ends_with(&end)).take(MAX_MORE).collect();
        names.sort();
        names.into_iter().filter_map(|name| Some((name.clone(), self.text(dir, &name)?))).collect()
    }

    /// Certificates that are in a file of their own, too, are not taken twice, but each must have its key.
    fn kubeconfig(&mut self, name: &str, text: &str) {
        let mut contexts = match kubeconfig::read(text) {
            Ok(contexts) => contexts,
            Err(reason) => {
                self.problems.push(format!("`{name}` is no readable kubeconfig: {reason}"));
                return;
            }
        };
        contexts.sort_by_key(|context| !context.is_current);
        for context in contexts {
            let place = format!("{name}, context {}", context.name);
            self.contexts.push(context.name);
            let Some(pem) = context.certificate else { continue };
            let key = context.key.and_then(|text| self.key(&place, &text));
            match TlsCertificate::from_pem(&pem) {
                Ok(certificate) if self.tls.iter().any(|(_, known)| known.der == certificate.der) => {
                    let matches = key.map(|k| k.public_der() == certificate.public_key);
                    self.pair(&place, &place, matches);
                }
                _ => self.tls_certificate(&place, &pem, &place, key.as_ref()),
            }
        }
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

    /// Warns of what others can enter or change: the folder, and any file in it, such as `ssh_config`, which names a command.
    fn modes(&mut self, dir: &Path) {
        let mode_of = |path: &Path| Some(path.symlink_metadata().ok()?.permissions().mode() & 0o777);
        if let Some(mode) = mode_of(dir).filter(|mode| mode & 0o077 != 0) {
            let dir = dir.display();
            self.warnings
                .push(format!("the folder is open to other users (mode {mode:04o}): `chmod 700 {dir}`"));
        }
        let mut files: Vec<_> = std::fs::read_dir(dir).into_iter().flatten().flatten().collect();
        files.sort_by_key(std::fs::DirEntry::file_name);
        for file in files.iter().filter(|file| file.file_type().is_ok_and(|kind| kind.is_file())) {
            let (path, name) = (file.path(), file.file_name());
            if let Some(mode) = mode_of(&path).filter(|mode| mode & 0o022 != 0) {
                let (name, path) = (name.to_string_lossy(), path.display());
                self.warnings
                    .push(format!("other users can change `{name}` (mode {mode:04o}): `chmod 600 {path}`"));
            }
        }
    }

    /// A regular file's text; `None` when it is not there, and when it cannot be read, which is a problem.
    fn text(&mut self, dir: &Path, name: &str) -> Option<Zeroizing<String>> {
        let path = dir.join(name);
        let about = match path.metadata() {
            Ok(about) => about,
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => {
                self.problems.push(format!("`{name}` cannot be read: {}", reason(&error)));
                return None;
            }
        };
        if !about.is_file() {
            self.problems.push(format!("`{name}` is not a regular file"));
            return None;
        }
        let mode = about.permissions().mode() & 0o777;
        match env::read_text(&path) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                let has_key = text.contains("PRIVATE KEY-----") || text.contains("client-key-data: ");
                if mode & 0o077 != 0 && has_key {
                    self.warnings.push(format!(
                        "`{name}` has a private key and is open to other users (mode {mode:04o}): \
                         `chmod 600 {}`",
                        path.display()
                    ));
                }
                Some(text)
            }
            Err(error) => {
                self.problems.push(format!("`{name}` cannot be read: {}", reason(&error)));
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
                    other => other.in_one_line(),
                };
                self.problems.push(format!("`{name}` has no readable private key: {why}"));
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
            Err(error) => self.problems.push(format!("`{name}`: {}", error.in_one_line())),
        }
    }

    fn tls_certificate(&mut self, name: &str, text: &str, key_name: &str, key: Option<&KeyPair>) {
        match TlsCertificate::from_pem(text) {
            Ok(certificate) => {
                let matches = key.map(|k| k.public_der() == certificate.public_key);
                self.pair(key_name, name, matches);
                self.tls.push((name.to_owned(), certificate));
            }
            Err(error) => self.problems.push(format!("`{name}`: {}", error.in_one_line())),
        }
    }

    fn pair(&mut self, key: &str, certificate: &str, matches: Option<bool>) {
        let problem = match matches {
            Some(true) => None,
            Some(false) if key == certificate => {
                Some(format!("the key and a certificate in `{key}` do not belong together"))
            }
            Some(false) => Some(format!("`{certificate}` is not for the key in `{key}`")),
            None if self.agent.is_some() => None,
            None if self.problems.iter().any(|p| p.starts_with(&format!("`{key}` "))) => None,
            None => Some(format!("the private key of `{certificate}` is missing")),
        };
        self.problems.extend(problem.filter(|p| !self.problems.contains(p)));
        self.matches.push(matches);
    }
}

fn manifest_in(dir: &Path) -> Option<Value> {
    serde_json::from_str(&env::read_text(&dir.join(MANIFEST)).ok()?).ok()
}

/// What a manifest says of the logins of the output in that folder.
fn sources(manifest: &Value, dir: &Path) -> Option<Vec<LoginSource>> {
    let outputs = manifest.get("outputs")?.as_array()?;
    let is_here = |output: &&Value| output.get("dir").and_then(Value::as_str).map(Path::new) == Some(dir);
    let output = outputs.iter().find(is_here)?;
    serde_json::from_value(output.get("login_sources")?.clone()).ok()
}

/// The folders of a manifest with several outputs, for people.
fn below(manifest: Option<&Value>) -> Vec<String> {
    dirs(manifest).map(|dir| format!("`{}`", safe(dir, 200))).collect()
}

fn dirs(manifest: Option<&Value>) -> impl Iterator<Item = &str> {
    let outputs = manifest.and_then(|m| m.get("outputs")).and_then(Value::as_array);
    outputs.into_iter().flatten().filter_map(|output| output.get("dir")?.as_str()).take(MAX_OUTPUTS)
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::InvalidData => "it is not text".to_owned(),
        _ => io_reason(error),
    }
}
