//! An error as people and scripts see it: message, causes, what the job said, hints, exit code.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::json;

use super::refused::Refused;
use super::wrapped::wrapped;
use crate::detect::DetectError;
use crate::export::ExportError;
use crate::issue::IssueError;
use crate::join::JoinError;
use crate::net::NetError;
use crate::platform::{Platform, Severity};
use crate::rules::RulesError;
use crate::sandbox::SandboxError;
use crate::teleport::ClusterError;
use crate::token::TokenError;
use crate::verify::VerifyError;
use crate::write::WriteError;

/// The exit codes. Stable; the README has the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    #[default]
    Done = 0,
    /// Our fault.
    Internal = 1,
    /// Usage.
    Usage = 2,
    /// No identity here.
    NoIdentity = 3,
    /// Refused by Teleport, or an expectation not met.
    Refused = 4,
    /// Network, TLS or deadline.
    Network = 5,
    /// Files or export.
    Files = 6,
    /// SIGINT, as shells number it.
    Interrupted = 130,
    /// SIGTERM, as shells number it.
    Terminated = 143,
}

/// What no stage knows: wrong use, a signal, a closed output.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum RunError {
    /// The command line, or what it needs, is wrong.
    #[error("{message}")]
    Usage { message: String, hint: Option<String> },
    /// Ctrl-C or SIGTERM.
    #[error("stopped by {signal}; nothing was written")]
    Stopped { signal: &'static str, code: Exit },
    /// Credentials that were written earlier have ended.
    #[error("the credentials in `{dir}` ended at {ended}")]
    Expired { dir: String, ended: Timestamp },
    /// A folder or file that should hold credentials does not.
    #[error("`{path}` holds no credentials: {reason}")]
    NoCredentials { path: String, reason: String, hint: String },
    /// Standard output is gone.
    #[error("standard output cannot be written, so {what} did not arrive")]
    Output {
        what: &'static str,
        #[source]
        source: std::io::Error,
    },
    /// A file the user named cannot be read.
    #[error("`{path}` cannot be read")]
    Read {
        path: String,
        #[source]
        source: std::io::Error,
    },
}

/// An error, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// One sentence.
    pub message: String,
    /// From near to far; links that say nothing new are gone.
    pub causes: Vec<String>,
    /// What can be said of a join that Teleport refused.
    pub refused: Option<Refused>,
    /// What can be done, one advice each.
    pub hints: Vec<String>,
    /// The code.
    pub exit: Exit,
}

impl Failure {
    /// Takes an error apart. `now` is our clock.
    pub fn of(error: &anyhow::Error, now: Timestamp) -> Self {
        let mut causes: Vec<String> = Vec::new();
        let mut message = error.to_string();
        if let Some(reason) = find::<TokenError>(error).and_then(TokenError::reason)
            && let Some(end) = message.strip_suffix(&reason).and_then(|m| m.strip_suffix(": ")).map(str::len)
        {
            causes.push(reason);
            message.truncate(end);
        }
        let mut refused = None;
        if let Some(JoinError::Refused(refusal)) = find(error) {
            causes.push(refusal.message.clone());
            refused = Some(Refused::of(refusal, now));
        }
        if let Some(IssueError::Refused { message, .. }) = find(error) {
            causes.push(message.clone());
        }
        for cause in error.chain().skip(1) {
            let text = plain(&cause.to_string());
            if cause.downcast_ref().is_some_and(says_nothing_new) {
                continue;
            }
            let known = |old: &String| old.contains(&text) || message.contains(&text);
            if !text.is_empty() && !causes.iter().any(known) {
                causes.push(text);
            }
        }
        let (exit, hint) = verdict(error);
        let hints = hint.iter().flat_map(|h| h.lines()).map(str::to_owned).collect();
        Self { message, causes, refused, hints, exit }
    }

    /// `error:`, `caused by:`, what the job said and why it may have been refused, `hint:`; complete without colour.
    pub fn text(&self) -> String {
        let details = self.refused.as_ref().map(Refused::text).unwrap_or_default();
        format!("{}{details}{}", self.head(), self.tail())
    }

