//! Remarks on a token, and where they are collected.

use serde_json::Value;

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
    /// The rule it is about, from 1; `None`: the token as a whole.
    pub rule: Option<usize>,
    /// The field's name in the rule, or a path outside of rules (`spec.github.allow`); empty: the rule as a whole.
    pub field: String,
    /// Where in the document: `spec.github.allow[0].ref`.
    pub path: String,
    /// What, and what to write instead; no full stop.
    pub message: String,
}

/// The remarks on one token so far.
pub(super) struct Notes {
    pub(super) found: Vec<Finding>,
    /// `spec.github`, or `spec` where the method has no section of its own.
    section: String,
    /// The name of the list of rules and the rule being looked at, from 0.
    rule: Option<(&'static str, usize)>,
}

impl Notes {
    pub(super) fn new(section: String) -> Self {
        Self { found: Vec::new(), section, rule: None }
    }

    /// What follows is about this rule of `list` (from 0).
    pub(super) fn enter(&mut self, list: &'static str, rule: usize) {
        self.rule = Some((list, rule));
    }

    /// What follows is about the section as a whole.
    pub(super) fn leave(&mut self) {
        self.rule = None;
    }

    /// About a field of the rule, or of the section; an empty name: about the whole of it.
    pub(super) fn error(&mut self, field: &str, message: impl Into<String>) {
        self.add(Severity::Error, field, message.into());
    }

    /// The same as a warning.
    pub(super) fn warn(&mut self, field: &str, message: impl Into<String>) {
        self.add(Severity::Warning, field, message.into());
    }

    /// About a place outside of the section, by its full path.
    pub(super) fn error_at(&mut self, path: &str, message: impl Into<String>) {
        let (field, path) = (path.to_owned(), path.to_owned());
        let severity = Severity::Error;
        self.found.push(Finding { severity, rule: None, field, path, message: message.into() });
    }

    fn add(&mut self, severity: Severity, field: &str, message: String) {
        let mut path = self.section.clone();
        if let Some((list, rule)) = self.rule {
            path = format!("{path}.{list}[{rule}]");
        }
        if !field.is_empty() {
            path = format!("{path}.{field}");
        }
        let rule = self.rule.map(|(_, rule)| rule + 1);
        let field = if rule.is_some() { field.to_owned() } else { path.clone() };
        self.found.push(Finding { severity, rule, field, path, message });
    }
}

/// A field of a rule as text; empty where it is not set.
pub(super) fn text<'a>(rule: &'a Value, name: &str) -> &'a str {
    rule.get(name).and_then(Value::as_str).unwrap_or_default()
}
