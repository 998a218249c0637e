//! Why there is no AWS identity.

use jiff::Timestamp;
use thiserror::Error;

use crate::cloud::metadata::MetadataError;
use crate::error::{Exit, StageError};
use crate::net::NetError;
use crate::text::safe;

/// Why there is none. No variant carries a key.
#[derive(Debug, Clone, Error)]
#[allow(missing_docs)]
pub enum AwsError {
    /// No source has any. `tried` says why not, a sentence each.
    #[error("no AWS credentials found")]
    None { tried: Vec<String>, hints: Vec<String> },
    /// Their time is over.
    #[error("the AWS credentials from {place} have expired")]
    Expired { place: String, since: Timestamp },
    /// A file that cannot be read, or is not what it should be.
    #[error("could not read the AWS file `{path}`")]
    File { path: String, reason: String, hint: &'static str },
    /// One of two variables is there.
    #[error("`{set}` is set, but `{missing}` is not")]
    Incomplete { set: &'static str, missing: &'static str },
    /// What a service gave is not what it should be.
    #[error("unexpected answer from {place}")]
    Form { place: String, problem: String },
    /// What was found cannot be credentials.
    #[error("the AWS credentials from {place} are unusable")]
    Malformed { place: String, problem: String },
    /// A metadata service that the environment names, or an instance's that is there, gives none.
    #[error("no AWS credentials from {place}")]
    Metadata {
        place: String,
        #[source]
        source: Box<MetadataError>,
        hints: Vec<String>,
    },
    /// The profile asked for is not there, or cannot be used.
    #[error("the AWS profile `{name}` cannot be used")]
    Profile { name: String, problem: String, hint: String },
    /// Not the name of a region.
    #[error("`{}` from {place} is not the name of an AWS region", safe(value, 60))]
    Region { place: String, value: String },
    /// AWS STS said no.
    #[error("AWS refused {call}")]
    Refused { call: &'static str, code: String, message: String },
    /// AWS STS was not reached, or what answered is not STS.
    #[error("no answer from AWS STS to {call}")]
    Unanswered { call: &'static str, reason: Vec<String>, hints: Vec<String>, exit: Exit },
    /// The service has credentials, but does not give them.
    #[error("AWS gives this machine no credentials")]
    Withheld { place: String, code: String, message: String },
}

impl AwsError {
    pub(super) fn net(call: &'static str, error: &NetError) -> Self {
        Self::Unanswered { call, reason: error.chain(), hints: error.hints(), exit: error.exit() }
    }
}

impl StageError for AwsError {
    fn exit(&self) -> Exit {
        match self {
            Self::Metadata { source, .. } => source.exit(),
            Self::Unanswered { exit, .. } => *exit,
            Self::Region { .. } => Exit::Usage,
            _ => Exit::NoIdentity,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::None { tried, .. } => tried.clone(),
            Self::Expired { since, .. } => vec![format!("they expired at {since}")],
            Self::File { reason, .. } => vec![reason.clone()],
            Self::Form { problem, .. } | Self::Malformed { problem, .. } | Self::Profile { problem, .. } => {
                vec![problem.clone()]
            }
            Self::Metadata { source, .. } => source.chain(),
            Self::Refused { code, message, .. } | Self::Withheld { code, message, .. } => {
                let code = safe(code, 100);
                let message = safe(message, 500);
                vec![if message.is_empty() { code } else { format!("{code}: {message}") }]
            }
            Self::Unanswered { reason, .. } => reason.clone(),
            Self::Incomplete { .. } | Self::Region { .. } => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::None { hints, .. } | Self::Metadata { hints, .. } | Self::Unanswered { hints, .. } => {
                return hints.clone();
            }
            Self::Expired { .. } => {
                "get new ones in the step that runs jobpass; variables that an earlier step set are never renewed"
                    .to_owned()
            }
            Self::File { hint, .. } => (*hint).to_owned(),
            Self::Incomplete { set, missing } => format!("set `{missing}` too, or unset `{set}`"),
            Self::Form { .. } => "check that nothing else answers at its address".to_owned(),
            Self::Malformed { .. } => "check that whole, unquoted keys are stored there".to_owned(),
            Self::Profile { hint, .. } => hint.clone(),
            Self::Region { .. } => "set `AWS_REGION` to a region such as `eu-central-1`".to_owned(),
            Self::Refused { code, .. } => refused_hint(code).to_owned(),
            Self::Withheld { .. } => {
                "check that the role of the machine trusts the service it runs on (`ec2.amazonaws.com`, `ecs-tasks.amazonaws.com`, …)"
                    .to_owned()
            }
        };
        vec![hint]
    }
}

/// By STS's own codes (AWS STS API Reference, "Errors").
fn refused_hint(code: &str) -> &'static str {
    match code {
        "ExpiredToken" | "ExpiredTokenException" => {
            "get new credentials in the step that runs jobpass; variables that an earlier step set are never renewed"
        }
        "InvalidClientTokenId" | "UnrecognizedClientException" => {
            "check that the access key exists and is active, that `AWS_SESSION_TOKEN` belongs to it, and that `AWS_REGION` \
             is of the same partition"
        }
        "SignatureDoesNotMatch" => "check `AWS_SECRET_ACCESS_KEY` and this machine's clock",
        "InvalidIdentityToken" | "IDPCommunicationError" => {
            "check that the IAM OIDC provider of that issuer exists and that the role trusts it"
        }
        "AccessDenied" => "check the trust policy of the role that is assumed",
        _ => "check with `aws sts get-caller-identity` what these credentials are",
    }
}
