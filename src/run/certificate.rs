//! A certificate in a folder that `login` wrote, and the key it is for.

use std::path::Path;

use zeroize::Zeroizing;

use crate::env;
use crate::error::StageError as _;
use crate::identity::keys::KeyPair;
use crate::identity::tls::TlsCertificate;
use crate::run::error::RunError;
use crate::text::io_reason;

/// No credentials at that path, and what to do.
pub fn none(path: &Path, reason: impl Into<String>, hint: &str) -> RunError {
    RunError::NoCredentials { path: path.display().to_string(), reason: reason.into(), hint: hint.to_owned() }
}

/// The certificate in `path`, which has not expired. `again`: how to get a new one.
pub fn certificate(path: &Path, again: &str) -> Result<TlsCertificate, RunError> {
    let text = text(path, again)?;
    let certificate = TlsCertificate::from_pem(&text).map_err(|e| none(path, e.in_one_line(), again))?;
    if certificate.not_after <= env::now() {
        let dir = path.parent().unwrap_or(path).display().to_string();
        return Err(RunError::Expired { dir, expired: certificate.not_after });
    }
    Ok(certificate)
}

/// The key in `path`, which is that of the certificate in `of`.
pub fn key(path: &Path, certificate: &TlsCertificate, of: &Path, again: &str) -> Result<KeyPair, RunError> {
    let key = KeyPair::from_pem(&text(path, again)?).map_err(|e| none(path, e.in_one_line(), again))?;
    if key.public_der() != certificate.public_key {
        return Err(none(of, format!("it is not for the key in `{}`", path.display()), again));
    }
    Ok(key)
}

fn text(path: &Path, again: &str) -> Result<Zeroizing<String>, RunError> {
    env::read_text(path).map(Zeroizing::new).map_err(|e| none(path, io_reason(&e), again))
}
