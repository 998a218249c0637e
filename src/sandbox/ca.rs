//! The CAs of the sandbox: keys, their own certificates, and what they sign.

use const_oid::db::rfc4519::{COMMON_NAME, ORGANIZATION_NAME, SERIAL_NUMBER};
use x509_cert::name::RdnSequence;

use super::error::SandboxError;
use super::options::{Rotation, SandboxOptions};
use super::x509::{self, Purpose, Request};
use crate::identity::Suite;
use crate::identity::keys::{KeyKind, KeyPair};
use crate::identity::tls::pem_of;
use crate::teleport::wire;

const TEN_YEARS: i64 = 10 * 365 * 24 * 3600;

/// One CA: an X.509 key with its self-signed certificate, and an SSH key.
pub(super) struct Ca {
    tls: KeyPair,
    ssh: KeyPair,
    subject: RdnSequence,
    /// Its own certificate, DER.
    pub(super) der: Vec<u8>,
}

impl Ca {
    /// Generates the keys.
    pub(super) fn new(name: &str, tls: KeyKind, ssh: KeyKind) -> Result<Self, SandboxError> {
        let make = |kind| KeyPair::generate(kind).map_err(|e| SandboxError::create("CA key", e));
        let (tls, ssh) = (make(tls)?, make(ssh)?);
        let serial = x509::serial()?;
        let mut subject = RdnSequence::default();
        for (oid, value) in [
            (ORGANIZATION_NAME, name.to_owned()),
            (COMMON_NAME, name.to_owned()),
            (SERIAL_NUMBER, serial.to_string()),
        ] {
            if let Some(rdn) = x509::rdn(oid, &[value])? {
                subject.push(rdn);
            }
        }
        let now = crate::env::now().as_second();
        let request = Request {
            serial,
            subject: subject.clone(),
            public_key: tls.public_der(),
            valid: (now - 60, now + TEN_YEARS),
            purpose: Purpose::Ca,
            issuer_address: None,
        };
        let der = x509::sign(&subject, &tls, request)?;
        Ok(Self { tls, ssh, subject, der })
    }

    /// Its own certificate, PEM.
    pub(super) fn pem(&self) -> String {
        pem_of(&self.der)
    }

    /// Its SSH key as an `authorized_keys` line with a newline.
    pub(super) fn ssh_line(&self) -> String {
        self.ssh.public_ssh_line()
    }

    /// Its SSH key in wire form.
    pub(super) fn ssh_wire(&self) -> Result<Vec<u8>, SandboxError> {
        ssh_key::PublicKey::from(self.ssh.public_ssh().clone())
            .to_bytes()
            .map_err(|e| SandboxError::create("CA key", e))
    }

    /// Its SSH key, to sign with.
    pub(super) fn ssh_key(&self) -> &KeyPair {
        &self.ssh
    }

    /// Signs a certificate for a user. DER.
    pub(super) fn sign_user(
        &self,
        subject: RdnSequence,
        public_key: &[u8],
        valid: (i64, i64),
    ) -> Result<Vec<u8>, SandboxError> {
        let request = Request {
            serial: x509::serial()?,
            subject,
            public_key,
            valid,
            purpose: Purpose::User,
            issuer_address: None,
        };
        x509::sign(&self.subject, &self.tls, request)
    }

    /// Generates a key and a server certificate (DER) with these names, valid for a day.
    pub(super) fn server(&self, names: &[String]) -> Result<(KeyPair, Vec<u8>), SandboxError> {
        let key = KeyPair::generate(KeyKind::P256).map_err(|e| SandboxError::create("server key", e))?;
        let mut subject = RdnSequence::default();
        if let Some(rdn) = x509::rdn(COMMON_NAME, names.get(..1).unwrap_or_default())? {
            subject.push(rdn);
        }
        let now = crate::env::now().as_second();
        let request = Request {
            serial: x509::serial()?,
            subject,
            public_key: key.public_der(),
            valid: (now - 60, now + 24 * 3600),
            purpose: Purpose::Server(names),
            issuer_address: None,
        };
        let der = x509::sign(&self.subject, &self.tls, request)?;
        Ok((key, der))
    }

