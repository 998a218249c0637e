//! One field of a rule against one claim.

use serde_json::Value;

use super::github::GITHUB_GLOBS_SINCE;
use super::method::{Field, How, Method};
use super::{FieldVerdict, RuleVerdict, ServerVersion, glob};
use crate::claims::UnverifiedClaims;

/// What a comparison found.
pub(super) struct Compared {
    pub(super) got: Option<String>,
    pub(super) matches: bool,
    pub(super) decided: bool,
    pub(super) note: Option<String>,
}

impl Compared {
    pub(super) fn with(got: Option<&str>, matches: bool) -> Self {
        Self { got: got.map(str::to_owned), matches, decided: true, note: None }
    }

    pub(super) fn left_to_the_server(note: &str) -> Self {
        Self { got: None, matches: false, decided: false, note: Some(note.to_owned()) }
    }

    pub(super) fn noted(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

/// A claim by its own name (`oidc.circleci.com/project-id`) or, failing that, by the path to it in nested
/// objects (`google.compute_engine.zone`). A claim that is `null` counts as absent.
pub fn find_claim<'a>(claims: &'a UnverifiedClaims, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value).filter(|v| !v.is_null());
    }
    let mut steps = path.split('.');
    let mut value = claims.get(steps.next()?)?;
    for step in steps {
        value = value.get(step)?;
    }
    Some(value).filter(|v| !v.is_null())
}

/// A claim as people read it: a string as it is, a list of strings with commas, anything else as JSON.
pub fn show_claim(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// Whether a rule's field counts as not set. `false` is set.
pub(super) fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A whole rule.
pub(super) fn rule(
    method: &Method,
    rule: &Value,
    spec: &Value,
    claims: &UnverifiedClaims,
    version: ServerVersion,
) -> RuleVerdict {
    let fields = method.fields.iter().filter_map(|field| {
        let want = rule.get(field.name).filter(|want| !is_unset(want))?;
        let found = compare(field, want, spec, claims, version);
        Some(FieldVerdict {
            field: field.name.to_owned(),
            claim: field.claim.to_owned(),
            want: show_claim(want),
            got: found.got,
            matches: found.matches,
            decided: found.decided,
            note: found.note,
        })
    });
    RuleVerdict { fields: fields.collect() }
}

fn compare(
    field: &Field,
    want: &Value,
    spec: &Value,
    claims: &UnverifiedClaims,
    version: ServerVersion,
) -> Compared {
    let claim = find_claim(claims, field.claim);
    match (field.how, want) {
        (How::Glob, Value::String(want)) => globbed(want, claim),
        (How::NewGlob, Value::String(want)) if !glob::is_pattern(want) => exact(want, claim),
        (How::NewGlob, Value::String(want)) if version < GITHUB_GLOBS_SINCE => exact(want, claim).noted(format!(
            "compared exactly: globs came to this field about {GITHUB_GLOBS_SINCE}, the server is {version}"
        )),
        (How::NewGlob, Value::String(want)) => globbed(want, claim).noted(format!(
            "a glob here needs a server of about {GITHUB_GLOBS_SINCE} or newer; older ones compare exactly"
        )),
        (How::GlobIf(flag), Value::String(want)) if spec.get(flag) == Some(&Value::Bool(true)) => globbed(want, claim),
        (How::GlobIf(flag), Value::String(want)) if glob::is_pattern(want) => {
            exact(want, claim).noted(format!("compared exactly: `{flag}` is not set"))
        }
        (How::Exact | How::GlobIf(_), Value::String(want)) => exact(want, claim),
        (How::Contained, Value::String(want)) => contained(want, claim),
        (How::Flag, Value::Bool(want)) => flag(*want, claim),
        (How::Own(own), Value::String(want)) => own(want, claims),
        (How::OneOf(own), Value::Array(wants)) => one_of(own, wants, claims),
        (How::Server, _) => Compared::left_to_the_server("not evaluated here"),
        // `parse` lets no other form through.
        _ => Compared::with(claim.map(show_claim).as_deref(), false).noted("the rule's value has the wrong type"),
    }
}

fn exact(want: &str, claim: Option<&Value>) -> Compared {
    text(claim, |got| got == want)
}

fn globbed(want: &str, claim: Option<&Value>) -> Compared {
    text(claim, |got| glob::matches(want, got))
}

fn text(claim: Option<&Value>, agrees: impl Fn(&str) -> bool) -> Compared {
    match claim {
        None => Compared::with(None, false),
        Some(Value::String(got)) => Compared::with(Some(got), agrees(got)),
        Some(other) => Compared::with(Some(&show_claim(other)), false).noted("the claim is no string"),
    }
}

fn contained(want: &str, claim: Option<&Value>) -> Compared {
    let inside = match claim {
        Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(want)),
        _ => false,
    };
    Compared::with(claim.map(show_claim).as_deref(), inside)
}

/// GitLab writes booleans as the strings `true` and `false`.
fn flag(want: bool, claim: Option<&Value>) -> Compared {
    let Some(claim) = claim else {
        return Compared::with(None, false)
            .noted("a boolean never matches an absent claim, not even `false`");
    };
    let got = show_claim(claim);
    let agrees = got == if want { "true" } else { "false" };
    Compared::with(Some(&got), agrees)
}

fn one_of(
    own: fn(&str, &UnverifiedClaims) -> Compared,
    wants: &[Value],
    claims: &UnverifiedClaims,
) -> Compared {
    let mut last = Compared::with(None, false);
    for want in wants.iter().filter_map(Value::as_str) {
        last = own(want, claims);
        if last.matches {
            break;
        }
    }
    last
}
