//! The slips that are a method's own.

use serde_json::Value;

use super::{Notes, text};
use crate::rules::compare::is_unset;
use crate::rules::{glob, method};

impl Notes {
    pub(super) fn github(&mut self, path: &str, rule: &Value) {
        let [repository, owner, sub, git_ref] =
            ["repository", "repository_owner", "sub", "ref"].map(|name| text(rule, name));
        if !repository.is_empty() {
            let at = format!("{path}.repository");
            match repository.split_once('/') {
                None if !glob::is_pattern(repository) => {
                    self.error(&at, "can never match: the claim is `OWNER/REPOSITORY`");
                }
                Some((of, _))
                    if !owner.is_empty()
                        && ![of, owner].iter().any(|t| glob::is_pattern(t))
                        && of != owner =>
                {
                    let message = format!(
                        "can never match together with `repository: {repository}`, whose owner is `{of}`"
                    );
                    self.error(&format!("{path}.repository_owner"), message);
                }
                _ => {}
            }
            if repository.contains("://") {
                self.error(&at, "can never match: the claim has no scheme and no host");
            }
        }
        if !git_ref.is_empty() && !git_ref.starts_with("refs/") && !git_ref.starts_with(['*', '?']) {
            let hint = match git_ref.strip_prefix("ref/") {
                Some(rest) => format!("`refs/{rest}`"),
                None => format!("`refs/heads/{git_ref}`"),
            };
            self.error(
                &format!("{path}.ref"),
                format!("can never match: the claim is a full ref; {hint} may be meant"),
            );
        }
        if !sub.is_empty() && !sub.starts_with("repo:") && !sub.starts_with('*') {
            self.warn(
                &format!("{path}.sub"),
                "matches only if the subject's format was customised: it begins with `repo:`",
            );
        }
        if sub.ends_with(":pull_request") {
            self.warn(
                &format!("{path}.sub"),
                "admits every pull request of the repository, whoever may open one from a branch in it",
            );
        } else if sub.starts_with("repo:") && !sub.contains('@') && !glob::is_pattern(sub) {
            self.warn(
                &format!("{path}.sub"),
                "fits the old subject format only: repositories made, renamed or moved after 15 July 2026 have `OWNER@ID/REPO@ID` in it; `repository` stays the same",
            );
        }
        if repository.is_empty() && sub.is_empty() && !owner.is_empty() {
            self.warn(path, "admits every repository of the owner; add `repository`");
        }
        let narrow =
            ["ref", "environment", "workflow", "actor"].iter().any(|name| !text(rule, name).is_empty());
        if !repository.is_empty() && sub.is_empty() && !narrow {
            self.warn(
                path,
                "admits every branch and every workflow of the repository; add `ref` or `environment`",
            );
        }
        let unrestricted = repository.is_empty() && owner.is_empty() && sub.is_empty();
        if unrestricted && !text(rule, "actor").is_empty() {
            self.warn(path, "admits whatever repository this person starts a workflow in");
        }
    }

    pub(super) fn gitlab(&mut self, path: &str, rule: &Value) {
        let git_ref = text(rule, "ref");
        if let Some(name) = git_ref.strip_prefix("refs/heads/").or_else(|| git_ref.strip_prefix("refs/tags/"))
        {
            self.error(
                &format!("{path}.ref"),
                format!(
                    "can never match: GitLab's claim has no `refs/…/` before the name; `{name}` may be meant"
                ),
            );
        }
        if rule.get("environment_protected").is_some_and(Value::is_boolean)
            && text(rule, "environment").is_empty()
        {
            self.warn(
                &format!("{path}.environment_protected"),
                "never matches a job without `environment:`, not even as `false`",
            );
        }
        let narrow = ["ref", "environment", "ref_type"].iter().any(|name| !text(rule, name).is_empty())
            || rule.get("ref_protected") == Some(&Value::Bool(true));
        if !narrow && !text(rule, "project_path").is_empty() && text(rule, "sub").is_empty() {
            self.warn(path, "admits every branch of the project; add `ref` or `ref_protected: true`");
        }
        if text(rule, "project_path").is_empty()
            && text(rule, "sub").is_empty()
            && !text(rule, "namespace_path").is_empty()
        {
            self.warn(path, "admits every project of the namespace; add `project_path`");
        }
    }

    pub(super) fn generic(&mut self, spec: &Value) {
        let section = self.section.clone();
        let any = spec.get("allow_any").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let must = spec.get("must_match_fields").is_some_and(has_value);
        if any.is_empty() && !must {
            self.error(&section, "has no rule: one is needed in `must_match_fields` or `allow_any`");
        }
        for (index, entry) in any.iter().enumerate() {
            let [expression, conditions] =
                ["expression", "conditions"].map(|n| entry.get(n).is_some_and(|v| !is_unset(v)));
            if expression == conditions {
                self.error(
                    &format!("{section}.allow_any[{index}]"),
                    "is to have exactly one of `expression` and `conditions`",
                );
            }
        }
        let plain = method::option(spec, "issuer").is_some_and(|issuer| issuer.starts_with("http://"));
        if plain && spec.get("insecure_allow_http_issuer") != Some(&Value::Bool(true)) {
            self.error(
                &format!("{section}.issuer"),
                "is to be https, unless `insecure_allow_http_issuer` is set",
            );
        }
    }
}

/// Whether a value is asserted somewhere: absence (`null`) alone is no rule.
fn has_value(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().any(has_value),
        Value::Null | Value::Array(_) => false,
        _ => true,
    }
}
