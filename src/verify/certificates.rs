//! Whether the certificates of an output are what was asked for: key, issuer, user, roles, dates.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;

use crate::identity::route::Route;
use crate::identity::ssh::SshCertificate;
use crate::identity::tls::{TlsCertificate, ders_of};
use crate::identity::{Authorities, DRY_RUN, Identity};
use crate::net::tls::provider;
use crate::text::{is_name, safe};

/// What was asked for.
pub(super) struct Request<'a> {
    /// The bot's user.
    pub(super) user: &'a str,
    /// What it is for.
    pub(super) route: &'a Route,
    /// Issued by an access request.
    pub(super) is_approved: bool,
    /// No more and no fewer.
    pub(super) roles: &'a [String],
    /// The end.
    pub(super) asked: Timestamp,
    /// The cluster's clock.
    pub(super) now: Timestamp,
}

/// Which certificate is wrong, and what is wrong with it.
pub(super) type Wrong = (&'static str, String);

/// The longest life Teleport gives a bot's certificate (`lib/auth/bot.go` of 15 and later), and the minute by which it
/// begins early (recorded).
const LONGEST: SignedDuration = SignedDuration::from_mins(24 * 60 + 2);

/// Covers a clock that could not be read exactly.
const LEEWAY: SignedDuration = SignedDuration::from_mins(2);

/// Checks each certificate by itself: one that is right does not vouch for the others.
pub(super) fn check(
    identity: &Identity,
    authorities: &Authorities,
    request: &Request<'_>,
) -> Result<(), Wrong> {
    let tls = &identity.tls;
    let facts = Facts {
        fits_key: tls.cert.public_key == tls.key.public_der(),
        is_signed: is_signed(&tls.cert, authorities, request.now),
        user: &tls.cert.common_name,
        roles: Some(tls.cert.organizations.clone()),
        logins: &tls.cert.localities,
        from: tls.cert.not_before,
        to: tls.cert.not_after,
    };
    facts.check(request).map_err(|found| ("TLS certificate", found))?;
    let route = Route::of(&tls.cert);
    // The server's default (`1.3` in the recorded certificate by an access request).
    let is_default =
        request.is_approved && matches!((&route, request.route), (Route::Kube { .. }, Route::Cluster));
    if !route.serves(request.route) && !is_default {
        return Err(("TLS certificate", format!("it is for {}", safe(&route.to_string(), 200))));
    }
    let ssh = identity.ssh.as_ref().map(|ssh| ("SSH certificate", &ssh.cert, &ssh.key));
    let bundle = identity.bundle_ssh_cert.as_ref();
    let bundle = bundle.map(|cert| ("SSH certificate of the `identity` file", cert, &tls.key));
    for (what, cert, key) in ssh.into_iter().chain(bundle) {
        let roles = cert.roles();
        let facts = Facts {
            fits_key: cert.public_key == *key.public_ssh(),
            is_signed: is_signed_ssh(cert, authorities),
            user: cert.key_id.strip_prefix(DRY_RUN).map_or(cert.key_id.as_str(), str::trim_start),
            // Not in all versions.
            roles: (!roles.is_empty()).then_some(roles),
            logins: &cert.principals,
            from: cert.valid_after,
            to: cert.valid_before,
        };
        facts.check(request).map_err(|found| (what, found))?;
    }
    Ok(())
}

/// What SSH and X.509 certificates have in common.
struct Facts<'a> {
    fits_key: bool,
    is_signed: bool,
    user: &'a str,
    roles: Option<Vec<String>>,
    logins: &'a [String],
    from: Timestamp,
    to: Timestamp,
}

impl Facts<'_> {
    fn check(&self, request: &Request<'_>) -> Result<(), String> {
        if !self.fits_key {
            return Err("it is for a different key".to_owned());
        }
        if !self.is_signed {
            return Err("none of the cluster's user CAs signed it".to_owned());
        }
        if self.user != request.user {
            return Err(format!("it is for the user `{}`", self.user));
        }
        if let Some(name) = self.names().find(|name| !is_name(name)) {
            return Err(format!("it has a name that Teleport would not allow: `{name}`"));
        }
        if let Some(roles) = &self.roles {
            let has: BTreeSet<&String> = roles.iter().collect();
            let asked: BTreeSet<&String> = request.roles.iter().collect();
            if let Some(role) = asked.difference(&has).next() {
                return Err(format!("it lacks the role `{role}`"));
            }
            if let Some(role) = has.difference(&asked).next() {
                return Err(format!("it has the role `{role}`, which was not asked for"));
            }
        }
        self.check_dates(request)
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.roles.iter().flatten().chain(self.logins)
    }

    fn check_dates(&self, request: &Request<'_>) -> Result<(), String> {
        let later = |time: Timestamp, by| time.saturating_add(by).unwrap_or(time);
        if self.to <= request.now {
            return Err(format!("it expired at {}", self.to));
        }
        if self.from > later(request.now, LEEWAY) {
            return Err(format!("it is not valid before {}", self.from));
        }
        if self.to > later(request.asked, LEEWAY) {
            return Err(format!("it expires at {}, later than asked", self.to));
        }
        if self.to.duration_since(self.from) > LONGEST {
            return Err(format!("it is valid for more than 24h, until {}", self.to));
        }
        Ok(())
    }
}

fn is_signed_ssh(cert: &SshCertificate, authorities: &Authorities) -> bool {
    // The signature came over a channel that is verified; which CA made it is what is left to see.
    let is_signer = |line: &String| {
        ssh_key::PublicKey::from_openssh(line).is_ok_and(|key| *key.key_data() == cert.signed_by)
    };
    authorities.user.iter().flat_map(|ca| &ca.ssh_keys).any(is_signer)
}

/// Whether a user CA issued it for a TLS client, as the cluster's own servers check it.
fn is_signed(cert: &TlsCertificate, authorities: &Authorities, now: Timestamp) -> bool {
    let mut roots = RootCertStore::empty();
    let ders = authorities.user.iter().flat_map(|ca| &ca.tls_certs).filter_map(|pem| ders_of(pem).ok());
    roots.add_parsable_certificates(ders.flatten().map(CertificateDer::from));
    let Ok(verifier) = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build()
    else {
        return false;
    };
    // Its dates are compared elsewhere, with our leeway and our words.
    let within = now.clamp(cert.not_before, cert.not_after).as_second();
    let within =
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(u64::try_from(within).unwrap_or(0)));
    verifier.verify_client_cert(&CertificateDer::from(cert.der.as_slice()), &[], within).is_ok()
}

#[cfg(test)]
pub(super) mod tests;
