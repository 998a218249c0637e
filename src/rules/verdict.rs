//! What came of comparing claims with rules.

use std::cmp::Reverse;

/// All rules of a token.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// In the order of `allow`.
    pub rules: Vec<RuleVerdict>,
    /// Something outside the rules that refuses (e.g. Azure DevOps' organization), with the server's text.
    pub blocked: Option<String>,
    /// Teleport's own refusal text for this method when nothing matched.
    pub refusal: String,
    /// It depends on something that only the server can evaluate.
    pub undecided: bool,
}

impl Verdict {
    /// Any one rule admits, wherever it stands in the list.
    pub(super) fn new(rules: Vec<RuleVerdict>, blocked: Option<String>, refusal: String) -> Self {
        let undecided = blocked.is_none()
            && !rules.iter().any(RuleVerdict::matches)
            && rules.iter().any(RuleVerdict::undecided);
        Self { rules, blocked, refusal, undecided }
    }

    /// The first rule that matches (from 0), unless something else refuses or may refuse.
    pub fn matched(&self) -> Option<usize> {
        if self.blocked.is_some() || self.undecided {
            return None;
        }
        self.rules.iter().position(RuleVerdict::matches)
    }

    /// The rule with the fewest fields that fail, of these the one with the most that match (the first of these, from 0);
    /// `None`: there are no rules.
    pub fn closest(&self) -> Option<usize> {
        (0..self.rules.len()).min_by_key(|&i| {
            let rule = self.rules.get(i)?;
            Some((rule.mismatches().count(), Reverse(rule.fields.iter().filter(|f| f.matches).count())))
        })
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleVerdict {
    /// Its non-empty fields.
    pub fields: Vec<FieldVerdict>,
}

impl RuleVerdict {
    /// All set fields match.
    pub fn matches(&self) -> bool {
        self.fields.iter().all(|f| f.matches)
    }

    /// Nothing fails, but something is left for the server to evaluate.
    pub fn undecided(&self) -> bool {
        !self.matches() && self.mismatches().next().is_none()
    }

    /// The fields that fail.
    pub fn mismatches(&self) -> impl Iterator<Item = &FieldVerdict> {
        self.fields.iter().filter(|f| f.decided && !f.matches)
    }
}

/// One field of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldVerdict {
    /// Its name in the rule.
    pub field: String,
    /// The claim it is compared with.
    pub claim: String,
    /// What the rule wants, as written.
    pub want: String,
    /// What the claims have; `None`: the claim is absent.
    pub got: Option<String>,
    /// Whether they agree; false where that is not decided here.
    pub matches: bool,
    /// False: only the server can evaluate this one.
    pub decided: bool,
    /// A remark, e.g. `compared exactly: globs need …`, `not evaluated here`.
    pub note: Option<String>,
}

/// What a comparison found: the part of a [`FieldVerdict`] that does not come from the rule.
pub(super) struct Compared {
    pub(super) got: Option<String>,
    pub(super) matches: bool,
    pub(super) decided: bool,
    pub(super) note: Option<String>,
}

impl Compared {
    pub(super) fn new(got: Option<&str>, matches: bool) -> Self {
        Self { got: got.map(str::to_owned), matches, decided: true, note: None }
    }

    pub(super) fn left_to_the_server(note: &str) -> Self {
        Self { got: None, matches: false, decided: false, note: Some(note.to_owned()) }
    }

    pub(super) fn noted(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}
