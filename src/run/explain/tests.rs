//! What a reader sees.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::rules::parse;

const NEW: ServerVersion = ServerVersion::new(18, 11, 0);

fn claims(value: &serde_json::Value) -> UnverifiedClaims {
    UnverifiedClaims::from_json(value.to_string().as_bytes()).unwrap()
}

fn explain_at(
    claims: &UnverifiedClaims,
    tokens: &[ProvisionToken],
    version: ServerVersion,
    cluster: Option<&str>,
    now: Timestamp,
) -> Explanation {
    explain(claims, "a file", tokens, &Setting { version, cluster, token_name: None, now })
}

fn now() -> Timestamp {
    "2026-11-21T05:00:00Z".parse().unwrap()
}

fn github_job() -> UnverifiedClaims {
    claims(&json!({"iss": "https://token.actions.githubusercontent.com", "aud": "teleport.cluster.local",
        "repository": "asteroid-earth/x", "repository_owner": "asteroid-earth", "ref": "refs/heads/dev",
        "exp": now().as_second() + 280}))
}

fn token(spec: &str) -> Vec<ProvisionToken> {
    parse(&format!("kind: token\nversion: v2\nmetadata: {{name: gh}}\nspec: {spec}\n")).unwrap()
}

#[test]
fn the_real_case_is_clear_at_once() {
    // Teleport issue 17939.
    let tokens = token(
        "{roles: [Bot], bot_name: ci, join_method: github, github: {allow: [\
         {repository: other/y, ref: refs/heads/main}, {repository: asteroid-earth/x, repository_owner: benarent}]}}",
    );
    let found = explain_at(&github_job(), &tokens, NEW, None, now());
    assert!(!found.admitted());
    assert_eq!(
        found.to_text(),
        "\
this job's identity token, from a file
  iss               https://token.actions.githubusercontent.com
  aud               teleport.cluster.local
  repository        asteroid-earth/x
  repository_owner  asteroid-earth
  ref               refs/heads/dev
  expires in 4m40s, at 2026-11-21T05:04:40Z

join token `gh` (github) REFUSES this job
  ok       issuer  https://token.actions.githubusercontent.com
  ok       audience  teleport.cluster.local
  rule 1 does not match
    FAILS    repository  wants `other/y`, has `asteroid-earth/x`
    FAILS    ref  wants `refs/heads/main`, has `refs/heads/dev`
  rule 2 does not match
    ok       repository  asteroid-earth/x
    FAILS    repository_owner  wants `benarent`, has `asteroid-earth`
  rule 2 is the closest; for it to match:
    - `repository_owner`: write `asteroid-earth` in the rule, or run the job where it is `benarent`
  error    rule 2, `repository_owner`: can never match together with `repository: asteroid-earth/x`,
           whose owner is `asteroid-earth`
  warning  rule 2: admits every branch and every workflow of the repository; add `ref` or
           `environment`
"
    );
    let json = found.to_json();
    assert_eq!(json["tokens"][0]["outcome"], "refuses");
    assert_eq!(json["tokens"][0]["closest"]["rule"], 2);
    assert_eq!(json["tokens"][0]["rules"][1]["rule"], 2);
    assert_eq!(json["tokens"][0]["findings"][0]["rule"], 2);
    assert_eq!(json["tokens"][0]["rules"][1]["fields"][1]["got"], "asteroid-earth");
}

