//! The policy against the documented sentences, and against each field of each method.

use serde_json::{Value, json};

use super::method::{How, Shape};
use super::registry::facts;
use super::*;
use crate::claims::UnverifiedClaims;
use crate::teleport::JoinMethod;

mod documented;

const NEW: ServerVersion = ServerVersion::new(18, 11, 0);
const OLD: ServerVersion = ServerVersion::new(17, 7, 20);

fn claims(value: &Value) -> UnverifiedClaims {
    UnverifiedClaims::from_json(value.to_string().as_bytes()).unwrap()
}

/// A token of this method with this section (JSON is YAML).
fn token(method: JoinMethod, section: &Value) -> ProvisionToken {
    let mut spec = json!({"roles": ["Bot"], "bot_name": "ci", "join_method": method.name()});
    match facts(method).section {
        Some(name) => spec[name] = section.clone(),
        None => spec.as_object_mut().unwrap().extend(section.as_object().unwrap().clone()),
    }
    let document = json!({"kind": "token", "version": "v2", "metadata": {"name": "t"}, "spec": spec});
    parse(&document.to_string()).unwrap().remove(0)
}

/// A rule with every field of the method, and claims that it matches.
fn sample(method: JoinMethod) -> (Value, Value, Value) {
    let (rule, got, options) = match method {
        JoinMethod::GitHub => {
            let both = json!({"sub": "repo:o/r:environment:prod", "repository": "o/r", "repository_owner": "o",
                "workflow": "deploy", "environment": "prod", "actor": "octocat", "ref": "refs/heads/main",
                "ref_type": "branch", "enterprise": "acme", "enterprise_id": "7"});
            (both.clone(), both, json!({}))
        }
        JoinMethod::GitLab => {
            let mut rule = json!({"sub": "project_path:g/p:ref_type:branch:ref:main", "ref": "main", "ref_type": "branch",
                "namespace_path": "g", "project_path": "g/p", "pipeline_source": "push", "environment": "prod",
                "user_login": "u", "user_id": "42", "user_email": "u@x", "ref_protected": true,
                "environment_protected": false, "ci_config_sha": "abc",
                "ci_config_ref_uri": "gitlab.com/g/p//.gitlab-ci.yml@refs/heads/main", "deployment_tier": "production",
                "project_visibility": "private"});
            let mut got = rule.clone();
            got["ref_protected"] = json!("true");
            got["environment_protected"] = json!("false");
            rule["namespace_path"] = json!("g*");
            (rule, got, json!({}))
        }
        JoinMethod::CircleCi => (
            json!({"project_id": "p-1", "context_id": "c-2"}),
            json!({"oidc.circleci.com/project-id": "p-1", "oidc.circleci.com/context-ids": ["c-1", "c-2"]}),
            json!({"organization_id": "org"}),
        ),
        JoinMethod::Spacelift => (
            json!({"space_id": "root", "caller_id": "my-stack", "caller_type": "stack", "scope": "write"}),
            json!({"spaceId": "root", "callerId": "my-stack", "callerType": "stack", "scope": "write"}),
            json!({"hostname": "demo.app.spacelift.io"}),
        ),
        JoinMethod::Bitbucket => (
            json!({"workspace_uuid": "{w}", "repository_uuid": "{r}", "deployment_environment_uuid": "{d}", "branch_name": "main"}),
            json!({"workspaceUuid": "{w}", "repositoryUuid": "{r}", "deploymentEnvironmentUuid": "{d}", "branchName": "main"}),
            json!({"audience": "ari:x", "identity_provider_url": "https://api.bitbucket.org/2.0/w"}),
        ),
        JoinMethod::TerraformCloud => {
            let rule = json!({"organization_id": "org-1", "organization_name": "o", "project_id": "prj-1",
                "project_name": "p", "workspace_id": "ws-1", "workspace_name": "w", "run_phase": "apply"});
            let got: serde_json::Map<String, Value> = rule
                .as_object()
                .unwrap()
                .iter()
                .map(|(k, v)| (format!("terraform_{k}"), v.clone()))
                .collect();
            (rule, Value::Object(got), json!({}))
        }
        JoinMethod::AzureDevops => (
            json!({"sub": "p://org/proj/pipe", "project_name": "proj", "pipeline_name": "pipe", "project_id": "2",
                "definition_id": "1", "repository_uri": "https://x/r.git", "repository_version": "e6b9",
                "repository_ref": "refs/heads/main"}),
            json!({"sub": "p://org/proj/pipe", "org_id": "11", "prj_id": "2", "def_id": "1",
                "rpo_uri": "https://x/r.git", "rpo_ver": "e6b9", "rpo_ref": "refs/heads/main"}),
            json!({"organization_id": "11"}),
        ),
        JoinMethod::Env0 => (
            json!({"organization_id": "1", "project_id": "2", "project_name": "p", "template_id": "3",
                "template_name": "t", "environment_id": "4", "environment_name": "e", "workspace_name": "w",
                "deployment_type": "deploy", "deployer_email": "a@b", "env0_tag": "x"}),
            json!({"organizationId": "1", "projectId": "2", "projectName": "p", "templateId": "3",
                "templateName": "t", "environmentId": "4", "environmentName": "e", "workspaceName": "w",
                "deploymentType": "deploy", "deployerEmail": "a@b", "env0Tag": "x"}),
            json!({}),
        ),
        JoinMethod::Gcp => (
            json!({"project_ids": ["other", "proj"], "service_accounts": ["sa@proj.iam.gserviceaccount.com"],
                "locations": ["us-west1"]}),
            json!({"email": "sa@proj.iam.gserviceaccount.com",
                "google": {"compute_engine": {"project_id": "proj", "zone": "us-west1-a"}}}),
            json!({}),
        ),
        JoinMethod::Azure => (
            json!({"tenant": "T", "subscription": "S", "resource_groups": ["other", "GROUP"]}),
            json!({"tid": "T",
                "xms_mirid": "/subscriptions/S/resourcegroups/group/providers/Microsoft.Compute/virtualMachines/vm"}),
            json!({}),
        ),
        JoinMethod::Iam => (
            json!({"aws_account": "333333333333",
                "aws_arn": "arn:aws:sts::333333333333:assumed-role/teleport-node-role/i-*"}),
            json!({"Account": "333333333333",
                "Arn": "arn:aws:sts::333333333333:assumed-role/teleport-node-role/i-0abc"}),
            json!({}),
        ),
        JoinMethod::Kubernetes => (
            json!({"service_account": "ns:sa", "service_account_namespace": "n*", "service_account_name": "sa"}),
            json!({"sub": "system:serviceaccount:ns:sa", "iat": 1_795_000_000, "exp": 1_795_000_600,
                "kubernetes.io": {"namespace": "ns", "pod": {"name": "p", "uid": "1"}}}),
            json!({"type": "static_jwks", "static_jwks": {"jwks": "{}"}}),
        ),
        JoinMethod::GenericOidc => unreachable!("has tests of its own"),
    };
    (rule, got, options)
}

