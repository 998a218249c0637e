//! Keys, certificates and the files they become. Knows which keys a cluster's suite asks for and what an issued
//! identity is made of.

pub mod formats;
pub mod keys;
pub mod ssh;
pub mod tls;

use keys::{KeyKind, KeyPair};
use ssh::SshCertificate;
use tls::TlsCertificate;

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

/// An issued identity: certificates and the keys they are for.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Key of `ssh_cert`; of `tls_cert` too when `tls_key` is `None`.
    pub ssh_key: KeyPair,
    /// Key of `tls_cert` where the two are split (servers from 17).
    pub tls_key: Option<KeyPair>,
    /// The user certificate for SSH.
    pub ssh_cert: SshCertificate,
    /// The client certificate for TLS.
    pub tls_cert: TlsCertificate,
    /// With split keys, one more SSH certificate for the TLS key: the `identity` file holds a single key for both.
    pub bundle_ssh_cert: Option<SshCertificate>,
}

impl Identity {
    /// The key the TLS certificate is for.
    pub fn key_of_tls(&self) -> &KeyPair {
        self.tls_key.as_ref().unwrap_or(&self.ssh_key)
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
