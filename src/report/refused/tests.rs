//! However much a server and a job say, little of it is seen first, and all of it is somewhere.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::claims::UnverifiedClaims;
use crate::error::Failed;
use crate::join::JoinError;
use crate::report::Failure;
use crate::teleport::JoinMethod;

const NO_RULE: &str = "id token claims did not match any allow rules";

fn failure(message: &str, token: &str, claims: &Value) -> Failure {
    let refusal = Refusal {
        message: message.to_owned(),
        token: token.to_owned(),
        method: Some(JoinMethod::GitHub),
        platform: Some(Platform::GitHubActions),
        claims: UnverifiedClaims::from_json(claims.to_string().as_bytes()).unwrap(),
        ping: None,
    };
    Failure::new(&Failed::from(JoinError::Refused(Box::new(refusal))), now())
}

fn now() -> Timestamp {
    "2026-11-21T05:00:00Z".parse().unwrap()
}

fn github() -> Value {
    json!({"iss": "https://token.actions.githubusercontent.com", "aud": "lab", "repository": "o/r",
        "ref": "refs/heads/main", "exp": 1_795_240_000})
}

/// The lines before the fold, without the annotation.
fn seen(failure: &Failure, columns: usize) -> Vec<String> {
    let text = failure.text_on(Some(Platform::GitHubActions), now(), columns);
    let lines = text.lines().skip(1).take_while(|line| !line.starts_with("::group::"));
    lines.map(str::to_owned).collect()
}

#[test]
fn an_existing_token_gets_a_rule_and_a_missing_one_is_created() {
    let text = failure(NO_RULE, "ci", &github()).text(100);
    assert!(text.contains(
        "\nto let such jobs in, run `tctl edit token/ci` and add to `spec.github.allow`:\n    - repo"
    ));
    assert!(!text.contains("tctl create") && !text.contains("kind: token"), "{text}");

    let missing = failure("token expired or not found", "ci", &github());
    let text = missing.text(100);
    assert!(text.contains("`tctl create token.yaml`:\n    kind: token\n"), "{text}");
    assert!(text.contains("\nnext: `tctl get token/ci || tctl create token.yaml`\n"), "{text}");
    assert_eq!(text.matches("kind: token").count(), 1, "{text}");
    assert!(!text.contains("tctl edit") && !text.contains("create -f"), "{text}");

    // No rule helps a token that was not accepted.
    let foreign = failure("issuer does not match: Expected: https://a, got: https://b", "ci", &github());
    let text = foreign.text(100);
    assert!(
        text.contains("\nthis job: `iss: https://token.actions.githubusercontent.com`, `aud: lab`\n"),
        "{text}"
    );
    assert!(
        text.contains("\nnext: `tctl get token/ci > token.yaml && jobpass explain --rules token.yaml`\n")
    );
    assert!(!text.contains("spec.github.allow") && !text.contains("kind: token"), "{text}");

    let expired = failure("token has expired", "ci", &json!({"exp": 1})).text(100);
    assert!(!expired.contains("next:"), "{expired}");
}

#[test]
fn the_name_of_a_token_is_quoted_for_a_shell() {
    let text = failure(NO_RULE, "my ci; rm", &github()).text(100);
    assert!(text.contains("tctl get 'token/my ci; rm' > token.yaml"), "{text}");
    assert!(text.contains("tctl edit 'token/my ci; rm'"), "{text}");
}

#[test]
fn guesses_are_apart_and_named_so() {
    let failure = failure(NO_RULE, "ci", &github());
    let text = failure.text_on(Some(Platform::GitHubActions), now(), 100);
    let (seen, rest) = text.split_once("::group::").unwrap();
    assert!(!seen.contains("no environment"), "{seen}");
    assert!(rest.contains("other possible causes:\n  1. the job has no environment"), "{rest}");
    let refused = failure.refused.unwrap();
    assert!(refused.causes.is_sorted_by_key(|cause| cause.is_guess) && !refused.causes[0].is_guess);
}

#[test]
fn an_annotation_has_the_cause_and_its_hint() {
    let text = failure(NO_RULE, "ci", &github()).text_on(Some(Platform::GitHubActions), now(), 100);
    let annotation = text.lines().next().unwrap();
    for part in [
        "::error title=Teleport refused to let this job join::id token claims did not match",
        "%0Ano rule of the token matches this job: ",
        "%0Ahint: see each field beside its claim: `tctl get token/ci > token.yaml",
    ] {
        assert!(annotation.contains(part), "{part} is not in {annotation}");
    }
}

#[test]
fn lines_are_as_wide_as_the_terminal() {
    let failure = failure(NO_RULE, "ci", &github());
    let prose = |line: &String| !line.contains('`') && !line.contains("https://");
    for columns in [40, 72] {
        let lines = seen(&failure, columns);
        assert!(lines.iter().filter(|l| prose(l)).all(|l| l.chars().count() <= columns), "{lines:#?}");
    }
    assert!(seen(&failure, 40).len() > seen(&failure, 100).len());
}

#[test]
fn what_is_cut_is_in_the_fold() {
    let mut claims = github();
    claims["workflow"] = "w ".repeat(90).into();
    claims["environment"] = "e ".repeat(90).into();
    claims["actor"] = "a ".repeat(90).into();
    let words = format!("{} last", "word ".repeat(150));
    let failure = failure(&words, "ci", &claims);
    let text = failure.text_on(Some(Platform::GitHubActions), now(), 100);
    let (seen, rest) = text.split_once("::group::").unwrap();
    assert!(!seen.lines().skip(1).any(|l| l.contains("last")) && seen.contains(" …\n"), "{seen}");
    assert!(rest.contains("last") && rest.contains("e ".repeat(90).trim()), "{rest}");
}

proptest! {
    #[test]
    fn at_most_twelve_lines_are_seen(
        message in "(id token claims did not match any allow rules|token expired or not found|token has expired|)[a-z` ]{0,900}",
        name in "[a-z` ]{1,80}",
        value in "[a-z` |<]{0,300}",
        more in any::<bool>(),
    ) {
        let mut claims = github();
        claims["repository"] = value.clone().into();
        claims["ref"] = value.clone().into();
        if more {
            for name in ["workflow", "actor", "environment", "sub", "repository_owner"] {
                claims[name] = value.clone().into();
            }
        }
        let lines = seen(&failure(&message, &name, &claims), 100);
        prop_assert!(lines.len() <= 12, "{} lines: {lines:#?}", lines.len());
        prop_assert!(lines.iter().any(|line| line.starts_with("hint: ")), "{lines:#?}");
    }
}
