//! Markdown on the page that a platform shows of a step or a build. Nothing depends on it: what fails is left out.

use std::io::Write as _;
use std::path::PathBuf;

use super::commands;
use super::file;
use super::heredoc;
use super::tool::tool;
use crate::env::Env;
use crate::platform::{Channel, Dialect, Platform, Program};

/// The file for Azure Pipelines, whose agent reads it a little later and empties the folder when the job ends.
const FILE: &str = "jobpass-summary-";

/// What became of a page.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Where it went, for people.
    pub(super) place: Option<&'static str>,
    /// Lines for the platform's log, to be printed on standard output.
    pub(super) stdout: String,
}

/// Shows what was done, where the platform has such a page.
pub(super) fn show(env: &Env, platform: Platform, markdown: &str) -> Shown {
    let shown = match platform.channel() {
        Channel::CommandFiles { summary, .. } => append(env, summary, markdown),
        Channel::Commands(Dialect::AzurePipelines) => upload(env, platform, markdown),
        Channel::Program { program: Program::BuildkiteAgent, .. } => annotate(env, markdown, "info"),
        _ => None,
    };
    shown.unwrap_or_default()
}

/// Shows why nothing was done, where that leaves no file behind.
pub(super) fn show_failure(env: &Env, platform: Platform, markdown: &str) {
    match platform.channel() {
        Channel::CommandFiles { summary, .. } => drop(append(env, summary, markdown)),
        Channel::Program { program: Program::BuildkiteAgent, .. } => drop(annotate(env, markdown, "error")),
        _ => {}
    }
}

fn append(env: &Env, variable: &'static str, markdown: &str) -> Option<Shown> {
    let path = env.absolute(env.var(variable)?.as_ref());
    let length = std::fs::metadata(&path).map_or(0, |m| m.len());
    let text = heredoc::summary(markdown, length);
    let is_written = !text.is_empty() && file::append(&path, text.as_bytes()).is_ok();
    is_written.then(|| Shown { place: Some(variable), stdout: String::new() })
}

/// A file in the job's own temp folder, and the command that names it (learn.microsoft.com, "Logging commands",
/// "Upload a summary").
fn upload(env: &Env, platform: Platform, markdown: &str) -> Option<Shown> {
    let folder = platform.temp_dir(env)?;
    let mut file = tempfile::Builder::new().prefix(FILE).suffix(".md").tempfile_in(folder).ok()?;
    file.write_all(markdown.as_bytes()).ok()?;
    let path: PathBuf = file.into_temp_path().keep().ok()?;
    let stdout = commands::upload_summary(path.to_str()?)?;
    Some(Shown { place: Some("`task.uploadsummary`"), stdout })
}

/// An annotation of the build, one for each job (buildkite.com/docs, "buildkite-agent annotate"): 1 MiB at most, like GitHub's.
fn annotate(env: &Env, markdown: &str, style: &str) -> Option<Shown> {
    let agent = tool(env, Program::BuildkiteAgent, None)?;
    let job = env.var("BUILDKITE_JOB_ID").unwrap_or_default();
    let context = format!("jobpass-{job}");
    let words = ["annotate", "--style", style, "--context", &context, "--append"];
    agent.run(env, &words, &heredoc::summary(markdown, 0)).ok()?;
    Some(Shown { place: Some("`buildkite-agent annotate`"), stdout: String::new() })
}
