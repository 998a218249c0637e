//! The text of the files an identity is written as; tbot's names and layout.

use std::fmt::Write as _;

use secrecy::ExposeSecret as _;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{Authorities, Authority, Identity};

/// What `ssh_config` needs to know beside the identity.
#[derive(Debug, Clone)]
pub struct SshConfigParts<'a> {
    /// Absolute path of the folder the files will live in.
    pub dir: &'a str,
    /// Host of the proxy's public address.
    pub proxy_host: &'a str,
    /// Clusters: the root first, then leaves.
    pub clusters: &'a [String],
    /// The words of the `ProxyCommand` up to, not including, `HOST PORT CLUSTER`: binary path and its arguments. `None`: no proxy
    /// command (plain hosts).
    pub proxy_command: Option<&'a [String]>,
}

/// What cannot be put into a file, because it would mean something else there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormatError {
    /// A CA's key that is no key.
    #[error("the CA of `{0}` has a key that cannot be read")]
    Key(String),
    /// A name from the network with characters no cluster or host has.
    #[error("`{0}` is no name for a cluster or host")]
    Name(String),
    /// A path with a character `ssh_config` cannot carry.
    #[error(
        "the path `{0}` has a quote, a backslash, `${{` or a control character, which ssh_config cannot carry"
    )]
    Path(String),
}

/// Host certificate algorithms of every family a cluster's host CA may have, ours by preference. Those an older ssh does not know would
/// make it stop, so all are of OpenSSH 7.8 (2018).
const HOST_KEYS: &str = "ssh-ed25519-cert-v01@openssh.com,ecdsa-sha2-nistp256-cert-v01@openssh.com,\
    ecdsa-sha2-nistp384-cert-v01@openssh.com,ecdsa-sha2-nistp521-cert-v01@openssh.com,\
    rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com";

/// The `identity` bundle (tsh, tctl, Terraform): private key, SSH certificate, X.509 certificate, `@cert-authority` lines, host CAs.
/// It has room for one private key; with split keys that is the one for TLS, with an SSH certificate of its own.
pub fn identity_file(identity: &Identity, cas: &Authorities) -> Result<Zeroizing<String>, FormatError> {
    let ssh_cert = identity.bundle_ssh_cert.as_ref().or(identity.ssh.as_ref().map(|ssh| &ssh.cert));
    let mut text = Zeroizing::new(String::with_capacity(16 * 1024));
    text.push_str(identity.key_of_tls().tls_pem().expose_secret());
    if let Some(cert) = ssh_cert {
        let _ = writeln!(text, "{}", cert.line);
    }
    text.push_str(&identity.tls.cert.pem);
    if let Some(root) = cas.host.first() {
        text.push_str(&authority_lines(&format!("{0},*.{0}", checked(&root.cluster)?), root)?);
        text.push_str(&root.tls_certs.concat());
    }
    Ok(text)
}

/// `known_hosts`: one `@cert-authority PROXYHOST,CLUSTER,*.CLUSTER KEY type=host` line a CA key.
pub fn known_hosts(proxy_host: &str, cas: &Authorities) -> Result<String, FormatError> {
    let mut text = String::new();
    for ca in &cas.host {
        let hosts = format!("{},{1},*.{1}", checked(proxy_host)?, checked(&ca.cluster)?);
        text.push_str(&authority_lines(&hosts, ca)?);
    }
    Ok(text)
}

/// `ssh_config` for plain OpenSSH: blocks for every cluster, all three families of host certificate algorithms.
pub fn ssh_config(parts: &SshConfigParts<'_>) -> Result<String, FormatError> {
    let blocks: Result<Vec<String>, _> = parts.clusters.iter().map(|c| block(parts, c)).collect();
    wrapped(parts, &blocks?.join("\n"))
}

/// The same for one cluster, to be included elsewhere.
pub fn ssh_config_for_cluster(parts: &SshConfigParts<'_>, cluster: &str) -> Result<String, FormatError> {
    wrapped(parts, &block(parts, cluster)?)
}

fn wrapped(parts: &SshConfigParts<'_>, blocks: &str) -> Result<String, FormatError> {
    let (host, by) = (checked(parts.proxy_host)?, concat!("by jobpass ", env!("CARGO_PKG_VERSION")));
    Ok(format!(
        "# Begin generated Teleport configuration for {host} {by}\n\n{blocks}\n# End generated Teleport configuration\n"
    ))
}

