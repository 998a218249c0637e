//! Reading `kind: token` documents from YAML or JSON.

use jiff::Timestamp;
use serde_json::Value;

use super::compare::is_unset;
use super::method::{self, Named, Shape};
use super::nearest::nearest;
use super::{ProvisionToken, RulesError};
use crate::env::MAX_FILE;
use crate::teleport::JoinMethod;

/// Reads YAML (several documents) or JSON (one, or the list that `tctl get token/x --format=json` prints).
/// `text` is at most 1 MiB. Documents of other kinds are skipped.
pub fn parse(text: &str) -> Result<Vec<ProvisionToken>, RulesError> {
    if text.len() as u64 > MAX_FILE {
        return Err(RulesError::TooLarge);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut tokens = Vec::new();
    for (index, value) in values(text)?.iter().enumerate() {
        let document = Document { number: index + 1 };
        if value.get("kind").and_then(Value::as_str) == Some("token") {
            tokens.push(document.token(value)?);
        }
    }
    if tokens.is_empty() { Err(RulesError::Empty) } else { Ok(tokens) }
}

/// All documents, lists taken apart.
fn values(text: &str) -> Result<Vec<Value>, RulesError> {
    let documents = match serde_json::from_str::<Value>(text) {
        Ok(json) => vec![json],
        Err(_) => yaml(text)?,
    };
    let apart = documents.into_iter().flat_map(|document| match document {
        Value::Array(items) => items,
        other => vec![other],
    });
    Ok(apart.collect())
}

fn yaml(text: &str) -> Result<Vec<Value>, RulesError> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        // A token is small: no need for what a bomb would use.
        budget: serde_saphyr::budget! { max_documents: 256, max_nodes: 50_000, max_aliases: 100, max_depth: 32 },
    };
    serde_saphyr::from_multiple_with_options::<Value>(text, options)
        .map_err(|error| RulesError::Syntax(first_line(&error.to_string())))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Which document is being read, for errors.
#[derive(Clone, Copy)]
struct Document {
    number: usize,
}

impl Document {
    fn error(self, path: &str, problem: impl Into<String>) -> RulesError {
        let path = path.chars().filter(|c| !c.is_control()).take(200).collect();
        RulesError::Field { document: self.number, path, problem: problem.into() }
    }

    fn token(self, value: &Value) -> Result<ProvisionToken, RulesError> {
        match self.text(value, "version")? {
            Some("v2") => {}
            Some(_) => {
                return Err(self.error("version", "is not `v2`, the one version that has join methods"));
            }
            None => return Err(self.error("version", "is missing: `v2` is meant")),
        }
        let metadata = value.get("metadata").unwrap_or(&Value::Null);
        let spec = value.get("spec").unwrap_or(&Value::Null);
        let name = self
            .text_at(metadata, "name", "metadata.name")?
            .ok_or_else(|| self.error("metadata.name", "is missing"))?;
        let method = self.method(spec)?;
        let roles = match spec.get("roles") {
            None | Some(Value::Null) => Vec::new(),
            Some(roles) => {
                self.check(roles, Shape::Texts, "spec.roles")?;
                roles.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
            }
        };
        Ok(ProvisionToken {
            name: name.to_owned(),
            expires: self.expires(metadata)?,
            roles,
            bot_name: self.text_at(spec, "bot_name", "spec.bot_name")?.map(str::to_owned),
            method,
            spec: self.section(spec, method)?,
        })
    }

    fn method(self, spec: &Value) -> Result<JoinMethod, RulesError> {
        let path = "spec.join_method";
        let known = || JoinMethod::ALL.map(JoinMethod::name);
        let Some(name) = self.text_at(spec, "join_method", path)? else {
            return Err(self.error(path, format!("is missing; it is one of {}", known().join(", "))));
        };
        name.parse().map_err(|()| {
            let meant = nearest(name, known()).map_or_else(
                || format!("it is one of {}", known().join(", ")),
                |n| format!("`{n}` may be meant"),
            );
            self.error(path, format!("is none that starts from a job's identity; {meant}"))
        })
    }

    /// The method's own part of the spec, checked.
    fn section(self, spec: &Value, method: JoinMethod) -> Result<Value, RulesError> {
        let facts = method::of(method);
        let (section, path) = match facts.section {
            None => (spec, "spec".to_owned()),
            Some(name) => {
                let path = format!("spec.{name}");
                let section = spec.get(name).filter(|s| !s.is_null());
                (section.ok_or_else(|| self.error(&path, "is missing: it holds the rules"))?, path)
            }
        };
        let Value::Object(fields) = section else { return Err(self.error(&path, "must be an object")) };
        // Where the rules stand in `spec` itself, other fields of `spec` stand beside them.
        if facts.section.is_some() {
            let has_allow = (!facts.fields.is_empty()).then_some("allow");
            for (name, value) in fields.iter().filter(|(name, _)| Some(name.as_str()) != has_allow) {
                self.named(name, value, facts.options, has_allow, &path)?;
            }
        }
        match section.get("allow") {
            None | Some(Value::Null) => {}
            Some(Value::Array(rules)) => {
                let fields: Vec<Named> = facts.fields.iter().map(|f| (f.name, f.how.shape())).collect();
                for (index, rule) in rules.iter().enumerate() {
                    self.object(rule, &fields, &format!("{path}.allow[{index}]"))?;
                }
            }
            Some(_) => return Err(self.error(&format!("{path}.allow"), "must be a list of rules")),
        }
        Ok(section.clone())
    }

