//! One row for each listed text, and for each trap.

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::rules::ServerVersion;

fn now() -> Timestamp {
    "2026-11-21T05:00:00Z".parse().unwrap()
}

/// The texts of the shared list, as a server would wrap them.
const LISTED: &[&str] = &[
    "\"\" can not join the cluster with role \"Bot\", token expired or not found",
    "the token is not valid",
    "client requested join method gitlab, provision token only supports method github",
    "node \"x\" can not join the cluster, the token does not allow role Bot",
    "client version is unsupported, minimum supported version is v17.0.0-aa",
    "join method \"generic_oidc\" is not implemented",
    "join method oracle is not supported by this client",
    "this token does not support the IAM join method",
    "github enterprise server joining: this feature requires Teleport Enterprise",
    "spacelift joining: this feature requires Teleport Enterprise",
    "terraform_cloud joining for Terraform Enterprise: this feature requires Teleport Enterprise",
    "this feature requires Teleport Enterprise",
    "join method \"github\" is not yet implemented by the new join service",
    "IDToken not provided for Github join request",
    "validating with oidc: something new",
    "validating with jwks: something new",
    "validating with static jwks: something new",
    "validating via static_jwks: something new",
    "validating via oidc: something new",
    "validating field rules: something new",
    "validating allow rules: allow_any[0]: something new",
    "discovering oidc document: dial tcp: i/o timeout",
    "failed to decode provider discovery object, got \"text/html\"",
    "issuer does not match: Expected: https://a, got: https://b",
    "audience is not valid: Audience must contain client_id \"lab.example\"",
    "authorized party is not set. If Token is valid for multiple audiences, azp must not be empty",
    "authorized party is not valid",
    "token has expired: token is expired",
    "issuedAt of token is in the future",
    "signature algorithm not supported",
    "invalid signature",
    "signature does not match Payload",
    "parsing jwt: square/go-jose: compact JWS format must have three parts",
    "token contains an invalid number of segments",
    "oidc: expected audience \"teleport.cluster.local\" got [\"lab.example\"]",
    "oidc: token is expired (Token Expiry: 2026-11-21 04:50:14 +0000 UTC)",
    "oidc: id token issued by a different provider, expected \"https://token.actions.githubusercontent.com\" got \"https://gitlab.test\"",
    "oidc: malformed jwt: square/go-jose: compact JWS format must have three parts",
    "id token claims did not match any allow rules",
    "id token claims failed to match any allow rules",
    "kubernetes token did not match any allow rules",
    "kubernetes token user info did not match any allow rules",
    "kubernetes OIDC token did not match any allow rules configured in the Teleport join token",
    "instance arn:aws:sts::1:assumed-role/r/s did not match any allow rules",
    "instance did not match any allow rules",
    "instance 5a7c6a3e-0000-0000-0000-000000000000 did not match any allow rules in token azure-token",
    "evaluating rule (0) repository match",
    "organization ID in token (A) does not match configured (B)",
    "id token is not of pipeline kind",
    "subject malformed, expected 2 path elements",
    "reviewing kubernetes token with in_cluster: something new",
    "reviewing kubernetes token with static_jwks: something new",
    "reviewing kubernetes token with oidc: something new",
    "static_jwks joining requires the use of a projected pod bound service account token",
    "static_jwks joining requires the use of a service account token with a TTL of less than 30m0s",
    "legacy SA tokens are not accepted as kubernetes version is 1.30",
    "kubernetes failed to validate token: unknown",
    "default compute engine service account \"1-compute@developer.gserviceaccount.com\" is not supported",
    "invalid email claim",
    "id token \"google.compute_engine.zone\" claim is empty, are you sure",
    "sts identity request does not include challenge header \"X-Teleport-Challenge\"",
    "IAM join request uses unknown STS host \"sts.x\"",
    "rejecting IAM join request using STS host \"sts.x-y-1.amazonaws.com\". This could mean",
    "sts request body \"x\" does not equal expected \"y\"",
    "aws sts api returned status: \"403\" body: \"\"",
    "client did not send intermediate CAs",
    "AttestedData is required",
    "challenge is missing or does not match",
    "certificate common name does not match allow-list (x)",
    "token-only Azure join rejected: access token was issued 11m0s ago",
    "subscription ID mismatch between attested data and access token",
    "could not determine Azure identity from token claims: x",
    "claims missing expected key: K",
    "incorrect value in claim: K must be \"V\" but got W",
    "field must be a string but got float64: K",
    "claims matched no allow_any rules",
    "generic OIDC token has no rules configured",
    "claim contains an integer too large to be safely compared: K",
    "list comparison in K is not supported, token rules cannot be evaluated",
    "token must have an `exp` claim",
];

