//! Each remark is made, and none on a good rule.

use super::*;
use crate::rules::finding::Severity;
use crate::rules::parse;

fn found(spec: &str) -> Vec<(Severity, String, String)> {
    let text = format!(
        "kind: token\nversion: v2\nmetadata: {{name: t, expires: '2030-01-01T00:00:00Z'}}\nspec: {spec}\n"
    );
    let token = parse(&text).unwrap().remove(0);
    let now = "2029-01-01T00:00:00Z".parse().unwrap();
    lint(&token, now).into_iter().map(|f| (f.severity, f.path, f.message)).collect()
}

#[test]
fn a_good_rule_draws_no_remark() {
    for spec in [
        "{roles: [Bot], bot_name: b, join_method: github, github: {allow: [{repository: o/r, repository_owner: o, ref: refs/heads/main}]}}",
        "{roles: [Bot], bot_name: b, join_method: github, github: {allow: [{repository: '*-app', ref: refs/heads/main}]}}",
        "{roles: [Bot], bot_name: b, join_method: gitlab, gitlab: {domain: git.x, allow: [{project_path: g/p, ref: main}]}}",
        "{roles: [Bot], bot_name: b, join_method: circleci, circleci: {organization_id: o, allow: [{project_id: p}]}}",
        "{roles: [Bot], bot_name: b, join_method: spacelift, spacelift: {hostname: h.x, allow: [{caller_id: c}]}}",
        "{roles: [Bot], bot_name: b, join_method: iam, allow: [{aws_account: '1'}]}",
        "{roles: [Bot], bot_name: b, join_method: kubernetes, kubernetes: {allow: [{service_account_name: 's*', service_account_namespace: ns}]}}",
        "{roles: [Bot], bot_name: b, join_method: generic_oidc, generic_oidc: {issuer: 'https://i', audience: a, must_match_fields: {a: b}}}",
    ] {
        assert_eq!(found(spec), [], "{spec}");
    }
}