    /// The same, as the platform's log shows it best: an annotation on GitHub, the details folded on GitLab.
    pub fn text_on(&self, platform: Option<Platform>, now: Timestamp) -> String {
        let Some(platform) = platform else { return self.text() };
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
                text.push_str(&self.head());
                text.push_str(&platform.fold("why, and what would let this job in", &refused.text(), now));
                text.push_str(&self.tail());
            }
            _ => text.push_str(&self.text()),
        }
        text
    }

    /// A refusal as Markdown, for a step summary; `None` for other failures.
    pub fn summary(&self) -> Option<String> {
        let details = self.refused.as_ref()?.text();
        // A fence longer than any run of back-ticks inside cannot be closed from inside.
        let fence = "`".repeat(details.split(|c| c != '`').map(str::len).max().unwrap_or(0).max(2) + 1);
        Some(format!("### {}\n\n{fence}text\n{}{details}{fence}\n", self.message, self.head()))
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

    fn head(&self) -> String {
        let mut text = format!("error: {}\n", wrapped(&self.message, 7));
        for cause in &self.causes {
            let _ = writeln!(text, "  caused by: {}", wrapped(cause, 13));
        }
        text
    }

    fn tail(&self) -> String {
        self.hints.iter().fold(String::new(), |mut text, hint| {
            let _ = writeln!(text, "hint: {}", wrapped(hint, 6));
            text
        })
    }

    /// The same for scripts.
    pub fn json(&self) -> String {
        let error = json!({
            "message": self.message, "causes": self.causes, "hints": self.hints, "exit_code": self.exit as u8,
            "refused": self.refused.as_ref().map(Refused::json),
        });
        let mut text = serde_json::to_string_pretty(&json!({ "error": error })).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// The first link of the chain that is a `T`.
pub fn find<T: std::error::Error + Send + Sync + 'static>(error: &anyhow::Error) -> Option<&T> {
    error.chain().find_map(|link| link.downcast_ref::<T>())
}

/// Whether the link only names what the one below names as well: `reaching HOST failed` above `no connection to HOST`.
fn says_nothing_new(error: &ClusterError) -> bool {
    let ClusterError::Net { doing, source } = error else { return false };
    doing.split(' ').next_back().is_some_and(|name| source.to_string().contains(name))
}

/// A cause without what the system and libraries add: the error's number, the name of a temporary file.
fn plain(text: &str) -> String {
    let text = text.split(" at path \"").next().unwrap_or(text);
    text.split(" (os error ").next().unwrap_or(text).to_owned()
}

fn verdict(error: &anyhow::Error) -> (Exit, Option<String>) {
    if let Some(e) = find::<RunError>(error) {
        return match e {
            RunError::Usage { hint, .. } => (Exit::Usage, hint.clone()),
            RunError::Stopped { code, .. } => (*code, None),
            RunError::Expired { .. } => (Exit::Refused, Some("run `jobpass login` again in this job".into())),
            RunError::NoCredentials { hint, .. } => (Exit::Files, Some(hint.clone())),
            RunError::Output { .. } => {
                (Exit::Files, Some("keep standard output open, or leave out what prints to it".into()))
            }
            RunError::Read { .. } => {
                (Exit::Usage, Some("check the path and that this user may read it".into()))
            }
        };
    }
    if let Some(e) = find::<DetectError>(error) {
        return (Exit::NoIdentity, e.hint());
    }
    if let Some(e) = find::<TokenError>(error) {
        return (of_token(e), e.hint());
    }
    if let Some(e) = find::<JoinError>(error) {
        return (of_join(e), e.hint());
    }
    if let Some(e) = find::<IssueError>(error) {
        let exit = match e {
            IssueError::Cluster(e) => of_cluster(e),
            IssueError::Key(_) => Exit::Internal,
            _ => Exit::Refused,
        };
        return (exit, e.hint());
    }
    if let Some(e) = find::<VerifyError>(error) {
        return (Exit::Refused, e.hint());
    }
    if let Some(e) = find::<WriteError>(error) {
        return (Exit::Files, e.hint());
    }
    if let Some(e) = find::<ExportError>(error) {
        return (Exit::Files, e.hint());
    }
    if let Some(e) = find::<RulesError>(error) {
        return (Exit::Usage, Some(format!("compare it with `tctl get token/NAME`: {e}")));
    }
    if let Some(e) = find::<ClusterError>(error) {
        return (of_cluster(e), e.hint());
    }
    if let Some(e) = find::<NetError>(error) {
        return (of_net(e), e.hint());
    }
    if let Some(SandboxError::Listen(_)) = find(error) {
        return (Exit::Network, Some("leave out `--port` to take a free one".into()));
    }
    (
        Exit::Internal,
        Some("this is a fault of jobpass: please report it with the command and this text".into()),
    )
}

fn of_token(error: &TokenError) -> Exit {
    match error {
        e if e.is_usage() => Exit::Usage,
        e if e.is_network() => Exit::Network,
        _ => Exit::NoIdentity,
    }
}

fn of_join(error: &JoinError) -> Exit {
    match error {
        JoinError::Cluster(e) => of_cluster(e),
        JoinError::Key(_) => Exit::Internal,
        JoinError::Method { .. } | JoinError::Refused(_) | JoinError::Unserved { .. } => Exit::Refused,
    }
}

fn of_cluster(error: &ClusterError) -> Exit {
    match error {
        ClusterError::Refused { .. } => Exit::Refused,
        ClusterError::Net { source, .. } => of_net(source),
        _ => Exit::Network,
    }
}

/// An address or a bundle of roots that is none was the user's word; the rest is the network.
fn of_net(error: &NetError) -> Exit {
    match error {
        NetError::Address { .. } | NetError::Roots { .. } => Exit::Usage,
        _ => Exit::Network,
    }
}
