//! The explanation for people: at most 100 columns, complete without colour.

use super::shown;
use super::{Check, Explanation, Outcome, TokenReport};
use crate::rules::RuleVerdict;
use crate::text::duration;

const WIDTH: usize = 100;

impl Explanation {
    /// As text, with a line break at its end. Lines are at most 100 characters, save those of the documents meant
    /// for pasting.
    pub fn to_text(&self) -> String {
        let mut out = Text::default();
        out.line(0, &format!("this job's identity token, from {}", self.source));
        let column = self.says.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default().min(40);
        for (name, value) in &self.says {
            out.line(2, &format!("{name:column$}  {value}"));
        }
        if let Some(at) = self.expires {
            let left = at.duration_since(self.now);
            let line = if left.is_positive() {
                format!("expires in {}, at {at}", duration(left))
            } else {
                format!("expired {} ago, at {at}: the server would refuse it now", duration(left.abs()))
            };
            out.line(2, &line);
        }
        for token in &self.tokens {
            out.blank();
            token.text(&mut out);
        }
        if let Some(suggestion) = &self.suggestion {
            out.blank();
            out.line(0, "a join token for just such jobs (save it, then `tctl create -f FILE`):");
            out.paste(&suggestion.narrow);
            out.blank();
            out.line(0, "or for the project as a whole:");
            out.paste(&suggestion.wide);
        } else if self.tokens.is_empty() {
            out.blank();
            out.line(0, "no rules are given, and for such claims none can be suggested");
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
                "MAY ADMIT this job: a part of its rules is only for the server to evaluate".to_owned()
            }
            Outcome::Refuses => "REFUSES this job".to_owned(),
        };
        out.line(0, &format!("join token `{}` ({}) {outcome}", self.name, self.method));
        for refusal in &self.refusals {
            out.line(2, &format!("FAILS    {refusal}"));
        }
        for (what, check) in [("issuer", &self.issuer), ("audience", &self.audience)] {
            out.line(
                2,
                &match check {
                    Check::Passes(value) => format!("ok       {what}  {value}"),
                    Check::Fails { want, got } if got.is_empty() => {
                        format!("FAILS    {what}  wants `{want}`, is absent")
                    }
                    Check::Fails { want, got } => format!("FAILS    {what}  wants `{want}`, has `{got}`"),
                    Check::Unknown(why) => format!("unknown  {what}  {why}"),
                },
            );
        }
        if let Some(blocked) = &self.verdict.blocked {
            out.line(2, &format!("FAILS    {}", shown(blocked)));
        }
        for (index, rule) in self.verdict.rules.iter().enumerate() {
            rule_text(index, rule, out);
        }
        if self.verdict.rules.is_empty() {
            out.line(2, "no rules");
        }
        if let Some((rule, changes)) = &self.closest {
            out.line(2, &format!("closest is rule {}; for it to match:", rule + 1));
            for change in changes {
                out.line(4, &format!("- {change}"));
            }
        }
        for finding in &self.findings {
            out.line(
                2,
                &format!(
                    "{:7}  {}: {}",
                    finding.severity.name(),
                    shown(&finding.path),
                    shown(&finding.message)
                ),
            );
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
    out.line(2, &format!("rule {} {word}", index + 1));
    if rule.fields.is_empty() {
        out.line(4, "it sets no field");
    }
    for field in &rule.fields {
        let (name, want) = (shown(&field.field), shown(&field.want));
        let got = field.got.as_deref().map(shown);
        out.line(
            4,
            &match (field.decided, field.matches, got) {
                (false, ..) => format!("unknown  {name}  wants `{want}`"),
                (_, true, Some(got)) if got == want => format!("ok       {name}  {got}"),
                (_, true, got) => {
                    format!("ok       {name}  wants `{want}`, has `{}`", got.unwrap_or_default())
                }
                (_, false, Some(got)) => format!("FAILS    {name}  wants `{want}`, has `{got}`"),
                (_, false, None) => {
                    format!("FAILS    {name}  wants `{want}`, the claim `{}` is absent", shown(&field.claim))
                }
            },
        );
        if let Some(note) = &field.note {
            out.line(13, &shown(note));
        }
    }
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

    /// A line, folded at spaces (or, failing that, anywhere) with a deeper indent.
    fn line(&mut self, indent: usize, text: &str) {
        let mut margin = indent;
        let mut rest: &str = text;
        loop {
            let room = WIDTH.saturating_sub(margin).max(20);
            let end = rest.char_indices().nth(room).map_or(rest.len(), |(at, _)| at);
            let (mut head, mut tail) = rest.split_at(end);
            if !tail.is_empty()
                && !tail.starts_with(' ')
                && let Some(space) = head.rfind(' ').filter(|at| *at > room / 3)
            {
                (head, tail) = rest.split_at(space);
            }
            self.0.extend(std::iter::repeat_n(' ', margin));
            self.0.push_str(head.trim_end());
            self.0.push('\n');
            rest = tail.trim_start_matches(' ');
            if rest.is_empty() {
                return;
            }
            margin = indent + 4;
        }
    }
}
