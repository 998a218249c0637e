//! A result or an error → text for people, JSON for scripts, an exit code. Nothing else prints.

pub mod approval;
pub mod failure;
pub mod refused;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use approval::RequestReport;
pub use failure::Failure;

use crate::identity::logins::LoginSource;
use crate::text::{duration, json, markdown};

/// A login that worked: the report, and the manifest `jobpass.json` of its folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Version of jobpass that wrote it.
    pub jobpass: String,
    /// `--name`: the identity's own name in this job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
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
    /// The access request that people approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_request: Option<RequestReport>,
    /// Made by `--dry-run`: good for nothing but trying.
    pub dry_run: bool,
    /// An earlier login still served; nothing was written.
    #[serde(default, skip_serializing_if = "is_false")]
    pub reused: bool,
    /// Variables that had their value before; `logout` leaves them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub already_set: Vec<String>,
    /// In the manifest only: what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// The folder, absolute.
    pub dir: PathBuf,
    /// Files in it, relative, sorted; what `logout` removes.
    pub files: Vec<PathBuf>,
    /// One an output.
    pub outputs: Vec<OutputReport>,
    /// With `--keep-going`, the outputs that are missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedReport>,
}

/// What a login was asked for, to be compared with a later one and to be asked again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Flags of `login` that say the same as its command line and variables did. No secret: of a command that prints
    /// identity tokens there is a digest, unless the login is to be renewed.
    pub flags: Vec<String>,
    /// Which run of which job it was; empty outside of CI.
    pub job: Vec<String>,
    /// The folder of outputs that name none of their own.
    pub base: PathBuf,
    /// The binary that the files name.
    pub binary: PathBuf,
    /// Step outputs.
    pub step_outputs: Vec<(String, String)>,
}

/// An output that is missing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefusedReport {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub message: String,
    /// From near to far.
    pub causes: Vec<String>,
    /// What can be done.
    pub hints: Vec<String>,
}

/// One output in the report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutputReport {
    /// Its name.
    pub name: String,
    /// `ssh`, `kube`, `database`, `app`.
    pub kind: String,
    /// The cluster it is for.
    pub cluster: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// What its certificates are for, beside the cluster: one each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteReport>,
    /// Logins a person or job can use.
    pub logins: Vec<String>,
    /// Where each of them is from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub login_sources: Vec<LoginSource>,
    /// End of validity.
    pub valid_until: Timestamp,
    /// Its folder, absolute.
    pub dir: PathBuf,
    /// Its files, absolute, sorted.
    pub files: Vec<PathBuf>,
    /// What it exports, by name.
    pub variables: BTreeMap<String, String>,
    /// Commands that use it, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<String>,
}

/// What one certificate is for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RouteReport {
    /// The kubernetes cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_cluster: Option<String>,
    /// The database service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// `postgres`, `mysql`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The account in the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_user: Option<String>,
    /// The database in the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_name: Option<String>,
    /// The application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The application's host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_addr: Option<String>,
    /// Where the application service reaches it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The port of a TCP application with several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_port: Option<u16>,
    /// End of validity.
    pub valid_until: Timestamp,
}

impl OutputReport {
    /// The logins; with where they are from, unless the one role is all there is to say.
    fn logins_with_sources(&self) -> Vec<String> {
        let is_plain = self.roles.len() < 2 && self.login_sources.iter().all(|login| login.traits.is_empty());
        if is_plain || self.login_sources.is_empty() {
            return self.logins.clone();
        }
        self.login_sources.iter().map(LoginSource::text).collect()
    }

    /// The names of what its certificates are for; none of an ssh output.
    fn resources(&self) -> Vec<String> {
        let resource =
            |route: &RouteReport| route.kube_cluster.clone().or(route.database.clone()).or(route.app.clone());
        self.routes.iter().filter_map(resource).collect()
    }
}

impl RouteReport {
    /// One that is for nothing yet.
    pub fn until(valid_until: Timestamp) -> Self {
        Self { valid_until, ..Self::default() }
    }
}

impl Report {
    /// One line: cluster, user, roles, logins, until when, folder, time taken.
    pub fn line(&self, now: Timestamp, took: Duration) -> String {
        let mut line = String::new();
        if self.dry_run {
            line.push_str("DRY-RUN: ");
        }
        let done = if self.reused { "reused the login at" } else { "logged in to" };
        let _ = write!(line, "{done} {} as {}", self.cluster, self.user);
        for output in &self.outputs {
            line.push_str(" · ");
            if self.outputs.len() > 1 {
                let _ = write!(line, "{}: ", output.name);
            }
            let _ = write!(line, "roles {}", list(&output.roles));
            let _ = match output.kind.as_str() {
                "ssh" => write!(line, " · logins {}", list(&output.logins_with_sources())),
                kind => write!(line, " · {kind} {}", list(&output.resources())),
            };
        }
        if let Some(request) = &self.access_request {
            let _ = write!(line, " · {}", request.answer());
        }
        if !self.refused.is_empty() {
            let names: Vec<String> = self.refused.iter().map(|refused| refused.name.clone()).collect();
            let _ = write!(line, " · without {}", list(&names));
        }
        let left = duration(self.valid_until.duration_since(now));
        let _ = write!(line, " · valid until {:.0} ({left})", self.valid_until);
        let dir = self.dir.display();
        let _ = if self.reused {
            write!(line, " · in {dir}")
        } else {
            write!(line, " · written to {dir} · took {:.1}s", took.as_secs_f64())
        };
        for usage in self.outputs.iter().flat_map(|output| &output.usage) {
            let _ = write!(line, "\n  {usage}");
        }
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
        if let Some(request) = &self.access_request {
            let _ = writeln!(text, "\n{}", markdown::plain(&request.answer()));
        }
        for refused in &self.refused {
            let _ = writeln!(
                text,
                "\nOutput {} is missing: {}",
                markdown::code(&refused.name),
                markdown::plain(&refused.message)
            );
        }
        text
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

fn cell(items: &[String]) -> String {
    markdown::plain(&list(items))
}
