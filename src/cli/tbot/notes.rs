//! What the user should know of a file that can be used.

use super::section::Section;

/// Fields that do nothing here, or something else than with tbot.
#[derive(Debug, Default)]
pub struct Notes {
    /// Fields that change nothing, with their lines.
    pub ignored: Vec<String>,
    /// What is done in another way than tbot does it.
    pub warnings: Vec<String>,
}

impl Notes {
    pub(super) fn ignore(&mut self, section: &Section<'_>, field: &str) {
        if let Some(node) = section.get(field) {
            self.ignored.push(format!("{} (line {})", section.name(field), node.line));
        }
    }
}
