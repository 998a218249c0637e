//! What people have is read; what cannot be read is named.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::error::StageError as _;

#[test]
fn reads_what_people_have() {
    let yaml = "# a role first\nkind: role\nversion: v7\nmetadata: {name: x}\n---\nkind: token\nversion: v2\n\
        metadata:\n  name: gh\n  expires: \"2030-01-02T03:04:05Z\"\nspec:\n  roles: [Bot]\n  join_method: github\n  \
        bot_name: ci\n  github:\n    allow:\n    - repository: o/r\n---\nkind: token\nversion: v2\nmetadata: {name: gl}\n\
        spec: {roles: [Bot], join_method: gitlab, gitlab: {allow: [{project_path: g/p}]}}\n";
    let tokens = parse(yaml).unwrap();
    assert_eq!(tokens.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["gh", "gl"]);
    assert_eq!(tokens[0].expires.unwrap().to_string(), "2030-01-02T03:04:05Z");
    assert_eq!(
        (tokens[0].roles.as_slice(), tokens[0].bot_name.as_deref()),
        (&["Bot".to_owned()][..], Some("ci"))
    );

    let json = json!([{"kind": "token", "version": "v2", "metadata": {"name": "j", "expires": "0001-01-01T00:00:00Z"},
        "spec": {"join_method": "iam", "allow": [{"aws_account": "1"}]}}]);
    let token = parse(&json.to_string()).unwrap().remove(0);
    assert_eq!((token.expires, token.roles.len()), (None, 0));
}

#[test]
fn the_rules_are_in_the_section_of_the_method() {
    for method in JoinMethod::ALL {
        let name = method.name();
        let document = |spec: &serde_json::Value| {
            parse(
                &json!({"kind": "token", "version": "v2", "metadata": {"name": "t"}, "spec": spec})
                    .to_string(),
            )
        };
        let without = document(&json!({"join_method": name}));
        if *method == JoinMethod::Iam {
            assert!(without.is_ok(), "its rules are in `spec` itself");
            continue;
        }
        let error = without.unwrap_err().to_string();
        assert!(error.contains(&format!("`spec.{name}` is missing")), "{error}");
        assert!(document(&json!({"join_method": name, name: {}})).is_ok(), "{name}");
    }
}

#[test]
fn names_what_it_cannot_read() {
    let doc = |spec: &str| format!("kind: token\nversion: v2\nmetadata: {{name: t}}\nspec: {spec}\n");
    for (text, path, words) in [
        (doc("{join_method: githab}"), "spec.join_method", "did you mean `github`?"),
        (doc("{roles: [Bot]}"), "spec.join_method", "is missing"),
        (doc("{join_method: github}"), "spec.github", "is missing"),
        (
            doc("{join_method: github, github: {allow: [{repositry: o/r}]}}"),
            "spec.github.allow[0].repositry",
            "did you mean `repository`?",
        ),
        (
            doc("{join_method: github, github: {allow: [{job_workflow_ref: x}]}}"),
            "spec.github.allow[0].job_workflow_ref",
            "use one of `sub`, `repository`",
        ),
        (doc("{join_method: github, github: {alow: []}}"), "spec.github.alow", "did you mean `allow`?"),
        (
            doc("{join_method: github, github: {allow: {repository: x}}}"),
            "spec.github.allow",
            "must be a list",
        ),
        (
            doc("{join_method: iam, allow: [{aws_account: 123}]}"),
            "spec.allow[0].aws_account",
            "put it in quotes",
        ),
        (
            doc("{join_method: gitlab, gitlab: {allow: [{ref_protected: 'true'}]}}"),
            "spec.gitlab.allow[0].ref_protected",
            "without quotes",
        ),
        (
            doc("{join_method: gcp, gcp: {allow: [{project_ids: p}]}}"),
            "spec.gcp.allow[0].project_ids",
            "list of strings",
        ),
        (
            doc("{join_method: generic_oidc, generic_oidc: {allow_any: [{conditions: [{atribute: x}]}]}}"),
            "spec.generic_oidc.allow_any[0].conditions[0].atribute",
            "did you mean `attribute`?",
        ),
        (doc("{join_method: iam}").replace("name: t", "nam: t"), "metadata.name", "is missing"),
        (doc("{join_method: iam}").replace("v2", "v1"), "version", "is not `v2`"),
        (
            doc("{join_method: iam}").replace("name: t", "name: t, expires: soon"),
            "metadata.expires",
            "is not a time",
        ),
    ] {
        let Err(error) = parse(&text) else { panic!("{text}") };
        let RulesError::Field { document: 1, path: at, problem, .. } = &error else { panic!("{error}") };
        assert_eq!(at, path, "{text}");
        let said = format!("{problem}; {}", error.hints().join("\n"));
        assert!(said.contains(words), "{said}");
    }
    assert!(matches!(parse("kind: [token"), Err(RulesError::Syntax(_))));
    assert_eq!(parse("kind: role\nversion: v7"), Err(RulesError::Empty));
    assert_eq!(parse(""), Err(RulesError::Empty));
    assert_eq!(parse(&" ".repeat(1024 * 1024 + 1)), Err(RulesError::TooLarge));
    assert_eq!(parse(&" ".repeat(1024 * 1024)), Err(RulesError::Empty));
    // A hidden multiplication is refused rather than expanded.
    let bomb = (1..40).fold("kind: token\na0: &a0 [x,x,x,x,x,x,x,x]\n".to_owned(), |text, i| {
        let items = vec![format!("*a{}", i - 1); 8].join(",");
        text + &format!("a{i}: &a{i} [{items}]\n")
    });
    assert!(matches!(parse(&bomb), Err(RulesError::Syntax(_))));
}