fn block(parts: &SshConfigParts<'_>, cluster: &str) -> Result<String, FormatError> {
    let (proxy, cluster) = (checked(parts.proxy_host)?, checked(cluster)?);
    let file = |name: &str| quoted(&format!("{}/{name}", parts.dir));
    let mut text = String::new();
    let _ = writeln!(text, "# Common flags for all {cluster} hosts");
    let _ = writeln!(text, "Host *.{cluster} {proxy}");
    let _ = writeln!(text, "    UserKnownHostsFile {}", file("known_hosts")?);
    let _ = writeln!(text, "    IdentityFile {}", file("key")?);
    let _ = writeln!(text, "    CertificateFile {}", file("key-cert.pub")?);
    let _ = writeln!(text, "    IdentitiesOnly yes");
    let _ = writeln!(text, "    HostKeyAlgorithms {HOST_KEYS}");
    if let Some(words) = parts.proxy_command {
        let words: Result<Vec<String>, _> = words.iter().map(|w| for_shell(w)).collect();
        let _ = writeln!(text, "\n# Flags for all {cluster} hosts except the proxy");
        let _ = writeln!(text, "Host *.{cluster} !{proxy}");
        let _ = writeln!(text, "    Port 3022");
        let _ = writeln!(text, "    ProxyCommand {} %h %p {cluster}", words?.join(" "));
    }
    Ok(text)
}

/// `@cert-authority` lines. The keys come from the network: they are read and written again, so that a line stays a line.
fn authority_lines(hosts: &str, ca: &Authority) -> Result<String, FormatError> {
    let mut text = String::new();
    for line in &ca.ssh_keys {
        let unreadable = |_| FormatError::Key(ca.cluster.clone());
        let mut key = ssh_key::PublicKey::from_openssh(line).map_err(unreadable)?;
        key.set_comment("");
        let _ = writeln!(
            text,
            "@cert-authority {hosts} {} type=host",
            key.to_openssh().map_err(unreadable)?.trim()
        );
    }
    Ok(text)
}

/// A name of a cluster or host, or an address.
fn checked(name: &str) -> Result<&str, FormatError> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if !name.is_empty() && name.len() <= 255 && name.chars().all(good) && !name.starts_with(['-', '.']) {
        return Ok(name);
    }
    Err(FormatError::Name(name.chars().filter(|c| !c.is_control()).take(80).collect()))
}

/// Whether files in this folder can be named in an `ssh_config`, so that it is known before anything is asked for.
pub fn fits(dir: &str) -> Result<(), FormatError> {
    quoted(dir).map(drop)
}

/// A path in double quotes. ssh expands `%` in it, so that is doubled; a quote or backslash has no sure escape in old versions, and
/// `${NAME}`, expanded since OpenSSH 8.4, has none at all.
fn quoted(path: &str) -> Result<String, FormatError> {
    if path.contains("${") || path.chars().any(|c| c == '"' || c == '\\' || c.is_control()) {
        return Err(FormatError::Path(path.chars().filter(|c| !c.is_control()).collect()));
    }
    Ok(format!("\"{}\"", path.replace('%', "%%")))
}