/// The section with these rules.
fn with_rules(options: &Value, rules: Value) -> Value {
    let mut section = options.clone();
    section["allow"] = rules;
    section
}

fn table_methods() -> impl Iterator<Item = JoinMethod> {
    JoinMethod::ALL.iter().copied().filter(|m| *m != JoinMethod::GenericOidc)
}

#[test]
fn each_field_of_each_method_counts() {
    for method in table_methods() {
        let (rule, got, options) = sample(method);
        let got = claims(&got);
        let verdict = |rule: &Value| token(method, &with_rules(&options, json!([rule]))).evaluate(&got, NEW);
        let whole = verdict(&rule);
        assert_eq!(whole.matched(), Some(0), "{method}: {whole:#?}");
        for field in facts(method).fields {
            if matches!(field.how, How::Server(_)) {
                let mut asks = rule.clone();
                asks[field.name] = match field.how.shape() {
                    Shape::Text => json!("o-1"),
                    _ => json!({"include": ["ou-1"]}),
                };
                let verdict = verdict(&asks);
                assert!(verdict.undecided && verdict.matched().is_none(), "{method} {}", field.name);
                continue;
            }
            let mut altered = rule.clone();
            altered[field.name] =
                match rule.get(field.name).unwrap_or_else(|| panic!("{method}: no {}", field.name)) {
                    Value::Bool(flag) => json!(!flag),
                    Value::Array(_) => json!(["x-other"]),
                    other => json!(format!("{}x-other", other.as_str().unwrap())),
                };
            let verdict = verdict(&altered);
            let flagged: Vec<&str> = verdict.rules[0].mismatches().map(|f| f.field.as_str()).collect();
            assert_eq!((verdict.matched(), flagged), (None, vec![field.name]), "{method}");
            assert!(!verdict.refusal.is_empty() && !verdict.undecided);

            // An absent claim does not match, an empty field matches anything.
            let only = token(method, &with_rules(&options, json!([{field.name: rule[field.name]}])));
            assert!(!only.evaluate(&claims(&json!({})), NEW).rules[0].matches(), "{method} {}", field.name);
            let mut empty = rule.clone();
            empty[field.name] = match &rule[field.name] {
                Value::String(_) => json!(""),
                Value::Array(_) => json!([]),
                _ => Value::Null,
            };
            let verdict = token(method, &with_rules(&options, json!([empty]))).evaluate(&got, NEW);
            assert!(verdict.rules[0].fields.iter().all(|f| f.field != field.name && f.matches), "{method}");
        }
    }
}

