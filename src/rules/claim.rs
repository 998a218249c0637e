//! Claims as rules see them: found by name or path, shown as text.

use serde_json::Value;

use crate::claims::UnverifiedClaims;

/// A claim by its own name (`oidc.circleci.com/project-id`) or, failing that, by the path to it in nested
/// objects (`google.compute_engine.zone`). A claim that is `null` counts as absent.
pub fn find_claim<'a>(claims: &'a UnverifiedClaims, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value).filter(|v| !v.is_null());
    }
    // The claim's own name may have dots (`kubernetes.io.pod.name`).
    path.match_indices('.').find_map(|(at, _)| {
        let nested = claims.get(&path[..at])?;
        let found = path[at + 1..].split('.').try_fold(nested, |value, step| value.get(step))?;
        Some(found).filter(|v| !v.is_null())
    })
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

/// Claims about people of `OpenID` Connect Core 1.0 (5.1) and of GitLab, in lower case and without `_`; beside them every
/// e-mail address. Logins and user ids are not among them: rules are written with them.
const PERSONAL: [&str; 7] =
    ["address", "birthdate", "familyname", "givenname", "middlename", "phonenumber", "useridentities"];

/// The claim without what is about a person, at any depth; `None`: nothing is left. A service account is not a person.
pub fn public_claim(path: &str, value: &Value) -> Option<Value> {
    let name = path.rsplit(['.', '/']).next().unwrap_or(path).to_ascii_lowercase().replace(['_', '-'], "");
    let is_account = value.as_str().is_some_and(|text| text.ends_with(".gserviceaccount.com"));
    if PERSONAL.contains(&name.as_str()) || (name.ends_with("email") && !is_account) {
        return None;
    }
    Some(match value {
        Value::Object(fields) => {
            let public = |(name, value): (&String, &Value)| Some((name.clone(), public_claim(name, value)?));
            Value::Object(fields.iter().filter_map(public).collect())
        }
        Value::Array(items) => items.iter().filter_map(|item| public_claim("", item)).collect(),
        other => other.clone(),
    })
}

/// A claim that is a string and not empty.
pub(super) fn text_of<'a>(claims: &'a UnverifiedClaims, path: &str) -> Option<&'a str> {
    find_claim(claims, path)?.as_str().filter(|text| !text.is_empty())
}

/// Whether all of these claims are there.
pub(super) fn has_all(claims: &UnverifiedClaims, paths: &[&str]) -> bool {
    paths.iter().all(|path| find_claim(claims, path).is_some())
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

/// A field of the document that is a string and not empty.
pub(super) fn option<'a>(spec: &'a Value, name: &str) -> Option<&'a str> {
    spec.get(name)?.as_str().filter(|text| !text.is_empty())
}
