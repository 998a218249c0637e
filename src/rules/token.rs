//! A `kind: token` as a policy.

use jiff::Timestamp;
use serde_json::Value;

use super::compare;
use super::method::ExpectedAudience;
use super::registry::facts;
use super::verdict::{RuleVerdict, Verdict};
use super::version::ServerVersion;
use crate::claims::UnverifiedClaims;
use crate::teleport::JoinMethod;

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

impl ProvisionToken {
    /// The issuer the server insists on, where it insists on one. With `static_jwks` it compares none, except
    /// for `generic_oidc`.
    pub fn expected_issuer(&self) -> Option<String> {
        (facts(self.method).issuer)(&self.spec)
    }

    /// The audience that the identity token must have. `cluster`: the cluster's name, where it is known.
    pub fn expected_audience(&self, cluster: Option<&str>) -> ExpectedAudience {
        facts(self.method).audience.in_section(&self.spec, cluster)
    }

    /// Whether a server takes the identity token whatever its `azp` is.
    pub fn ignores_authorized_party(&self) -> bool {
        facts(self.method).ignores_authorized_party
    }

    /// What of the token a server of this version does not have.
    pub fn unsupported(&self, version: ServerVersion) -> Option<String> {
        let facts = facts(self.method);
        match facts.since.filter(|since| !since.includes(version)) {
            Some(since) => Some(format!("`{}` needs {since}, the server is {version}", self.method)),
            None => (facts.unsupported)(&self.spec, version),
        }
    }

    /// Compares each rule with the claims. Issuer, audience, dates and signature are not compared.
    pub fn evaluate(&self, claims: &UnverifiedClaims, version: ServerVersion) -> Verdict {
        let method = facts(self.method);
        if let Some(evaluate) = method.evaluate {
            return evaluate(&self.spec, claims);
        }
        let rules: Vec<RuleVerdict> = self
            .allow()
            .iter()
            .map(|rule| compare::rule(method, rule, &self.spec, claims, version))
            .collect();
        Verdict::new(rules, (method.blocked)(&self.spec, claims), (method.refusal)(claims, &self.name))
    }

    /// The keys of `spec.….static_jwks` (a JWKS document as JSON text), where the token carries them.
    pub fn static_jwks(&self) -> Option<&str> {
        let keys = self.spec.get("static_jwks")?;
        // Kubernetes nests it: `static_jwks.jwks`.
        keys.get("jwks").unwrap_or(keys).as_str().filter(|text| !text.trim().is_empty())
    }

    /// The rules as written; empty for `generic_oidc`, whose rules are not a list of fields.
    pub(super) fn allow(&self) -> &[Value] {
        self.spec.get("allow").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}
