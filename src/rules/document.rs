//! Reading `kind: token` documents from YAML or JSON.

use jiff::Timestamp;
use serde_json::Value;

use super::claim::{is_unset, option};
use super::error::RulesError;
use super::method::{Named, Shape};
use super::registry::facts;
use super::stateful::stateful;
use super::token::ProvisionToken;
use crate::env::MAX_FILE;
use crate::teleport::JoinMethod;
use crate::text::safe;

/// The one whose tokens' names are secrets; a server takes a token without a method for one of these.
const SECRET: &str = "token";

/// One `kind: token` document of a file.
pub struct Document {
    /// `metadata.name`; empty where it is missing.
    pub name: String,
    /// Whoever knows the name may join, or might: it must not be shown.
    pub name_is_secret: bool,
    /// The join method, where it is one that does not start from a job's identity.
    pub other_method: Option<&'static str>,
    /// The token; always an error with another method.
    pub token: Result<ProvisionToken, RulesError>,
}

/// Reads what [`read`] reads as tokens that can all be judged.
pub fn parse(text: &str) -> Result<Vec<ProvisionToken>, RulesError> {
    read(text)?.into_iter().map(|document| document.token).collect()
}

/// Reads YAML (several documents) or JSON (one, or the list that `tctl get tokens --format=json` prints), at most
/// 1 MiB. Documents of other kinds are skipped; one `kind: token` is there at least.
pub fn read(text: &str) -> Result<Vec<Document>, RulesError> {
    if text.len() as u64 > MAX_FILE {
        return Err(RulesError::TooLarge);
    }
    let values = values(text)?;
    let numbered = values.iter().enumerate().map(|(index, value)| (Reader { number: index + 1 }, value));
    let tokens = numbered.filter(|(_, value)| value.get("kind").and_then(Value::as_str) == Some("token"));
    let documents: Vec<Document> = tokens.map(|(reader, value)| reader.document(value)).collect();
    if documents.is_empty() { Err(RulesError::Empty) } else { Ok(documents) }
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
        .map_err(|error| RulesError::Syntax(safe(error.to_string().lines().next().unwrap_or_default(), 200)))
}

/// The known name that a misspelt one may stand for, if one is near enough.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: String =
        name.chars().take(64).map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect();
    let distances = known.into_iter().map(|candidate| (strsim::levenshtein(&name, candidate), candidate));
    let near = distances.filter(|&(distance, candidate)| distance <= (candidate.len() / 3).max(1));
    near.min_by_key(|&(distance, _)| distance).map(|(_, candidate)| candidate)
}

/// Reads one document; knows which, for errors.
#[derive(Clone, Copy)]
struct Reader {
    number: usize,
}

impl Reader {
    fn document(self, value: &Value) -> Document {
        let text = |section: &str, name: &str| option(value.get(section)?, name);
        let method = text("spec", "join_method").unwrap_or(SECRET);
        let other_method = stateful().find(|other| *other == method);
        let is_public = method.parse::<JoinMethod>().is_ok() || other_method.is_some();
        Document {
            name: text("metadata", "name").unwrap_or_default().to_owned(),
            name_is_secret: method == SECRET || !is_public,
            other_method,
            token: self.token(value),
        }
    }

    fn error(self, path: &str, problem: impl Into<String>) -> RulesError {
        let path = safe(path, 200);
        RulesError::Field { document: self.number, path, problem: problem.into(), hint: None }
    }

    /// A name that is not one of `known`.
    fn unknown<'a>(
        self,
        path: &str,
        problem: &str,
        name: &str,
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> RulesError {
        let hint = match nearest(name, known.clone()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("use one of `{}`", known.collect::<Vec<_>>().join("`, `")),
        };
        let (path, problem) = (safe(path, 200), problem.to_owned());
        RulesError::Field { document: self.number, path, problem, hint: Some(hint) }
    }

    fn token(self, value: &Value) -> Result<ProvisionToken, RulesError> {
        match self.text(value, "version")? {
            Some("v2") => {}
            Some(_) => {
                return Err(self.error("version", "is not `v2`, the only version with join methods"));
            }
            None => return Err(self.error("version", "is missing, it must be `v2`")),
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
        let known = JoinMethod::ALL.iter().map(|method| method.name());
        let Some(name) = self.text_at(spec, "join_method", path)? else {
            return Err(self.error(path, "is missing"));
        };
        let problem = "is not a method that starts from a job's identity";
        name.parse().map_err(|()| self.unknown(path, problem, name, known))
    }

    /// The method's own part of the spec, checked.
    fn section(self, spec: &Value, method: JoinMethod) -> Result<Value, RulesError> {
        let method = facts(method);
        let (section, path) = match method.section {
            None => (spec, "spec".to_owned()),
            Some(name) => {
                let path = format!("spec.{name}");
                let section = spec.get(name).filter(|s| !s.is_null());
                (section.ok_or_else(|| self.error(&path, "is missing, it contains the rules"))?, path)
            }
        };
        let Value::Object(fields) = section else { return Err(self.error(&path, "must be an object")) };
        // Rules in `spec` itself are beside its other fields.
        if method.section.is_some() {
            let has_allow = (!method.fields.is_empty()).then_some("allow");
            for (name, value) in fields.iter().filter(|(name, _)| Some(name.as_str()) != has_allow) {
                self.named(name, value, method.options, has_allow, &path)?;
            }
        }
        match section.get("allow") {
            None | Some(Value::Null) => {}
            Some(Value::Array(rules)) => {
                let fields: Vec<Named> = method.fields.iter().map(|f| (f.name, f.how.shape())).collect();
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

    /// A field: known, and of the right form. The server ignores or refuses others, so a typo would
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
            let names = known.iter().map(|(n, _)| *n).chain(also);
            return Err(self.unknown(&path, "is not a field that Teleport knows", name, names));
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
            text.parse().map_err(|_| self.error(path, "is not a time such as `2026-01-31T12:00:00Z`"))?;
        Ok(Some(time).filter(|t| *t > Timestamp::UNIX_EPOCH))
    }
}

#[cfg(test)]
mod tests;
