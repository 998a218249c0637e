//! Azure: the access token of the machine's managed identity, and the attested document that answers the cluster's
//! challenge (learn.microsoft.com, "Azure Instance Metadata Service", "Use managed identities on a virtual machine to acquire
//! an access token", "Managed identities in App Service").

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::error::CloudError;
use super::metadata::{Metadata, MetadataError};
use crate::env::Env;
use crate::error::StageError as _;
use crate::net::Network;
use crate::secret::Jwt;

mod attested;
mod intermediates;
pub mod pkcs7;
mod refused;
pub mod simulation;
mod source;

pub use attested::AttestedDocument;
pub use source::{AZURE_CLIENT_ID, AZURE_POD_IDENTITY_AUTHORITY_HOST, RESOURCE};

use intermediates::NoChain;
use refused::{Identity, TITLE};
use source::{IDENTITY_ENDPOINT, Source};

/// The first version whose attested document Teleport takes (`lib/cloud/imds/azure/imds.go`).
const OLDEST: &str = "2019-06-04";
/// The documented version of tokens, which services without a list of versions have too.
const TOKENS: &str = "2018-02-01";
/// That of App Service and its like.
const SERVICE: &str = "2019-08-01";
/// The header without which the metadata service answers nothing.
const METADATA: (HeaderName, HeaderValue) =
    (HeaderName::from_static("metadata"), HeaderValue::from_static("true"));
/// These two come while the service is updated ("Use managed identities …", error handling).
const UPDATING: &[u16] = &[404, 410];
/// For the attested document 404 is an answer.
const GONE: &[u16] = &[410];
/// The service may keep a document for a while: a new one is asked for this often.
const ASKED: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);

/// A machine of Azure's that has its access token.
#[derive(Debug, Clone)]
pub struct Machine {
    access_token: Jwt,
    /// Where it has attested documents, if it has any.
    attests: Option<Imds>,
}

/// The metadata service of a virtual machine.
#[derive(Debug, Clone)]
struct Imds {
    metadata: Metadata,
    /// The version of its interface.
    version: String,
}

/// Asks for the access token: of the user-assigned identity with this client id; `None`: of the one that `AZURE_CLIENT_ID` names,
/// else of the machine's own.
pub async fn machine(env: &Env, network: &Network, client_id: Option<&str>) -> Result<Machine, CloudError> {
    let identity = Identity::new(env, client_id);
    let client = identity.client_id.map(|id| format!("&client_id={}", encoded(id))).unwrap_or_default();
    let query = format!("resource={}{client}", encoded(RESOURCE));
    match source::source(env)? {
        Source::Imds(base) => of_machine(network, &base, &query, &identity).await,
        Source::Service { url, header } => of_application(network, &url, &header, &query, &identity).await,
    }
}

async fn of_machine(
    network: &Network,
    base: &str,
    query: &str,
    identity: &Identity<'_>,
) -> Result<Machine, CloudError> {
    let metadata = Metadata::at(network, base);
    let version = match metadata.json::<Versions>("/metadata/versions?format=json", &[METADATA]).await {
        Ok(Versions { all }) => newest(&all),
        // Container instances have tokens, and nothing else.
        Err(error @ MetadataError::Status { status: 400 | 404, .. }) => {
            network.log().detail(error.in_one_line());
            None
        }
        Err(error) => return Err(identity.failed(AZURE_POD_IDENTITY_AUTHORITY_HOST, error)),
    };
    let metadata = metadata.patient();
    let attests = version.map(|version| Imds { metadata: metadata.clone(), version });
    let version = attests.as_ref().map_or(TOKENS, |imds| &imds.version);
    let path = format!("/metadata/identity/oauth2/token?api-version={version}&{query}");
    let answer = metadata.passing(UPDATING).json::<TokenAnswer>(&path, &[METADATA]).await;
    let answer = answer.map_err(|error| identity.failed(AZURE_POD_IDENTITY_AUTHORITY_HOST, error))?;
    Ok(Machine { access_token: answer.token()?, attests })
}

async fn of_application(
    network: &Network,
    url: &str,
    secret: &SecretString,
    query: &str,
    identity: &Identity<'_>,
) -> Result<Machine, CloudError> {
    let mut value = HeaderValue::try_from(secret.expose_secret()).map_err(|_| refused::header())?;
    value.set_sensitive(true);
    let headers = [(HeaderName::from_static("x-identity-header"), value)];
    let (base, path) = source::split(url);
    let metadata = Metadata::at(network, base);
    // Whatever it says without the header, it is there.
    if let Err(error @ MetadataError::Silent { .. }) = metadata.text(path, &[]).await {
        return Err(identity.failed(IDENTITY_ENDPOINT, error));
    }
    let joint = if path.contains('?') { '&' } else { '?' };
    let path = format!("{path}{joint}api-version={SERVICE}&{query}");
    let answer = metadata.patient().json::<TokenAnswer>(&path, &headers).await;
    let answer = answer.map_err(|error| identity.failed(IDENTITY_ENDPOINT, error))?;
    Ok(Machine { access_token: answer.token()?, attests: None })
}

