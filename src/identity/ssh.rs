//! An issued SSH certificate: what OpenSSH and Teleport put in it.

use jiff::Timestamp;
use ssh_key::Certificate;
use ssh_key::certificate::CertType;
use ssh_key::public::KeyData;
use thiserror::Error;

use super::logins::{self, Traits};
use crate::error::{Exit, StageError};

/// A parsed OpenSSH user certificate. Its signature is *not* checked: the TLS channel it came over is.
#[derive(Debug, Clone)]
pub struct SshCertificate {
    /// The line as in `key-cert.pub`, without comment and newline.
    pub line: String,
    /// Key id; Teleport puts the user name there.
    pub key_id: String,
    /// All principals, Teleport's internal ones (`-teleport-…`) included.
    pub principals: Vec<String>,
    /// Start of validity.
    pub valid_after: Timestamp,
    /// End of validity. A certificate that never ends (`forever`) is not read: no cluster issues one.
    pub valid_before: Timestamp,
    /// The certified key.
    pub public_key: KeyData,
    /// The CA's key.
    pub signed_by: KeyData,
    /// Extensions by name; flags have an empty value. Teleport's strings are decoded of their length prefix.
    pub extensions: Vec<(String, String)>,
}

/// No certificate in the field is near this.
const MAX_LINE: usize = 64 * 1024;

impl SshCertificate {
    /// Reads a `…-cert-v01@openssh.com` line.
    pub fn from_line(line: &str) -> Result<Self, SshCertError> {
        if line.len() > MAX_LINE {
            return Err(SshCertError::Malformed("longer than 64 KiB".into()));
        }
        // A comment, which may follow, is nothing a file of ours should carry.
        let words: Vec<&str> = line.split_whitespace().take(2).collect();
        let line = words.join(" ");
        let certificate = Certificate::from_openssh(&line).map_err(malformed)?;
        Self::new(&certificate, line)
    }

    /// Principals a person could log in as ([`is_login`]).
    pub fn logins(&self) -> Vec<&str> {
        self.principals.iter().map(String::as_str).filter(|p| is_login(p)).collect()
    }

    /// Roles in `teleport-roles` (`{"version":"v1","roles":[…]}`).
    pub fn roles(&self) -> Vec<String> {
        self.listed("teleport-roles", "roles")
    }

    /// The approved access requests in `teleport-active-requests` (`{"access_requests":[…]}`; recorded with 15).
    pub fn access_requests(&self) -> Vec<String> {
        self.listed("teleport-active-requests", "access_requests")
    }

    /// Traits in `teleport-traits` (`{"logins":["deploy"]}`).
    pub fn traits(&self) -> Traits {
        let found = self.extensions.iter().find(|(name, _)| name == "teleport-traits");
        found.map(|(_, text)| logins::traits(text)).unwrap_or_default()
    }

    /// The texts of a list in an extension of JSON.
    fn listed(&self, extension: &str, field: &str) -> Vec<String> {
        let Some((_, text)) = self.extensions.iter().find(|(name, _)| name == extension) else {
            return Vec::new();
        };
        let json: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let list = json.get(field).and_then(serde_json::Value::as_array);
        list.into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }

    /// `line` is what was read, not encoded again: the signature is over those bytes.
    fn new(certificate: &Certificate, line: String) -> Result<Self, SshCertError> {
        if certificate.cert_type() != CertType::User {
            return Err(SshCertError::NotForUsers);
        }
        let time = |seconds: u64| {
            i64::try_from(seconds).ok().and_then(|s| Timestamp::from_second(s).ok()).unwrap_or(Timestamp::MAX)
        };
        Ok(Self {
            line,
            key_id: certificate.key_id().to_owned(),
            principals: certificate.valid_principals().to_vec(),
            valid_after: time(certificate.valid_after()),
            valid_before: time(certificate.valid_before()),
            public_key: certificate.public_key().clone(),
            signed_by: certificate.signature_key().clone(),
            extensions: certificate.extensions().iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        })
    }
}

/// Why a certificate could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SshCertError {
    /// Not a certificate, with the parser's reason.
    #[error("not an OpenSSH certificate")]
    Malformed(String),
    /// A host certificate where a user's was expected.
    #[error("it is a host certificate, not a user certificate")]
    NotForUsers,
}

impl StageError for SshCertError {
    fn exit(&self) -> Exit {
        Exit::Files
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Malformed(reason) => vec![reason.clone()],
            Self::NotForUsers => Vec::new(),
        }
    }
}

/// Whether a person could log in as this principal: those that begin with `-teleport-` are Teleport's own.
pub fn is_login(principal: &str) -> bool {
    !principal.starts_with("-teleport-")
}

fn malformed(error: ssh_key::Error) -> SshCertError {
    SshCertError::Malformed(match error {
        ssh_key::Error::Time => "its dates are out of range (issued without an end?)".into(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &str = include_str!("../../tests/data/teleport/tbot_output/identity.txt");

    fn line() -> &'static str {
        RECORDED.lines().find(|l| l.starts_with("ssh-rsa-cert")).unwrap()
    }

    #[test]
    fn reads_a_recorded_certificate() {
        let cert = SshCertificate::from_line(line()).unwrap();
        assert_eq!(cert.line, line());
        assert_eq!(cert.key_id, "bot-ci");
        assert_eq!(cert.logins(), ["root", "deploy", "trait-login", "reader"]);
        assert_eq!(cert.principals.len(), 5);
        assert_eq!(cert.roles(), ["ci-deploy", "ci-read"]);
        assert_eq!(cert.valid_before.to_string(), "2026-11-21T05:54:59Z");
        let value = |name: &str| cert.extensions.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!(value("impersonator"), Some("bot-ci"));
        assert_eq!(value("permit-pty"), Some(""));
    }

    #[test]
    fn other_text_is_refused() {
        for bad in ["", "ssh-rsa AAAA", "ssh-rsa-cert-v01@openssh.com AAAA", &"x".repeat(MAX_LINE + 1)] {
            assert!(SshCertificate::from_line(bad).is_err());
        }
    }

    /// A certificate by `ssh-keygen`, with these options.
    fn signed(options: &[&str]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let run = |args: &[&str]| {
            let output =
                std::process::Command::new("ssh-keygen").args(args).current_dir(dir.path()).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        for name in ["ca", "user"] {
            run(&["-q", "-t", "ed25519", "-N", "", "-f", name]);
        }
        run(&[&["-q", "-s", "ca", "-I", "x", "-n", "root"], options, &["user.pub"]].concat());
        std::fs::read_to_string(dir.path().join("user-cert.pub")).unwrap()
    }

    #[test]
    fn keeps_the_bytes_that_were_signed() {
        // A value that is an empty string: encoded again it would lose its length prefix.
        let line = signed(&["-V", "+1h", "-O", "extension:empty="]);
        let words: Vec<&str> = line.split(' ').take(2).collect();
        let read = SshCertificate::from_line(&line).unwrap();
        assert_eq!(read.line, words.join(" "));
    }

    #[test]
    fn other_certificates_are_refused_with_a_reason() {
        let error = SshCertificate::from_line(&signed(&[])).unwrap_err();
        assert!(error.in_one_line().contains("without an end"), "{error}");
        assert_eq!(
            SshCertificate::from_line(&signed(&["-h", "-V", "+1h"])).unwrap_err(),
            SshCertError::NotForUsers
        );
    }
}