#[test]
fn each_part_decides() {
    let good = "{roles: [Bot], bot_name: ci, join_method: github, github: {allow: [{repository: asteroid-earth/x}]}}";
    let gitlab = "{roles: [Bot], bot_name: ci, join_method: gitlab, gitlab: {allow: [{project_path: g/p}]}}";
    let open = "{roles: [Bot], bot_name: ci, join_method: generic_oidc, generic_oidc: {issuer: 'https://i', audience: a, \
        allow_any: [{expression: 'true'}]}}";
    let gl = |aud: &str| claims(&json!({"iss": "https://gitlab.com", "aud": aud, "project_path": "g/p"}));
    let own = claims(&json!({"iss": "https://i", "aud": "a"}));
    let foreign = claims(
        &json!({"iss": "https://forge.x/api/actions", "aud": "teleport.cluster.local", "repository": "asteroid-earth/x"}),
    );
    let old = ServerVersion { major: 18, minor: 10, patch: 9 };
    for (spec, claims, version, cluster, want) in [
        (good.to_owned(), &github_job(), NEW, None, Outcome::Admits(0)),
        (good.replace("[Bot]", "[Node]"), &github_job(), NEW, None, Outcome::Refuses),
        (good.to_owned(), &foreign, NEW, None, Outcome::Refuses),
        (gitlab.to_owned(), &gl("lab.example"), NEW, Some("lab.example"), Outcome::Admits(0)),
        (gitlab.to_owned(), &gl("https://lab.example"), NEW, Some("lab.example"), Outcome::Refuses),
        (gitlab.to_owned(), &gl("lab.example"), NEW, None, Outcome::Admits(0)),
        (open.to_owned(), &own, NEW, None, Outcome::MayAdmit),
        (open.to_owned(), &own, old, None, Outcome::Refuses),
    ] {
        let found = explain_at(claims, &token(&spec), version, cluster, now());
        assert_eq!(found.tokens[0].outcome(), want, "{spec}\n{}", found.to_text());
        assert_eq!(found.admitted(), matches!(want, Outcome::Admits(_)));
        let number = if let Outcome::Admits(rule) = want { json!(rule + 1) } else { json!(null) };
        assert_eq!(found.to_json()["tokens"][0]["rule"], number, "{spec}");
    }
    let unknown = explain_at(&gl("x"), &token(gitlab), NEW, None, now());
    assert!(matches!(&unknown.tokens[0].audience, Check::Unknown(why) if why.starts_with("has `x`; ")));
    let no_audience = claims(&json!({"iss": "https://gitlab.com"}));
    let absent = explain_at(&no_audience, &token(gitlab), NEW, None, now());
    assert!(matches!(&absent.tokens[0].audience, Check::Unknown(why) if why.starts_with("is absent; ")));
    let mut gone = token(good);
    gone[0].expires = Some(now());
    assert!(!explain_at(&github_job(), &gone, NEW, None, now()).admitted());
}

#[test]
fn without_rules_it_writes_some() {
    let found = explain_at(&github_job(), &[], NEW, None, now());
    assert_eq!(found.method, Some(JoinMethod::GitHub));
    let suggestion = found.suggestion.clone().unwrap();
    assert!(found.to_text().contains(&suggestion.narrow) && found.to_text().contains(&suggestion.wide));
    assert!(explain_at(&github_job(), &parse(&suggestion.narrow).unwrap(), NEW, None, now()).admitted());

    let unknown =
        explain_at(&claims(&json!({"iss": "https://forge", "repository": "o/r"})), &[], NEW, None, now());
    assert!(unknown.method.is_none() && unknown.to_text().contains("none can be suggested"));
    let late = explain_at(&github_job(), &[], NEW, None, now() + jiff::SignedDuration::from_secs(300));
    assert!(late.to_text().contains("expired 20s ago"));
}

#[test]
fn what_is_about_a_person_is_not_shown() {
    let spec = "{roles: [Bot], bot_name: ci, join_method: gitlab, gitlab: {allow: [{project_path: g/p, user_email: a@x.example}]}}";
    let job = claims(
        &json!({"iss": "https://gitlab.com", "aud": "c", "project_path": "g/p", "user_email": "me@y.example"}),
    );
    let found = explain_at(&job, &token(spec), NEW, Some("c"), now());
    let (text, json) = (found.to_text(), found.to_json().to_string());
    assert!(!text.contains("me@y") && !json.contains("me@y"), "{text}{json}");
    assert!(
        text.contains("write the job's own value") && json.contains("\"user_email\":\"(not shown)\""),
        "{text}"
    );

    let spec = "{roles: [Bot], bot_name: ci, join_method: generic_oidc, generic_oidc: {issuer: 'https://i', audience: a, \
        must_match_fields: {email: a@x.example}}}";
    let job = claims(&json!({"iss": "https://i", "aud": "a", "email": "me@y.example"}));
    let found = explain_at(&job, &token(spec), NEW, None, now());
    let (text, json) = (found.to_text(), found.to_json().to_string());
    assert!(!text.contains("me@y") && !json.contains("me@y"), "{text}{json}");
}

proptest! {
    #[test]
    fn lines_are_short_and_clean(value in "[\\PC\u{0}-\u{1f} ]{0,300}") {
        let short: String = value.chars().filter(char::is_ascii).take(30).collect();
        for (value, width) in [(short, 100), (value, usize::MAX)] {
            let job = claims(&json!({"iss": value, "aud": [value], "repository": value, "ref": value}));
            let spec = json!({"roles": ["Bot"], "bot_name": value, "join_method": "github",
                "github": {"allow": [{"repository": "o/r", "ref": value, "sub": value}]}});
            let setting = Setting { version: NEW, cluster: None, token_name: None, now: now() };
            let found = explain(&job, &value, &token(&spec.to_string()), &setting);
            for line in found.to_text().lines() {
                prop_assert!(line.chars().count() <= width, "{}", line);
                prop_assert!(!line.chars().any(char::is_control), "{:?}", line);
            }
            let _ = found.to_json();
        }
    }
}
