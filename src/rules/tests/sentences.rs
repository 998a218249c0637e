//! A row for each documented sentence.

use serde_json::json;

use super::{NEW, OLD, claims, token};
use crate::rules::ExpectedAudience;
use crate::teleport::JoinMethod;

#[test]
fn the_documented_sentences() {
    use JoinMethod::*;
    let github = json!({"repository": "asteroid-earth/x", "repository_owner": "asteroid-earth", "ref": "refs/heads/main"});
    let gitlab = json!({"project_path": "G/P", "ref": "main", "ref_protected": "true"});
    let spacelift = json!({"spaceId": "root-01", "callerId": "s"});
    let arn = json!({"Account": "1", "Arn": "arn:aws:sts::1:assumed-role/R/s"});
    let gke = json!({"email": "sa@proj.iam.gserviceaccount.com"});
    let gce = json!({"email": "1-compute@developer.gserviceaccount.com"});
    let azdo = json!({"sub": "sc://org/proj/conn", "org_id": "1", "prj_id": "2"});
    for (sentence, method, version, section, got, want) in [
        (
            "issue 17939: the owner is `asteroid-earth`",
            GitHub,
            NEW,
            json!({"allow": [{"repository": "asteroid-earth/x", "repository_owner": "benarent"}]}),
            &github,
            false,
        ),
        (
            "the real claim is `refs/heads/main`",
            GitHub,
            NEW,
            json!({"allow": [{"repository": "asteroid-earth/x", "ref": "ref/heads/main"}]}),
            &github,
            false,
        ),
        (
            "`*` = zero or more characters (including `/`)",
            GitHub,
            NEW,
            json!({"allow": [{"repository": "asteroid-*", "ref": "refs/*"}]}),
            &github,
            true,
        ),
        (
            "older servers compare github fields exactly",
            GitHub,
            OLD,
            json!({"allow": [{"repository": "asteroid-*"}]}),
            &github,
            false,
        ),
        (
            "`?` = one character",
            GitHub,
            NEW,
            json!({"allow": [{"repository": "asteroid-earth/?"}]}),
            &github,
            true,
        ),
        (
            "case-sensitive",
            GitHub,
            NEW,
            json!({"allow": [{"repository": "Asteroid-earth/x"}]}),
            &github,
            false,
        ),
        (
            "an empty field means any",
            GitHub,
            OLD,
            json!({"allow": [{"repository": "asteroid-earth/x", "environment": ""}]}),
            &github,
            true,
        ),
        (
            "everything else is exact string equality",
            GitHub,
            NEW,
            json!({"allow": [{"repository": "asteroid-earth/x", "ref_type": "*"}]}),
            &json!({"repository": "asteroid-earth/x", "ref_type": "branch"}),
            false,
        ),
        (
            "gitlab globs on project_path",
            GitLab,
            OLD,
            json!({"allow": [{"project_path": "G/*"}]}),
            &gitlab,
            true,
        ),
        (
            "gitlab `ref` has no `refs/heads/`",
            GitLab,
            NEW,
            json!({"allow": [{"project_path": "G/P", "ref": "refs/heads/main"}]}),
            &gitlab,
            false,
        ),
        (
            "ref_protected is a string claim",
            GitLab,
            NEW,
            json!({"allow": [{"project_path": "G/P", "ref_protected": true}]}),
            &gitlab,
            true,
        ),
        (
            "a boolean rule when the claim is absent never matches",
            GitLab,
            NEW,
            json!({"allow": [{"project_path": "G/P", "environment_protected": false}]}),
            &gitlab,
            false,
        ),
        (
            "spacelift globs only with `enable_glob_matching: true`",
            Spacelift,
            NEW,
            json!({"hostname": "h", "allow": [{"space_id": "root-*"}]}),
            &spacelift,
            false,
        ),
        (
            "… with it",
            Spacelift,
            OLD,
            json!({"hostname": "h", "enable_glob_matching": true, "allow": [{"space_id": "root-*"}]}),
            &spacelift,
            true,
        ),
        (
            "context_id must be contained in the array",
            CircleCi,
            NEW,
            json!({"organization_id": "o", "allow": [{"context_id": "c"}]}),
            &json!({"oidc.circleci.com/context-ids": []}),
            false,
        ),
        (
            "aws_arn is a glob",
            Iam,
            OLD,
            json!({"allow": [{"aws_arn": "arn:aws:sts::1:assumed-role/R/*"}]}),
            &arn,
            true,
        ),
        (
            "GKE: the project is in the service account",
            Gcp,
            NEW,
            json!({"allow": [{"project_ids": ["proj"]}]}),
            &gke,
            true,
        ),
        (
            "locations cannot work off-GCE",
            Gcp,
            NEW,
            json!({"allow": [{"project_ids": ["proj"], "locations": ["us-west1"]}]}),
            &gke,
            false,
        ),
        ("default compute accounts are refused", Gcp, NEW, json!({"allow": [{}]}), &gce, false),
        (
            "an `sc://` subject is refused",
            AzureDevops,
            NEW,
            json!({"organization_id": "1", "allow": [{"project_id": "2"}]}),
            &azdo,
            false,
        ),
    ] {
        let verdict = token(method, &section).evaluate(&claims(got), version);
        assert_eq!(verdict.matched().is_some(), want, "{sentence}: {verdict:#?}");
    }
}

