//! What a command leaves for `main` to print.

use crate::error::Exit;
use crate::report::Failure;
use crate::write::Placed;

/// What a command leaves for `main` to print.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Data, verbatim.
    pub stdout: String,
    /// The line for people; not with `-q`.
    pub line: String,
    /// What went wrong beside what went well: outputs that were refused.
    pub failures: Vec<Failure>,
    /// How the process ends: a finding that is an answer, not an error, has a code of its own.
    pub exit: Exit,
    /// The status of a command that was run, which becomes ours in place of `exit`.
    pub status: Option<u8>,
    /// Folders that were written, to be taken back where the outcome cannot be handed over.
    pub placed: Vec<Placed>,
}

impl Outcome {
    /// Text on standard output.
    pub fn printing(stdout: String) -> Self {
        Self { stdout, ..Self::default() }
    }

    /// Removes what was written, and brings back what was there before: a run that fails leaves nothing.
    pub fn take_back(&mut self) {
        std::mem::take(&mut self.placed).into_iter().for_each(Placed::take_back);
    }
}
