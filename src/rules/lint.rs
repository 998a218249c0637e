//! What is wrong with a token before anybody tries to join with it.

mod by_method;

use jiff::Timestamp;
use serde_json::Value;

use super::compare::is_unset;
use super::method::{self, How, Method};
use super::{ProvisionToken, glob};
use crate::teleport::JoinMethod;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The server refuses to create such a token, or no job can ever match.
    Error,
    /// It admits more than it seems to, or a job may be refused by surprise.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where: `spec.github.allow[0].ref`.
    pub path: String,
    /// What, and what to write instead; no full stop.
    pub message: String,
}

/// Looks at one token. The checks that creation makes are those of Teleport's `api/types/provisioning.go`.
pub fn lint(token: &ProvisionToken, now: Timestamp) -> Vec<Finding> {
    let method = method::of(token.method);
    let section = method.section.map_or_else(|| "spec".to_owned(), |name| format!("spec.{name}"));
    let mut notes = Notes { found: Vec::new(), section };
    notes.frame(token, now);
    notes.options(method, &token.spec);
    if token.method == JoinMethod::GenericOidc {
        notes.generic(&token.spec);
    } else {
        notes.rules(token, method);
    }
    notes.found.sort_by_key(|finding| finding.severity);
    notes.found
}

struct Notes {
    found: Vec<Finding>,
    section: String,
}

impl Notes {
    fn add(&mut self, severity: Severity, path: &str, message: impl Into<String>) {
        self.found.push(Finding { severity, path: path.to_owned(), message: message.into() });
    }

    fn error(&mut self, path: &str, message: impl Into<String>) {
        self.add(Severity::Error, path, message);
    }

    fn warn(&mut self, path: &str, message: impl Into<String>) {
        self.add(Severity::Warning, path, message);
    }

    /// What every token has.
    fn frame(&mut self, token: &ProvisionToken, now: Timestamp) {
        if !token.roles.iter().any(|role| role.eq_ignore_ascii_case("bot")) {
            self.error("spec.roles", "does not have `Bot`: a bot cannot join with this token");
        }
        if token.bot_name.is_none() {
            self.error("spec.bot_name", "is missing: no bot can join with this token");
        }
        if let Some(expires) = token.expires.filter(|t| *t <= now) {
            self.error(
                "metadata.expires",
                format!("the token expired at {expires}: nobody can join with it"),
            );
        }
    }

    fn options(&mut self, method: &Method, spec: &Value) {
        for name in method.required {
            if spec.get(name).is_none_or(is_unset) {
                self.error(
                    &format!("{}.{name}", self.section),
                    "is missing: the server refuses such a token",
                );
            }
        }
        for name in method.hosts {
            if method::option(spec, name).is_some_and(|host| host.contains('/')) {
                let message = "is to be a bare host name, without scheme and path";
                self.error(&format!("{}.{name}", self.section), message);
            }
        }
        let both = ["enterprise_server_host", "enterprise_slug"];
        if both.iter().all(|name| method::option(spec, name).is_some()) {
            self.error(
                &format!("{}.enterprise_slug", self.section),
                "cannot be set together with `enterprise_server_host`",
            );
        }
    }

    fn rules(&mut self, token: &ProvisionToken, method: &Method) {
        if token.allow().is_empty() {
            self.error(&format!("{}.allow", self.section), "has no rule: nobody can join with this token");
        }
        for (index, rule) in token.allow().iter().enumerate() {
            let path = format!("{}.allow[{index}]", self.section);
            self.rule(&path, token, method, rule);
        }
    }

