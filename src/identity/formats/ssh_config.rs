//! `ssh_config` for plain OpenSSH.

use std::fmt::Write as _;

use super::error::FormatError;
use super::hosts::Hosts;
use crate::text::safe;

/// What `ssh_config` needs to know beside the hosts.
#[derive(Debug, Clone)]
pub struct SshConfigParts<'a> {
    /// Absolute path of the folder the files will live in.
    pub dir: &'a str,
    /// The clusters and their hosts.
    pub hosts: &'a Hosts<'a>,
    /// The words of the `ProxyCommand` up to, not including, `HOST PORT CLUSTER`: binary path and its arguments. `None`:
    /// hosts are dialed directly.
    pub proxy_command: Option<&'a [String]>,
    /// Absolute path of the ssh-agent that has the private key; `None`: it is in the folder.
    pub agent: Option<&'a str>,
    /// The words of a command that gets new credentials when these end: ssh runs it before it reads them.
    pub renew: Option<&'a [String]>,
}

/// Host certificate algorithms of every family a cluster's host CA may have, ours by preference. Those an older ssh does not
/// know would make it stop, so all are of OpenSSH 7.8 (2018).
const HOST_KEYS: &str = "ssh-ed25519-cert-v01@openssh.com,ecdsa-sha2-nistp256-cert-v01@openssh.com,\
    ecdsa-sha2-nistp384-cert-v01@openssh.com,ecdsa-sha2-nistp521-cert-v01@openssh.com,\
    rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com";

/// Blocks for every cluster, the root's first: ssh takes the first value it finds.
pub fn ssh_config(parts: &SshConfigParts<'_>) -> Result<String, FormatError> {
    let blocks: Result<Vec<String>, _> = parts.hosts.configured().map(|c| block(parts, c)).collect();
    Ok(with_frame(parts, &blocks?.join("\n")))
}

/// The same for one of [`Hosts::configured`], to be included elsewhere.
pub fn ssh_config_for_cluster(parts: &SshConfigParts<'_>, cluster: &str) -> Result<String, FormatError> {
    Ok(with_frame(parts, &block(parts, cluster)?))
}

fn with_frame(parts: &SshConfigParts<'_>, blocks: &str) -> String {
    let (host, by) = (parts.hosts.proxy, concat!("by jobpass ", env!("CARGO_PKG_VERSION")));
    format!(
        "# Begin generated Teleport configuration for {host} {by}\n\n{blocks}\n# End generated Teleport configuration\n"
    )
}

fn block(parts: &SshConfigParts<'_>, cluster: &str) -> Result<String, FormatError> {
    let (proxy, root) = (parts.hosts.proxy, parts.hosts.root());
    let file = |name: &str| quoted(&format!("{}/{name}", parts.dir));
    // The names of a leaf's hosts cannot be the root's ([`Hosts`]); the file says so again for who reads it.
    let (all, nodes) = if cluster == root {
        (format!("*.{cluster} {proxy}"), format!("*.{cluster} !{proxy}"))
    } else {
        let mut patterns = format!("*.{cluster} !*.{root} !{proxy}");
        for other in parts.hosts.below(cluster) {
            let _ = write!(patterns, " !*.{other}");
        }
        (patterns.clone(), patterns)
    };
    let mut text = String::new();
    if let Some(words) = parts.renew {
        // ssh reads the certificate as soon as the `ProxyCommand` has started, which is too early for that to renew it
        // (OpenSSH `ssh.c`, `load_public_identity_files`).
        let words: Result<Vec<String>, _> = words.iter().map(|w| for_shell(w)).collect();
        let command = words?.join(" ");
        if command.contains('"') {
            return Err(FormatError::Path(safe(parts.dir, 200)));
        }
        let _ = writeln!(text, "# New credentials for hosts of {cluster} when these end");
        let _ = writeln!(text, "Match host \"{}\" exec \"{command}\"\n", nodes.replace(' ', ","));
    }
    let _ = writeln!(text, "# Common flags for all {cluster} hosts");
    let _ = writeln!(text, "Host {all}");
    let _ = writeln!(text, "    UserKnownHostsFile {}", file("known_hosts")?);
    match parts.agent {
        // The public half says which key of the agent is meant.
        Some(agent) => {
            let _ = writeln!(text, "    IdentityAgent {}", quoted(agent)?);
            let _ = writeln!(text, "    IdentityFile {}", file("key.pub")?);
        }
        None => {
            let _ = writeln!(text, "    IdentityFile {}", file("key")?);
        }
    }
    let _ = writeln!(text, "    CertificateFile {}", file("key-cert.pub")?);
    let _ = writeln!(text, "    IdentitiesOnly yes");
    let _ = writeln!(text, "    HostKeyAlgorithms {HOST_KEYS}");
    if let Some(words) = parts.proxy_command {
        let words: Result<Vec<String>, _> = words.iter().map(|w| for_shell(w)).collect();
        let _ = writeln!(text, "\n# Flags for all {cluster} hosts except the proxy");
        // Versions before 9.6 put any host name into the command, such as one of a submodule: it is quoted, it is never an option, and
        // one that would end the quotes is no node's.
        let _ = writeln!(text, "Host {nodes} \"!*'*\"");
        let _ = writeln!(text, "    Port 3022");
        let _ = writeln!(text, "    ProxyCommand {} -- '%h' %p {cluster}", words?.join(" "));
    }
    Ok(text)
}

/// Whether files in this folder can be named in an `ssh_config`, so that it is known before anything is asked for.
pub fn fits(dir: &str) -> Result<(), FormatError> {
    quoted(dir).map(drop)
}

/// A path in double quotes. ssh expands `%` in it, so that is doubled; a quote or backslash has no sure escape in old versions,
/// and `${NAME}`, expanded since OpenSSH 8.4, has none at all.
pub(super) fn quoted(path: &str) -> Result<String, FormatError> {
    if path.contains("${") || path.chars().any(|c| c == '"' || c == '\\' || c.is_control()) {
        return Err(FormatError::Path(safe(path, 200)));
    }
    Ok(format!("\"{}\"", path.replace('%', "%%")))
}

/// A word of a command that ssh passes to the user's shell after expanding `%`.
pub(super) fn for_shell(word: &str) -> Result<String, FormatError> {
    let unfit = || FormatError::Path(safe(word, 200));
    if word.chars().any(|c| c == '\\' || c.is_control()) {
        return Err(unfit());
    }
    shlex::try_quote(&word.replace('%', "%%")).map(Into::into).map_err(|_| unfit())
}
