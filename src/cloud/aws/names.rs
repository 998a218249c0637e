//! The variables of the AWS SDKs ("AWS SDKs and Tools Reference Guide", "Settings reference").

pub(super) const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
pub(super) const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
pub(super) const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
/// Written by `aws configure export-credentials`.
pub(super) const CREDENTIAL_EXPIRATION: &str = "AWS_CREDENTIAL_EXPIRATION";

pub(super) const REGION: &str = "AWS_REGION";
/// Read by the command line tools and Python; taken where the other is not set.
pub(super) const DEFAULT_REGION: &str = "AWS_DEFAULT_REGION";
pub(super) const USE_FIPS_ENDPOINT: &str = "AWS_USE_FIPS_ENDPOINT";
pub(super) const ENDPOINT_URL_STS: &str = "AWS_ENDPOINT_URL_STS";
pub(super) const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

pub(super) const PROFILE: &str = "AWS_PROFILE";
pub(super) const CONFIG_FILE: &str = "AWS_CONFIG_FILE";
pub(super) const SHARED_CREDENTIALS_FILE: &str = "AWS_SHARED_CREDENTIALS_FILE";
pub(super) const HOME: &str = "HOME";

pub(super) const WEB_IDENTITY_TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
pub(super) const ROLE_ARN: &str = "AWS_ROLE_ARN";
pub(super) const ROLE_SESSION_NAME: &str = "AWS_ROLE_SESSION_NAME";

/// Amazon ECS and AWS `CodeBuild`.
pub(super) const CONTAINER_RELATIVE_URI: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
/// EKS Pod Identity and others.
pub(super) const CONTAINER_FULL_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
pub(super) const CONTAINER_TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
/// Before the other one: it is renewed.
pub(super) const CONTAINER_TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

pub(super) const METADATA_DISABLED: &str = "AWS_EC2_METADATA_DISABLED";
pub(super) const METADATA_ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
pub(super) const METADATA_ENDPOINT_MODE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";
