//! The explanation for people: complete without colour.

use super::{Check, Explanation, Outcome, TokenReport, shown};
use crate::rules::{Finding, RuleVerdict};
use crate::text::duration;
use crate::text::fold::fold;

impl Explanation {
    /// As text, with a line break at its end; folded, save for the documents meant for pasting.
    pub fn to_text(&self) -> String {
        let mut out = Text::default();
        out.line("this job's identity token, from ", &self.source);
        let column = self.says.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default().min(40);
        for (name, value) in &self.says {
            out.line(&format!("  {name:column$}  "), value);
        }
        if let Some(at) = self.expires {
            let left = at.duration_since(self.now);
            out.line(
                "  ",
                &if left.is_positive() {
                    format!("expires in {}, at {at}", duration(left))
                } else {
                    format!("expired {} ago, at {at}: the server would refuse it now", duration(left.abs()))
                },
            );
        }
        for token in &self.tokens {
            out.blank();
            token.text(&mut out);
        }
        if !self.notes.is_empty() {
            out.blank();
        }
        for note in &self.notes {
            out.line("note: ", note);
        }
        if let Some(suggestion) = &self.suggestion {
            out.blank();
            out.line("", "a join token for jobs like this one (save it, then run `tctl create FILE`):");
            out.paste(&suggestion.narrow);
            out.blank();
            out.line("", "or for the project as a whole:");
            out.paste(&suggestion.wide);
        } else if self.tokens.is_empty() {
            out.blank();
            out.line("", "no rules are given, and none can be suggested for such claims");
        }
        out.0
    }
}

impl TokenReport {
    fn text(&self, out: &mut Text) {
        let outcome = match self.outcome() {
            Outcome::Admits(rule) if matches!(self.audience, Check::Unknown(_)) => {
                format!("ADMITS this job, by rule {}, if the audience is the cluster's name", rule + 1)
            }
            Outcome::Admits(rule) => format!("ADMITS this job, by rule {}", rule + 1),
            Outcome::MayAdmit => {
                "MAY ADMIT this job: only the server can evaluate a part of its rules".to_owned()
            }
            Outcome::Refuses => "REFUSES this job".to_owned(),
        };
        out.line("", &format!("join token `{}` ({}) {outcome}", self.name, self.method));
        for refusal in &self.refusals {
            out.line("  FAILS    ", refusal);
        }
        for (what, check) in [("issuer", &self.issuer), ("audience", &self.audience)] {
            let (state, text) = match check {
                Check::Passes(value) => ("ok     ", value.clone()),
                Check::Fails { want, got } if got.is_empty() => {
                    ("FAILS  ", format!("wants `{want}`, is absent"))
                }
                Check::Fails { want, got } => ("FAILS  ", format!("wants `{want}`, has `{got}`")),
                Check::Unknown(why) => ("unknown", why.clone()),
            };
            out.line(&format!("  {state}  {what}  "), &text);
        }
        if let Some(blocked) = &self.verdict.blocked {
            out.line("  FAILS    ", &shown(blocked));
        }
        for (index, rule) in self.verdict.rules.iter().enumerate() {
            rule_text(index, rule, out);
        }
        if self.verdict.rules.is_empty() {
            out.line("  ", "no rules");
        }
        if let Some((rule, changes)) = &self.closest {
            out.line("  ", &format!("rule {} is the closest; for it to match:", rule + 1));
            for change in changes {
                out.line("    - ", change);
            }
        }
        for finding in &self.findings {
            out.line(&format!("  {:7}  ", finding.severity.name()), &finding_text(finding));
        }
    }
}

fn rule_text(index: usize, rule: &RuleVerdict, out: &mut Text) {
    let word = if rule.matches() {
        "matches"
    } else if rule.undecided() {
        "is for the server to evaluate"
    } else {
        "does not match"
    };
    out.line("  ", &format!("rule {} {word}", index + 1));
    if rule.fields.is_empty() {
        out.line("    ", "it sets no field");
    }
    for field in &rule.fields {
        let (name, want) = (shown(&field.field), shown(&field.want));
        let got = field.got.as_deref().map(shown);
        let (state, text) = match (field.decided, field.matches, got) {
            (false, ..) => ("unknown", format!("wants `{want}`")),
            (_, true, Some(got)) if got == want => ("ok     ", got),
            (_, true, got) => ("ok     ", format!("wants `{want}`, has `{}`", got.unwrap_or_default())),
            (_, false, Some(got)) => ("FAILS  ", format!("wants `{want}`, has `{got}`")),
            (_, false, None) => {
                ("FAILS  ", format!("wants `{want}`, the claim `{}` is absent", shown(&field.claim)))
            }
        };
        out.line(&format!("    {state}  {name}  "), &text);
        if let Some(note) = &field.note {
            out.line(&" ".repeat(13), &shown(note));
        }
    }
}

/// The place by the rule's number, as rules are counted in the text.
fn finding_text(finding: &Finding) -> String {
    let field = shown(&finding.field);
    let place = match (finding.rule, field.is_empty()) {
        (Some(rule), true) => format!("rule {rule}"),
        (Some(rule), false) => format!("rule {rule}, `{field}`"),
        (None, _) => format!("`{field}`"),
    };
    format!("{place}: {}", shown(&finding.message))
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn blank(&mut self) {
        self.0.push('\n');
    }

    fn paste(&mut self, document: &str) {
        self.0.push_str(document);
    }

    /// A line that begins with `head`; where it is folded, the text stays in its column.
    fn line(&mut self, head: &str, text: &str) {
        self.0.push_str(head);
        self.0.push_str(&fold(text, head.chars().count().min(40)));
        self.0.push('\n');
    }
}
