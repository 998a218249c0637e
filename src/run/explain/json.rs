//! The explanation for programs.

use serde_json::{Value, json};

use super::{Check, Explanation, Outcome, TokenReport};
use crate::rules::{FieldVerdict, Finding};
use crate::teleport::JoinMethod;

impl Explanation {
    /// As one JSON object. Rules are counted from 1, as in the text; `path` is a path into the document, whose lists
    /// begin at 0. `claims` can be explained again with `--claims`.
    pub fn to_json(&self) -> Value {
        json!({
            "source": self.source,
            "admitted": self.admitted(),
            "method": self.method.map(JoinMethod::name),
            "claims": self.claims,
            "expires": self.expires.map(|at| at.to_string()),
            "tokens": self.tokens.iter().map(TokenReport::json).collect::<Vec<_>>(),
            "notes": self.notes,
            "suggestion": self.suggestion.as_ref().map(|s| json!({"narrow": s.narrow, "wide": s.wide})),
        })
    }
}

impl TokenReport {
    fn json(&self) -> Value {
        let (outcome, rule) = match self.outcome() {
            Outcome::Admits(rule) => ("admits", Some(rule + 1)),
            Outcome::MayAdmit => ("may_admit", None),
            Outcome::Refuses => ("refuses", None),
        };
        let rules = self.verdict.rules.iter().enumerate().map(|(index, rule)| {
            json!({
                "rule": index + 1,
                "matches": rule.matches(),
                "undecided": rule.undecided(),
                "fields": rule.fields.iter().map(field).collect::<Vec<_>>(),
            })
        });
        let closest = self.closest.as_ref();
        json!({
            "name": self.name,
            "method": self.method.name(),
            "outcome": outcome,
            "rule": rule,
            "issuer": check(&self.issuer),
            "audience": check(&self.audience),
            "refusals": self.refusals,
            "blocked": self.verdict.blocked,
            "rules": rules.collect::<Vec<_>>(),
            "closest": closest.map(|(rule, changes)| json!({"rule": rule + 1, "changes": changes})),
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    }
}

fn check(check: &Check) -> Value {
    match check {
        Check::Passes(got) => json!({"result": "passes", "got": got}),
        Check::Fails { want, got } => json!({"result": "fails", "want": want, "got": got}),
        Check::Unknown(why) => json!({"result": "unknown", "note": why}),
    }
}

fn field(field: &FieldVerdict) -> Value {
    json!({
        "field": field.field,
        "claim": field.claim,
        "want": field.want,
        "got": field.got,
        "matches": field.matches,
        "decided": field.decided,
        "note": field.note,
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "severity": finding.severity.name(),
        "rule": finding.rule,
        "path": finding.path,
        "message": finding.message,
    })
}
