//! The documented cases: verdicts, issuers and audiences.

use serde_json::{Value, json};

use super::{NEW, claims, token};
use crate::rules::{ExpectedAudience, ServerVersion};
use crate::teleport::JoinMethod;

#[test]
fn the_documented_cases() {
    let cases: Vec<Value> = serde_saphyr::from_str(include_str!("documented.yaml")).unwrap();
    for case in &cases {
        let says = case["says"].as_str().unwrap();
        let text = |name: &str| case.get(name).map(|value| value.as_str().unwrap());
        let method: JoinMethod = text("method").unwrap().parse().unwrap();
        let version = text("server").map_or(NEW, |version| ServerVersion::parse(version).unwrap());
        let verdict = token(method, &case["token"]).evaluate(&claims(&case["job"]), version);
        let found = match (verdict.matched(), verdict.undecided) {
            (Some(rule), false) => format!("admits {}", rule + 1),
            (None, true) => "undecided".to_owned(),
            (None, false) => "refuses".to_owned(),
            (Some(_), true) => panic!("{says}: admitted and undecided"),
        };
        assert_eq!(found, text("verdict").unwrap(), "{method}: {says}: {verdict:#?}");
        let words = verdict.blocked.unwrap_or(verdict.refusal);
        assert!(words.contains(text("text").unwrap_or_default()), "{method}: {says}: {words}");
    }
    for method in JoinMethod::ALL {
        let of_method = |want: &str| {
            cases
                .iter()
                .any(|c| c["method"] == method.name() && c["verdict"].as_str().unwrap().starts_with(want))
        };
        assert!(of_method("admits") && of_method("refuses"), "{method} has no case for each verdict");
    }
}

#[test]
fn issuers_and_audiences() {
    use JoinMethod::*;
    for (method, section, issuer, audience) in [
        (
            GitHub,
            json!({}),
            Some("https://token.actions.githubusercontent.com"),
            Some("teleport.cluster.local"),
        ),
        (
            GitHub,
            json!({"enterprise_slug": "acme"}),
            Some("https://token.actions.githubusercontent.com/acme"),
            Some("teleport.cluster.local"),
        ),
        (
            GitHub,
            json!({"enterprise_server_host": "ghe.x"}),
            Some("https://ghe.x/_services/token"),
            Some("teleport.cluster.local"),
        ),
        (GitHub, json!({"static_jwks": "{\"keys\":[]}"}), None, Some("teleport.cluster.local")),
        (GitLab, json!({}), Some("https://gitlab.com"), Some("c.example")),
        (GitLab, json!({"domain": "git.x"}), Some("https://git.x"), Some("c.example")),
        (CircleCi, json!({"organization_id": "o"}), Some("https://oidc.circleci.com/org/o"), Some("o")),
        (
            Spacelift,
            json!({"hostname": "x.app.spacelift.io"}),
            Some("https://x.app.spacelift.io"),
            Some("x.app.spacelift.io"),
        ),
        (Gcp, json!({}), Some("https://accounts.google.com"), Some("teleport.cluster.local")),
        (Azure, json!({}), None, Some("https://management.azure.com/")),
        (
            AzureDevops,
            json!({"organization_id": "o"}),
            Some("https://vstoken.dev.azure.com/o"),
            Some("api://AzureADTokenExchange"),
        ),
        (
            Bitbucket,
            json!({"identity_provider_url": "https://b", "audience": "a"}),
            Some("https://b"),
            Some("a"),
        ),
        (TerraformCloud, json!({}), Some("https://app.terraform.io"), Some("c.example")),
        (TerraformCloud, json!({"hostname": "tfe.x", "audience": "a"}), Some("https://tfe.x"), Some("a")),
        (Env0, json!({}), Some("https://login.app.env0.com/"), Some("https://app.env0.com")),
        (Kubernetes, json!({}), None, None),
        (Kubernetes, json!({"type": "static_jwks", "static_jwks": {"jwks": "k"}}), None, Some("c.example")),
        (
            Kubernetes,
            json!({"type": "oidc", "oidc": {"issuer": "https://eks"}}),
            Some("https://eks"),
            Some("c.example"),
        ),
        (Iam, json!({}), None, None),
        (
            GenericOidc,
            json!({"issuer": "https://i", "audience": "a", "static_jwks": "k"}),
            Some("https://i"),
            Some("a"),
        ),
    ] {
        let token = token(method, &section);
        assert_eq!(token.expected_issuer().as_deref(), issuer, "{method} {section}");
        let expected = token.expected_audience(Some("c.example")).known();
        assert_eq!(expected.as_deref(), audience, "{method} {section}");
        let unknown = token.expected_audience(None) == ExpectedAudience::UnknownClusterName;
        assert_eq!(unknown, audience == Some("c.example"), "{method} {section}");
        assert_eq!(token.static_jwks().is_some(), section.get("static_jwks").is_some(), "{method} {section}");
    }
}
