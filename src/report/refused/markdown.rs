//! A refusal on the step's page: complete, and nothing foreign in it is Markdown or HTML.

use std::fmt::Write as _;

use super::{Proposal, Refused};
use crate::text::markdown::{block, plain};

impl Refused {
    /// Below the server's words.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let mut others = self.causes.as_slice();
        if let Some((cause, rest)) = self.likely() {
            others = rest;
            let label = if cause.is_guess { "Possible cause" } else { "Likely cause" };
            let _ = writeln!(text, "**{label}:** {}: {}\n", plain(&cause.title), plain(&cause.detail));
            let _ = writeln!(text, "**Hint:** {}\n", plain(&cause.hint));
        }
        if let Some(next) = &self.next {
            let _ = writeln!(text, "**Next:**\n\n{}", block("sh", next));
        }
        if !self.said.is_empty() {
            text.push_str("| claim | value |\n|---|---|\n");
            for (claim, value) in &self.said {
                let _ = writeln!(text, "| {} | {} |", plain(claim), plain(value));
            }
            text.push('\n');
        }
        for line in &self.state {
            let _ = writeln!(text, "- {}", plain(line));
        }
        if !others.is_empty() {
            text.push_str("\n**Other possible causes:**\n\n");
            for cause in others {
                let told = format!("{}: {}", cause.title, cause.detail);
                let _ = writeln!(text, "- {}; hint: {}", plain(&told), plain(&cause.hint));
            }
        }
        if let Some(proposal) = &self.proposal {
            let _ = writeln!(
                text,
                "\n{}:\n\n{}",
                plain(&proposal.instruction()),
                block("yaml", &proposal.narrow)
            );
            if let Some(wide) = &proposal.wide {
                let _ = writeln!(text, "{}:\n\n{}", Proposal::INSTEAD, block("yaml", wide));
            }
        }
        text
    }
}
