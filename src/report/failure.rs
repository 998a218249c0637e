//! An error as people and scripts see it: message, causes, what the job is, hints, exit code.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::json;

use super::refused::Refused;
use crate::error::{Exit, Failed};
use crate::join::JoinError;
use crate::platform::{Platform, Severity};
use crate::text::fold::fold_to;
use crate::text::json::pretty;
use crate::text::markdown::plain;
use crate::text::safe;

/// The title over what a log folds.
const FOLDED: &str = "other causes, all claims, and what would let this job in";

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

    /// `error:`, `caused by:`, of a refusal the likely cause and what to add on the cluster, `hint:`; complete without
    /// colour, in lines of `columns`.
    pub fn text(&self, columns: usize) -> String {
        let head = self.head(columns);
        let details = match &self.refused {
            Some(refused) => refused.seen(&head, columns) + &refused.short_rest(columns),
            None => head,
        };
        details + &self.tail(columns)
    }

    /// The same, as the platform's log shows it best: an annotation, the details folded.
    pub fn text_on(&self, platform: Option<Platform>, now: Timestamp, columns: usize) -> String {
        let Some(platform) = platform else { return self.text(columns) };
        let mut text = String::new();
        let details = self.annotated();
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
                let head = self.head(columns);
                text.push_str(&refused.seen(&head, columns));
                text.push_str(&self.tail(columns));
                text.push_str(&platform.fold(FOLDED, &refused.rest(&head, columns), now));
            }
            _ => text.push_str(&self.text(columns)),
        }
        text
    }

    /// A refusal as Markdown, for a step summary; `None` for other failures.
    pub fn summary(&self) -> Option<String> {
        let details = self.refused.as_ref()?.markdown();
        let words = self.causes.iter().fold(String::new(), |mut text, cause| {
            let _ = writeln!(text, "Teleport says: {}\n", plain(cause));
            text
        });
        Some(format!("### {}\n\n{words}{details}", plain(&self.message)))
    }

    /// The nearest cause and the first hint.
    fn annotated(&self) -> Vec<String> {
        let likely = self.refused.as_ref().and_then(|refused| refused.causes.first());
        let mut lines: Vec<String> = self.causes.first().cloned().into_iter().collect();
        lines.extend(likely.map(|cause| format!("{}: {}", cause.title, cause.detail)));
        let hint = likely.map(|cause| &cause.hint).or_else(|| self.hints.first());
        lines.extend(hint.map(|hint| format!("hint: {hint}")));
        lines
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
