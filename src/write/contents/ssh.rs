//! What an `ssh` output leaves: tbot's names, tbot's layout.

use std::path::Path;

use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::{Contents, Context};
use crate::identity::Authority;
use crate::identity::formats::{self, FormatError, Hosts, SshConfigParts};
use crate::issue::Issued;
use crate::write::{FileToWrite, WriteError};

/// Whether the files can be in that folder and name each other.
pub fn check_folder(dir: &Path) -> Result<(), WriteError> {
    let unfit =
        |reason: &str| WriteError::Unfit { path: dir.display().to_string(), reason: reason.to_owned() };
    let text = dir.to_str().ok_or_else(|| unfit(NOT_UTF_8))?;
    let odd = "its path has a quote, a backslash, `${` or a control character, which ssh_config cannot carry";
    formats::fits(text).map_err(|_| unfit(odd))
}

pub(super) const NOT_UTF_8: &str = "its path is not UTF-8";

/// Files, variables and step outputs.
pub(super) fn contents(issued: &Issued, context: &Context<'_>) -> Result<Contents, WriteError> {
    let destination = &issued.output.destination;
    let (identity, dir) = (&issued.first.identity, destination.path());
    let unfit = |reason: String| WriteError::Unfit { path: dir.display().to_string(), reason };
    let text_of = |path: &Path| path.to_str().map(str::to_owned).ok_or_else(|| unfit(NOT_UTF_8.into()));
    let unwritable = |error: FormatError| unfit(error.to_string());

    let dir_text = text_of(&dir)?;
    let cas = context.authorities;
    let hosts = Hosts::new(context.proxy_host, &cas.host).map_err(unwritable)?;
    let mut words = vec![text_of(context.binary)?, "ssh-proxy".into()];
    if let Some(sockets) = context.sockets {
        words.extend(["--socket".into(), text_of(&sockets.proxy)?]);
    } else {
        words.extend(["--dir".into(), dir_text.clone()]);
        if let Some(file) = context.ca_file {
            words.extend(["--ca-file".into(), text_of(file)?]);
        }
    }
    let agent = context.sockets.map(|sockets| text_of(&sockets.agent)).transpose()?;
    let in_files = agent.is_none();
    let renew = context.renew.then(|| words_of_renewal(&words, &dir_text));
    if context.renew {
        words.push("--renew".into());
    }
    let parts = SshConfigParts {
        dir: &dir_text,
        hosts: &hosts,
        proxy_command: Some(&words),
        agent: agent.as_deref(),
        renew: renew.as_deref(),
    };

    let mut contents = Contents::default();
    let mut add = |name: &str, content: &str| {
        let content = Zeroizing::new(content.as_bytes().to_vec());
        contents.files.push(FileToWrite { path: destination.file(name), content, mode: 0o600 });
    };
    if in_files {
        add("identity", &formats::identity_file(identity, cas).map_err(unwritable)?);
    }
    if let Some(ssh) = &identity.ssh {
        if in_files {
            add("key", ssh.key.ssh_pem().expose_secret());
        }
        add("key.pub", &ssh.key.public_ssh_line());
        add("key-cert.pub", &format!("{}\n", ssh.cert.line));
    }
    add("tlscert", &identity.tls.cert.pem);
    if let Some(tls) = identity.split_tls_key().filter(|_| in_files) {
        add("tlskey", tls.tls_pem().expose_secret());
    }
    add("teleport-host-ca.crt", &pems(cas.host.first()));
    add("teleport-user-ca.crt", &pems(cas.user.first()));
    add("teleport-database-ca.crt", &pems(cas.database.first()));
    add("known_hosts", &formats::known_hosts(&hosts));
    add("ssh_config", &formats::ssh_config(&parts).map_err(unwritable)?);
    for cluster in hosts.configured() {
        let config = formats::ssh_config_for_cluster(&parts, cluster).map_err(unwritable)?;
        add(&format!("{cluster}.ssh_config"), &config);
    }

    contents.warnings.clone_from(&hosts.warnings);
    let path = |file: &str| dir.join(file).display().to_string();
    // What Teleport's own tools and its GitHub actions read, and where things are.
    contents.variables = vec![
        ("TELEPORT_PROXY", context.proxy.to_owned()),
        ("TELEPORT_AUTH_SERVER", context.proxy.to_owned()),
        ("TELEPORT_IDENTITY_FILE", path("identity")),
        ("JOBPASS_DIR", dir_text.clone()),
        ("JOBPASS_SSH_CONFIG", path("ssh_config")),
    ];
    for consumer in context.consumers {
        contents.variables.extend(consumer.variables(&dir_text, context.proxy));
    }
    contents.step_outputs = vec![
        ("destination-dir", dir_text.clone()),
        ("identity-file", path("identity")),
        ("ssh-config", path("ssh_config")),
        ("certificate-file", path("key-cert.pub")),
        ("key-file", path("key")),
        ("expires-at", context.expires.to_string()),
    ];
    if !in_files {
        // They name files that are not there.
        contents.variables.retain(|(name, _)| *name != "TELEPORT_IDENTITY_FILE");
        contents.step_outputs.retain(|(name, _)| !["identity-file", "key-file"].contains(name));
    }
    Ok(contents)
}

/// The command that gets new credentials; `words` begin with the binary.
fn words_of_renewal(words: &[String], dir: &str) -> Vec<String> {
    let binary = words.first().cloned();
    binary.into_iter().chain(["renew", "--dir", dir].map(str::to_owned)).collect()
}

/// The certificates of a CA in one file.
pub(super) fn pems(ca: Option<&Authority>) -> String {
    ca.map(|ca| ca.tls_certs.concat()).unwrap_or_default()
}