#[test]
fn generic_oidc_compares_types_and_names_the_field() {
    let base = json!({"org": "acme", "n": 7, "ok": true, "deep": {"p": "x"}, "list": [1]});
    for (must, any, want, refusal) in [
        (json!({"org": "acme", "n": 7, "ok": true, "deep": {"p": "x"}, "gone": null}), json!([]), true, ""),
        (
            json!({"org": "other"}),
            json!([]),
            false,
            "incorrect value in claim: org must be \"other\" but got acme",
        ),
        (json!({"n": "7"}), json!([]), false, "field must be a string but got float64: n"),
        (json!({"ok": false}), json!([]), false, "incorrect value in claim: ok must be false but got true"),
        (json!({"deep": {"q": "x"}}), json!([]), false, "claims missing expected key: deep.q"),
        (json!({"org": null}), json!([]), false, "must be null or unset"),
        (
            json!({"org": "acme"}),
            json!([{"conditions": [{"attribute": "deep.p", "eq": {"value": "x"}}]}]),
            true,
            "",
        ),
        (json!({}), json!([{"conditions": [{"attribute": "n", "eq": {"value": "7"}}]}]), true, ""),
        (
            json!({}),
            json!([{"conditions": [{"attribute": "org", "not_eq": {"value": "acme"}}]}]),
            false,
            "claims matched no allow_any rules",
        ),
        (
            json!({}),
            json!([{"conditions": [{"attribute": "org", "in": {"values": ["a", "acme"]}}]}]),
            true,
            "",
        ),
        (
            json!({}),
            json!([{"conditions": [{"attribute": "org", "not_in": {"values": ["a", "acme"]}}]}]),
            false,
            "claims matched no allow_any rules",
        ),
        (
            json!({}),
            json!([{"conditions": [{"attribute": "gone", "not_eq": {"value": "x"}}]}]),
            false,
            "claims matched no allow_any rules",
        ),
        (json!({}), json!([{}, {"conditions": [{"attribute": "ok", "eq": {"value": "true"}}]}]), true, ""),
    ] {
        let section =
            json!({"issuer": "https://i", "audience": "a", "must_match_fields": must, "allow_any": any});
        let verdict = token(JoinMethod::GenericOidc, &section).evaluate(&claims(&base), NEW);
        assert_eq!(verdict.matched().is_some(), want, "{section}: {verdict:#?}");
        assert!(want || verdict.refusal.contains(refusal), "{section}: {}", verdict.refusal);
    }
    let open = json!({"issuer": "https://i", "audience": "a", "allow_any": [{"expression": "claims.org == \"acme\""}]});
    let verdict = token(JoinMethod::GenericOidc, &open).evaluate(&claims(&base), NEW);
    assert!(verdict.undecided && verdict.matched().is_none());
    let mut closed = open.clone();
    closed["must_match_fields"] = json!({"org": "other"});
    assert!(!token(JoinMethod::GenericOidc, &closed).evaluate(&claims(&base), NEW).undecided);
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

#[test]
fn what_refuses_outside_the_rules() {
    use JoinMethod::*;
    let pod = json!({"pod": {"name": "p"}});
    for (method, section, got, words) in [
        (
            AzureDevops,
            json!({"organization_id": "1", "allow": [{"sub": "p://o/p/q"}]}),
            json!({"sub": "p://o/p/q", "org_id": "2"}),
            "organization ID in token (2) does not match configured (1)",
        ),
        (
            AzureDevops,
            json!({"organization_id": "1", "allow": [{"sub": "p://o/p/q/r"}]}),
            json!({"sub": "p://o/p/q/r", "org_id": "1"}),
            "expected 2 path elements",
        ),
        (
            Kubernetes,
            json!({"type": "oidc", "oidc": {"issuer": "https://i"}, "allow": [{"service_account": "n:s"}]}),
            json!({"sub": "system:serviceaccount:n:s", "iat": 0, "exp": 1801, "kubernetes.io": pod}),
            "TTL of less than 30m0s",
        ),
        (
            Kubernetes,
            json!({"type": "static_jwks", "allow": [{"service_account": "n:s"}]}),
            json!({"sub": "system:serviceaccount:n:s", "iat": 0, "exp": 600}),
            "projected pod bound",
        ),
        (
            Gcp,
            json!({"allow": [{"project_ids": ["p"]}]}),
            json!({"email": "me@example.com"}),
            "invalid email claim",
        ),
        (GenericOidc, json!({"issuer": "https://i", "audience": "a"}), json!({}), "no rules configured"),
    ] {
        let verdict = token(method, &section).evaluate(&claims(&got), NEW);
        assert!(verdict.blocked.as_deref().is_some_and(|b| b.contains(words)), "{words}: {verdict:?}");
        assert_eq!(verdict.matched(), None);
    }
    let in_cluster = token(Kubernetes, &json!({"allow": [{"service_account": "n:s"}]}));
    assert!(
        in_cluster.evaluate(&claims(&json!({"sub": "system:serviceaccount:n:s"})), NEW).matched().is_some()
    );
}