#[test]
fn each_listed_text_is_known_and_each_entry_is_listed() {
    for text in LISTED {
        let wrapped = format!("rpc error: code = PermissionDenied desc = {text}\n\ttrailer");
        let known = catalogue::entries().filter(|entry| contains(&wrapped, entry.text)).count();
        assert!(known > 0, "{text}");
        for method in [None, Some(JoinMethod::GitHub), Some(JoinMethod::Kubernetes)] {
            for cause in causes(&wrapped, &Context { method, ..Context::at(now()) }) {
                assert!(!cause.title.is_empty() && !cause.detail.is_empty(), "{text}");
                assert!(
                    !cause.hint.ends_with('.') && !cause.hint.starts_with(char::is_uppercase),
                    "{cause:?}"
                );
                assert!(!cause.title.contains("does not know"), "{text}");
            }
        }
    }
    for entry in catalogue::entries() {
        assert!(LISTED.iter().any(|text| contains(text, entry.text)), "{}", entry.text);
    }
}

#[test]
fn an_unknown_text_is_shown_and_sent_to_the_audit_log() {
    let found = causes("a new text\u{1b}[31m", &Context::at(now()));
    assert_eq!(found.len(), 1);
    assert!(found[0].detail.ends_with("a new text[31m") && found[0].hint.contains("bot.join"));
}