impl Machine {
    /// The access token, for the cluster alone.
    pub fn access_token(&self) -> &Jwt {
        &self.access_token
    }

    /// Asks for the attested document that repeats the cluster's challenge. `None`: this machine has none, as container instances,
    /// applications of App Service and some scale sets.
    pub async fn attest(&self, challenge: &str) -> Result<Option<AttestedDocument>, CloudError> {
        let Some(Imds { metadata, version }) = &self.attests else { return Ok(None) };
        let metadata = metadata.clone().passing(GONE);
        let nonce = encoded(challenge);
        let path = format!("/metadata/attested/document?api-version={version}&format=json&nonce={nonce}");
        for _ in 0..ASKED {
            let body = match metadata.text(&path, &[METADATA]).await {
                Ok(body) => body,
                Err(MetadataError::Status { status: 404, .. }) => return Ok(None),
                Err(error) => return Err(refused::attested(error)),
            };
            let document = AttestedDocument::parse(body.into_bytes())
                .map_err(|problem| form(format!("the attested document: {problem}")))?;
            if document.nonce == challenge {
                return Ok(Some(document));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(CloudError::Form {
            cloud: TITLE,
            detail: "the attested document is for another challenge than the cluster's".to_owned(),
            hint: "run the job again: Azure may return an earlier document for a while".to_owned(),
        })
    }
}

/// The certificates between a document's signer and its root, DER, one behind the other: fetched from Microsoft where they did not
/// come with the document.
pub async fn intermediates(network: &Network, document: &AttestedDocument) -> Result<Vec<u8>, CloudError> {
    let (signer, others) = document.certificates.split_first().ok_or_else(|| {
        form("the attested document has no certificate".to_owned()) // its parser has seen one
    })?;
    intermediates::above(network, signer, others).await.map_err(|problem| {
        let (mut causes, is_network) = (vec![problem.to_string()], matches!(problem, NoChain::Unreachable { .. }));
        if let NoChain::Unreachable { source, .. } = &problem {
            causes.extend(source.chain());
        }
        let hint = "let the job reach `www.microsoft.com` (through `HTTPS_PROXY` if there is one): Azure keeps them there, \
                    and the cluster does not fetch them itself";
        CloudError::Chain { causes, hints: vec![hint.to_owned()], is_network }
    })
}

#[derive(Deserialize)]
struct Versions {
    #[serde(rename = "apiVersions")]
    all: Vec<String>,
}

/// The newest version that has attested documents as Teleport takes them.
fn newest(all: &[String]) -> Option<String> {
    // What is no date must not go into a URL.
    let is_date = |text: &&String| text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    all.iter().filter(is_date).max().filter(|version| version.as_str() >= OLDEST).cloned()
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
}

impl TokenAnswer {
    fn token(&self) -> Result<Jwt, CloudError> {
        Jwt::parse(&self.access_token).map_err(|problem| form(format!("the access token: {problem}")))
    }
}

fn form(detail: String) -> CloudError {
    let hint = "check what answers at the metadata address: it does not answer as Azure does".to_owned();
    CloudError::Form { cloud: TITLE, detail, hint }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_taken_if_it_is_new_enough() {
        for (all, want) in [
            (&["2017-03-01", "2021-12-13", "2020-09-01"][..], Some("2021-12-13")),
            (&["2019-06-04"], Some("2019-06-04")),
            (&["2019-06-01", "2018-10-01"], None),
            (&["2019-06-04", "9999-99-99&nonce=x", "zzzz", "2030-1-1"], Some("2019-06-04")),
            (&[], None),
        ] {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            assert_eq!(newest(&all).as_deref(), want, "{all:?}");
        }
    }

    #[test]
    fn answers_of_the_machine_under_fire() {
        let answers = [
            r#"{"apiVersions":["2017-03-01","2021-12-13"]}"#,
            r#"{"access_token":"eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2ln","expires_in":"3599"}"#,
        ];
        crate::under_fire::parser("answers of Azure's metadata service", answers)
            .memory(200, 256 * 1024)
            .text(|text| {
                if let Ok(versions) = serde_json::from_str::<Versions>(text) {
                    let newest = newest(&versions.all);
                    assert!(newest.is_none_or(|version| version.len() == 10));
                }
                if let Ok(answer) = serde_json::from_str::<TokenAnswer>(text) {
                    let _ = answer.token();
                }
            });
    }
}
