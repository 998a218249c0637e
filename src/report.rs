//! A result or an error → text for people, JSON for scripts, an exit code. Nothing else prints.

pub mod failure;
pub mod refused;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

pub use failure::Failure;

use crate::text::{duration, json, markdown};

/// A login that worked: the report, and the manifest `jobpass.json` of its folder.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Version of jobpass that wrote it.
    pub jobpass: String,
    /// The user, `bot-NAME`.
    pub user: String,
    /// The bot, `NAME`.
    pub bot: String,
    /// The cluster's name.
    pub cluster: String,
    /// The proxy's address for later use, `HOST:PORT`.
    pub proxy: String,
    /// The cluster's version.
    pub server_version: String,
    /// The platform's id, where one was detected.
    pub platform: Option<String>,
    /// The join method, where known.
    pub join_method: Option<String>,
    /// RFC 3339, UTC.
    pub issued_at: Timestamp,
    /// The earliest end of all certificates, RFC 3339, UTC.
    pub valid_until: Timestamp,
    /// Made by `--dry-run`: good for nothing but trying.
    pub dry_run: bool,
    /// The folder, absolute.
    pub dir: PathBuf,
    /// Files in it, relative, sorted; what `logout` removes.
    pub files: Vec<PathBuf>,
    /// One an output.
    pub outputs: Vec<OutputReport>,
}

/// One output in the report.
#[derive(Debug, Clone, Serialize)]
pub struct OutputReport {
    /// Its name.
    pub name: String,
    /// `ssh`.
    pub kind: String,
    /// The cluster it is for.
    pub cluster: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// Logins a person or job can use.
    pub logins: Vec<String>,
    /// End of validity.
    pub valid_until: Timestamp,
    /// Its folder, absolute.
    pub dir: PathBuf,
}

impl Report {
    /// One line: cluster, user, roles, logins, until when, folder, time taken.
    pub fn line(&self, now: Timestamp, took: Duration) -> String {
        let mut line = String::new();
        if self.dry_run {
            line.push_str("DRY-RUN: ");
        }
        let _ = write!(line, "logged in to {} as {}", self.cluster, self.user);
        for output in &self.outputs {
            line.push_str(" · ");
            if self.outputs.len() > 1 {
                let _ = write!(line, "{}: ", output.name);
            }
            let _ = write!(line, "roles {}", list(&output.roles));
            let _ = write!(line, " · logins {}", list(&output.logins));
        }
        let left = duration(self.valid_until.duration_since(now));
        let _ = write!(line, " · valid until {:.0} ({left})", self.valid_until);
        let _ = write!(line, " · written to {} · took {:.1}s", self.dir.display(), took.as_secs_f64());
        line
    }

    /// The same as JSON, with a newline at the end.
    pub fn json(&self) -> String {
        json::pretty(self)
    }

    /// The same as Markdown, for a step summary.
    pub fn summary(&self) -> String {
        let mut text = format!(
            "### Teleport credentials for {} at {}\n\n",
            markdown::code(&self.user),
            markdown::code(&self.cluster)
        );
        text.push_str("| output | roles | logins | valid until |\n|---|---|---|---|\n");
        for output in &self.outputs {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.0} |",
                markdown::plain(&output.name),
                cell(&output.roles),
                cell(&output.logins),
                output.valid_until
            );
        }
        text
    }
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

fn cell(items: &[String]) -> String {
    markdown::plain(&list(items))
}