#[test]
fn the_trap_in_the_claims_comes_first() {
    use JoinMethod::*;
    let no_rule = "id token claims did not match any allow rules";
    let expired = "oidc: token is expired (Token Expiry: 2026-11-21 04:50:14 +0000 UTC)";
    let past = now().as_second() - 77;
    for (method, message, claims, title, words) in [
        (
            GitHub,
            no_rule,
            json!({"sub": "repo:o@65/r@74:ref:refs/heads/main", "repository": "o/r", "environment": "x"}),
            "GitHub's immutable subject",
            "`repository: o/r`",
        ),
        (
            GitHub,
            no_rule,
            json!({"sub": "repo:o/r:environment:prod", "environment": "prod", "repository": "o/r"}),
            "an environment changes `sub`",
            "environment",
        ),
        (
            GitHub,
            no_rule,
            json!({"sub": "repo:o/r:pull_request", "ref": "refs/pull/7/merge", "event_name": "pull_request"}),
            "the job belongs to a pull request",
            "push",
        ),
        (
            GitHub,
            no_rule,
            json!({"repository": "o/r", "job_workflow_ref": "shared/ci/.github/workflows/d.yml@refs/heads/main"}),
            "the job is in a reusable workflow",
            "calling repository",
        ),
        (
            GitHub,
            no_rule,
            json!({"repository": "o/r", "job_workflow_ref": "o/r/.github/workflows/d.yml@refs/heads/main"}),
            "the job has no environment",
            "environment",
        ),
        (
            GitHub,
            "oidc: id token issued by a different provider, expected \"https://token.actions.githubusercontent.com\" got \"https://token.actions.githubusercontent.com/acme\"",
            json!({}),
            "the identity token is from another issuer",
            "enterprise_slug: acme",
        ),
        (
            GitHub,
            "issuer does not match: Expected: https://token.actions.githubusercontent.com, got: https://ghe.x/_services/token",
            json!({}),
            "the identity token is from another issuer",
            "enterprise_server_host: ghe.x",
        ),
        (
            GitHub,
            "issuer does not match: Expected: https://token.actions.githubusercontent.com, got: https://token.actions.acme.ghe.com",
            json!({}),
            "the identity token is from another issuer",
            "generic_oidc",
        ),
        (
            GitLab,
            "audience is not valid: Audience must contain client_id \"lab.example\"",
            json!({"aud": "https://lab.example:443"}),
            "the audience has a scheme, a port or a path",
            "`lab.example`",
        ),
        (
            GitLab,
            "audience is not valid: Audience must contain client_id \"lab.example\"",
            json!({"aud": ["other", "more"]}),
            "the identity token has more than one audience",
            "not as a list",
        ),
        (
            GitLab,
            "audience is not valid: Audience must contain client_id \"lab.example\"",
            json!({"aud": "other"}),
            "the identity token has the wrong audience",
            "`aud: lab.example`",
        ),
        (
            GitLab,
            "authorized party is not set",
            json!({"aud": ["a", "b"]}),
            "the identity token has more than one audience, or a foreign authorized party",
            "not as a list",
        ),
        (
            GitLab,
            no_rule,
            json!({"project_path": "fork/p", "job_project_path": "g/p"}),
            "the merge request comes from a fork",
            "branch of the project",
        ),
        (
            GitLab,
            no_rule,
            json!({"project_path": "g/p", "job_project_path": "g/p", "ref_protected": "false", "ref": "x"}),
            "the branch is not protected",
            "protect",
        ),
        (
            GitLab,
            "issuer does not match: Expected: https://gitlab.com, got: https://git.x",
            json!({}),
            "the identity token is from another issuer",
            "domain: git.x",
        ),
        (
            CircleCi,
            no_rule,
            json!({"oidc.circleci.com/context-ids": []}),
            "the job has no context",
            "context: NAME",
        ),
        (
            CircleCi,
            "issuer does not match: Expected: https://oidc.circleci.com/org/o, got: https://oidc.circleci.com",
            json!({}),
            "the identity token is from another issuer",
            "--root-issuer",
        ),
        (CircleCi, expired, json!({"exp": past}), "the identity token has expired", "circleci run oidc get"),
        (
            Spacelift,
            no_rule,
            json!({"scope": "read", "runType": "PROPOSED"}),
            "the run may only read",
            "before_apply",
        ),
        (
            Kubernetes,
            "reviewing kubernetes token with oidc: x",
            json!({"iat": 0, "exp": 3607}),
            "the service account's token lives too long",
            "expirationSeconds: 600",
        ),
        (
            Kubernetes,
            "reviewing kubernetes token with oidc: x",
            json!({"iat": 0, "exp": 600, "aud": ["https://kubernetes.default"]}),
            "the service account's token has the wrong audience",
            "audience: lab.example",
        ),
        (
            Gcp,
            "discovering oidc document: timeout",
            json!({"iss": "https://i"}),
            "the Auth Service cannot reach the issuer",
            "static_jwks",
        ),
    ] {
        let claims = UnverifiedClaims::from_json(claims.to_string().as_bytes()).unwrap();
        let ctx = Context {
            method: Some(method),
            claims: Some(&claims),
            cluster: Some("lab.example"),
            ..Context::at(now())
        };
        let found = causes(message, &ctx);
        // What the claims alone make no likelier follows what is certain.
        let place = usize::from(title == "the job has no environment");
        assert_eq!(found[place].title, title, "{message}: {found:#?}");
        assert!(found[place].hint.contains(words), "{}", found[place].hint);
    }
}

#[test]
fn values_are_in_the_detail() {
    let claims =
        UnverifiedClaims::from_json(json!({"exp": now().as_second() - 77}).to_string().as_bytes()).unwrap();
    let ctx = Context { claims: Some(&claims), ..Context::at(now()) };
    assert_eq!(causes("token has expired", &ctx)[0].detail, "it expired 1m17s ago");
    let ahead = Context { clock_skew: Some(400), now: now() - jiff::SignedDuration::from_secs(200), ..ctx };
    assert_eq!(causes("token has expired", &ahead)[0].title, "the clocks differ");

    let version = ServerVersion::parse("15.4.1");
    let ctx =
        Context { method: Some(JoinMethod::GenericOidc), server_version: version, ..Context::at(now()) };
    let found = causes("join method \"generic_oidc\" is not implemented", &ctx);
    assert_eq!(found[0].detail, "`generic_oidc` needs Teleport 18.11.0 or newer, the server is 15.4.1");

    let ctx = Context { method: Some(JoinMethod::GitHub), server_version: version, ..Context::at(now()) };
    let found = causes("id token claims did not match any allow rules", &ctx);
    assert!(found.iter().any(|c| c.title == "no globs on this server"));

    let other =
        &causes("client requested join method gitlab, provision token only supports method github", &ctx)[0];
    assert_eq!(other.detail, "the job asked for `gitlab`, the token takes `github`");
    let issuer = &causes(
        "oidc: id token issued by a different provider, expected \"https://a\" got \"https://b\"",
        &ctx,
    )[0];
    assert_eq!(issuer.detail, "the join token takes `https://a`, the job's is `https://b`");
    let audience =
        &causes("oidc: expected audience \"teleport.cluster.local\" got [\"lab.example\"]", &ctx)[0];
    assert!(audience.detail.contains("`teleport.cluster.local`") && audience.detail.contains("lab.example"));
}

