//! A throw-away cluster and CI token endpoint on one loopback TLS port. `jobpass sandbox` runs one, `login --dry-run` runs
//! one inside the process, and the tests use it.
//!
//! What keeps it honest is `tests/recorded.rs`: bytes of real clusters of versions 13 and 15. What servers from version 18
//! answer was never recorded, so the join stream (`teleport.join.v1`) and split keys are our reading of Teleport's schema.

mod access_requests;
mod app;
mod attestation;
mod auth_service;
mod barrier;
mod ca;
mod challenge;
mod cluster;
mod error;
pub mod fault_injection;
mod grpc;
mod issuer;
mod issuing;
mod job;
mod join_service;
mod joining;
mod kube;
mod machine;
mod metadata;
pub mod options;
mod peer;
mod ping;
mod policy;
mod profile;
mod public_key;
mod random;
pub mod records;
mod refusal;
mod registration;
mod reply;
mod request_store;
mod resources;
mod server;
mod server_config;
pub mod simulated;
mod ssh_cert;
mod sts;
mod template;
#[cfg(test)]
mod tests;
mod transport;
mod truncated_stream;
mod trust_service;
mod upgrade;
mod web;
mod x509;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use der::{Decode as _, DecodePem as _, Encode as _};
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use x509_cert::Certificate;
use x509_cert::name::RdnSequence;

use crate::env::now;
use crate::secret::Jwt;
use crate::teleport::RequestId;
use crate::teleport::access_requests::AccessRequest;
use ca::Ca;
use cluster::Cluster;
pub use error::SandboxError;
pub use options::{
    RequestPolicy, Rotation, SandboxApp, SandboxDatabase, SandboxKubeCluster, SandboxNode, SandboxOptions,
    SandboxRole, Verdict,
};
pub use records::Record;
pub use simulated::Simulated;
pub use web::CONTROL_PATH;

/// A running sandbox; dropping it stops it.
pub struct Sandbox {
    /// Where it listens.
    pub address: SocketAddr,
    cluster: Arc<Cluster>,
    web_ca: String,
    server: JoinHandle<()>,
    /// The metadata services of its machines.
    metadata: JoinHandle<()>,
}

impl Sandbox {
    /// Generates the CAs and serves on loopback (a free port unless the options name one), on the current tokio runtime.
    pub async fn start(options: SandboxOptions) -> Result<Self, SandboxError> {
        let ip = if options.ipv6 { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
        let listener =
            TcpListener::bind(SocketAddr::new(ip, options.port)).await.map_err(SandboxError::Listen)?;
        let address = listener.local_addr().map_err(SandboxError::Listen)?;
        let at_machines = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(SandboxError::Listen)?;
        let metadata = at_machines.local_addr().map_err(SandboxError::Listen)?;
        let cluster = Arc::new(Cluster::new(options, address, metadata)?);
        cluster.requests.put_known(&cluster.options, cluster::BOT_TTL);
        let configs = server::TlsConfigs::new(&cluster)?;
        let web_ca = cluster.cas.web.pem();
        let server = tokio::spawn(server::run(listener, Arc::clone(&cluster), configs));
        let metadata = tokio::spawn(metadata::run(at_machines, Arc::clone(&cluster)));
        Ok(Self { address, cluster, web_ca, server, metadata })
    }

    /// The CA of the web certificate, PEM: for `--ca-file`. The web certificate names `localhost`, 127.0.0.1, `::1` and the
    /// host of the public address.
    pub fn web_ca_pem(&self) -> &str {
        &self.web_ca
    }

    /// The user CA's SSH key lines, two while it is rotated: for `TrustedUserCAKeys`.
    pub fn ssh_user_ca(&self) -> String {
        self.cluster.cas.users().map(Ca::ssh_line).collect()
    }

    /// Signs an SSH host certificate, by the CA of the cluster the principals are in: `public_key` is an `authorized_keys`
    /// line. The certificate is one line without a newline, valid for a day.
    pub fn sign_host_key(&self, public_key: &str, principals: &[&str]) -> Result<String, SandboxError> {
        let key = ssh_key::PublicKey::from_openssh(public_key.trim())
            .map_err(|e| SandboxError::create("host certificate", e))?;
        let now = now().as_second();
        let cas = &self.cluster.cas;
        let inside = |cluster: &str| principals.iter().any(|p| p.ends_with(&format!(".{cluster}")));
        let leaf = cas.leaves.iter().find(|(name, _)| inside(name)).map(|(_, ca)| ca);
        ssh_cert::host(
            leaf.unwrap_or(cas.servers()).ssh_key(),
            key.key_data(),
            principals,
            (now - 60, now + 24 * 3600),
        )
    }

    /// A certificate and its private key (PEM) for a server with these names, signed by the database CA: what `tctl auth sign
    /// --format=db` gives for a database.
    pub fn database_server(&self, names: &[&str]) -> Result<(String, String), SandboxError> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let (key, der) = self.cluster.cas.db.server(&names)?;
        Ok((crate::identity::tls::pem_of(&der), key.tls_pem().expose_secret().to_owned()))
    }

