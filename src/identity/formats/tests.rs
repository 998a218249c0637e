//! The files as OpenSSH reads them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::ssh_config::{for_shell, quoted};
use super::*;
use crate::identity::Authority;
use crate::identity::keys::{KeyKind, KeyPair};

const RECORDED: &str = include_str!("../../../tests/data/teleport/tbot_output/known_hosts");

fn recorded_authorities() -> Authorities {
    let host = RECORDED.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let cluster = words[1].split(',').nth(1).unwrap().to_owned();
        Authority { cluster, ssh_keys: vec![words[2..4].join(" ")], tls_certs: Vec::new() }
    });
    Authorities { host: host.collect(), ..Authorities::default() }
}

/// The CA of a cluster, with a key of its own.
fn ca(cluster: &str) -> Authority {
    let key = KeyPair::generate(KeyKind::Ed25519).unwrap().public_ssh_line().trim().to_owned();
    Authority { cluster: cluster.into(), ssh_keys: vec![key], tls_certs: Vec::new() }
}

#[test]
fn known_hosts_are_tbots_but_for_the_proxy() {
    let cas = recorded_authorities();
    let ours = known_hosts(&Hosts::new("teleport.test", &cas.host).unwrap());
    // tbot lets the CA of each leaf vouch for the proxy.
    assert_eq!(ours, RECORDED.replace("teleport.test,leaf.example", "leaf.example"));
}

/// The lines of `known_hosts` by which `ssh-keygen` finds that host.
fn keys_of(known_hosts: &str, host: &str) -> Vec<String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(known_hosts.as_bytes()).unwrap();
    let output = Command::new("ssh-keygen").args(["-F", host, "-f"]).arg(file.path()).output().unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    found.lines().filter(|l| l.starts_with("@cert-authority")).map(str::to_owned).collect()
}

#[test]
fn ssh_keygen_finds_the_authority_of_a_host() {
    let cas = recorded_authorities();
    let text = known_hosts(&Hosts::new("teleport.test", &cas.host).unwrap());
    for (host, ca) in [
        ("node1.lab.example", Some(0)),
        ("x.leaf.example", Some(1)),
        ("teleport.test", Some(0)),
        ("else.example", None),
    ] {
        let want: Vec<_> = ca.and_then(|index: usize| cas.host.get(index)).into_iter().collect();
        let found = keys_of(&text, host);
        assert_eq!(found.len(), want.len(), "{host}");
        assert!(found.iter().zip(want).all(|(line, ca)| line.contains(&ca.ssh_keys[0])), "{host}: {found:?}");
    }
}

#[test]
fn what_comes_from_the_network_cannot_break_out_of_its_line() {
    let good = ca("lab.example");
    let with = |cluster: &str, key: &str| {
        let cas = [Authority { cluster: cluster.into(), ssh_keys: vec![key.into()], tls_certs: Vec::new() }];
        Hosts::new("p.example", &cas).map(|hosts| known_hosts(&hosts))
    };
    let key = good.ssh_keys[0].as_str();
    assert!(with("lab.example", key).unwrap().ends_with(" type=host\n"));
    assert_eq!(with("lab.example", &format!("{key} evil\nx")).map_or(1, |t| t.lines().count()), 1);
    for bad in ["", "a b", "a\nProxyCommand x", "*", "!x", "-x", "../x", "a,b", &"a".repeat(256)] {
        assert!(matches!(with(bad, key), Err(FormatError::Name(_))), "{bad:?}");
    }
    assert!(matches!(with("lab.example", "ssh-rsa AAAA"), Err(FormatError::Key(_))));
    let header = Hosts::new("p\nProxyCommand x", &[]);
    assert!(matches!(header, Err(FormatError::Name(_))));
}

