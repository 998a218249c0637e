//! Who a certificate is for, as Teleport writes it into X.509 subjects and SSH extensions.
//!
//! Attributes under 1.3.9999 are those of gravitational/teleport `lib/tlsca`; order and encodings are the recorded ones.

use const_oid::db::rfc4519::{
    COMMON_NAME, LOCALITY_NAME, ORGANIZATION_NAME, POSTAL_CODE, SERIAL_NUMBER, STREET,
};
use der::asn1::ObjectIdentifier;
use serde_json::json;
use ssh_key::Certificate;
use ssh_key::public::KeyData;
use x509_cert::name::RdnSequence;

use super::ca::Ca;
use super::error::SandboxError;
use super::random::random;
use super::ssh_cert::{self, UserRequest};
use super::x509;
use crate::identity::DRY_RUN;
use crate::text::hex;

/// The principal every certificate of a bot has.
pub(super) const INTERNAL_JOIN: &str = "-teleport-internal-join";

/// A principal that no account has, for a certificate without logins.
pub(super) fn no_login() -> Result<String, SandboxError> {
    let hex = hex(&random::<16>()?);
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default());
    Ok(format!("-teleport-nologin-{}", groups.join("-")))
}

/// Who, what and how long.
#[derive(Clone)]
pub(super) struct Profile {
    pub(super) user: String,
    /// Marks the certificates: in the key id for SSH, as `serialNumber` of the subject for X.509, which no consumer of a
    /// user certificate looks at.
    pub(super) dry_run: bool,
    pub(super) roles: Vec<String>,
    /// Principals, Teleport's internal ones included.
    pub(super) logins: Vec<String>,
    /// JSON.
    pub(super) traits: String,
    pub(super) cluster: String,
    pub(super) route_to_cluster: String,
    pub(super) login_ip: String,
    /// Set on certificates with impersonated roles, which may not be used to ask for more.
    pub(super) impersonator: Option<String>,
    /// Access requests that it was issued by.
    pub(super) requests: Vec<String>,
    /// Kubernetes, database and application routes by their dotted tail under 1.3.9999.
    pub(super) routes: Vec<(&'static str, String)>,
    /// Unix seconds.
    pub(super) valid: (i64, i64),
}

impl Profile {
    /// The X.509 certificate for a key (`SubjectPublicKeyInfo` DER), DER.
    pub(super) fn tls_certificate(&self, ca: &Ca, public_key: &[u8]) -> Result<Vec<u8>, SandboxError> {
        ca.sign_user(self.subject()?, public_key, self.valid)
    }

    /// The SSH certificate for a key.
    pub(super) fn ssh_certificate(&self, ca: &Ca, key: &KeyData) -> Result<Certificate, SandboxError> {
        let flag = String::new;
        let mut extensions = vec![
            ("login-ip", self.login_ip.clone()),
            ("permit-port-forwarding", flag()),
            ("permit-pty", flag()),
            ("private-key-policy", "none".to_owned()),
            ("teleport-roles", json!({"version": "v1", "roles": self.roles}).to_string()),
            ("teleport-route-to-cluster", self.route_to_cluster.clone()),
            ("teleport-traits", self.traits.clone()),
        ];
        if !self.requests.is_empty() {
            extensions
                .push(("teleport-active-requests", json!({"access_requests": self.requests}).to_string()));
        }
        if let Some(impersonator) = &self.impersonator {
            extensions.push(("disallow-reissue", flag()));
            extensions.push(("impersonator", impersonator.clone()));
        }
        let key_id = if self.dry_run { format!("{DRY_RUN} {}", self.user) } else { self.user.clone() };
        let request = UserRequest {
            key,
            key_id: &key_id,
            principals: &self.logins,
            valid: self.valid,
            extensions: &extensions,
        };
        ssh_cert::user(ca.ssh_key(), &request)
    }

    fn subject(&self) -> Result<RdnSequence, SandboxError> {
        let one = |value: &str| vec![value.to_owned()];
        let mut sets = vec![
            (LOCALITY_NAME, self.logins.clone()),
            (STREET, one(&self.route_to_cluster)),
            (POSTAL_CODE, one(&self.traits)),
            (ORGANIZATION_NAME, self.roles.clone()),
            (COMMON_NAME, one(&self.user)),
            (SERIAL_NUMBER, if self.dry_run { one(DRY_RUN) } else { Vec::new() }),
        ];
        let (routes_1, routes_2): (Vec<_>, Vec<_>) =
            self.routes.iter().partition(|(t, _)| t.starts_with("1."));
        let own = [("1.7", self.cluster.clone()), ("1.9", self.login_ip.clone())];
        let reissue = self.impersonator.iter().flat_map(|i| [("2.7", i.clone()), ("2.9", "true".to_owned())]);
        let tails = routes_1
            .into_iter()
            .cloned()
            .chain(own)
            .chain(routes_2.into_iter().cloned())
            .chain(reissue)
            .chain(self.requests.iter().map(|id| ("2.8", id.clone())))
            .chain([("1.15", "none".to_owned())]);
        for (tail, value) in tails {
            let oid = ObjectIdentifier::new(&format!("1.3.9999.{tail}"))
                .map_err(|e| SandboxError::create("subject", e))?;
            sets.push((oid, vec![value]));
        }
        let mut subject = RdnSequence::default();
        for (oid, values) in sets {
            if let Some(rdn) = x509::rdn(oid, &values)? {
                subject.push(rdn);
            }
        }
        Ok(subject)
    }
}
