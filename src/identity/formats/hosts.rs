//! Which host names belong to which cluster, for `known_hosts` and `ssh_config`.
//!
//! A leaf's administrators choose its name, and neither they nor its CA may speak for other hosts. The root is trusted
//! for whatever is below its name and for the proxy. A leaf is trusted for what is below its own name, unless hosts of
//! others could be there: then it gets no wildcard.

use super::error::FormatError;
use crate::identity::Authority;
use crate::text::safe;

/// The names of the root's and the leaves' hosts, and the CAs that sign them.
#[derive(Debug, Clone)]
pub struct Hosts<'a> {
    /// Host of the proxy's public address.
    pub(super) proxy: &'a str,
    /// The root first.
    pub(super) clusters: Vec<Cluster<'a>>,
    /// What was left out, and why, a sentence each.
    pub warnings: Vec<String>,
}

/// One cluster.
#[derive(Debug, Clone)]
pub(super) struct Cluster<'a> {
    pub(super) name: &'a str,
    /// Whether `*.NAME` is the cluster's.
    pub(super) has_wildcard: bool,
    /// `authorized_keys` lines without comments.
    pub(super) keys: Vec<String>,
}

impl<'a> Hosts<'a> {
    /// `host_cas` are the host CAs, the root's first. What is wrong with the root is an error, what is wrong with a leaf
    /// a warning.
    pub fn new(proxy_host: &'a str, host_cas: &'a [Authority]) -> Result<Self, FormatError> {
        let mut hosts = Self { proxy: checked(proxy_host)?, clusters: Vec::new(), warnings: Vec::new() };
        let Some((root, leaves)) = host_cas.split_first() else { return Ok(hosts) };
        let root = Cluster::root(root)?;
        let root_name = root.name;
        hosts.clusters.push(root);
        for leaf in leaves {
            match hosts.leaf(root_name, leaf) {
                Ok(cluster) => hosts.clusters.push(cluster),
                Err(reason) => {
                    let name = safe(&leaf.cluster, 80);
                    hosts.warnings.push(format!("skipping leaf cluster `{name}`: {reason}"));
                }
            }
        }
        Ok(hosts)
    }

    /// The clusters whose hosts `ssh_config` names.
    pub fn configured(&self) -> impl Iterator<Item = &'a str> {
        self.clusters.iter().filter(|c| c.has_wildcard).map(|c| c.name)
    }

    fn leaf(&mut self, root: &str, leaf: &'a Authority) -> Result<Cluster<'a>, &'static str> {
        let name = leaf.cluster.as_str();
        if checked(name).is_err() || name.contains(':') || name.split('.').any(str::is_empty) {
            return Err("its name is not a valid host name");
        }
        let keys = keys(leaf).map_err(|_| "it has a CA key that cannot be read")?;
        if is_below(name, root) || same(name, root) || same(name, self.proxy) {
            return Err("its name is one that a host of the root cluster can have");
        }
        if self.clusters.iter().any(|other| same(name, other.name)) {
            return Err("another leaf cluster has the same name");
        }
        let reason = match () {
            () if is_below(root, name) => Some("the root cluster"),
            () if is_below(self.proxy, name) => Some("the proxy"),
            () if !name.contains('.') => Some("a whole top-level domain"),
            () => None,
        };
        if let Some(what) = reason {
            self.warnings.push(format!(
                "not configuring ssh for the hosts of leaf cluster `{name}`: `*.{name}` would match {what}"
            ));
        }
        Ok(Cluster { name, has_wildcard: reason.is_none(), keys })
    }

    pub(super) fn root(&self) -> &'a str {
        self.clusters.first().map(|root| root.name).unwrap_or_default()
    }

    /// The configured clusters whose names are below that one.
    pub(super) fn below(&self, cluster: &str) -> impl Iterator<Item = &'a str> {
        self.configured().filter(move |other| is_below(other, cluster))
    }
}

impl<'a> Cluster<'a> {
    pub(super) fn root(ca: &'a Authority) -> Result<Self, FormatError> {
        Ok(Self { name: checked(&ca.cluster)?, has_wildcard: true, keys: keys(ca)? })
    }
}

/// A name of a cluster or host, or an address.
pub(super) fn checked(name: &str) -> Result<&str, FormatError> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if !name.is_empty() && name.len() <= 255 && name.chars().all(good) && !name.starts_with(['-', '.']) {
        return Ok(name);
    }
    Err(FormatError::Name(safe(name, 80)))
}

/// A CA's SSH keys. They come from the network: they are read and written again, so that a line stays a line.
fn keys(ca: &Authority) -> Result<Vec<String>, FormatError> {
    let read = |line: &String| {
        let mut key = ssh_key::PublicKey::from_openssh(line)?;
        key.set_comment("");
        Ok(key.to_openssh()?.trim().to_owned())
    };
    let unreadable = |_: ssh_key::Error| FormatError::Key(safe(&ca.cluster, 80));
    ca.ssh_keys.iter().map(read).collect::<Result<_, _>>().map_err(unreadable)
}

/// ssh compares host names without regard to case.
fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

fn is_below(name: &str, domain: &str) -> bool {
    name.to_ascii_lowercase().ends_with(&format!(".{}", domain.to_ascii_lowercase()))
}
