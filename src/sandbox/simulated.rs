//! What the sandbox can act out: a job of a CI platform, or a machine of a cloud.

use serde_json::{Value, json};

use super::machine::ACCOUNT;
use crate::cloud::Cloud;
use crate::platform::Platform;
use crate::rules::{ProvisionToken, method_of};
use crate::teleport::JoinMethod;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Simulated {
    /// A job of this platform, which has an identity token.
    Platform(Platform),
    /// Something that runs on a machine of this cloud, and no CI job.
    Machine(Cloud),
}

impl Simulated {
    /// Platforms first.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        let machines = Cloud::ALL.into_iter().map(Self::Machine);
        Platform::ALL.into_iter().map(Self::Platform).chain(machines)
    }

    /// The word for flags.
    pub fn id(self) -> &'static str {
        match self {
            Self::Platform(platform) => platform.id(),
            Self::Machine(cloud) => cloud.id(),
        }
    }

    /// For people: a GitHub Actions job, an AWS machine.
    pub fn title(self) -> String {
        match self {
            Self::Platform(platform) => format!("{} job", platform.title()),
            Self::Machine(cloud) => format!("{} machine", cloud.title()),
        }
    }

    /// The platform, if it is a job of one.
    pub fn platform(self) -> Option<Platform> {
        match self {
            Self::Platform(platform) => Some(platform),
            Self::Machine(_) => None,
        }
    }

    /// How it joins.
    pub fn method(self) -> JoinMethod {
        match self {
            Self::Platform(platform) => method_of(platform),
            Self::Machine(Cloud::Aws) => JoinMethod::Iam,
        }
    }

    /// Whether the join token that lets it in admits jobs of one branch only.
    pub fn admits_one_branch(self) -> bool {
        self.platform().is_some_and(|platform| platform.simulation().admits_one_branch)
    }

    /// The join token that lets it in.
    pub(super) fn join_token(self) -> ProvisionToken {
        ProvisionToken {
            name: format!("ci-{}", self.id()),
            expires: None,
            roles: vec!["Bot".to_owned()],
            bot_name: Some("ci".to_owned()),
            method: self.method(),
            spec: match self {
                Self::Platform(platform) => (platform.simulation().admitting_spec)(),
                Self::Machine(Cloud::Aws) => aws_spec(),
            },
        }
    }
}

fn aws_spec() -> Value {
    json!({"allow": [{
        "aws_account": ACCOUNT,
        "aws_arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/ci-runner/*"),
    }]})
}