#[test]
fn what_needs_enterprise_is_known_without_the_prefix() {
    for (method, words) in [
        (Some(JoinMethod::GitHub), "a GitHub Enterprise Server needs"),
        (Some(JoinMethod::Spacelift), "joining from Spacelift needs"),
        (Some(JoinMethod::TerraformCloud), "a Terraform Enterprise server needs"),
        (None, "this way of joining needs"),
    ] {
        let found =
            causes("this feature requires Teleport Enterprise", &Context { method, ..Context::at(now()) });
        assert!(found.len() == 1 && found[0].detail.contains(words), "{found:?}");
    }
}

#[test]
fn rules_are_counted_from_one_and_prefixes_yield_to_what_is_more_telling() {
    let ctx = Context::at(now());
    let found = causes("evaluating rule (0) repository match: bad", &ctx);
    assert_eq!(found[0].detail, "rule 1 of the token cannot be evaluated");
    let found = causes("validating with oidc: token has expired", &ctx);
    assert_eq!(
        found.iter().map(|c| c.title.as_str()).collect::<Vec<_>>(),
        ["the identity token has expired"]
    );
}

#[test]
fn what_is_about_a_person_is_not_said() {
    for (method, claims, names) in [
        (
            JoinMethod::GitLab,
            json!({"user_email": "me@x.example", "user_login": "me", "user_id": "7"}),
            "user_login user_id",
        ),
        (JoinMethod::Env0, json!({"organizationId": "o", "deployerEmail": "me@x.example"}), "organizationId"),
        (JoinMethod::Gcp, json!({"email": "ci@p.iam.gserviceaccount.com"}), "email"),
        (JoinMethod::Gcp, json!({"email": "me@x.example"}), ""),
        (
            JoinMethod::GenericOidc,
            json!({"job": {"by": {"e-mail": "me@x.example"}}, "user_identities": ["me@x.example"], "Email": "me@x.example",
                "seen": [{"user-email": "me@x.example", "n": 1}]}),
            "job seen",
        ),
    ] {
        let claims = UnverifiedClaims::from_json(claims.to_string().as_bytes()).unwrap();
        let says = job_says(method, &claims);
        assert_eq!(says.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" "), names);
        assert!(!says.iter().any(|(_, value)| value.contains("me@")), "{says:?}");
    }
}

#[test]
fn what_the_job_says_is_bounded_and_clean() {
    let claims = json!({
        "iss": "https://i\u{1b}[2J", "aud": ["a", "b"], "exp": 1, "repository": "o/r\n\u{202e}x", "ref": "r".repeat(500),
        "secret_other": "x", "environment": "",
    });
    let claims = UnverifiedClaims::from_json(claims.to_string().as_bytes()).unwrap();
    let says = job_says(JoinMethod::GitHub, &claims);
    let names: Vec<&str> = says.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["iss", "aud", "repository", "environment", "ref"]);
    assert_eq!(
        (says[0].1.as_str(), says[1].1.as_str(), says[2].1.as_str()),
        ("https://i[2J", "a, b", "o/r x")
    );
    assert_eq!((says[3].1.as_str(), says[4].1.chars().count()), ("(empty)", 200));
    assert!(job_says(JoinMethod::GenericOidc, &claims).iter().any(|(name, _)| name == "secret_other"));
}
