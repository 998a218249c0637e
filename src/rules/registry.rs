//! The one list of methods with their facts, and what others ask of it.

use super::cause::{Cause, Context, ServerText};
use super::flaw::Flaw;
use super::method::{Audience, Method};
use super::version::ServerVersion;
use super::{
    azure, azure_devops, bitbucket, circleci, env0, gcp, generic_oidc, github, gitlab, iam, kubernetes,
    spacelift, terraform_cloud,
};
use crate::claims::UnverifiedClaims;
use crate::teleport::JoinMethod;

/// The facts of a method.
pub(super) fn facts(method: JoinMethod) -> &'static Method {
    match method {
        JoinMethod::Azure => &azure::METHOD,
        JoinMethod::AzureDevops => &azure_devops::METHOD,
        JoinMethod::Bitbucket => &bitbucket::METHOD,
        JoinMethod::CircleCi => &circleci::METHOD,
        JoinMethod::Env0 => &env0::METHOD,
        JoinMethod::Gcp => &gcp::METHOD,
        JoinMethod::GenericOidc => &generic_oidc::METHOD,
        JoinMethod::GitHub => &github::METHOD,
        JoinMethod::GitLab => &gitlab::METHOD,
        JoinMethod::Iam => &iam::METHOD,
        JoinMethod::Kubernetes => &kubernetes::METHOD,
        JoinMethod::Spacelift => &spacelift::METHOD,
        JoinMethod::TerraformCloud => &terraform_cloud::METHOD,
    }
}

/// The method's name in the server's texts of the old join path, e.g. `Github`.
pub fn label(method: JoinMethod) -> &'static str {
    facts(method).label
}

/// The audience that a client asks for, where it can choose.
pub fn audience(method: JoinMethod) -> Audience {
    facts(method).audience
}

/// What makes a token with these claims one that a server may refuse, whatever its rules say: seen before it is sent.
pub fn flaws(method: JoinMethod, claims: &UnverifiedClaims) -> Vec<Flaw> {
    (facts(method).flaws)(claims)
}

/// The claims that the method's rules can look at, by the names [`super::claim::find_claim`] takes; empty: any claim.
pub fn rule_claims(method: JoinMethod) -> Vec<&'static str> {
    let facts = facts(method);
    let mut claims = Vec::new();
    for claim in facts.fields.iter().map(|field| field.claim).chain(facts.more_claims.iter().copied()) {
        if !claims.contains(&claim) {
            claims.push(claim);
        }
    }
    claims
}

/// The method whose platform alone makes such claims.
pub fn looks_like(claims: &UnverifiedClaims) -> Option<JoinMethod> {
    JoinMethod::ALL.iter().copied().find(|method| (facts(*method).looks_like)(claims))
}

/// Whose issuer that is, where it serves one method only.
pub fn owner_of_issuer(issuer: &str) -> Option<JoinMethod> {
    JoinMethod::ALL.iter().copied().find(|method| (facts(*method).owns_issuer)(issuer))
}

/// The server's texts that belong to one method each.
pub fn refusals() -> impl Iterator<Item = &'static ServerText> {
    JoinMethod::ALL.iter().flat_map(|method| facts(*method).refusals)
}

/// Whether only the join stream serves the method.
pub fn is_stream_only(method: JoinMethod) -> bool {
    facts(method).stream_only
}

/// Why a server cannot serve the method at all, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unserved {
    /// What it lacks; lower case, no full stop.
    pub problem: String,
    /// An imperative.
    pub hint: &'static str,
}

/// Whether a server has the method. `version` is `None` where it cannot be read, which is taken for an old one;
/// `edition` is that of the web ping.
pub fn unserved(
    method: JoinMethod,
    version: Option<ServerVersion>,
    edition: Option<&str>,
) -> Option<Unserved> {
    let facts = facts(method);
    if let Some(since) = facts.since.filter(|since| !version.is_some_and(|v| since.includes(v))) {
        return Some(Unserved {
            problem: format!("`{method}` needs {since}"),
            hint: "join with another method, or ask the cluster's administrator to upgrade it",
        });
    }
    let is_community = matches!(edition, Some("oss" | "community"));
    (facts.always_enterprise && is_community).then(|| Unserved {
        problem: format!("`{method}` needs Teleport Enterprise"),
        hint: "join with another method, or ask the cluster's administrator for Teleport Enterprise",
    })
}

/// How the method's users put right what a server found wrong with the identity token.
pub fn hints(method: Option<JoinMethod>) -> Hints {
    Hints(method.map_or(&Method::BASE, facts))
}