    /// Its public halves as the auth service sends them, with those that are trusted besides.
    pub(super) fn to_message(
        &self,
        kind: &str,
        cluster: &str,
        besides: Option<&Self>,
    ) -> wire::CertAuthority {
        // Recorded: the database CA has no SSH key.
        let keys = |ca: &Self| wire::CaKeySet {
            ssh: if kind == "db" {
                Vec::new()
            } else {
                vec![wire::SshKeyPair { public_key: ca.ssh_line().into_bytes() }]
            },
            tls: vec![wire::TlsKeyPair { cert: ca.pem().into_bytes() }],
        };
        wire::CertAuthority {
            kind: "cert_authority".to_owned(),
            sub_kind: kind.to_owned(),
            metadata: Some(wire::Metadata {
                name: cluster.to_owned(),
                namespace: "default".to_owned(),
                ..wire::Metadata::default()
            }),
            spec: Some(wire::CertAuthoritySpec {
                r#type: kind.to_owned(),
                cluster_name: cluster.to_owned(),
                active_keys: Some(keys(self)),
                additional_trusted_keys: Some(besides.map(keys).unwrap_or_default()),
            }),
        }
    }
}

/// All CAs of a cluster.
pub(super) struct Cas {
    pub(super) user: Ca,
    pub(super) host: Ca,
    pub(super) db: Ca,
    /// Signs the web certificate; stands for a public CA.
    pub(super) web: Ca,
    /// Host CAs of leaf clusters, by name.
    pub(super) leaves: Vec<(String, Ca)>,
    /// The keys that a rotation replaces.
    pub(super) old: Option<Old>,
}

/// What is still trusted while the CAs are rotated.
pub(super) struct Old {
    pub(super) user: Ca,
    pub(super) host: Ca,
    pub(super) db: Ca,
    /// Servers have no certificates of the new keys yet.
    of_servers: bool,
}

impl Cas {
    pub(super) fn new(options: &SandboxOptions) -> Result<Self, SandboxError> {
        let (tls, ssh) = match Suite::parse(&options.suite) {
            _ if options.rsa_cas => (KeyKind::Rsa2048, KeyKind::Rsa2048),
            Some(Suite::FipsV1) => (KeyKind::P256, KeyKind::P256),
            _ => (KeyKind::P256, KeyKind::Ed25519),
        };
        let leaves = options
            .leaves
            .iter()
            .map(|name| Ok((name.clone(), Ca::new(name, tls, ssh)?)))
            .collect::<Result<_, SandboxError>>()?;
        let user = || Ca::new(&options.cluster, tls, ssh);
        let db = || Ca::new(&options.cluster, tls, KeyKind::Ed25519);
        let old = |phase| {
            let of_servers = phase == Rotation::UpdateClients;
            Ok::<_, SandboxError>(Old { user: user()?, host: user()?, db: db()?, of_servers })
        };
        Ok(Self {
            old: options.rotation.map(old).transpose()?,
            user: user()?,
            host: user()?,
            db: db()?,
            web: Ca::new("jobpass sandbox web CA", KeyKind::P256, KeyKind::Ed25519)?,
            leaves,
        })
    }

    /// The user CA: all that is trusted, first what signs.
    pub(super) fn users(&self) -> impl Iterator<Item = &Ca> {
        std::iter::once(&self.user).chain(self.old.as_ref().map(|old| &old.user))
    }

    /// The host CA in the same order.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &Ca> {
        std::iter::once(&self.host).chain(self.old.as_ref().map(|old| &old.host))
    }

    /// What signs the certificates of servers.
    pub(super) fn servers(&self) -> &Ca {
        self.old.as_ref().filter(|old| old.of_servers).map_or(&self.host, |old| &old.host)
    }
}