proptest! {
    #[test]
    fn parse_never_panics(text in "\\PC{0,80}|(kind: token\n|version: v2\n|spec:|  |\\{|\\}|\\[|\\]|- |a|:|\n|&a|\\*a|\"){0,40}") {
        let _ = parse(&text);
    }
}

#[test]
fn a_misspelt_name_finds_the_known_one() {
    let known = ["repository", "repository_owner", "ref", "ref_type", "sub"];
    for (name, want) in [
        ("repositry", Some("repository")),
        ("repository-owner", Some("repository_owner")),
        ("refs", Some("ref")),
        ("SUB", Some("sub")),
        ("R-E-F-TYPE", Some("ref_type")),
        ("a-ref-type", Some("ref_type")),
        ("a.ref.type", None),
        ("ref_abcd", None),
        ("job_workflow_ref", None),
        ("", None),
    ] {
        assert_eq!(nearest(name, known), want, "{name}");
    }
}

#[test]
fn what_editors_and_programs_write_is_read() {
    let spec = json!({"roles": null, "join_method": "iam", "allow": null});
    for expires in ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", ""] {
        let document = json!({"kind": "token", "version": "v2", "metadata": {"name": "t", "expires": expires}, "spec": spec});
        let token = parse(&format!("\u{feff}{document}")).unwrap().remove(0);
        assert_eq!((token.expires, token.roles.len(), token.allow().len()), (None, 0, 0), "{expires}");
    }
    let spec = json!({"roles": "Bot", "join_method": "iam"});
    let document = json!({"kind": "token", "version": "v2", "metadata": {"name": "t"}, "spec": spec});
    assert!(parse(&document.to_string()).unwrap_err().to_string().contains("`spec.roles` must be a list"));
}

#[test]
fn names_that_are_secrets_are_known() {
    for (spec, secret, other) in [
        ("{join_method: github, github: {}}", false, None),
        ("{join_method: tpm}", false, Some("tpm")),
        ("{join_method: token}", true, Some("token")),
        ("{roles: [Node]}", true, Some("token")),
        ("{join_method: ''}", true, Some("token")),
        ("{join_method: githab}", true, None),
        ("{join_method: 7}", true, Some("token")),
    ] {
        let text = format!("kind: token\nversion: v2\nmetadata: {{name: t}}\nspec: {spec}\n");
        let found = read(&text).unwrap().remove(0);
        assert_eq!(
            (found.name.as_str(), found.name_is_secret, found.other_method),
            ("t", secret, other),
            "{spec}"
        );
        assert_eq!(found.token.is_ok(), !secret && other.is_none(), "{spec}");
    }
}
