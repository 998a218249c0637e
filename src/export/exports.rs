//! What later steps get, and what became of it.

use super::error::ExportError;

/// What later steps get. Paths and names only: never a key or a token.
#[derive(Debug, Clone, Default)]
pub struct Exports {
    /// Environment of later steps, in order: `TELEPORT_PROXY`, …
    pub variables: Vec<(String, String)>,
    /// Step outputs, on platforms that have them: `destination-dir`, …
    pub outputs: Vec<(String, String)>,
    /// Markdown for a step summary.
    pub summary: String,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Exported {
    /// Where it went, for people: `GITHUB_ENV`, `BASH_ENV`, …; empty: nowhere.
    pub places: Vec<String>,
    /// Lines for a shell or the platform's log, to be printed on standard output.
    pub stdout: String,
    /// Where some commands of the job do not get the variables: what to do in those.
    pub hint: Option<&'static str>,
    /// Why a place that nothing depends on did not get the variables.
    pub problem: Option<ExportError>,
}
