//! `kind: token` resources as a policy: claims against rules, field by field. `explain` and the sandbox share it.
//!
//! A join method is one file: `section` and fields, issuer, audience, first server, what looks like it, its remarks,
//! proposals, refusals and hints, as the data of a `Method`. `registry` lists the methods; the other files ask it and
//! know none of them by name.

mod azure;
mod azure_devops;
mod bitbucket;
mod cause;
mod circleci;
mod claim;
mod compare;
mod document;
mod env0;
mod error;
mod finding;
mod flaw;
mod gcp;
mod generic_oidc;
mod github;
mod gitlab;
mod glob;
mod iam;
mod kubernetes;
mod lint;
pub mod message;
mod method;
mod proposal;
mod registry;
mod spacelift;
mod stateful;
mod suggest;
mod terraform_cloud;
#[cfg(test)]
mod tests;
mod token;
mod verdict;
mod version;

use crate::cloud::Cloud;
use crate::platform::Platform;
use crate::teleport::JoinMethod;

pub use azure::subscription_of as azure_subscription;
pub use cause::{Cause, Context, Meaning, ServerText};
pub use claim::{find_claim, public_claim, show_claim};
pub use document::{Document, nearest, parse, read};
pub use error::RulesError;
pub use finding::{Finding, Severity};
pub use flaw::Flaw;
pub use lint::lint;
pub use method::{Audience, ExpectedAudience};
pub use registry::{
    Hints, Unserved, audience, flaws, hints, is_stream_only, label, looks_like, owner_of_issuer, refusals,
    rule_claims, unserved,
};
pub use stateful::{INSTEAD, stateful, why_not};
pub use suggest::{Suggestion, suggest};
pub use token::ProvisionToken;
pub use verdict::{FieldVerdict, RuleVerdict, Verdict};
pub use version::{ServerVersion, Since};

/// The join method for the identity tokens of a platform: its own, else `generic_oidc`.
pub fn method_of(platform: Platform) -> JoinMethod {
    match platform {
        Platform::GitHubActions => JoinMethod::GitHub,
        Platform::GitLabCi => JoinMethod::GitLab,
        Platform::CircleCi => JoinMethod::CircleCi,
        Platform::Spacelift => JoinMethod::Spacelift,
        Platform::Bitbucket => JoinMethod::Bitbucket,
        Platform::AzureDevOps => JoinMethod::AzureDevops,
        Platform::TerraformCloud => JoinMethod::TerraformCloud,
        Platform::Env0 => JoinMethod::Env0,
        Platform::Buildkite
        | Platform::Forgejo
        | Platform::Semaphore
        | Platform::Codefresh
        | Platform::TeamCity
        | Platform::Bitrise
        | Platform::Jenkins => JoinMethod::GenericOidc,
    }
}

/// The join method for what a machine proves.
pub fn method_of_cloud(cloud: Cloud) -> JoinMethod {
    match cloud {
        Cloud::Kubernetes => JoinMethod::Kubernetes,
        Cloud::Aws => JoinMethod::Iam,
        Cloud::Gcp => JoinMethod::Gcp,
        Cloud::Azure => JoinMethod::Azure,
    }
}

/// The kind of machine whose proof a join method takes; `None`: it takes that of a CI job.
pub fn cloud_of(method: JoinMethod) -> Option<Cloud> {
    Cloud::ALL.into_iter().find(|cloud| method_of_cloud(*cloud) == method)
}
