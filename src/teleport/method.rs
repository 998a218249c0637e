//! The join methods, by Teleport's own names.

use std::fmt;
use std::str::FromStr;

/// The one list of methods; each has its facts in a file of `rules/`.
macro_rules! join_methods {
    ($($method:ident $name:literal)*) => {
        /// How Teleport is convinced of who the job is; the values of `spec.join_method` of a `kind: token`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs)]
        pub enum JoinMethod {
            $($method,)*
        }

        impl JoinMethod {
            /// All of them, alphabetically.
            pub const ALL: &[Self] = &[$(Self::$method,)*];

            /// The value of `spec.join_method`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$method => $name,)*
                }
            }
        }
    };
}

join_methods! {
    Azure "azure"
    AzureDevops "azure_devops"
    Bitbucket "bitbucket"
    CircleCi "circleci"
    Env0 "env0"
    Gcp "gcp"
    GenericOidc "generic_oidc"
    GitHub "github"
    GitLab "gitlab"
    Iam "iam"
    Kubernetes "kubernetes"
    Spacelift "spacelift"
    TerraformCloud "terraform_cloud"
}

impl JoinMethod {
    /// Whether the proof is an identity token (a JWT); the other two sign a challenge of the server's.
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
        Self::ALL.iter().copied().find(|m| m.name() == name).ok_or(())
    }
}
