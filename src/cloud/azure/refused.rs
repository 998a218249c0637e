//! What a refusal of Azure's means, and what can be done.

use super::source::{AZURE_CLIENT_ID, IDENTITY_ENDPOINT, IDENTITY_HEADER};
use crate::cloud::error::CloudError;
use crate::cloud::metadata::MetadataError;
use crate::env::Env;
use crate::net::NetError;

/// The vendor's name for people.
pub(super) const TITLE: &str = "Azure";

/// Whose access token is asked for.
pub(super) struct Identity<'a> {
    /// That of a user-assigned identity; `None`: the machine's own.
    pub(super) client_id: Option<&'a str>,
    /// A variable gave it, which may mean another identity.
    is_from_variable: bool,
    /// An application of App Service or its like, not a machine.
    is_service: bool,
}

impl<'a> Identity<'a> {
    /// By the flag, else by Azure's own variable.
    pub(super) fn new(env: &'a Env, flag: Option<&'a str>) -> Self {
        let client_id = flag.or_else(|| env.var(AZURE_CLIENT_ID));
        Self {
            client_id,
            is_from_variable: flag.is_none() && client_id.is_some(),
            is_service: env.var(IDENTITY_ENDPOINT).is_some(),
        }
    }

    /// The error for a question to the address that a variable may name.
    pub(super) fn failed(&self, variable: &'static str, source: MetadataError) -> CloudError {
        let hints = match &source {
            MetadataError::Silent { source: error @ NetError::Address { .. }, .. } => {
                return address(variable, error);
            }
            MetadataError::Silent { .. } => silent_hints(),
            MetadataError::Status { status, detail, .. } => self.hints(*status, detail),
            MetadataError::Form { .. } => vec![OTHER.to_owned()],
        };
        CloudError::Metadata { cloud: TITLE, what: "access token", source: Box::new(source), hints }
    }

    fn hints(&self, status: u16, detail: &str) -> Vec<String> {
        let place = if self.is_service { "application" } else { "machine" };
        let several = detail.to_ascii_lowercase().contains("multiple user assigned identities");
        let hint = match status {
            _ if several => format!(
                "say which of the {place}'s identities to use: `--azure-client-id ID`, or the variable `{AZURE_CLIENT_ID}`"
            ),
            300..=399 => OTHER.to_owned(),
            410 | 429 | 500.. => {
                "run the job again: the metadata service could not answer, also after retries".to_owned()
            }
            401 if self.is_service => {
                "run jobpass in the application itself: its variables work nowhere else".to_owned()
            }
            _ if self.is_from_variable => format!(
                "assign the identity that `{AZURE_CLIENT_ID}` names to this {place}; if the variable means something else, unset it \
                 or pass `--azure-client-id`"
            ),
            _ if self.client_id.is_some() => {
                format!(
                    "assign the identity of `--azure-client-id` to this {place}, and check that it is its client id"
                )
            }
            _ => format!(
                "assign a managed identity to this {place} (`az vm identity assign` for a virtual machine)"
            ),
        };
        vec![hint]
    }
}

/// What to do where something else answers.
const OTHER: &str = "check what answers at the metadata address: it does not answer as Azure does";

/// The error for an attested document that was not to be had.
pub(super) fn attested(source: MetadataError) -> CloudError {
    let hint = match source.status() {
        Some(410 | 429 | 500..) => {
            "run the job again: the metadata service could not answer, also after retries"
        }
        _ => "check that nothing between the job and the metadata service changes its requests",
    };
    CloudError::Metadata {
        cloud: TITLE,
        what: "attested document",
        source: Box::new(source),
        hints: vec![hint.to_owned()],
    }
}

/// Nothing answers.
fn silent_hints() -> Vec<String> {
    vec![
        "run it on a machine of Azure's, or choose another method with `--join-method`".to_owned(),
        "if this is Azure, let the job reach 169.254.169.254, from its container too".to_owned(),
    ]
}

/// A variable does not name a metadata address.
fn address(variable: &'static str, error: &NetError) -> CloudError {
    CloudError::Setting {
        variable,
        reason: error.to_string(),
        hint: format!(
            "unset `{variable}`, or leave it as Azure set it: `http://` and an address of the machine itself or of its link"
        ),
    }
}

/// The secret of App Service's is no header value.
pub(super) fn header() -> CloudError {
    CloudError::Setting {
        variable: IDENTITY_HEADER,
        reason: "it contains characters that no HTTP header can carry".to_owned(),
        hint: format!("leave `{IDENTITY_HEADER}` as Azure set it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_cure() {
        let several = "Multiple user assigned identities exist, please specify the clientId / resourceId";
        let unknown = "Identity not found";
        let id = Some("11111111-2222-3333-4444-555555555555");
        let variable = &[(AZURE_CLIENT_ID, "from-variable")][..];
        let service = &[(IDENTITY_ENDPOINT, "http://localhost")][..];
        for (vars, flag, status, detail, words) in [
            (&[][..], None, 400, several, "the machine's identities to use: `--azure-client-id ID`"),
            (service, None, 400, several, "the application's identities"),
            (&[], None, 400, unknown, "assign a managed identity"),
            (&[], id, 400, unknown, "identity of `--azure-client-id`"),
            (variable, None, 400, unknown, "`AZURE_CLIENT_ID` names"),
            (variable, id, 400, unknown, "identity of `--azure-client-id`"),
            (variable, None, 400, several, "`--azure-client-id ID`"),
            (service, None, 401, "", "in the application itself"),
            (&[], None, 410, "", "run the job again"),
            (&[], None, 302, "", "what answers at the metadata address"),
            (&[], id, 429, "", "run the job again"),
            (&[], None, 500, "", "run the job again"),
            (&[], None, 404, "", "assign a managed identity"),
        ] {
            let env = Env::new(vars.iter().copied(), "/");
            let found = Identity::new(&env, flag).hints(status, detail);
            assert!(found.len() == 1 && found[0].contains(words), "{vars:?} {flag:?} {detail}: {found:?}");
        }
    }
}