    /// The audience that such a job must ask for (`--audience`); `None` where the platform or the join method says it.
    pub fn audience(&self, job: impl Into<Simulated>) -> Option<String> {
        job::audience(&self.cluster, job.into())
    }

    /// A certificate (PEM) of the user CA, valid for an hour, with the subject of one certificate and the public key of another (both PEM):
    /// what a recorded certificate was, for a key at hand.
    pub fn user_certificate(&self, subject_of: &str, key_of: &str) -> Result<String, SandboxError> {
        let failed = |e: &dyn std::fmt::Display| SandboxError::create("user certificate", e);
        let read = |pem: &str| Certificate::from_pem(pem).map_err(|e| failed(&e));
        let (subject_of, key_of) = (read(subject_of)?, read(key_of)?);
        let subject = subject_of.tbs_certificate().subject().to_der().map_err(|e| failed(&e))?;
        let key = key_of.tbs_certificate().subject_public_key_info().to_der().map_err(|e| failed(&e))?;
        let subject = RdnSequence::from_der(&subject).map_err(|e| failed(&e))?;
        let now = now().as_second();
        let der = self.cluster.cas.user.sign_user(subject, &key, (now - 60, now + 3600))?;
        Ok(crate::identity::tls::pem_of(&der))
    }

    /// The variables that make a process look like such a job, its identity token included. Names of files
    /// (`GITHUB_ENV`, `BASH_ENV`, and that of [`Simulated::token_file_variable`]) are the caller's to add.
    pub fn job_environment(&self, job: impl Into<Simulated>) -> Result<Vec<(String, String)>, SandboxError> {
        job::environment(&self.cluster, job.into())
    }

    /// An identity token signed by the sandbox's issuer, with these claims on top of the job's usual ones (`null`
    /// removes one).
    pub fn id_token(
        &self,
        job: impl Into<Simulated>,
        claims: &serde_json::Value,
    ) -> Result<Jwt, SandboxError> {
        job::token(&self.cluster, job.into(), None, claims)
    }

    /// Where the metadata services of the simulated machines listen, without TLS.
    pub fn metadata_address(&self) -> SocketAddr {
        self.cluster.metadata
    }

    /// What a client would find at `www.microsoft.com`: the certificates above the attested documents', by their paths. DER.
    pub fn published_certificates(&self) -> Vec<(String, Vec<u8>)> {
        self.cluster.attester.published()
    }

    /// The issuer's public keys, a JWKS document: for `static_jwks` of a token, or another verifier.
    pub fn jwks(&self) -> String {
        self.cluster.issuer.jwks().to_string()
    }

    /// What clients did so far, a record for each connection in the order of their arrival; at most the first 1000.
    pub fn records(&self) -> Vec<Record> {
        self.cluster.records.to_vec()
    }

    /// The access requests so far, and what became of them.
    pub fn access_requests(&self) -> Vec<AccessRequest> {
        self.cluster.requests.to_vec()
    }

    /// The users whom an access request names as reviewers.
    pub fn suggested_reviewers(&self, id: &RequestId) -> Vec<String> {
        self.cluster.requests.reviewers(&id.to_string())
    }

    /// Answers an access request that nobody has answered yet.
    pub fn answer_request(&self, id: &RequestId, verdict: Verdict, reason: &str) -> Result<(), SandboxError> {
        let answered = self.cluster.requests.answer(&self.cluster.options, &id.to_string(), verdict, reason);
        answered.map_err(|refusal| SandboxError::create("answer to the access request", refusal.text))
    }

    /// What whoever answers requests over the web port must show. A secret as far as a sandbox has any.
    pub fn control_secret(&self) -> &str {
        &self.cluster.control
    }

    /// Stops accepting and closes what is open.
    pub async fn stop(mut self) {
        self.server.abort();
        self.metadata.abort();
        // The error is the abort itself.
        let _ = (&mut self.server).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
        self.metadata.abort();
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("address", &self.address).finish_non_exhaustive()
    }
}