#[test]
fn one_rule_is_enough_and_the_closest_is_known() {
    let token = token(
        JoinMethod::GitHub,
        &json!({"allow": [
            {"repository": "o/x", "ref": "refs/heads/x"}, {"repository": "o/r", "actor": "me"}, {"repository": "o/r"}
        ]}),
    );
    let both = claims(&json!({"repository": "o/r", "ref": "refs/heads/main"}));
    assert_eq!(token.evaluate(&both, NEW).matched(), Some(2));
    let other = token.evaluate(&claims(&json!({"repository": "z/z", "actor": "me"})), NEW);
    assert_eq!((other.matched(), other.closest()), (None, Some(1)));
    // One field fails in each: the more of the others match, the closer.
    let of_o = token.evaluate(&claims(&json!({"repository": "o/x", "ref": "refs/heads/y"})), NEW);
    assert_eq!((of_o.matched(), of_o.closest()), (None, Some(0)));
    let (rule, all) = (json!({"repository": "o/r", "ref": "refs/heads/x", "actor": "a"}), JoinMethod::GitHub);
    let token = self::token(all, &json!({"allow": [{"repository": "o/x"}, rule]}));
    let near =
        token.evaluate(&claims(&json!({"repository": "o/r", "ref": "refs/heads/x", "actor": "b"})), NEW);
    assert_eq!(near.closest(), Some(1));
}

#[test]
fn a_pattern_on_a_server_without_globs_is_noted() {
    let token = token(JoinMethod::GitHub, &json!({"allow": [{"repository": "o/*"}]}));
    let note = |version| {
        token.evaluate(&claims(&json!({"repository": "o/r"})), version).rules[0].fields[0].note.clone()
    };
    assert!(note(OLD).unwrap().contains("the server is 17.7.20"));
    assert_eq!(note(NEW), None);
}

#[test]
fn notes_say_what_a_reader_would_not_guess() {
    use JoinMethod::{GitLab, Kubernetes, Spacelift};
    for (method, section, job, note) in [
        (
            Spacelift,
            json!({"hostname": "h", "allow": [{"space_id": "r*"}]}),
            json!({"spaceId": "root"}),
            "`enable_glob_matching` is not set",
        ),
        (Spacelift, json!({"hostname": "h", "allow": [{"space_id": "r"}]}), json!({"spaceId": "root"}), ""),
        (GitLab, json!({"allow": [{"environment_protected": false}]}), json!({}), "not even `false`"),
        (GitLab, json!({"allow": [{"user_id": "42"}]}), json!({"user_id": 42}), "the claim is not a string"),
        (Kubernetes, json!({"allow": [{"service_account": "n:s"}]}), json!({"sub": "x"}), ""),
    ] {
        let verdict = token(method, &section).evaluate(&claims(&job), NEW);
        let found = verdict.rules[0].fields[0].note.clone().unwrap_or_default();
        assert!(found.contains(note) && found.is_empty() == note.is_empty(), "{section}: {found}");
    }
}

