//! Commands in the log of GitHub Actions, and of the runners that read them alike.
//!
//! docs.github.com, "Workflow commands"; the syntax from actions/toolkit `packages/core/src/command.ts`.

use jiff::Timestamp;

use super::facts::Severity;
use crate::text::{safe, safe_lines};

/// A group of the log.
pub(super) fn fold(title: &str, body: &str, _: Timestamp) -> String {
    let mut out = format!("::group::{}\n", escape_data(&safe(title, 200)));
    for line in safe_lines(body) {
        out.push_str(&line);
        out.push('\n');
    }
    out.push_str("::endgroup::\n");
    out
}

/// A message on the run's page.
pub(super) fn annotate(severity: Severity, title: &str, message: &str) -> String {
    let command = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    };
    format!("::{command} title={}::{}", escape_property(title), escape_data(message))
}

fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line, which the runner turns back into what was said (`ActionCommand.cs`).
    #[test]
    fn annotations_come_back_under_fire() {
        crate::under_fire::parser("GitHub's annotations", ["100%\r\n::error::x", "%250A", "a,b:c"]).text(
            |text| {
                let line = annotate(Severity::Error, text, text);
                assert!(!line.contains(['\r', '\n']));
                let (title, message) = line.strip_prefix("::error title=").unwrap().split_once("::").unwrap();
                let back = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n");
                assert_eq!(back(message).replace("%25", "%"), text);
                assert_eq!(back(title).replace("%3A", ":").replace("%2C", ",").replace("%25", "%"), text);
            },
        );
    }
}
