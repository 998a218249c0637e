//! The join methods, by Teleport's own names.

use std::fmt;
use std::str::FromStr;

/// How Teleport is convinced of who the job is; the values of `spec.join_method` of a `kind: token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum JoinMethod {
    Azure,
    AzureDevops,
    Bitbucket,
    CircleCi,
    Env0,
    Gcp,
    GenericOidc,
    GitHub,
    GitLab,
    Iam,
    Kubernetes,
    Spacelift,
    TerraformCloud,
}

impl JoinMethod {
    /// All of them, alphabetically.
    pub const ALL: [Self; 13] = [
        Self::Azure,
        Self::AzureDevops,
        Self::Bitbucket,
        Self::CircleCi,
        Self::Env0,
        Self::Gcp,
        Self::GenericOidc,
        Self::GitHub,
        Self::GitLab,
        Self::Iam,
        Self::Kubernetes,
        Self::Spacelift,
        Self::TerraformCloud,
    ];

    /// Teleport's own name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Azure => "azure",
            Self::AzureDevops => "azure_devops",
            Self::Bitbucket => "bitbucket",
            Self::CircleCi => "circleci",
            Self::Env0 => "env0",
            Self::Gcp => "gcp",
            Self::GenericOidc => "generic_oidc",
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Iam => "iam",
            Self::Kubernetes => "kubernetes",
            Self::Spacelift => "spacelift",
            Self::TerraformCloud => "terraform_cloud",
        }
    }

    /// Whether the proof is an identity token (a JWT), which all but the two with a challenge are.
    pub fn proves_with_token(self) -> bool {
        !matches!(self, Self::Azure | Self::Iam)
    }
}

impl fmt::Display for JoinMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for JoinMethod {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|m| m.name() == name).ok_or(())
    }
}