/// A word of a command that ssh gives to the user's shell after expanding `%`.
fn for_shell(word: &str) -> Result<String, FormatError> {
    if word.chars().any(|c| c == '\\' || c.is_control()) {
        return Err(FormatError::Path(word.chars().filter(|c| !c.is_control()).collect()));
    }
    let doubled = word.replace('%', "%%");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | ':' | '=' | '%');
    if !doubled.is_empty() && doubled.chars().all(plain) {
        return Ok(doubled);
    }
    Ok(format!("'{}'", doubled.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;
    use crate::identity::keys::{KeyKind, KeyPair};

    const RECORDED: &str = include_str!("../../tests/data/teleport/tbot_output/known_hosts");

    fn recorded_authorities() -> Authorities {
        let host = RECORDED.lines().map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let cluster = words[1].split(',').nth(1).unwrap().to_owned();
            Authority { cluster, ssh_keys: vec![words[2..4].join(" ")], tls_certs: Vec::new() }
        });
        Authorities { host: host.collect(), ..Authorities::default() }
    }

    #[test]
    fn known_hosts_are_tbots() {
        assert_eq!(known_hosts("teleport.test", &recorded_authorities()).unwrap(), RECORDED);
    }

    #[test]
    fn ssh_keygen_finds_the_authority_of_a_host() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(known_hosts("teleport.test", &recorded_authorities()).unwrap().as_bytes()).unwrap();
        for (host, found) in [
            ("node1.lab.example", true),
            ("x.leaf.example", true),
            ("teleport.test", true),
            ("else.example", false),
        ] {
            let output =
                Command::new("ssh-keygen").args(["-F", host, "-f"]).arg(file.path()).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout).contains("CA"), found, "{host}");
        }
    }

    #[test]
    fn what_comes_from_the_network_cannot_break_out_of_its_line() {
        let key = KeyPair::generate(KeyKind::Ed25519).unwrap().public_ssh_line();
        let with = |cluster: &str, key: &str| {
            let ca = Authority {
                cluster: cluster.into(),
                ssh_keys: vec![key.trim().into()],
                tls_certs: Vec::new(),
            };
            known_hosts("p.example", &Authorities { host: vec![ca], ..Authorities::default() })
        };
        assert!(with("lab.example", &key).unwrap().ends_with(" type=host\n"));
        assert_eq!(
            with("lab.example", &format!("{} evil\nx", key.trim())).map_or(1, |t| t.lines().count()),
            1
        );
        for bad in ["", "a b", "a\nProxyCommand x", "*", "!x", "-x", "../x", &"a".repeat(256)] {
            assert!(matches!(with(bad, &key), Err(FormatError::Name(_))), "{bad:?}");
        }
        assert!(matches!(with("lab.example", "ssh-rsa AAAA"), Err(FormatError::Key(_))));
    }

    fn put(path: &std::path::Path, content: &str) {
        std::fs::File::create(path).unwrap().write_all(content.as_bytes()).unwrap();
    }

    fn ssh_g(config: &str, host: &str) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(config.as_bytes()).unwrap();
        let mut command = Command::new("ssh");
        let output =
            command.arg("-G").arg("-F").arg(file.path()).arg(host).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{config}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn openssh_understands_the_config() {
        let clusters = ["lab.example".to_owned(), "leaf.example".to_owned()];
        let words = ["/opt/a b/jobpass", "ssh-proxy", "--dir", "/tmp/it's 100%/x"].map(str::to_owned);
        let parts = SshConfigParts {
            dir: "/tmp/a b 100%/x",
            proxy_host: "teleport.test",
            clusters: &clusters,
            proxy_command: Some(&words),
        };
        let config = ssh_config(&parts).unwrap();
        for (host, cluster) in [("node1.lab.example", "lab.example"), ("n.leaf.example", "leaf.example")] {
            let got = ssh_g(&config, host);
            assert!(
                got.contains("certificatefile /tmp/a b 100%/x/key-cert.pub\n")
                    || got.contains("certificatefile /tmp/a b 100%%/x/key-cert.pub\n"),
                "{got}"
            );
            assert!(got.contains("identitiesonly yes\n") && got.contains("port 3022\n"), "{got}");
            assert!(
                got.contains("ssh-ed25519-cert-v01@openssh.com,ecdsa-sha2-nistp256-cert-v01@openssh.com"),
                "{got}"
            );
            let command = got.lines().find(|l| l.starts_with("proxycommand ")).unwrap();
            assert!(
                command.ends_with(&format!(" %h %p {cluster}")) && command.contains("100%%"),
                "{command}"
            );
        }
        let proxy = ssh_g(&config, "teleport.test");
        assert!(!proxy.contains("proxycommand") && proxy.contains("port 22\n"), "{proxy}");
        assert!(
            !ssh_g(&ssh_config_for_cluster(&parts, "lab.example").unwrap(), "n.leaf.example")
                .contains("proxycommand")
        );
    }

    #[test]
    fn the_shell_gets_the_words_as_they_were() {
        for word in ["/opt/a b/x", "it's", "$HOME", "a;b", "\"q\"", "100%", ""] {
            let quoted = for_shell(word).unwrap().replace("%%", "%");
            let output = Command::new("sh").arg("-c").arg(format!("printf %s {quoted}")).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
        assert!(for_shell("a\nb").is_err());
        for bad in ["/a\"b", "/a\\b", "/a\nb", "/a${HOME}b"] {
            assert!(matches!(super::quoted(bad), Err(FormatError::Path(_))), "{bad}");
        }
    }

    #[test]
    fn a_header_takes_no_second_line() {
        let parts =
            SshConfigParts { dir: "/d", proxy_host: "p\nProxyCommand x", clusters: &[], proxy_command: None };
        assert!(matches!(ssh_config(&parts), Err(FormatError::Name(_))));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 16, ..Default::default() })]

        /// `ssh -G` shows paths before they are expanded; only a connection tells which files are opened.
        #[test]
        fn ssh_opens_the_files_of_any_folder(name in "[ -!#-.0-\\[\\]-~é]{0,12}[a-z]") {
            let base = tempfile::tempdir().unwrap();
            let dir = base.path().join(&name);
            std::fs::create_dir(&dir).unwrap();
            let clusters = ["lab.example".to_owned()];
            let shown = dir.to_str().unwrap();
            let command = ["true".to_owned()];
            let parts = SshConfigParts {
                dir: shown,
                proxy_host: "teleport.test",
                clusters: &clusters,
                proxy_command: Some(&command),
            };
            let Ok(config) = ssh_config(&parts) else {
                assert!(name.contains("${"), "{name}");
                return Ok(());
            };
            for (file, content) in [("config", config), ("key.pub", KeyPair::generate(KeyKind::Ed25519).unwrap().public_ssh_line())] {
                put(&base.path().join(file), &content);
                put(&dir.join(file), &content);
            }
            let mut ssh = Command::new("ssh");
            ssh.args(["-v", "-o", "BatchMode=yes", "-F"]).arg(base.path().join("config")).arg("n.lab.example");
            let output = ssh.stdin(Stdio::null()).output().unwrap();
            let log = String::from_utf8_lossy(&output.stderr).into_owned();
            // Type 3 is Ed25519: the public half was found; -1 would be a file that is not there.
            assert!(log.lines().any(|l| l.contains("identity file ") && l.ends_with("/key type 3")), "{name:?}\n{log}");
        }
    }
}