    fn object(self, value: &Value, known: &[Named], path: &str) -> Result<(), RulesError> {
        let Value::Object(fields) = value else { return Err(self.error(path, "must be an object")) };
        fields.iter().try_for_each(|(name, value)| self.named(name, value, known, None, path))
    }

    /// A field: known, and of the right form. The server ignores or refuses others, so a slip of the pen would
    /// make a rule wider than it looks.
    fn named(
        self,
        name: &str,
        value: &Value,
        known: &[Named],
        also: Option<&str>,
        path: &str,
    ) -> Result<(), RulesError> {
        let path = format!("{path}.{name}");
        let Some((_, shape)) = known.iter().find(|(n, _)| *n == name) else {
            let names = || known.iter().map(|(n, _)| *n).chain(also);
            let meant = nearest(name, names()).map_or_else(
                || format!("known here: {}", names().collect::<Vec<_>>().join(", ")),
                |n| format!("`{n}` may be meant"),
            );
            return Err(self.error(&path, format!("is no field Teleport knows; {meant}")));
        };
        self.check(value, *shape, &path)
    }

    fn check(self, value: &Value, shape: Shape, path: &str) -> Result<(), RulesError> {
        if value.is_null() {
            return Ok(());
        }
        match (shape, value) {
            (Shape::Text, Value::String(_))
            | (Shape::Flag, Value::Bool(_))
            | (Shape::Open, Value::Object(_)) => Ok(()),
            (Shape::Text, Value::Number(_) | Value::Bool(_)) => {
                Err(self.error(path, "must be a string: put it in quotes"))
            }
            (Shape::Text, _) => Err(self.error(path, "must be a string")),
            (Shape::Flag, _) => Err(self.error(path, "must be true or false, without quotes")),
            (Shape::Open, _) => Err(self.error(path, "must be an object")),
            (Shape::Object(known), _) => self.object(value, known, path),
            (Shape::Texts, Value::Array(items)) => items
                .iter()
                .enumerate()
                .try_for_each(|(i, item)| self.check(item, Shape::Text, &format!("{path}[{i}]"))),
            (Shape::Objects(known), Value::Array(items)) => items
                .iter()
                .enumerate()
                .try_for_each(|(i, item)| self.object(item, known, &format!("{path}[{i}]"))),
            (Shape::Texts, _) => Err(self.error(path, "must be a list of strings")),
            (Shape::Objects(_), _) => Err(self.error(path, "must be a list of objects")),
        }
    }

    fn text<'a>(self, value: &'a Value, name: &str) -> Result<Option<&'a str>, RulesError> {
        self.text_at(value, name, name)
    }

    /// A string field; unset and empty are the same.
    fn text_at<'a>(self, value: &'a Value, name: &str, path: &str) -> Result<Option<&'a str>, RulesError> {
        match value.get(name).filter(|v| !is_unset(v)) {
            None => Ok(None),
            Some(found) => {
                self.check(found, Shape::Text, path)?;
                Ok(found.as_str())
            }
        }
    }

    /// RFC 3339. The zero time and the epoch, which Go programs write, mean never.
    fn expires(self, metadata: &Value) -> Result<Option<Timestamp>, RulesError> {
        let path = "metadata.expires";
        let Some(text) = self.text_at(metadata, "expires", path)? else { return Ok(None) };
        let time: Timestamp =
            text.parse().map_err(|_| self.error(path, "is no time such as `2026-01-31T12:00:00Z`"))?;
        Ok(Some(time).filter(|t| *t > Timestamp::UNIX_EPOCH))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

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
    fn names_what_it_cannot_read() {
        let doc = |spec: &str| format!("kind: token\nversion: v2\nmetadata: {{name: t}}\nspec: {spec}\n");
        for (text, path, words) in [
            (doc("{join_method: githab}"), "spec.join_method", "`github` may be meant"),
            (doc("{roles: [Bot]}"), "spec.join_method", "is missing"),
            (doc("{join_method: github}"), "spec.github", "is missing"),
            (
                doc("{join_method: github, github: {allow: [{repositry: o/r}]}}"),
                "spec.github.allow[0].repositry",
                "`repository` may be meant",
            ),
            (
                doc("{join_method: github, github: {allow: [{job_workflow_ref: x}]}}"),
                "spec.github.allow[0].job_workflow_ref",
                "known here: sub, repository",
            ),
            (doc("{join_method: github, github: {alow: []}}"), "spec.github.alow", "`allow` may be meant"),
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
                doc(
                    "{join_method: generic_oidc, generic_oidc: {allow_any: [{conditions: [{atribute: x}]}]}}",
                ),
                "spec.generic_oidc.allow_any[0].conditions[0].atribute",
                "`attribute` may be meant",
            ),
            (doc("{join_method: iam}").replace("name: t", "nam: t"), "metadata.name", "is missing"),
            (doc("{join_method: iam}").replace("v2", "v1"), "version", "is not `v2`"),
            (
                doc("{join_method: iam}").replace("name: t", "name: t, expires: soon"),
                "metadata.expires",
                "is no time",
            ),
        ] {
            let Err(RulesError::Field { document: 1, path: at, problem }) = parse(&text) else {
                panic!("{text}")
            };
            assert_eq!(at, path, "{text}");
            assert!(problem.contains(words), "{problem}");
        }
        assert!(matches!(parse("kind: [token"), Err(RulesError::Syntax(_))));
        assert_eq!(parse("kind: role\nversion: v7"), Err(RulesError::Empty));
        assert_eq!(parse(""), Err(RulesError::Empty));
        assert_eq!(parse(&" ".repeat(1024 * 1024 + 1)), Err(RulesError::TooLarge));
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
}
