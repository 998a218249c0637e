//! One field of a rule against one claim.

use serde_json::Value;

use super::claim::{find_claim, is_unset, show_claim};
use super::glob;
use super::method::{Field, How, Method};
use super::verdict::{Compared, FieldVerdict, RuleVerdict};
use super::version::{ServerVersion, Since};
use crate::claims::UnverifiedClaims;

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
    if let Some(since) = field.since.filter(|since| !since.includes(version)) {
        let got = claim.map(show_claim);
        return Compared::new(got.as_deref(), false).noted(format!("needs {since}, the server is {version}"));
    }
    match (field.how, want) {
        (How::Exact, Value::String(want)) => exact(want, claim),
        (How::Glob, Value::String(want)) => globbed(want, claim),
        (How::GlobSince(since), Value::String(want)) => {
            globbed_if(since.includes(version), want, claim, || lacks_globs(since, version))
        }
        (How::GlobIf(flag, since), Value::String(want)) if spec.get(flag) == Some(&Value::Bool(true)) => {
            globbed_if(since.includes(version), want, claim, || lacks_globs(since, version))
        }
        (How::GlobIf(flag, _), Value::String(want)) => {
            globbed_if(false, want, claim, || format!("`{flag}` is not set"))
        }
        (How::GlobOn(part), Value::String(want)) => {
            let got = part(claims);
            Compared::new(got, got.is_some_and(|got| glob::matches(want, got)))
        }
        (How::Contained, Value::String(want)) => contained(want, claim),
        (How::Flag, Value::Bool(want)) => flag(*want, claim),
        (How::Own(own), Value::String(want)) => own(want, claims),
        (How::OneOf(own), Value::Array(wants)) => one_of(own, wants, claims),
        (How::Server(_), _) => Compared::left_to_the_server("not evaluated here"),
        // `parse` lets no other form through.
        _ => Compared::new(claim.map(show_claim).as_deref(), false)
            .noted("the rule's value has the wrong type"),
    }
}

/// `why` globs do not work is noted only where it makes a difference.
fn globbed_if(globs: bool, want: &str, claim: Option<&Value>, why: impl Fn() -> String) -> Compared {
    if globs {
        return globbed(want, claim);
    }
    let found = exact(want, claim);
    if glob::is_pattern(want) { found.noted(format!("compared exactly: {}", why())) } else { found }
}

fn lacks_globs(since: Since, version: ServerVersion) -> String {
    format!("globs need {since}, the server is {version}")
}

fn exact(want: &str, claim: Option<&Value>) -> Compared {
    text(claim, |got| got == want)
}

fn globbed(want: &str, claim: Option<&Value>) -> Compared {
    text(claim, |got| glob::matches(want, got))
}

fn text(claim: Option<&Value>, agrees: impl Fn(&str) -> bool) -> Compared {
    match claim {
        None => Compared::new(None, false),
        Some(Value::String(got)) => Compared::new(Some(got), agrees(got)),
        Some(other) => Compared::new(Some(&show_claim(other)), false).noted("the claim is not a string"),
    }
}

fn contained(want: &str, claim: Option<&Value>) -> Compared {
    let inside = match claim {
        Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(want)),
        _ => false,
    };
    Compared::new(claim.map(show_claim).as_deref(), inside)
}

/// GitLab writes booleans as the strings `true` and `false`.
fn flag(want: bool, claim: Option<&Value>) -> Compared {
    let Some(claim) = claim else {
        return Compared::new(None, false).noted("a boolean never matches an absent claim, not even `false`");
    };
    let got = show_claim(claim);
    let agrees = got == if want { "true" } else { "false" };
    Compared::new(Some(&got), agrees)
}

fn one_of(
    own: fn(&str, &UnverifiedClaims) -> Compared,
    wants: &[Value],
    claims: &UnverifiedClaims,
) -> Compared {
    let mut last = Compared::new(None, false);
    for want in wants.iter().filter_map(Value::as_str) {
        last = own(want, claims);
        if last.matches {
            break;
        }
    }
    last
}