#[test]
fn each_remark_is_made() {
    use Severity::{Error, Warning};
    let github = |rule: &str| {
        format!("{{roles: [Bot], bot_name: b, join_method: github, github: {{allow: [{rule}]}}}}")
    };
    let gitlab = |rule: &str| {
        format!("{{roles: [Bot], bot_name: b, join_method: gitlab, gitlab: {{allow: [{rule}]}}}}")
    };
    let any = |method: &str, section: &str| {
        format!("{{roles: [Bot], bot_name: b, join_method: {method}, {method}: {section}}}")
    };
    for (spec, severity, path, words) in [
        (github("{actor: me}"), Error, "spec.github.allow[0]", "none of `repository`"),
        (github("{actor: me}"), Warning, "spec.github.allow[0]", "this person"),
        (
            github("{repository: a/r, repository_owner: b, ref: refs/heads/m}"),
            Error,
            "spec.github.allow[0].repository_owner",
            "owner is `a`",
        ),
        (
            github("{repository: r, ref: refs/heads/m}"),
            Error,
            "spec.github.allow[0].repository",
            "OWNER/REPOSITORY",
        ),
        (
            github("{repository: o/r, ref: ref/heads/main}"),
            Error,
            "spec.github.allow[0].ref",
            "`refs/heads/main`",
        ),
        (github("{repository: o/r, ref: main}"), Error, "spec.github.allow[0].ref", "`refs/heads/main`"),
        (
            github("{repository: o/r, ref: refs/heads/m, environment: ''}"),
            Warning,
            "spec.github.allow[0].environment",
            "any value",
        ),
        (github("{sub: 'repo:o/r:pull_request'}"), Warning, "spec.github.allow[0].sub", "every pull request"),
        (github("{sub: 'repo:o/r:environment:p'}"), Warning, "spec.github.allow[0].sub", "15 July 2026"),
        (github("{repository_owner: o}"), Warning, "spec.github.allow[0]", "every repository"),
        (github("{repository: o/r}"), Warning, "spec.github.allow[0]", "every branch"),
        (
            github("{repository: '*', ref: refs/heads/m}"),
            Warning,
            "spec.github.allow[0].repository",
            "matches anything",
        ),
        (
            github("{repository: o/r, ref_type: 'br*', ref: refs/heads/m}"),
            Warning,
            "spec.github.allow[0].ref_type",
            "compared exactly",
        ),
        (
            github("{repository: 'o/r ', ref: refs/heads/m}"),
            Warning,
            "spec.github.allow[0].repository",
            "white space",
        ),
        (github(""), Error, "spec.github.allow", "has no rule"),
        (
            any("github", "{enterprise_server_host: 'https://g', allow: [{repository: o/r, actor: a}]}"),
            Error,
            "spec.github.enterprise_server_host",
            "bare host name",
        ),
        (
            any(
                "github",
                "{enterprise_server_host: g, enterprise_slug: s, allow: [{repository: o/r, actor: a}]}",
            ),
            Error,
            "spec.github.enterprise_slug",
            "together",
        ),
        (gitlab("{project_path: g/p, ref: refs/heads/main}"), Error, "spec.gitlab.allow[0].ref", "`main`"),
        (gitlab("{project_path: g/p}"), Warning, "spec.gitlab.allow[0]", "every branch"),
        (gitlab("{namespace_path: g}"), Warning, "spec.gitlab.allow[0]", "every project"),
        (
            gitlab("{project_path: g/p, ref: m, environment_protected: false}"),
            Warning,
            "spec.gitlab.allow[0].environment_protected",
            "never matches",
        ),
        (any("circleci", "{allow: [{context_id: c}]}"), Error, "spec.circleci.organization_id", "is missing"),
        (
            any("circleci", "{organization_id: o, allow: [{context_id: c}]}"),
            Warning,
            "spec.circleci.allow[0]",
            "every project",
        ),
        (
            any("spacelift", "{hostname: 'https://h', allow: [{space_id: s}]}"),
            Error,
            "spec.spacelift.hostname",
            "bare host name",
        ),
        (
            any("spacelift", "{hostname: h, allow: [{space_id: 's*'}]}"),
            Warning,
            "spec.spacelift.allow[0].space_id",
            "compared exactly",
        ),
        (
            any("kubernetes", "{type: static_jwks, allow: [{service_account: 'a:b'}]}"),
            Error,
            "spec.kubernetes.static_jwks.jwks",
            "has no keys to check with",
        ),
        (
            any("kubernetes", "{type: oidc, oidc: {insecure_allow_http_issuer: true}, allow: [{service_account: 'a:b'}]}"),
            Error,
            "spec.kubernetes.oidc.issuer",
            "has no issuer",
        ),
        (
            any("kubernetes", "{type: jwks, allow: [{service_account: 'a:b'}]}"),
            Error,
            "spec.kubernetes.type",
            "must be `in_cluster`",
        ),
        (
            any("kubernetes", "{static_jwks: {jwks: '{}'}, allow: [{service_account: 'a:b'}]}"),
            Warning,
            "spec.kubernetes.static_jwks",
            "is not looked at: the type is `in_cluster`",
        ),
        (
            any("kubernetes", "{allow: [{service_account: sa}]}"),
            Error,
            "spec.kubernetes.allow[0].service_account",
            "namespace:name",
        ),
        (
            any("kubernetes", "{allow: [{service_account_name: sa}]}"),
            Error,
            "spec.kubernetes.allow[0].service_account_name",
            "needs `service_account_namespace`",
        ),
        (
            "{roles: [Bot], bot_name: b, join_method: iam, allow: [{aws_account: '1', aws_organizational_units: {include: [ou-1]}}]}".to_owned(),
            Error,
            "spec.allow[0].aws_organizational_units",
            "needs `aws_organization_id`",
        ),
        (
            any("bitbucket", "{audience: a, identity_provider_url: u, allow: [{workspace_uuid: w}]}"),
            Error,
            "spec.bitbucket.allow[0].workspace_uuid",
            "braces",
        ),
        (
            any("terraform_cloud", "{allow: [{organization_id: o}]}"),
            Error,
            "spec.terraform_cloud.allow[0]",
            "`project_id`",
        ),
        (
            any("generic_oidc", "{issuer: 'http://i', audience: a, must_match_fields: {a: null}}"),
            Error,
            "spec.generic_oidc",
            "has no rule",
        ),
        (
            any("generic_oidc", "{issuer: 'http://i', audience: a, must_match_fields: {a: b}}"),
            Error,
            "spec.generic_oidc.issuer",
            "https",
        ),
        (
            any("generic_oidc", "{issuer: 'https://i', audience: a, allow_any: [{}]}"),
            Error,
            "spec.generic_oidc.allow_any[0]",
            "exactly one",
        ),
        (
            "{bot_name: b, roles: [Node], join_method: iam, allow: [{aws_account: '1'}]}".to_owned(),
            Error,
            "spec.roles",
            "`Bot`",
        ),
        (
            "{roles: [Bot], join_method: iam, allow: [{aws_account: '1'}]}".to_owned(),
            Error,
            "spec.bot_name",
            "is missing",
        ),
    ] {
        let all = found(&spec);
        assert!(
            all.iter().any(|(s, p, m)| (*s, p.as_str()) == (severity, path) && m.contains(words)),
            "{spec}: {all:#?}"
        );
    }
}

