//! A web certificate under a CA of its own, issued by `openssl`, and the TLS set-up of a server that shows it.

use std::sync::Arc;

use jobpass::net::tls::provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::command::run;

pub struct WebCertificate {
    pub ca_pem: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl WebCertificate {
    /// For names as `openssl` wants them: `DNS:proxy.test,IP:127.0.0.1`.
    pub fn new(names: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (ca, ca_key, leaf, key) = (path("ca"), path("ca.key"), path("leaf"), path("key"));
        let new =
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
        let with = |more: &[&str]| run("openssl", &[&new[..], more].concat()).ok();
        with(&["-subj", "/CN=Test Web CA", "-keyout", &ca_key, "-out", &ca]);
        let names = format!("subjectAltName={names}");
        let extensions = ["-addext", &names, "-addext", "basicConstraints=critical,CA:FALSE"];
        let signed = ["-CA", &ca, "-CAkey", &ca_key, "-subj", "/CN=web", "-keyout", &key, "-out", &leaf];
        with(&[&signed[..], &extensions[..]].concat());
        Self {
            ca_pem: std::fs::read_to_string(&ca).unwrap(),
            chain: vec![CertificateDer::from_pem_file(&leaf).unwrap()],
            key: PrivateKeyDer::from_pem_file(&key).unwrap(),
        }
    }

    /// Agrees on the first of these protocols that the client offers; on none without an error when there are none.
    pub fn server(&self, alpn: &[&str]) -> Arc<ServerConfig> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|p| p.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

/// Trusts these CAs (PEM) and speaks HTTP/1.1.
pub fn web_client(ca_pem: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(ca_pem.as_bytes()).map(Result::unwrap));
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}
