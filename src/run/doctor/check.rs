//! One check of the doctor: what was tried, its result, what can be done.

use std::fmt::Write as _;

use serde::Serialize;

use crate::error::Exit;
use crate::error::Failed;
use crate::report::Failure;
use crate::run::outcome::Outcome;
use crate::text::fold::fold_to;
use crate::text::json::pretty;
use crate::text::safe;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// No problem found.
    Ok,
    /// `login` may work nevertheless.
    Warning,
    /// `login` would stop here.
    Failed,
    /// Not tried, because what it needs is missing.
    Skipped,
}

/// One check.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    #[serde(rename = "check")]
    name: String,
    state: State,
    finding: String,
    hints: Vec<String>,
    #[serde(skip)]
    exit: Exit,
}

/// The longest finding or hint, in characters.
const LONGEST: usize = 2_000;

/// A check and what later ones need of it.
pub type Found<T> = (Check, Option<T>);

impl Check {
    /// No problem found.
    pub fn ok(check: &str, finding: impl AsRef<str>) -> Self {
        Self::new(check, State::Ok, finding.as_ref())
    }

    /// A problem that `login` may survive. `hints`: one a line.
    pub fn warning(check: &str, finding: impl AsRef<str>, hints: &str) -> Self {
        Self { hints: lines(hints), ..Self::new(check, State::Warning, finding.as_ref()) }
    }

    /// Not tried, and what else to look at. `hints`: one a line.
    pub fn untried(check: &str, why: impl AsRef<str>, hints: &str) -> Self {
        Self { hints: lines(hints), ..Self::skipped(check, why) }
    }

    /// Not tried, and why.
    pub fn skipped(check: &str, why: impl AsRef<str>) -> Self {
        Self::new(check, State::Skipped, why.as_ref())
    }

    /// A problem that `login` would end at, with that exit code. `hints`: one a line.
    pub fn failed(check: &str, finding: impl AsRef<str>, hints: &str, exit: Exit) -> Self {
        Self { hints: lines(hints), exit, ..Self::new(check, State::Failed, finding.as_ref()) }
    }

    /// The same in the error's own words.
    pub fn error(check: &str, error: impl Into<Failed>) -> Self {
        let failure = Failure::new(&error.into(), crate::env::now());
        let mut finding = failure.message;
        for cause in failure.causes {
            let _ = write!(finding, ": {cause}");
        }
        Self::failed(check, finding, &failure.hints.join("\n"), failure.exit)
    }

    /// Adds to the finding.
    #[must_use]
    pub fn and(mut self, more: &str) -> Self {
        self.finding.push_str(&safe(more, LONGEST));
        self
    }

    /// The result.
    pub fn state(&self) -> State {
        self.state
    }

    fn new(check: &str, state: State, finding: &str) -> Self {
        Self {
            name: check.to_owned(),
            state,
            finding: safe(finding, LONGEST),
            hints: Vec::new(),
            exit: Exit::Done,
        }
    }
}

/// All checks as text in lines of `columns`, or as JSON, with the exit code of the first that failed.
pub fn outcome(checks: &[Check], json: bool, columns: usize) -> Outcome {
    let stdout = if json { pretty(&checks) } else { text(checks, columns) };
    let failed = checks.iter().find(|c| c.state == State::Failed);
    Outcome { stdout, line: tally(checks), exit: failed.map_or(Exit::Done, |c| c.exit), ..Outcome::default() }
}

/// `12 ok · 1 warning · 2 skipped`.
fn tally(checks: &[Check]) -> String {
    let states = [State::Ok, State::Warning, State::Failed, State::Skipped];
    let count = |state| checks.iter().filter(|c| c.state == state).count();
    let counted = states.into_iter().map(|state| (word(state), count(state))).filter(|(_, n)| *n > 0);
    counted.map(|(word, n)| format!("{n} {word}")).collect::<Vec<_>>().join(" · ")
}

fn text(checks: &[Check], columns: usize) -> String {
    let widest = checks.iter().map(|c| c.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for Check { name, state, finding, hints, .. } in checks {
        let before = format!("{:<9}{name:<widest$}  ", word(*state));
        let indent = before.chars().count();
        let _ = writeln!(text, "{before}{}", fold_to(finding, indent, columns));
        for hint in hints {
            let _ = writeln!(text, "{:indent$}hint: {}", "", fold_to(hint, indent + 6, columns));
        }
    }
    text
}

fn word(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Warning => "warning",
        State::Failed => "failed",
        State::Skipped => "skipped",
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| safe(line, LONGEST)).filter(|l| !l.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_gives_the_exit_code() {
        let failed = |exit| Check::failed("b", "it\n::error::broke", "mend it\nor not", exit);
        let all = [
            Check::ok("a", "fine"),
            failed(Exit::NoIdentity),
            Check::warning("c", "hm", "see"),
            failed(Exit::Usage),
        ];
        let outcome = outcome(&all, false, 100);
        assert_eq!(outcome.exit, Exit::NoIdentity);
        assert_eq!(outcome.line, "1 ok · 1 warning · 2 failed");
        let broken = "failed   b  it ::error::broke\n            hint: mend it\n            hint: or not\n";
        assert!(outcome.stdout.contains(broken), "{}", outcome.stdout);
        let narrow = super::outcome(&[Check::ok("a", "word ".repeat(20))], false, 40).stdout;
        assert!(narrow.lines().count() > 2 && narrow.lines().all(|line| line.len() <= 40), "{narrow}");
        assert_eq!(super::outcome(&[Check::skipped("a", "x"), all[2].clone()], true, 100).exit, Exit::Done);
    }
}