#[test]
fn a_rule_must_set_one_field_of_each_group() {
    for (method, groups) in [
        ("azure", &["`subscription`, `tenant`"][..]),
        ("azure_devops", &["`sub`, `project_name`, `project_id`"]),
        ("bitbucket", &["`workspace_uuid`, `repository_uuid`"]),
        ("circleci", &["`project_id`, `context_id`"]),
        ("env0", &["`organization_id`", "`project_id`, `project_name`"]),
        ("gcp", &["`project_ids`"]),
        ("github", &["`repository`, `repository_owner`, `sub`"]),
        ("gitlab", &["`sub`, `project_path`, `namespace_path`, `ci_config_ref_uri`"]),
        ("iam", &["`aws_account`, `aws_arn`, `aws_organization_id`"]),
        ("kubernetes", &["`service_account`, `service_account_name`"]),
        ("spacelift", &["`space_id`, `caller_id`"]),
        (
            "terraform_cloud",
            &[
                "`organization_id`, `organization_name`",
                "`project_id`, `project_name`, `workspace_id`, `workspace_name`",
            ],
        ),
    ] {
        let rules =
            if method == "iam" { "allow: [{}]".into() } else { format!("{method}: {{allow: [{{}}]}}") };
        let remarks: Vec<_> =
            found(&format!("{{roles: [Bot], bot_name: b, join_method: {method}, {rules}}}"))
                .into_iter()
                .filter_map(|(_, _, message)| {
                    let group = message.strip_prefix("sets none of ")?;
                    Some(group.strip_suffix(": the server refuses such a rule")?.to_owned())
                })
                .collect();
        assert_eq!(remarks, groups, "{method}");
    }
}

#[test]
fn an_expired_token_is_named() {
    let text = "kind: token\nversion: v2\nmetadata: {name: t, expires: '2030-01-01T00:00:00Z'}\n\
        spec: {roles: [Bot], bot_name: b, join_method: iam, allow: [{aws_account: '1'}]}";
    let token = parse(text).unwrap().remove(0);
    let at = |time: &str| lint(&token, time.parse().unwrap()).len();
    assert_eq!((at("2029-12-31T23:59:59Z"), at("2030-01-01T00:00:00Z")), (0, 1));
}
