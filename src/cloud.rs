//! Identities that a job has without a CI system: that of its pod, or of the cloud's machine it runs on. One file each;
//! they know nothing of Teleport.
//!
//! What is found here is the machine's identity, not the job's: every process on it has the same. So it is looked for
//! only where no CI system is in sight, or where the user asks.

pub mod aws;
pub mod azure;
mod error;
mod evidence;
pub mod file;
pub mod firmware;
pub mod gcp;
pub mod kubernetes;
pub mod metadata;

use crate::env::Env;
use crate::platform::Simulation;

pub use error::CloudError;
pub use evidence::Evidence;

/// A kind of machine that can prove what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Cloud {
    Kubernetes,
    Aws,
    Gcp,
    Azure,
}

/// Variables by which a cloud hands an identity to its containers, where the firmware's names are often hidden: the task
/// and pod roles of AWS (AWS SDKs, "Container credential provider"), web identity tokens (EKS), managed identities of
/// App Service and Container Apps, and the address of a stand-in for Google's metadata server (Go `compute/metadata`).
/// Then the markers of AWS `CodeBuild` and Google Cloud Build, whose builds have the identity of a service role or account.
const AWS_VARIABLES: [&str; 4] = [
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "CODEBUILD_BUILD_ID",
];
const AZURE_VARIABLES: [&str; 1] = ["IDENTITY_ENDPOINT"];
const GCP_VARIABLES: [&str; 2] = ["GCE_METADATA_HOST", "BUILDER_OUTPUT"];

impl Cloud {
    /// In order of precedence: a pod's identity is narrower than that of the machine below it.
    pub const ALL: [Self; 4] = [Self::Kubernetes, Self::Aws, Self::Gcp, Self::Azure];

    /// The word for flags and JSON: `kubernetes`, `aws`, `gcp`, `azure`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::Azure => "azure",
        }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Kubernetes => "Kubernetes",
            Self::Aws => "AWS",
            Self::Gcp => "Google Cloud",
            Self::Azure => "Azure",
        }
    }

    /// Whether the machine can prove itself this way. Looks at variables and files only: nobody is asked.
    pub fn evidence(self, env: &Env) -> Evidence {
        let (variables, name) = match self {
            Self::Kubernetes => return kubernetes::evidence(env),
            Self::Aws => (&AWS_VARIABLES[..], firmware::amazon(env)),
            Self::Gcp => (&GCP_VARIABLES[..], firmware::google(env)),
            Self::Azure => (&AZURE_VARIABLES[..], firmware::azure(env)),
        };
        let variable = variables.iter().find(|name| env.var(name).is_some());
        let (present, why) = match (variable, name) {
            (Some(name), _) => (true, format!("{name} is set")),
            (None, Some(name)) => (true, format!("the firmware says `{name}`")),
            (None, None) => (false, format!("the firmware does not say {}", self.title())),
        };
        Evidence { present, is_suspect: false, why }
    }

    /// A job of it, as the sandbox acts it out; `None`: it has none to act out.
    pub fn simulation(self) -> Option<&'static Simulation> {
        match self {
            Self::Kubernetes => Some(&kubernetes::SIMULATION),
            Self::Aws => Some(&aws::SIMULATION),
            Self::Gcp => Some(&gcp::simulation::SIMULATION),
            Self::Azure => Some(&azure::simulation::SIMULATION),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_tell_where_the_firmware_is_hidden() {
        for (name, cloud) in [
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", Cloud::Aws),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", Cloud::Aws),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", Cloud::Aws),
            ("IDENTITY_ENDPOINT", Cloud::Azure),
            ("CODEBUILD_BUILD_ID", Cloud::Aws),
            ("GCE_METADATA_HOST", Cloud::Gcp),
            ("BUILDER_OUTPUT", Cloud::Gcp),
        ] {
            let found = |value| {
                let env = Env::new([(name, value)], "/");
                Cloud::ALL.into_iter().filter(|c| c.evidence(&env).present).collect::<Vec<_>>()
            };
            assert_eq!(found("x"), [cloud], "{name}");
            assert_eq!(found(""), [], "{name}");
        }
        // Set by many tools in CI jobs and on laptops: keys say nothing of the machine.
        let keys = Env::new([("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_REGION", "eu-north-1")], "/");
        assert!(Cloud::ALL.into_iter().all(|cloud| !cloud.evidence(&keys).present));
    }
}
