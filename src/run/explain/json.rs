//! The explanation for programs.

use serde_json::{Map, Value, json};

use super::{Check, Explanation, Outcome, TokenReport};
use crate::rules::FieldVerdict;
use crate::teleport::JoinMethod;

impl Explanation {
    /// As one JSON object. Rules are counted from 0, as in `allow`.
    pub fn to_json(&self) -> Value {
        let claims: Map<String, Value> = self.says.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
        json!({
            "source": self.source,
            "admitted": self.admitted(),
            "method": self.method.map(JoinMethod::name),
            "claims": claims,
            "expires": self.expires.map(|at| at.to_string()),
            "tokens": self.tokens.iter().map(TokenReport::json).collect::<Vec<_>>(),
            "suggestion": self.suggestion.as_ref().map(|s| json!({"narrow": s.narrow, "wide": s.wide})),
        })
    }
}

impl TokenReport {
    fn json(&self) -> Value {
        let (outcome, rule) = match self.outcome() {
            Outcome::Admits(rule) => ("admits", Some(rule)),
            Outcome::MayAdmit => ("may_admit", None),
            Outcome::Refuses => ("refuses", None),
        };
        let rules = self.verdict.rules.iter().map(|rule| {
            json!({
                "matches": rule.matches(),
                "undecided": rule.undecided(),
                "fields": rule.fields.iter().map(field).collect::<Vec<_>>(),
            })
        });
        let findings = self
            .findings
            .iter()
            .map(|f| json!({"severity": f.severity.name(), "path": f.path, "message": f.message}));
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
            "closest": self.closest.as_ref().map(|(rule, changes)| json!({"rule": rule, "changes": changes})),
            "findings": findings.collect::<Vec<_>>(),
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
