//! What an output's certificate is signed from: as it should be, or with the flaw that was injected.

use ssh_key::Certificate;
use ssh_key::public::KeyData;

use super::ca::Ca;
use super::cluster::Cluster;
use super::error::SandboxError;
use super::fault_injection::{CertificateKind, Flaw};
use super::profile::Profile;
use crate::identity::keys::{KeyKind, KeyPair};

const HOUR: i64 = 3600;

/// One certificate to be signed.
pub(super) struct Template<'a> {
    cluster: &'a Cluster,
    profile: Profile,
    unknown_ca: Option<Ca>,
    foreign_key: Option<KeyPair>,
}

impl<'a> Template<'a> {
    /// `profile` with the flaws injected into certificates of that kind.
    pub(super) fn new(
        cluster: &'a Cluster,
        kind: CertificateKind,
        profile: &Profile,
    ) -> Result<Self, SandboxError> {
        let mut template = Self { cluster, profile: profile.clone(), unknown_ca: None, foreign_key: None };
        for (_, flaw) in cluster.options.inject.wrong_certificates.iter().filter(|(k, _)| *k == kind) {
            template.bend(*flaw)?;
        }
        Ok(template)
    }

    /// The X.509 certificate for a key (`SubjectPublicKeyInfo` DER), DER.
    pub(super) fn tls_certificate(&self, key: &[u8]) -> Result<Vec<u8>, SandboxError> {
        let key = self.foreign_key.as_ref().map_or(key, KeyPair::public_der);
        self.profile.tls_certificate(self.ca(), key)
    }

    /// The SSH certificate for a key.
    pub(super) fn ssh_certificate(&self, key: &KeyData) -> Result<Certificate, SandboxError> {
        let key = self.foreign_key.as_ref().map_or(key, KeyPair::public_ssh);
        self.profile.ssh_certificate(self.ca(), key)
    }

    fn ca(&self) -> &Ca {
        self.unknown_ca.as_ref().unwrap_or(&self.cluster.cas.user)
    }

    fn bend(&mut self, flaw: Flaw) -> Result<(), SandboxError> {
        let profile = &mut self.profile;
        let now = crate::env::now().as_second();
        match flaw {
            Flaw::ForeignKey => {
                let key = KeyPair::generate(KeyKind::P256);
                self.foreign_key = Some(key.map_err(|e| SandboxError::create("key", e))?);
            }
            Flaw::UnknownCa => {
                let name = &self.cluster.options.cluster;
                self.unknown_ca = Some(Ca::new(name, KeyKind::P256, KeyKind::Ed25519)?);
            }
            Flaw::ForeignUser => "bot-other".clone_into(&mut profile.user),
            Flaw::MissingRole => drop(profile.roles.pop()),
            Flaw::ExtraRole => profile.roles.push("editor".to_owned()),
            Flaw::LateEnd => profile.valid.1 += HOUR,
            Flaw::FutureStart => profile.valid = (now + HOUR, now + 2 * HOUR),
            Flaw::Ended => profile.valid = (now - 2 * HOUR, now - HOUR),
            Flaw::ForeignRoute => match profile.routes.last_mut() {
                Some((_, value)) => value.push_str("-other"),
                None => profile.routes.push(("1.3", "other".to_owned())),
            },
        }
        Ok(())
    }
}
