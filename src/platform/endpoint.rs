//! Addresses at which platforms issue tokens on request, and how each is asked.

use secrecy::SecretString;

use crate::env::Env;

/// How an address that issues tokens is asked, and how it answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Protocol {
    /// By a POST with a JSON body, else by a GET.
    pub posts: bool,
    /// What stands before the secret in the header `Authorization`, its space included; may be empty.
    pub scheme: &'static str,
    /// The media types for the header `Accept`.
    pub accept: &'static str,
    /// Where the audience is named.
    pub audience: AudienceIn,
    /// The field of the answer, a JSON object, that is the token.
    pub field: &'static str,
    /// The variable with the address.
    pub url: &'static str,
    /// The variable with the secret.
    pub secret: &'static str,
    /// Status codes beside 403 by which it says that the secret is of no use.
    pub refuses_with: &'static [u16],
    /// What to do then.
    pub refused_hint: &'static str,
}

/// Where a request names the audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudienceIn {
    /// In the query, as `audience`.
    Query,
    /// In the JSON body, as `audience`.
    Body,
    /// Nowhere: the platform fixes it.
    Nowhere,
}

/// Such an address in a job.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Absolute, mostly with a query already.
    pub url: String,
    /// For the header `Authorization`, without its scheme. Secret.
    pub secret: SecretString,
    /// How it is asked.
    pub protocol: &'static Protocol,
}

impl Protocol {
    /// The address as the job's variables have it; `None` where one of them is missing.
    pub(super) fn endpoint(&'static self, env: &Env) -> Option<Endpoint> {
        let url = env.var(self.url)?.to_owned();
        Some(Endpoint { url, secret: SecretString::from(env.var(self.secret)?), protocol: self })
    }
}

/// GitHub's, which Forgejo has as well (actions/toolkit `packages/core/src/oidc-utils.ts`, Teleport
/// `lib/githubactions/token_source.go`). The address has a query already.
pub(super) const fn actions(refused_hint: &'static str) -> Protocol {
    Protocol {
        posts: false,
        scheme: "Bearer ",
        accept: "application/json; api-version=2.0",
        audience: AudienceIn::Query,
        field: "value",
        url: REQUEST_URL,
        secret: REQUEST_TOKEN,
        refuses_with: &[],
        refused_hint,
    }
}

/// Already carries a query.
pub(super) const REQUEST_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
/// Secret.
pub(super) const REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
