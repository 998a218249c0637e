//! The fields of one part of a tbot.yaml, each known by name. What is null counts as unset.

use super::error::Problem;
use super::yaml::{Node, Value};
use crate::text::safe;

/// A mapping with known fields.
pub(super) struct Section<'a> {
    path: String,
    /// Of the mapping itself.
    pub(super) line: u64,
    fields: Vec<(&'a str, &'a Node)>,
}

/// A string and its line.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) line: u64,
    pub(super) text: String,
}

impl<'a> Section<'a> {
    /// The fields of `node`, whatever their names; `path` is its name with a dot behind, or empty.
    pub(super) fn open(node: &'a Node, path: &str) -> Result<Self, Problem> {
        let Value::Map(entries) = &node.value else {
            let name = path.trim_end_matches('.');
            let what = if name.is_empty() {
                "expected a mapping: `version: v2` and so on".to_owned()
            } else {
                format!("`{name}` must be a mapping")
            };
            return Err(Problem::at(node.line, what));
        };
        let set = entries.iter().filter(|(_, node)| !matches!(node.value, Value::Null));
        let fields = set.map(|(key, node)| (key.name.as_str(), node)).collect();
        Ok(Self { path: path.to_owned(), line: node.line, fields })
    }

    /// The same, where other names than the known are errors.
    pub(super) fn read(node: &'a Node, path: &str, known: &[&str]) -> Result<Self, Problem> {
        if let Value::Map(entries) = &node.value
            && let Some((key, _)) = entries.iter().find(|(key, _)| !known.contains(&key.name.as_str()))
        {
            let problem = Problem::at(key.line, format!("unknown field `{path}{}`", safe(&key.name, 60)));
            return Err(problem.hint(match nearest(&key.name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("use one of `{}`", known.join("`, `")),
            }));
        }
        Self::open(node, path)
    }

    /// `path.name`, as errors call it.
    pub(super) fn name(&self, field: &str) -> String {
        format!("`{}{field}`", self.path)
    }

    pub(super) fn get(&self, field: &str) -> Option<&'a Node> {
        self.fields.iter().find(|(name, _)| *name == field).map(|(_, node)| *node)
    }

    /// A string that is not empty.
    pub(super) fn text(&self, field: &str) -> Result<Option<Text>, Problem> {
        let Some(node) = self.get(field) else { return Ok(None) };
        let text = text(node, &self.name(field))?;
        Ok(Some(text).filter(|text| !text.text.is_empty()))
    }

    /// The same, where it must be there.
    pub(super) fn needed(&self, field: &str) -> Result<Text, Problem> {
        self.text(field)?.ok_or_else(|| Problem::at(self.line, format!("{} is missing", self.name(field))))
    }

    pub(super) fn flag(&self, field: &str) -> Result<Option<bool>, Problem> {
        match self.get(field).map(|node| (&node.value, node.line)) {
            None => Ok(None),
            Some((Value::Bool(flag), _)) => Ok(Some(*flag)),
            // YAML 1.1, as tbot reads it.
            Some((Value::Text(word), line)) => match word.to_ascii_lowercase().as_str() {
                "on" | "yes" | "y" => Ok(Some(true)),
                "off" | "no" | "n" => Ok(Some(false)),
                _ => Err(Problem::at(line, format!("{} must be `true` or `false`", self.name(field)))),
            },
            Some((_, line)) => {
                Err(Problem::at(line, format!("{} must be `true` or `false`", self.name(field))))
            }
        }
    }

    pub(super) fn is_true(&self, field: &str) -> bool {
        matches!(self.flag(field), Ok(Some(true)))
    }

    /// Strings, none empty; no list at all is an empty one.
    pub(super) fn texts(&self, field: &str) -> Result<Vec<Text>, Problem> {
        let name = self.name(field);
        self.list(field)?
            .iter()
            .map(|node| match text(node, &name)? {
                text if text.text.is_empty() => {
                    Err(Problem::at(text.line, format!("{name} has an empty string")))
                }
                text => Ok(text),
            })
            .collect()
    }

    pub(super) fn list(&self, field: &str) -> Result<&'a [Node], Problem> {
        match self.get(field).map(|node| (&node.value, node.line)) {
            None => Ok(&[]),
            Some((Value::List(items), _)) => Ok(items),
            Some((_, line)) => Err(Problem::at(line, format!("{} must be a list", self.name(field)))),
        }
    }
}

/// A string.
pub(super) fn text(node: &Node, name: &str) -> Result<Text, Problem> {
    match &node.value {
        Value::Text(text) => Ok(Text { line: node.line, text: text.clone() }),
        Value::Number | Value::Bool(_) => {
            Err(Problem::at(node.line, format!("{name} must be a string: put it in quotes")))
        }
        Value::Null | Value::List(_) | Value::Map(_) => {
            Err(Problem::at(node.line, format!("{name} must be a string")))
        }
    }
}

/// What a misspelt name may stand for.
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    crate::rules::nearest(name, known.iter().copied())
}

/// The value, as its flag reads it.
pub(super) fn checked<T>(
    text: &Text,
    field: &str,
    parse: fn(&str) -> Result<T, String>,
) -> Result<T, Problem> {
    parse(&text.text)
        .map_err(|cause| Problem::at(text.line, format!("invalid value for `{field}`")).because(cause))
}
