//! What all connections of a run share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, RootCertStore};

use super::address::HostPort;
use super::deadline::Deadline;
use super::error::NetError;
use super::options::Options;
use super::proxies::Proxies;
use super::roots::{Loaded, Roots};
use crate::env::Env;
use crate::log::Log;

/// Roots and proxies of this run, which clones share, and a deadline.
#[derive(Clone)]
pub struct Network {
    pub(super) inner: Arc<Inner>,
    deadline: Deadline,
}

pub(super) struct Inner {
    roots: Roots,
    pub(super) proxies: Arc<Proxies>,
    log: Log,
    connections: AtomicUsize,
    /// For the cluster's web certificate and no client certificate: built once, so that sessions are resumed.
    pub(super) cluster_config: OnceLock<ClientConfig>,
    /// The same for all other servers.
    pub(super) system_config: OnceLock<ClientConfig>,
}

impl Network {
    /// Reads roots and proxies as options and environment have them. A broken `--ca-file` or proxy variable is an error that names it;
    /// so is a broken `SSL_CERT_FILE` or `SSL_CERT_DIR`, unless `--ca-file` leaves them to servers that may not be asked at all: then
    /// they are loaded on first use, as the system's own roots always are.
    pub fn new(env: &Env, options: &Options, deadline: Deadline, log: Log) -> Result<Self, NetError> {
        let roots = Roots::new(env, options, &log)?;
        let proxies = Arc::new(Proxies::from_env(env)?);
        let (connections, cluster_config, system_config) =
            (AtomicUsize::new(0), OnceLock::new(), OnceLock::new());
        let inner = Inner { roots, proxies, log, connections, cluster_config, system_config };
        Ok(Self { inner: Arc::new(inner), deadline })
    }

    /// The deadline of all that is done.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// The same under another deadline: for what has one of its own, or goes on after the run.
    #[must_use]
    pub fn under(&self, deadline: Deadline) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// The log of this run.
    pub fn log(&self) -> &Log {
        &self.inner.log
    }

    /// Web roots for the cluster: `--ca-file`, else those of [`Network::system_roots_description`].
    pub fn web_roots(&self) -> Result<Arc<RootCertStore>, NetError> {
        Ok(self.cluster_roots()?.store.clone())
    }

    /// How many web roots there are for the cluster and where they come from: `145 of the system`.
    pub fn roots_description(&self) -> Result<String, NetError> {
        Ok(self.cluster_roots()?.description.clone())
    }

    /// The same for all other servers, which are not those of `--ca-file`: `SSL_CERT_FILE`/`_DIR`, else the system's, else the
    /// bundled Mozilla set. `None` when the cluster has the same.
    pub fn system_roots_description(&self) -> Option<Result<String, NetError>> {
        self.inner.roots.are_split().then(|| Ok(self.system_roots()?.description.clone()))
    }

    /// The certificates (DER) of `--ca-file`, where the cluster has such roots of its own.
    pub fn own_roots(&self) -> Option<Vec<Vec<u8>>> {
        self.inner.roots.own().map(|named| named.iter().cloned().collect())
    }

    /// The HTTP proxy that leads to the target, without its credentials: `http://proxy.example.com:3128`.
    pub fn proxy_for(&self, target: &HostPort) -> Option<String> {
        self.inner.proxies.for_target(target).map(ToString::to_string)
    }

    /// TCP connections established so far.
    pub fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::Relaxed)
    }

    pub(super) fn cluster_roots(&self) -> Result<&Loaded, NetError> {
        self.inner.roots.cluster(self.log())
    }

    pub(super) fn system_roots(&self) -> Result<&Loaded, NetError> {
        self.inner.roots.system(self.log())
    }

    pub(super) fn count_connection(&self) {
        self.inner.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn proxies(&self) -> Arc<Proxies> {
        Arc::clone(&self.inner.proxies)
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Network")
    }
}
