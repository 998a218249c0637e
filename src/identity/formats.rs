//! The text of the files an identity is written as; tbot's names and layout.

mod error;
mod hosts;
mod ssh_config;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::{Authorities, Identity};
pub use error::FormatError;
use hosts::Cluster;
pub use hosts::Hosts;
pub use ssh_config::{SshConfigParts, fits, ssh_config, ssh_config_for_cluster};

/// The `identity` bundle (tsh, tctl, Terraform): private key, SSH certificate, X.509 certificate, and the root's
/// `@cert-authority` lines and host CAs. It has room for one private key; with split keys that is the one for TLS, with an
/// SSH certificate of its own.
pub fn identity_file(identity: &Identity, cas: &Authorities) -> Result<Zeroizing<String>, FormatError> {
    let ssh_cert = identity.bundle_ssh_cert.as_ref().or(identity.ssh.as_ref().map(|ssh| &ssh.cert));
    let mut text = Zeroizing::new(String::with_capacity(16 * 1024));
    text.push_str(identity.key_of_tls().tls_pem().expose_secret());
    if let Some(cert) = ssh_cert {
        let _ = writeln!(text, "{}", cert.line);
    }
    text.push_str(&identity.tls.cert.pem);
    if let Some(root) = cas.host.first() {
        let cluster = Cluster::root(root)?;
        text.push_str(&authority_lines(&format!("{0},*.{0}", cluster.name), &cluster));
        text.push_str(&root.tls_certs.concat());
    }
    Ok(text)
}

/// `known_hosts`: an `@cert-authority PATTERNS KEY type=host` line for each key of a host CA. The proxy's host is on the
/// root's lines alone.
pub fn known_hosts(hosts: &Hosts<'_>) -> String {
    let mut text = String::new();
    for (index, cluster) in hosts.clusters.iter().enumerate() {
        let name = cluster.name;
        let mut patterns = if index == 0 { format!("{},{name}", hosts.proxy) } else { name.to_owned() };
        if cluster.has_wildcard {
            let _ = write!(patterns, ",*.{name}");
            for other in hosts.below(name) {
                let _ = write!(patterns, ",!*.{other}");
            }
        }
        text.push_str(&authority_lines(&patterns, cluster));
    }
    text
}

fn authority_lines(patterns: &str, cluster: &Cluster<'_>) -> String {
    cluster.keys.iter().fold(String::new(), |mut text, key| {
        let _ = writeln!(text, "@cert-authority {patterns} {key} type=host");
        text
    })
}
