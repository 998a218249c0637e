//! An error as people and scripts see it: message, causes, what the job is, hints, exit code.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::json;

use super::refused::Refused;
use crate::error::{Exit, Failed};
use crate::join::JoinError;
use crate::platform::{Platform, Severity};
use crate::text::fold::{COLUMNS, fold_to};
use crate::text::json::pretty;
use crate::text::safe;

/// The longest sentence of an error, in characters.
const LONGEST: usize = 2_000;

/// An error, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// One sentence.
    pub message: String,
    /// From near to far; those that say nothing new are left out.
    pub causes: Vec<String>,
    /// What can be said of a join that Teleport refused.
    pub refused: Option<Refused>,
    /// What can be done.
    pub hints: Vec<String>,
    /// How the process ends.
    pub exit: Exit,
}

impl Failure {
    /// Takes an error apart. `now` is our clock.
    pub fn new(error: &Failed, now: Timestamp) -> Self {
        let message = shown(&error.to_string());
        let refused = match error.downcast_ref() {
            Some(JoinError::Refused(refusal)) => Some(Refused::new(refusal, now)),
            _ => None,
        };
        let (all, hints, exit) = match error {
            Failed::Stage(error) => (error.causes(), error.hints(), error.exit()),
            Failed::Internal(error) => {
                let report = "report this fault of jobpass with the command and this text";
                let causes = error.chain().skip(1).map(ToString::to_string).collect();
                (causes, vec![report.to_owned()], Exit::Internal)
            }
        };
        let mut causes: Vec<String> = Vec::new();
        for cause in all.iter().map(|cause| shown(cause)) {
            let is_known = message.contains(&cause) || causes.iter().any(|old| old.contains(&cause));
            if !is_known {
                causes.push(cause);
            }
        }
        let hints = hints.iter().map(|hint| shown(hint)).collect();
        Self { message, causes, refused, hints, exit }
    }

    /// `error:`, `caused by:`, what the job said and why it may have been refused, `hint:`; complete without colour, in
    /// lines of `columns`.
    pub fn text(&self, columns: usize) -> String {
        let details = self.refused.as_ref().map(Refused::text).unwrap_or_default();
        format!("{}{details}{}", self.head(columns), self.tail(columns))
    }

    /// The same, as the platform's log shows it best: an annotation on GitHub, the details folded on GitLab.
    pub fn text_on(&self, platform: Option<Platform>, now: Timestamp, columns: usize) -> String {
        let Some(platform) = platform else { return self.text(columns) };
        let mut text = String::new();
        let hint = self.hints.first().map(|hint| format!("hint: {hint}"));
        let details: Vec<String> = self.causes.first().cloned().into_iter().chain(hint).collect();
        // An annotation without a text of its own is not shown.
        let (title, details) = match details.join("\n") {
            none if none.is_empty() => ("jobpass", self.message.clone()),
            details => (self.message.as_str(), details),
        };
        if let Some(annotation) = platform.annotate(Severity::Error, title, &details) {
            let _ = writeln!(text, "{annotation}");
        }
        match &self.refused {
            Some(refused) if platform.folds_details() => {
                text.push_str(&self.head(columns));
                text.push_str(&platform.fold("why, and what would let this job in", &refused.text(), now));
                text.push_str(&self.tail(columns));
            }
            _ => text.push_str(&self.text(columns)),
        }
        text
    }

    /// A refusal as Markdown, for a step summary; `None` for other failures.
    pub fn summary(&self) -> Option<String> {
        let details = self.refused.as_ref()?.text();
        // A fence longer than any run of back-ticks inside cannot be closed from inside.
        let fence = "`".repeat(details.split(|c| c != '`').map(str::len).max().unwrap_or(0).max(2) + 1);
        Some(format!("### {}\n\n{fence}text\n{}{details}{fence}\n", self.message, self.head(COLUMNS)))
    }

    /// All on one line, for programs that show what their helpers say amid their own.
    pub fn line(&self) -> String {
        let mut text = format!("jobpass: {}", self.message);
        for cause in &self.causes {
            let _ = write!(text, ": {cause}");
        }
        if !self.hints.is_empty() {
            let _ = write!(text, " ({})", self.hints.join("; "));
        }
        text.push('\n');
        text
    }

    fn head(&self, columns: usize) -> String {
        let mut text = format!("error: {}\n", fold_to(&self.message, 7, columns));
        for cause in &self.causes {
            let _ = writeln!(text, "  caused by: {}", fold_to(cause, 13, columns));
        }
        text
    }

    fn tail(&self, columns: usize) -> String {
        self.hints.iter().fold(String::new(), |mut text, hint| {
            let _ = writeln!(text, "hint: {}", fold_to(hint, 6, columns));
            text
        })
    }

    /// The same for scripts.
    pub fn json(&self) -> String {
        let error = json!({
            "message": self.message, "causes": self.causes, "hints": self.hints, "exit_code": self.exit as u8,
            "refused": self.refused.as_ref().map(Refused::json),
        });
        pretty(&json!({ "error": error }))
    }
}

/// Errors quote servers, jobs and files.
fn shown(text: &str) -> String {
    safe(text, LONGEST)
}
