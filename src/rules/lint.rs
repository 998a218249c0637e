//! What is wrong with a token before anybody tries to join with it.

use jiff::Timestamp;
use serde_json::Value;

use super::claim::{is_unset, option};
use super::finding::{Finding, Notes};
use super::glob;
use super::method::{How, Method};
use super::registry::facts;
use super::token::ProvisionToken;

/// Looks at one token. The checks that creation makes are those of Teleport's `api/types/provisioning.go`.
pub fn lint(token: &ProvisionToken, now: Timestamp) -> Vec<Finding> {
    let method = facts(token.method);
    let section = method.section.map_or_else(|| "spec".to_owned(), |name| format!("spec.{name}"));
    let mut notes = Notes::new(section);
    frame(&mut notes, token, now);
    options(&mut notes, method, &token.spec);
    if !method.fields.is_empty() {
        rules(&mut notes, token, method);
    }
    notes.found.sort_by_key(|finding| finding.severity);
    notes.found
}

/// What every token has.
fn frame(notes: &mut Notes, token: &ProvisionToken, now: Timestamp) {
    if !token.roles.iter().any(|role| role.eq_ignore_ascii_case("bot")) {
        notes.error_at("spec.roles", "does not have `Bot`: a bot cannot join with this token");
    }
    if token.bot_name.is_none() {
        notes.error_at("spec.bot_name", "is missing: no bot can join with this token");
    }
    if let Some(expires) = token.expires.filter(|t| *t <= now) {
        notes
            .error_at("metadata.expires", format!("the token expired at {expires}: nobody can join with it"));
    }
}

fn options(notes: &mut Notes, method: &Method, spec: &Value) {
    for name in method.required.iter().filter(|name| spec.get(name).is_none_or(is_unset)) {
        notes.error(name, "is missing: the server refuses such a token");
    }
    for name in method.hosts {
        if option(spec, name).is_some_and(|host| host.contains('/')) {
            notes.error(name, "must be a bare host name, without scheme and path");
        }
    }
    (method.lint_section)(notes, spec);
}

fn rules(notes: &mut Notes, token: &ProvisionToken, method: &Method) {
    if token.allow().is_empty() {
        notes.error("allow", "has no rule: nobody can join with this token");
    }
    for (index, rule) in token.allow().iter().enumerate() {
        notes.enter("allow", index);
        required(notes, method, rule);
        values(notes, method, &token.spec, rule);
        (method.lint_rule)(notes, rule);
    }
}

fn required(notes: &mut Notes, method: &Method, rule: &Value) {
    let set = |name: &str| rule.get(name).is_some_and(|value| !is_unset(value));
    for group in method.groups.iter().filter(|group| !group.iter().any(|name| set(name))) {
        notes.error("", format!("sets none of `{}`: the server refuses such a rule", group.join("`, `")));
    }
    for (name, other) in method.together.iter().filter(|(name, other)| set(name) && !set(other)) {
        notes.error(name, format!("needs `{other}` beside it: the server refuses such a rule"));
    }
}

fn values(notes: &mut Notes, method: &Method, spec: &Value, rule: &Value) {
    for (field, value) in method.fields.iter().filter_map(|f| Some((f, rule.get(f.name)?.as_str()?))) {
        let globs = match field.how {
            How::Glob | How::GlobSince(_) | How::GlobOn(_) => true,
            How::GlobIf(flag, _) => spec.get(flag) == Some(&Value::Bool(true)),
            _ => false,
        };
        if value.is_empty() {
            notes.warn(field.name, "is empty, which means any value, not no value");
        } else if globs && value.bytes().all(|b| b == b'*') {
            notes.warn(field.name, "matches anything: leave it out, or be more specific");
        } else if !globs && glob::is_pattern(value) {
            notes.warn(field.name, "has `*` or `?`, but this field is compared exactly");
        }
        if value.trim() != value {
            notes.warn(field.name, "begins or ends with white space, which is compared, too");
        }
    }
}

#[cfg(test)]
mod tests;
