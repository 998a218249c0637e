//! Where a machine of Azure's asks for its managed identity, by the environment alone (the repositories
//! `AzureAD/microsoft-authentication-library-for-go`, `apps/managedidentity`, and `Azure/azure-sdk-for-python`, `azure-identity`).

use secrecy::SecretString;

use crate::cloud::error::CloudError;
use crate::env::Env;

/// What Teleport wants the access token for (`lib/join/azurejoin`).
pub const RESOURCE: &str = "https://management.azure.com/";
/// URL of App Service's, Functions' and Container Apps' own service.
pub(super) const IDENTITY_ENDPOINT: &str = "IDENTITY_ENDPOINT";
/// What that service wants to see.
pub(super) const IDENTITY_HEADER: &str = "IDENTITY_HEADER";
/// Beside the two on Service Fabric, whose service shows a certificate of its own.
const IDENTITY_SERVER_THUMBPRINT: &str = "IDENTITY_SERVER_THUMBPRINT";
/// Beside the first on a machine that Azure Arc manages.
const IMDS_ENDPOINT: &str = "IMDS_ENDPOINT";
/// `http://HOST[:PORT]` in place of the metadata service's address, as Azure's own libraries read it.
pub const AZURE_POD_IDENTITY_AUTHORITY_HOST: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
/// The client id of a user-assigned identity, as Azure's own libraries read it.
pub const AZURE_CLIENT_ID: &str = "AZURE_CLIENT_ID";

/// The metadata service of a virtual machine.
pub(super) const IMDS: &str = "http://169.254.169.254";

/// Where to ask.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// The metadata service of a virtual machine, at this URL without a path.
    Imds(String),
    /// The service of App Service and its like, which has access tokens only.
    Service { url: String, header: SecretString },
}

/// The first that the variables show; the metadata service where they show nothing.
pub(super) fn source(env: &Env) -> Result<Source, CloudError> {
    match (env.var(IDENTITY_ENDPOINT), env.var(IDENTITY_HEADER), env.var(IMDS_ENDPOINT)) {
        (Some(_), Some(_), _) if env.var(IDENTITY_SERVER_THUMBPRINT).is_some() => {
            Err(CloudError::Unsupported { machine: "Service Fabric", why: "Teleport admits no such machine" })
        }
        (Some(url), Some(header), _) => {
            Ok(Source::Service { url: url.to_owned(), header: SecretString::from(header) })
        }
        (Some(_), None, Some(_)) => Err(CloudError::Unsupported {
            machine: "a machine outside Azure that Azure Arc manages",
            why: "it has no attested document, and Teleport admits no such machine",
        }),
        _ => {
            let base = env.var(AZURE_POD_IDENTITY_AUTHORITY_HOST).unwrap_or(IMDS);
            Ok(Source::Imds(base.trim_end_matches('/').to_owned()))
        }
    }
}

/// A URL's scheme and authority, and the rest.
pub(super) fn split(url: &str) -> (&str, &str) {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(authority..).and_then(|rest| rest.find(['/', '?'])).map(|at| authority + at);
    end.and_then(|end| url.split_at_checked(end)).unwrap_or((url, "/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_split_behind_its_authority() {
        for (url, want) in [
            ("http://localhost:42356/msi/token", ("http://localhost:42356", "/msi/token")),
            ("http://127.0.0.1:41/MSI/token/?x=1", ("http://127.0.0.1:41", "/MSI/token/?x=1")),
            ("http://127.0.0.1?x", ("http://127.0.0.1", "?x")),
            ("http://127.0.0.1", ("http://127.0.0.1", "/")),
            ("127.0.0.1/x", ("127.0.0.1", "/x")),
            ("", ("", "/")),
        ] {
            assert_eq!(split(url), want);
        }
    }

    #[test]
    fn each_kind_of_machine_is_known_by_its_variables() {
        let service = &[(IDENTITY_ENDPOINT, "http://localhost:42356/msi/token"), (IDENTITY_HEADER, "s3cr3t")];
        let arc = &[
            (IDENTITY_ENDPOINT, "http://localhost:40342/metadata/identity/oauth2/token"),
            (IMDS_ENDPOINT, "http://localhost:40342"),
        ];
        let fabric = [&service[..], &[(IDENTITY_SERVER_THUMBPRINT, "ab")]].concat();
        let moved = &[(AZURE_POD_IDENTITY_AUTHORITY_HOST, "http://127.0.0.1:8080/")];
        for (vars, want) in [
            (&[][..], "imds http://169.254.169.254"),
            (&[(IDENTITY_ENDPOINT, "http://localhost/x")], "imds http://169.254.169.254"),
            (&[(IDENTITY_HEADER, "x")], "imds http://169.254.169.254"),
            (moved, "imds http://127.0.0.1:8080"),
            (service, "service http://localhost:42356/msi/token"),
            (arc, "a machine outside Azure that Azure Arc manages"),
            (&fabric, "Service Fabric"),
        ] {
            let found = source(&Env::new(vars.iter().copied(), "/"));
            assert!(!format!("{found:?}").contains("s3cr3t"), "{found:?}");
            let shown = match found {
                Ok(Source::Imds(base)) => format!("imds {base}"),
                Ok(Source::Service { url, .. }) => format!("service {url}"),
                Err(CloudError::Unsupported { machine, .. }) => machine.to_owned(),
                Err(other) => format!("{other:?}"),
            };
            assert_eq!(shown, want, "{vars:?}");
        }
    }
}
