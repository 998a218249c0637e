//! Keys, certificates and the files they become: which keys a cluster's suite asks for, and what an issued identity
//! consists of.

pub mod agent;
pub mod formats;
pub mod keys;
pub mod logins;
mod pem;
pub mod route;
pub mod ssh;
pub mod tls;

use jiff::Timestamp;
use keys::{KeyKind, KeyPair};
use logins::Traits;
use ssh::SshCertificate;
use tls::TlsCertificate;

/// What marks the certificates of a dry run: the first word of an SSH key id, `serialNumber` of an X.509 subject.
pub const DRY_RUN: &str = "DRY-RUN";

/// A cluster's signature algorithm suite (`cluster_auth_preference.signature_algorithm_suite`, Teleport 17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Suite {
    /// One RSA-2048 key for both; also what servers before 17 mean by saying nothing.
    #[default]
    Legacy,
    /// Ed25519 for SSH, P-256 for TLS.
    BalancedV1,
    /// P-256 for both.
    FipsV1,
    /// The same user keys as `BalancedV1`; the CAs live in a hardware module.
    HsmV1,
}

impl Suite {
    /// Reads any spelling seen: `balanced-v1`, `SIGNATURE_ALGORITHM_SUITE_BALANCED_V1`,
    /// `signature-algorithm-suite-balanced-v1`, or the enum's number (1 legacy, 2 balanced, 3 fips, 4 hsm). Empty and
    /// unspecified (0) are `Legacy`; an unknown name is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let folded = text.trim().to_ascii_lowercase().replace('_', "-");
        let name = folded.strip_prefix("signature-algorithm-suite-").unwrap_or(&folded);
        match name {
            "" | "0" | "unspecified" | "1" | "legacy" => Some(Self::Legacy),
            "2" | "balanced-v1" => Some(Self::BalancedV1),
            "3" | "fips-v1" => Some(Self::FipsV1),
            "4" | "hsm-v1" => Some(Self::HsmV1),
            _ => None,
        }
    }

    /// The kinds of the SSH and the TLS key of a user under this suite.
    pub fn user_keys(self) -> (KeyKind, KeyKind) {
        match self {
            Self::Legacy => (KeyKind::Rsa2048, KeyKind::Rsa2048),
            Self::BalancedV1 | Self::HsmV1 => (KeyKind::Ed25519, KeyKind::P256),
            Self::FipsV1 => (KeyKind::P256, KeyKind::P256),
        }
    }
}

/// An issued identity. What is for a kubernetes cluster, a database or an application has no SSH half.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The user certificate for SSH, with its key.
    pub ssh: Option<SshIdentity>,
    /// The client certificate for TLS, with its key: the same as for SSH, or one of its own (servers from 17).
    pub tls: TlsIdentity,
    /// With split keys, one more SSH certificate for the TLS key: the `identity` file has room for a single key.
    pub bundle_ssh_cert: Option<SshCertificate>,
}

/// An SSH certificate with its key.
#[derive(Debug, Clone)]
pub struct SshIdentity {
    /// Its private key.
    pub key: KeyPair,
    /// For the public half of `key`, once `verify` has said so.
    pub cert: SshCertificate,
}

/// An X.509 certificate with its key.
#[derive(Debug, Clone)]
pub struct TlsIdentity {
    /// Its private key.
    pub key: KeyPair,
    /// For the public half of `key`, once `verify` has said so.
    pub cert: TlsCertificate,
}

impl Identity {
    /// The key of the TLS certificate, which is also that of the `identity` file.
    pub fn key_of_tls(&self) -> &KeyPair {
        &self.tls.key
    }

    /// The key of the TLS certificate where the SSH certificate has another one, so that it needs a file of its own.
    pub fn split_tls_key(&self) -> Option<&KeyPair> {
        let ssh = self.ssh.as_ref()?;
        (ssh.key.public_der() != self.tls.key.public_der()).then_some(&self.tls.key)
    }

    /// Logins for ssh; none where there is no SSH certificate.
    pub fn logins(&self) -> Vec<&str> {
        self.ssh.as_ref().map(|ssh| ssh.cert.logins()).unwrap_or_default()
    }

    /// Traits of the bot's.
    pub fn traits(&self) -> Traits {
        self.ssh.as_ref().map_or_else(|| self.tls.cert.traits.clone(), |ssh| ssh.cert.traits())
    }

    /// The earlier end of the two certificates.
    pub fn valid_until(&self) -> Timestamp {
        let tls = self.tls.cert.not_after;
        self.ssh.as_ref().map_or(tls, |ssh| tls.min(ssh.cert.valid_before))
    }
}

/// The public halves of one cluster's CA of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The cluster it belongs to (the root, or a leaf).
    pub cluster: String,
    /// `authorized_keys` lines without a comment or newline.
    pub ssh_keys: Vec<String>,
    /// X.509 certificates, PEM, each ending in a newline.
    pub tls_certs: Vec<String>,
}

/// All CAs an output is written with. In `host` and `user` the root cluster comes first, then its leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authorities {
    /// Sign hosts (`known_hosts`) and the cluster's own TLS servers.
    pub host: Vec<Authority>,
    /// Sign users.
    pub user: Vec<Authority>,
    /// Sign databases.
    pub database: Vec<Authority>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_have_many_spellings() {
        for (text, want) in [
            ("balanced-v1", Some(Suite::BalancedV1)),
            ("SIGNATURE_ALGORITHM_SUITE_BALANCED_V1", Some(Suite::BalancedV1)),
            ("signature-algorithm-suite-hsm-v1", Some(Suite::HsmV1)),
            ("3", Some(Suite::FipsV1)),
            ("", Some(Suite::Legacy)),
            ("0", Some(Suite::Legacy)),
            ("legacy", Some(Suite::Legacy)),
            ("post-quantum-v1", None),
        ] {
            assert_eq!(Suite::parse(text), want, "{text:?}");
        }
    }
}