#[test]
fn what_a_server_does_not_have_is_named() {
    let oidc =
        json!({"type": "oidc", "oidc": {"issuer": "https://i"}, "allow": [{"service_account": "n:s"}]});
    let in_cluster = json!({"allow": [{"service_account": "n:s"}]});
    let generic = json!({"issuer": "https://i", "audience": "a"});
    for (method, section, version, lacks) in [
        (JoinMethod::Kubernetes, &oidc, "18.1.4", true),
        (JoinMethod::Kubernetes, &oidc, "18.1.5", false),
        (JoinMethod::Kubernetes, &oidc, "17.7.3", false),
        (JoinMethod::Kubernetes, &in_cluster, "16.0.0", false),
        (JoinMethod::GenericOidc, &generic, "18.10.9", true),
        (JoinMethod::GenericOidc, &generic, "18.11.0", false),
    ] {
        let found = token(method, section).unsupported(ServerVersion::parse(version).unwrap());
        assert_eq!(found.is_some(), lacks, "{method} {version}: {found:?}");
        assert!(found.is_none_or(|text| text.ends_with(&format!("the server is {version}"))));
    }
}

#[test]
fn claims_are_found_and_shown() {
    let job =
        claims(&json!({"a.b": null, "a": {"b": "x", "n": null}, "list": ["p", "q"], "mixed": ["p", 1]}));
    let shown = |path: &str| find_claim(&job, path).map(show_claim);
    assert_eq!(shown("a.b"), None);
    assert_eq!(shown("a.n"), None);
    assert_eq!(shown("list").as_deref(), Some("p, q"));
    assert_eq!(shown("mixed").as_deref(), Some("[\"p\",1]"));
    assert_eq!(shown("a").as_deref(), Some("{\"b\":\"x\",\"n\":null}"));
}

#[test]
fn rules_look_at_each_claim_once() {
    assert_eq!(rule_claims(JoinMethod::AzureDevops)[..3], ["sub", "prj_id", "def_id"]);
    assert!(rule_claims(JoinMethod::AzureDevops).contains(&"org_id"));
    assert_eq!(
        rule_claims(JoinMethod::Kubernetes),
        ["sub", "kubernetes.io.namespace", "kubernetes.io.pod.name"]
    );
    assert_eq!(rule_claims(JoinMethod::Iam), ["Account", "Arn"]);
    assert!(rule_claims(JoinMethod::GenericOidc).is_empty());
}

#[test]
fn some_servers_do_not_compare_the_authorized_party() {
    let ignoring: Vec<_> = JoinMethod::ALL
        .iter()
        .copied()
        .filter(|method| token(*method, &json!({})).ignores_authorized_party())
        .collect();
    assert_eq!(ignoring, [JoinMethod::Env0, JoinMethod::Gcp, JoinMethod::GenericOidc]);
}

/// Beyond 2^53 two different integers may be the same number.
#[test]
fn large_integers_are_not_compared_whichever_side_has_one() {
    let refused = |want: &str, got: &str| {
        let section = json!({"issuer": "https://i", "audience": "a",
            "allow_any": [{"conditions": [{"attribute": "n", "eq": {"value": want}}]}]});
        let job = format!(r#"{{"iss": "https://i", "aud": "a", "n": {got}}}"#);
        let job = UnverifiedClaims::from_json(job.as_bytes()).unwrap();
        let verdict = token(JoinMethod::GenericOidc, &section).evaluate(&job, NEW);
        format!("{verdict:?}").contains("cannot be safely compared")
    };
    let large = "9007199254740992";
    assert!(refused("1", large) && refused(large, "1") && refused(large, large));
    assert!(!refused("1", "1") && !refused("1", "9007199254740991"));
}
