//! `kind: token` resources as a policy: claims against rules, field by field. `explain` and the sandbox share it.

mod azure;
mod azure_devops;
mod bitbucket;
mod circleci;
mod compare;
mod document;
mod env0;
mod gcp;
mod generic_oidc;
mod github;
mod gitlab;
mod glob;
mod iam;
mod kubernetes;
pub mod lint;
mod method;
mod nearest;
mod spacelift;
pub mod suggest;
mod terraform_cloud;
impl crate::error::StageError for RulesError {
    fn exit(&self) -> crate::error::Exit {
        crate::error::Exit::Usage
    }

    fn hints(&self) -> Vec<String> {
        vec!["compare it with `tctl get token/NAME`".to_owned()]
    }
}

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;

use crate::claims::UnverifiedClaims;
use crate::platform::Platform;
use crate::teleport::JoinMethod;

pub use compare::{find_claim, show_claim};
pub use document::parse;
pub use github::GITHUB_GLOBS_SINCE;

/// The join method for the identity tokens of a platform: its own, else `generic_oidc`.
pub fn method_of(platform: Platform) -> JoinMethod {
    match platform {
        Platform::GitHubActions => JoinMethod::GitHub,
        Platform::GitLabCi => JoinMethod::GitLab,
        Platform::CircleCi => JoinMethod::CircleCi,
        Platform::Spacelift => JoinMethod::Spacelift,
    }
}

/// A Teleport version as far as rules depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerVersion {
    /// Major.
    pub major: u32,
    /// Minor.
    pub minor: u32,
    /// Patch.
    pub patch: u32,
}

impl ServerVersion {
    /// Reads `18.2.0`, `15.0.0-dev`, `v17.5`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split(['-', '+']).next()?;
        let numbers = text.split('.').map(number).collect::<Option<Vec<u32>>>()?;
        match numbers[..] {
            [major, minor, patch] => Some(Self { major, minor, patch }),
            [major, minor] => Some(Self { major, minor, patch: 0 }),
            _ => None,
        }
    }
}