/// Hosts, each with the index of the cluster that owns it.
type Owners<'a> = &'a [(&'a str, Option<usize>)];

/// The cluster whose nodes `ssh` takes this host for, with the whole configuration of `ssh -G`.
fn dialed(hosts: &Hosts<'_>, host: &str) -> Option<String> {
    let words = ["jobpass".to_owned()];
    let parts = SshConfigParts { dir: "/d", hosts, proxy_command: Some(&words), renew: None, agent: None };
    let got = ssh_g(&ssh_config(&parts).unwrap(), host);
    let command = got.lines().find_map(|l| l.strip_prefix("proxycommand "))?.to_owned();
    command.rsplit(' ').next().map(str::to_owned)
}

#[test]
fn a_leaf_takes_over_no_foreign_host() {
    const ROOT: &str = "lab.example.com";
    const PROXY: &str = "teleport.example.com";
    // Name of the leaf; words of the warning; hosts, each with the cluster that ssh dials and the authority that counts.
    let cases: &[(&str, &str, Owners<'_>)] = &[
        ("leaf.example", "", &[("n.leaf.example", Some(1)), ("leaf.example", None)]),
        // A parent of root and proxy, of the root alone, of the proxy alone, and whole top-level domains.
        ("example.com", "`*.example.com` would match the root cluster", &[("www.example.com", None)]),
        ("com", "`*.com` would match the root cluster", &[("github.com", None)]),
        ("COM", "`*.COM` would match the root cluster", &[("github.com", None)]),
        ("net", "`*.net` would match a whole top-level domain", &[("x.net", None)]),
        // Names of the root's own hosts.
        (
            "db1.lab.example.com",
            "a host of the root cluster",
            &[("db1.lab.example.com", Some(0)), ("a.db1.lab.example.com", Some(0))],
        ),
        (ROOT, "a host of the root cluster", &[]),
        (PROXY, "a host of the root cluster", &[]),
        ("bad name", "not a valid host name", &[]),
        ("a..b", "not a valid host name", &[]),
        ("a.b.", "not a valid host name", &[]),
    ];
    for (leaf, warning, extra) in cases {
        let cas = [ca(ROOT), ca(leaf)];
        let hosts = Hosts::new(PROXY, &cas).unwrap();
        let said = hosts.warnings.join("\n");
        assert_eq!(said.is_empty(), warning.is_empty(), "{leaf}: {said}");
        assert!(said.contains(warning), "{leaf}: {said}");
        let text = known_hosts(&hosts);
        for (host, owner) in
            [("n.lab.example.com", Some(0)), ("a.b.lab.example.com", Some(0))].iter().chain(*extra)
        {
            let owner = owner.map(|index: usize| &cas[index]);
            assert_eq!(
                dialed(&hosts, host).as_deref(),
                owner.map(|ca| ca.cluster.as_str()),
                "{leaf}: {host}"
            );
            let found = keys_of(&text, host);
            if let Some(owner) = owner {
                assert!(
                    found.len() == 1 && found[0].contains(&owner.ssh_keys[0]),
                    "{leaf}: {host}: {found:?}"
                );
            }
        }
        // The root's CA alone speaks for the proxy, and ssh to the proxy goes through no command.
        let found = keys_of(&text, PROXY);
        assert!(found.len() == 1 && found[0].contains(&cas[0].ssh_keys[0]), "{leaf}: {found:?}");
        assert_eq!(dialed(&hosts, PROXY), None, "{leaf}");
    }
}

#[test]
fn a_leaf_below_another_keeps_its_hosts() {
    let cas = [ca("lab.example"), ca("corp.test"), ca("eu.corp.test")];
    let hosts = Hosts::new("proxy.lab.example", &cas).unwrap();
    assert_eq!(hosts.warnings, [""; 0]);
    let text = known_hosts(&hosts);
    for (host, owner) in [("n.corp.test", 1), ("n.eu.corp.test", 2), ("n.lab.example", 0)] {
        assert_eq!(dialed(&hosts, host).as_deref(), Some(cas[owner].cluster.as_str()), "{host}");
        let found = keys_of(&text, host);
        assert!(found.len() == 1 && found[0].contains(&cas[owner].ssh_keys[0]), "{host}: {found:?}");
    }
}

#[test]
fn a_broken_leaf_is_skipped_and_a_broken_root_is_an_error() {
    let broken = |cluster: &str| Authority { ssh_keys: vec!["ssh-rsa AAAA".into()], ..ca(cluster) };
    let cas = [ca("lab.example"), broken("leaf.example")];
    let hosts = Hosts::new("p.example", &cas).unwrap();
    assert_eq!(hosts.warnings, ["skipping leaf cluster `leaf.example`: it has a CA key that cannot be read"]);
    assert_eq!(hosts.configured().collect::<Vec<_>>(), ["lab.example"]);
    assert!(matches!(Hosts::new("p.example", &[broken("lab.example")]), Err(FormatError::Key(_))));
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
    let cas = recorded_authorities();
    let hosts = Hosts::new("teleport.test", &cas.host).unwrap();
    let words = ["/opt/a b/jobpass", "ssh-proxy", "--dir", "/tmp/it's 100% \"of\" $x/x"].map(str::to_owned);
    let parts = SshConfigParts {
        dir: "/tmp/a b 100%/x",
        hosts: &hosts,
        proxy_command: Some(&words),
        renew: None,
        agent: None,
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
            command.ends_with(&format!(" -- '%h' %p {cluster}")) && command.contains("100%%"),
            "{command}"
        );
    }
    // No version of ssh that is at hand takes such a name; it reads the pattern as it does those that it takes.
    for pattern in
        ["\nHost *.lab.example !teleport.test \"!*'*\"\n", " !teleport.test \"!*'*\"\n    Port 3022\n"]
    {
        assert!(config.contains(pattern), "{config}");
    }
    let other = ssh_g(&config.replace("!*'*", "!*odd*"), "odd1.lab.example");
    assert!(!other.contains("proxycommand"), "{other}");
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
        assert!(matches!(quoted(bad), Err(FormatError::Path(_))), "{bad}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 16, ..Default::default() })]

    /// `ssh -G` shows paths before they are expanded; only a connection shows which files are opened.
    #[test]
    fn ssh_opens_the_files_of_any_folder(name in "[ -!#-.0-\\[\\]-~é]{0,12}[a-z]") {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join(&name);
        std::fs::create_dir(&dir).unwrap();
        let cas = [ca("lab.example")];
        let hosts = Hosts::new("teleport.test", &cas).unwrap();
        let shown = dir.to_str().unwrap();
        let command = ["true".to_owned()];
        let parts = SshConfigParts { dir: shown, hosts: &hosts, proxy_command: Some(&command), renew: None, agent: None };
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
