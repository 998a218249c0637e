//! The metadata service of an EC2 instance, by `IMDSv2` only (Amazon EC2 User Guide, "Instance metadata").

use http::Method;
use http::header::{HeaderName, HeaderValue};
use tokio::sync::OnceCell;

use super::credentials::Credentials;
use super::error::AwsError;
use super::names;
use crate::cloud::metadata::{Metadata, MetadataError};
use crate::env::Env;
use crate::net::{NetError, Network};

const IPV4: &str = "http://169.254.169.254";
const IPV6: &str = "http://[fd00:ec2::254]";
const TOKEN: &str = "/latest/api/token";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
const REGION: &str = "/latest/meta-data/placement/region";
/// How long the session may be used, in seconds.
const TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
const SESSION: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");

/// The service, whose session is begun when it is first needed.
pub(super) struct Instance {
    metadata: Metadata,
    /// A failure is kept too: silence is borne once.
    session: OnceCell<Result<HeaderValue, MetadataError>>,
}

impl Instance {
    /// `None`: it is switched off by `AWS_EC2_METADATA_DISABLED`.
    pub(super) fn new(env: &Env, network: &Network) -> Option<Self> {
        if env.var(names::METADATA_DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return None;
        }
        let by_mode = match env.var(names::METADATA_ENDPOINT_MODE) {
            Some(mode) if mode.eq_ignore_ascii_case("ipv6") => IPV6,
            _ => IPV4,
        };
        let base = env.var(names::METADATA_ENDPOINT).unwrap_or(by_mode);
        Some(Self { metadata: Metadata::at(network, base), session: OnceCell::new() })
    }

    /// The region of the instance.
    pub(super) async fn region(&self) -> Result<String, MetadataError> {
        self.text(REGION).await
    }

    /// The credentials of the instance's role.
    pub(super) async fn credentials(&self) -> Result<Credentials, AwsError> {
        let place = "the metadata service of the EC2 instance";
        let failed = |source: MetadataError| {
            let hints = hints(&source);
            AwsError::Metadata { place: place.to_owned(), source: Box::new(source), hints }
        };
        let roles = self.text(ROLES).await.map_err(failed)?;
        let role = roles.lines().next().unwrap_or_default().trim();
        // Letters, digits and `+=,.@-_` (IAM User Guide, "IAM and AWS STS quotas").
        let is_name = |c: char| c.is_ascii_alphanumeric() || "+=,.@-_".contains(c);
        if role.is_empty() || role.len() > 128 || !role.chars().all(is_name) {
            return Err(AwsError::Form {
                place: place.to_owned(),
                problem: format!("`{ROLES}` does not name a role"),
            });
        }
        let json = self.text(&format!("{ROLES}{role}")).await.map_err(failed)?;
        Credentials::from_json(place, &json)
    }

    async fn text(&self, path: &str) -> Result<String, MetadataError> {
        let session = self.session.get_or_init(|| self.begin()).await.clone()?;
        self.metadata.clone().patient().text(path, &[(SESSION, session)]).await
    }

    async fn begin(&self) -> Result<HeaderValue, MetadataError> {
        let ttl = (TTL, HeaderValue::from_static("60"));
        let session = self.metadata.ask(Method::PUT, TOKEN, &[ttl]).await?;
        let mut session = HeaderValue::from_str(session.trim()).map_err(|_| MetadataError::Form {
            address: self.metadata.address().to_owned(),
            path: TOKEN.to_owned(),
            problem: "it is not a session token".to_owned(),
        })?;
        session.set_sensitive(true);
        Ok(session)
    }
}

fn hints(error: &MetadataError) -> Vec<String> {
    let hint = match error {
        MetadataError::Silent { source: NetError::Timeout { .. }, .. } => {
            "in a container on an EC2 instance, let the answer pass one hop more: `aws ec2 modify-instance-metadata-options \
             --instance-id ID --http-put-response-hop-limit 2`, or run the container with `--network host`"
        }
        MetadataError::Silent { .. } => {
            "run this on an EC2 instance, or give AWS credentials by variables, a profile or a container's role"
        }
        MetadataError::Status { status: 404, path, .. } if path.starts_with(ROLES) => {
            "attach an IAM role to the instance (an instance profile)"
        }
        MetadataError::Status { status: 403, .. } => {
            "turn the instance's metadata service on: `aws ec2 modify-instance-metadata-options --instance-id ID \
             --http-endpoint enabled`"
        }
        MetadataError::Status { status: 404 | 405, path, .. } if path == TOKEN => {
            "check what answers there: it is not the metadata service of an EC2 instance (IMDSv2)"
        }
        MetadataError::Status { status: 401, .. } => {
            "check what stands between this job and the metadata service: it must pass the session's header on"
        }
        _ => "check `AWS_EC2_METADATA_SERVICE_ENDPOINT`, and that nothing else answers at that address",
    };
    vec![hint.to_owned()]
}