impl std::fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// One `kind: token` document.
#[derive(Debug, Clone, PartialEq)]
pub struct ProvisionToken {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.expires`.
    pub expires: Option<Timestamp>,
    /// `spec.roles`, e.g. `Bot`.
    pub roles: Vec<String>,
    /// `spec.bot_name`.
    pub bot_name: Option<String>,
    /// `spec.join_method`.
    pub method: JoinMethod,
    /// The method's own part of the spec, as written (`spec.github`, …; `spec` itself for `iam`).
    pub spec: Value,
}

/// The claims that a method's rules can look at, by the names [`find_claim`] takes; empty: any claim
/// (`generic_oidc`).
pub fn rule_claims(method: JoinMethod) -> &'static [&'static str] {
    method::of(method).claims
}

/// The first release that serves the method, where that is recent enough to matter
/// (`docs/pages/includes/provision-token/` of Teleport).
pub fn served_since(method: JoinMethod) -> Option<ServerVersion> {
    match method {
        JoinMethod::GenericOidc => Some(ServerVersion { major: 18, minor: 11, patch: 0 }),
        JoinMethod::AzureDevops => Some(ServerVersion { major: 17, minor: 5, patch: 1 }),
        _ => None,
    }
}

impl ProvisionToken {
    /// The issuer the server insists on, where it insists on one. With `static_jwks` it compares none, except
    /// for `generic_oidc`.
    pub fn expected_issuer(&self) -> Option<String> {
        (method::of(self.method).issuer)(&self.spec)
    }

    /// Audiences of which the token must carry one; empty: any.
    pub fn expected_audiences(&self, cluster: &str) -> Vec<String> {
        (method::of(self.method).audiences)(&self.spec, cluster)
    }

    /// Compares each rule with the claims. Issuer, audience, dates and signature are no part of it.
    pub fn evaluate(&self, claims: &UnverifiedClaims, version: ServerVersion) -> Verdict {
        if self.method == JoinMethod::GenericOidc {
            return generic_oidc::evaluate(&self.spec, claims);
        }
        let method = method::of(self.method);
        let rules: Vec<RuleVerdict> = self
            .allow()
            .iter()
            .map(|rule| compare::rule(method, rule, &self.spec, claims, version))
            .collect();
        let refusal = match self.method {
            JoinMethod::Azure => format!("{} in token {}", method.refusal, self.name),
            _ => method.refusal.to_owned(),
        };
        Verdict::of(rules, (method.blocked)(&self.spec, claims), refusal)
    }

    /// The keys of `spec.….static_jwks` (a JWKS document as JSON text), where the token carries them.
    pub fn static_jwks(&self) -> Option<&str> {
        let keys = self.spec.get("static_jwks")?;
        // Kubernetes nests it: `static_jwks.jwks`.
        keys.get("jwks").unwrap_or(keys).as_str().filter(|text| !text.trim().is_empty())
    }

    /// The rules as written; empty for `generic_oidc`, whose rules are no list of fields.
    fn allow(&self) -> &[Value] {
        self.spec.get("allow").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

/// What came of comparing claims with all rules of a token.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// In the order of `allow`.
    pub rules: Vec<RuleVerdict>,
    /// Something outside the rules that refuses (e.g. Azure DevOps' organisation), with the server's text.
    pub blocked: Option<String>,
    /// Teleport's own refusal text for this method when nothing matched.
    pub refusal: String,
    /// No rule matches for certain, but one may: the rest of it can only be evaluated by the server.
    pub undecided: bool,
}

impl Verdict {
    fn of(rules: Vec<RuleVerdict>, blocked: Option<String>, refusal: String) -> Self {
        let undecided = blocked.is_none()
            && !rules.iter().any(RuleVerdict::matches)
            && rules.iter().any(RuleVerdict::undecided);
        Self { rules, blocked, refusal, undecided }
    }

    /// The first rule that matched, unless something else refuses.
    pub fn matched(&self) -> Option<usize> {
        if self.blocked.is_some() {
            return None;
        }
        self.rules.iter().position(RuleVerdict::matches)
    }

    /// The rule with the fewest fields that fail (the first of these); `None`: there are no rules.
    pub fn closest(&self) -> Option<usize> {
        (0..self.rules.len()).min_by_key(|&i| self.rules.get(i).map(|r| r.mismatches().count()))
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleVerdict {
    /// Its non-empty fields.
    pub fields: Vec<FieldVerdict>,
}

impl RuleVerdict {
    /// All set fields match.
    pub fn matches(&self) -> bool {
        self.fields.iter().all(|f| f.matches)
    }

    /// Nothing fails, but something is left for the server to evaluate.
    pub fn undecided(&self) -> bool {
        !self.matches() && self.mismatches().next().is_none()
    }

    /// The fields that fail.
    pub fn mismatches(&self) -> impl Iterator<Item = &FieldVerdict> {
        self.fields.iter().filter(|f| f.decided && !f.matches)
    }
}

/// One field of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldVerdict {
    /// Its name in the rule.
    pub field: String,
    /// The claim it is compared with.
    pub claim: String,
    /// What the rule wants, as written.
    pub want: String,
    /// What the claims have; `None`: the claim is absent.
    pub got: Option<String>,
    /// Whether they agree; false where that is not decided here.
    pub matches: bool,
    /// False: only the server can evaluate this one.
    pub decided: bool,
    /// A remark, e.g. `compared exactly: this server has no globs here`, `not evaluated here`.
    pub note: Option<String>,
}

/// Why a document is no token we can read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum RulesError {
    /// Not YAML or JSON.
    #[error("not YAML or JSON: {0}")]
    Syntax(String),
    /// A field is missing or has the wrong type; named by its path. Documents are counted from 1.
    #[error("document {document}: `{path}` {problem}")]
    Field { document: usize, path: String, problem: String },
    /// No `kind: token` in it.
    #[error("no `kind: token` document in it")]
    Empty,
    /// Larger than 1 MiB.
    #[error("larger than 1 MiB")]
    TooLarge,
}

/// Digits only: `u32::from_str` would take a sign.
fn number(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}