    fn rule(&mut self, path: &str, token: &ProvisionToken, method: &Method, rule: &Value) {
        let set = |name: &str| rule.get(name).is_some_and(|value| !is_unset(value));
        for group in method.groups.iter().filter(|group| !group.iter().any(|name| set(name))) {
            let names: Vec<String> = group.iter().map(|name| format!("`{name}`")).collect();
            self.error(path, format!("sets none of {}: the server refuses such a rule", names.join(", ")));
        }
        let names = method.fields.iter().map(|field| (field.name, rule.get(field.name)));
        for (name, value) in names.clone() {
            if value.and_then(Value::as_str) == Some("") {
                self.warn(&format!("{path}.{name}"), "is empty, which means any value, not no value");
            }
        }
        for (field, value) in method.fields.iter().filter_map(|f| Some((f, rule.get(f.name)?.as_str()?))) {
            let globs = match field.how {
                How::Glob | How::NewGlob => true,
                How::GlobIf(flag) => token.spec.get(flag) == Some(&Value::Bool(true)),
                _ => false,
            };
            let at = format!("{path}.{}", field.name);
            if globs && !value.is_empty() && value.bytes().all(|b| b == b'*') {
                self.warn(&at, "matches anything: leave it out, or say what is meant");
            } else if !globs && glob::is_pattern(value) {
                self.warn(&at, "has `*` or `?`, but this field is compared exactly");
            }
            if value.trim() != value {
                self.warn(&at, "begins or ends with white space, which is compared, too");
            }
        }
        match token.method {
            JoinMethod::GitHub => self.github(path, rule),
            JoinMethod::GitLab => self.gitlab(path, rule),
            JoinMethod::Kubernetes => {
                let account = text(rule, "service_account");
                if !account.is_empty() && account.split(':').filter(|part| !part.is_empty()).count() != 2 {
                    self.error(&format!("{path}.service_account"), "is to be `namespace:name`");
                }
            }
            JoinMethod::Bitbucket => {
                for name in ["workspace_uuid", "repository_uuid", "deployment_environment_uuid"] {
                    let uuid = text(rule, name);
                    let braced = uuid.starts_with('{') && uuid.ends_with('}');
                    if !uuid.is_empty() && !braced {
                        self.error(
                            &format!("{path}.{name}"),
                            "can never match: Bitbucket's UUIDs stand in braces, `{…}`",
                        );
                    }
                }
            }
            JoinMethod::CircleCi if set("context_id") && !set("project_id") => {
                self.warn(path, "admits every project that may use this context; add `project_id`");
            }
            _ => {}
        }
    }
}

fn text<'a>(rule: &'a Value, name: &str) -> &'a str {
    rule.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
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
            "{roles: [Bot], bot_name: b, join_method: gitlab, gitlab: {domain: git.x, allow: [{project_path: g/p, ref: main}]}}",
            "{roles: [Bot], bot_name: b, join_method: circleci, circleci: {organization_id: o, allow: [{project_id: p}]}}",
            "{roles: [Bot], bot_name: b, join_method: spacelift, spacelift: {hostname: h.x, allow: [{caller_id: c}]}}",
            "{roles: [Bot], bot_name: b, join_method: iam, allow: [{aws_account: '1'}]}",
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
            (
                github("{sub: 'repo:o/r:pull_request'}"),
                Warning,
                "spec.github.allow[0].sub",
                "every pull request",
            ),
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
                "bare host",
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
            (
                gitlab("{project_path: g/p, ref: refs/heads/main}"),
                Error,
                "spec.gitlab.allow[0].ref",
                "`main`",
            ),
            (gitlab("{project_path: g/p}"), Warning, "spec.gitlab.allow[0]", "every branch"),
            (gitlab("{namespace_path: g}"), Warning, "spec.gitlab.allow[0]", "every project"),
            (
                gitlab("{project_path: g/p, ref: m, environment_protected: false}"),
                Warning,
                "spec.gitlab.allow[0].environment_protected",
                "never matches",
            ),
            (
                any("circleci", "{allow: [{context_id: c}]}"),
                Error,
                "spec.circleci.organization_id",
                "is missing",
            ),
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
                "bare host",
            ),
            (
                any("spacelift", "{hostname: h, allow: [{space_id: 's*'}]}"),
                Warning,
                "spec.spacelift.allow[0].space_id",
                "compared exactly",
            ),
            (
                any("kubernetes", "{allow: [{service_account: sa}]}"),
                Error,
                "spec.kubernetes.allow[0].service_account",
                "namespace:name",
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
    fn an_expired_token_is_named() {
        let text = "kind: token\nversion: v2\nmetadata: {name: t, expires: '2030-01-01T00:00:00Z'}\n\
            spec: {roles: [Bot], bot_name: b, join_method: iam, allow: [{aws_account: '1'}]}";
        let token = parse(text).unwrap().remove(0);
        let at = |time: &str| lint(&token, time.parse().unwrap()).len();
        assert_eq!((at("2029-12-31T23:59:59Z"), at("2030-01-01T00:00:00Z")), (0, 1));
    }
}