/// See [`hints`].
pub struct Hints(&'static Method);

impl Hints {
    /// The join token takes another issuer than `got`.
    pub fn issuer(&self, got: &str) -> String {
        (self.0.issuer_hint)(got)
    }

    /// The server wants the audience `want`.
    pub fn audience(&self, want: &str) -> String {
        (self.0.audience_hint)(want)
    }

    /// It has more than one audience.
    pub fn one_audience(&self) -> &'static str {
        self.0.one_audience_hint
    }

    /// It has expired.
    pub fn expired(&self) -> &'static str {
        self.0.expired_hint
    }

    /// What needs Teleport Enterprise, e.g. `joining from Spacelift`.
    pub fn enterprise(&self) -> Option<&'static str> {
        self.0.enterprise
    }

    /// Why no rule may match, the most telling first.
    pub fn causes(&self, ctx: &Context<'_>) -> Vec<Cause> {
        (self.0.causes)(ctx)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn methods_that_a_server_lacks_are_named() {
        use JoinMethod::{AzureDevops, Bitbucket, Env0, GenericOidc, GitLab, Spacelift, TerraformCloud};
        for (version, edition, method, lacks) in [
            ("18.10.9", Some("ent"), GenericOidc, Some("18.11.0 or newer")),
            ("17.12.0", None, GenericOidc, Some("18.11.0 or newer")),
            ("what", None, GenericOidc, Some("18.11.0 or newer")),
            ("18.11.0", None, GenericOidc, None),
            ("18.11.0-dev", None, GenericOidc, None),
            ("19.0.0", Some("oss"), GenericOidc, None),
            ("18.11.0", Some("oss"), Spacelift, Some("Enterprise")),
            ("18.11.0", Some("community"), Spacelift, Some("Enterprise")),
            ("18.11.0", Some("ent"), Spacelift, None),
            ("18.11.0", None, Spacelift, None),
            ("18.2.0", Some("oss"), GitLab, None),
            ("17.5.0", Some("oss"), AzureDevops, Some("17.5.1 or newer")),
            ("17.5.1", Some("oss"), AzureDevops, None),
            ("18.3.9", None, Env0, Some("18.4.0 or newer")),
            ("18.4.0", Some("oss"), Env0, None),
            ("15.4.1", None, Bitbucket, Some("16.0.0 or newer")),
            ("15.4.1", None, TerraformCloud, Some("16.0.0 or newer")),
        ] {
            let found = unserved(method, ServerVersion::parse(version), edition);
            let right = match (&found, lacks) {
                (Some(found), Some(words)) => found.problem.contains(words),
                (found, words) => found.is_none() && words.is_none(),
            };
            assert!(right, "{version} {edition:?} {method:?}: {found:?}");
        }
    }

    #[test]
    fn platforms_are_known_by_their_claims() {
        for (value, want) in [
            (json!({"iss": "https://ghe.x/_services/token", "repository": "o/r"}), Some(JoinMethod::GitHub)),
            (
                json!({"iss": "https://token.actions.githubusercontent.com/acme", "repository": "o/r"}),
                Some(JoinMethod::GitHub),
            ),
            (json!({"iss": "https://token.actions.githubusercontent.com.evil", "repository": "o/r"}), None),
            (json!({"iss": "https://forge.example/api/actions", "repository": "o/r"}), None),
            (json!({"project_path": "g/p", "pipeline_source": "push"}), Some(JoinMethod::GitLab)),
            (json!({"iss": "https://oidc.circleci.com/org/o"}), Some(JoinMethod::CircleCi)),
            (json!({"iss": "https://oidc.circleci.com.evil"}), None),
            (json!({"spaceId": "s", "callerType": "stack"}), Some(JoinMethod::Spacelift)),
            (json!({"repositoryUuid": "{r}", "workspaceUuid": "{w}"}), Some(JoinMethod::Bitbucket)),
            (json!({"terraform_run_id": "run-1"}), Some(JoinMethod::TerraformCloud)),
            (json!({"iss": "https://vstoken.dev.azure.com/o"}), Some(JoinMethod::AzureDevops)),
            (json!({"iss": "https://login.app.env0.com/"}), Some(JoinMethod::Env0)),
            (json!({"sub": "system:serviceaccount:n:s"}), Some(JoinMethod::Kubernetes)),
            (json!({"iss": "https://accounts.google.com"}), Some(JoinMethod::Gcp)),
            (json!({"iss": "https://sts.windows.net/t/"}), Some(JoinMethod::Azure)),
            (json!({"Account": "1", "Arn": "arn"}), Some(JoinMethod::Iam)),
        ] {
            let claims = UnverifiedClaims::from_json(value.to_string().as_bytes()).unwrap();
            assert_eq!(looks_like(&claims), want, "{value}");
        }
    }

    #[test]
    fn issuers_that_serve_one_method_are_known() {
        for (issuer, want) in [
            ("https://token.actions.githubusercontent.com", Some(JoinMethod::GitHub)),
            ("https://gitlab.com", Some(JoinMethod::GitLab)),
            ("https://git.example", None),
            ("https://oidc.circleci.com", Some(JoinMethod::CircleCi)),
            ("https://acme.app.spacelift.io", Some(JoinMethod::Spacelift)),
            ("https://app.terraform.io", Some(JoinMethod::TerraformCloud)),
            ("https://agent.buildkite.com", None),
        ] {
            assert_eq!(owner_of_issuer(issuer), want, "{issuer}");
        }
    }
}
