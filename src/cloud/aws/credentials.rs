//! AWS credentials, and the JSON in which the metadata services give them.

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::error::AwsError;

/// Keys, as whoever has them gives them. Never shown, the access key id neither.
#[derive(Clone)]
pub(super) struct Credentials {
    access_key_id: String,
    secret_access_key: SecretString,
    session_token: Option<SecretString>,
    /// When they end, where that is known.
    expires: Option<Timestamp>,
}

/// The longest part. Session tokens have no stated limit; those in the field are around 1 KiB.
const LONGEST: usize = 16 * 1024;
/// This machine's clock may be ahead; what ended within this is left to AWS.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

impl Credentials {
    /// `source` is for errors. Each part must be able to stand in a header.
    pub(super) fn new(
        source: &str,
        access_key_id: &str,
        secret_access_key: &str,
        session_token: Option<&str>,
        expires: Option<Timestamp>,
    ) -> Result<Self, AwsError> {
        for (name, value) in [
            ("access key id", Some(access_key_id)),
            ("secret access key", Some(secret_access_key)),
            ("session token", session_token),
        ] {
            let Some(value) = value else { continue };
            let problem = match value {
                "" => "it is empty",
                long if long.len() > LONGEST => "it is too long",
                text if text.bytes().all(|b| b == b'*') => "it is masked: the value is `***`",
                text if !text.bytes().all(|b| b.is_ascii_graphic()) => {
                    "it has characters that it cannot have (is it quoted or truncated?)"
                }
                _ => continue,
            };
            let problem = format!("its {name}: {problem}");
            return Err(AwsError::Malformed { place: source.to_owned(), problem });
        }
        Ok(Self {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: secret_access_key.into(),
            session_token: session_token.map(Into::into),
            expires,
        })
    }

    /// The JSON of the metadata services of instances and containers.
    pub(super) fn from_json(source: &str, json: &str) -> Result<Self, AwsError> {
        let malformed = |problem: &str| AwsError::Form { place: source.to_owned(), problem: problem.into() };
        let given: Given =
            serde_json::from_str(json).map_err(|_| malformed("it is not the JSON that is documented"))?;
        if let Some(code) = given.code.filter(|code| code != "Success") {
            let message = given.message.unwrap_or_default();
            return Err(AwsError::Withheld { place: source.to_owned(), code, message });
        }
        let (Some(id), Some(secret), Some(token)) =
            (given.access_key_id, given.secret_access_key, given.token)
        else {
            return Err(malformed("it has no `AccessKeyId`, `SecretAccessKey` and `Token`"));
        };
        let expires = match given.expiration {
            Some(text) => Some(text.parse().map_err(|_| malformed("its `Expiration` is not a time"))?),
            None => None,
        };
        Self::new(source, &id, &secret, Some(&token), expires)
    }

    /// An error where they have ended at `now`.
    pub(super) fn not_expired(self, source: &str, now: Timestamp) -> Result<Self, AwsError> {
        let then = now.checked_sub(LEEWAY).unwrap_or(now);
        match self.expires.filter(|end| *end <= then) {
            Some(since) => Err(AwsError::Expired { place: source.to_owned(), since }),
            None => Ok(self),
        }
    }

    pub(super) fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// Only for the key of a signature.
    pub(super) fn expose_secret(&self) -> &str {
        self.secret_access_key.expose_secret()
    }

    /// Only for the header of a request.
    pub(super) fn expose_session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(SecretString::expose_secret)
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(redacted)")
    }
}

/// Both services name the fields alike; `code` and `message` are small in a container's refusal.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    #[serde(alias = "code")]
    code: Option<String>,
    #[serde(alias = "message")]
    message: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    token: Option<String>,
    expiration: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_keys_is_told_and_not_shown() {
        for (id, secret, token, words) in [
            ("", "s3cr3t", None, "its access key id: it is empty"),
            ("AKIA", "", None, "its secret access key: it is empty"),
            ("AKIA", "***", None, "its secret access key: it is masked"),
            ("AKIA", "s3cr3t\n", None, "its secret access key: it has characters"),
            ("AKIA", "\"s3 cr3t\"", None, "its secret access key: it has characters"),
            ("AKIA\r\nx-evil: 1", "s3cr3t", None, "its access key id: it has characters"),
            ("AKIA", "s3cr3t", Some("s3cr3t\u{e9}"), "its session token: it has characters"),
            ("AKIA", "s3cr3t", Some(""), "its session token: it is empty"),
        ] {
            let error = Credentials::new("the test", id, secret, token, None).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(words) && !text.contains("s3cr3t"), "{text}");
        }
        let long = "x".repeat(LONGEST + 1);
        assert!(Credentials::new("t", "AKIA", "s", Some(&long), None).is_err());
        let good = Credentials::new("t", "AKIA", "s3cr3t", Some("s3cr3t"), None).unwrap();
        assert_eq!(format!("{good:?}"), "Credentials(redacted)");
    }

    #[test]
    fn reads_what_the_services_give() {
        let good = r#"{"Code":"Success","AccessKeyId":"ASIA","SecretAccessKey":"s3cr3t","Token":"t0k3n","Expiration":"2026-11-21T05:00:00Z"}"#;
        let found = Credentials::from_json("x", good).unwrap();
        assert_eq!((found.access_key_id(), found.expose_secret()), ("ASIA", "s3cr3t"));
        assert_eq!(found.expose_session_token(), Some("t0k3n"));
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert!(found.clone().not_expired("x", at("2026-11-21T05:00:59Z")).is_ok());
        let late = found.not_expired("x", at("2026-11-21T05:01:00Z")).unwrap_err();
        assert!(matches!(late, AwsError::Expired { since, .. } if since == at("2026-11-21T05:00:00Z")));
        for (json, words) in [
            ("<html>s3cr3t", "it is not the JSON"),
            ("[]", "it is not the JSON"),
            ("{}", "it has no `AccessKeyId`"),
            (r#"{"AccessKeyId":"A","SecretAccessKey":"s3cr3t"}"#, "it has no `AccessKeyId`"),
            (
                r#"{"AccessKeyId":"A","SecretAccessKey":"s3cr3t","Token":"t","Expiration":"soon"}"#,
                "its `Expiration` is not a time",
            ),
            (
                r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"no\u001b trust"}"#,
                "AssumeRoleUnauthorizedAccess",
            ),
            (r#"{"code":"AccessDenied","message":"no"}"#, "AccessDenied"),
        ] {
            let error = Credentials::from_json("x", json).unwrap_err();
            let text = crate::error::StageError::in_one_line(&error);
            assert!(text.contains(words), "{text}");
            assert!(!text.contains("s3cr3t") && !text.contains('\u{1b}'), "{text}");
        }
    }

    #[test]
    fn answers_with_credentials_under_fire() {
        let answers = [
            r#"{"Code":"Success","AccessKeyId":"ASIA","SecretAccessKey":"s","Token":"t","Expiration":"2026-11-21T06:00:00Z"}"#,
            r#"{"code":"InvalidRoleName","message":"no"}"#,
        ];
        crate::under_fire::parser("AWS credentials", answers).memory(200, 256 * 1024).text(|text| {
            if let Ok(credentials) = Credentials::from_json("x", text) {
                assert!(credentials.expose_secret().bytes().all(|b| b.is_ascii_graphic()));
            }
        });
    }
}
