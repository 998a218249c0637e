//! An access request as people and scripts see it: who is to do what while the job waits, and what came of it.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::text::{duration, json, markdown};

/// An access request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestReport {
    /// Its id.
    pub id: String,
    /// `pending`, `approved`.
    pub state: String,
    /// The roles asked for; of an approved one those that were given.
    pub roles: Vec<String>,
    /// Why, as it was asked.
    pub reason: String,
    /// Why, in the words of whoever answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolve_reason: Option<String>,
    /// The end of what it gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Its page in the web UI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What `login --request-nowait` prints with `--json`.
#[derive(Debug, Serialize)]
struct Filed<'a> {
    access_request: &'a RequestReport,
}

impl RequestReport {
    /// What whoever answers must know; `until`: how long the answer is waited for.
    pub fn announcement(&self, now: Timestamp, until: Timestamp) -> String {
        let left = duration(until.duration_since(now));
        let mut text = format!(
            "access request {} for {}: waiting for approval until {until:.0} ({left})\n",
            self.id,
            self.wanted()
        );
        self.how_to_answer(&mut text);
        text
    }

    /// The same where nobody waits.
    pub fn filed(&self, now: Timestamp) -> String {
        let mut text = format!("filed access request {} for {}", self.id, self.wanted());
        if let Some(expires) = self.expires {
            let left = duration(expires.duration_since(now));
            let _ = write!(text, ", good until {expires:.0} ({left})");
        }
        text.push('\n');
        self.how_to_answer(&mut text);
        let _ = write!(text, "  once it is approved: `jobpass login --request-id {}`", self.id);
        text
    }

    fn wanted(&self) -> String {
        let roles = self.roles.join(", ");
        if self.roles.len() == 1 { format!("the role {roles}") } else { format!("the roles {roles}") }
    }

    fn how_to_answer(&self, text: &mut String) {
        let _ = writeln!(text, "  asked for: {}", self.reason);
        let _ = writeln!(text, "  to approve it: tctl requests approve {}", self.id);
        if let Some(url) = &self.url {
            let _ = writeln!(text, "  or answer it at {url}");
        }
    }

    /// The answer, for the one line of a login that worked.
    pub fn answer(&self) -> String {
        match &self.resolve_reason {
            Some(reason) => format!("access request {} approved: {reason}", self.id),
            None => format!("access request {} approved", self.id),
        }
    }

    /// The same as [`Self::announcement`] for a step summary, while nobody has answered.
    pub fn summary(&self, until: Timestamp) -> String {
        let mut text = format!(
            "### Approval wanted for {}\n\n{}\n\n| access request | answer until |\n|---|---|\n| {} | {until:.0} |\n\n",
            markdown::plain(&self.roles.join(", ")),
            markdown::plain(&self.reason),
            markdown::code(&self.id),
        );
        let _ =
            writeln!(text, "To approve: {}\n", markdown::code(&format!("tctl requests approve {}", self.id)));
        if let Some(url) = &self.url {
            // Of our own making: an address, the fixed path, a UUID.
            let _ = writeln!(text, "Or answer it [in the web UI](<{url}>).\n");
        }
        text
    }

    /// For scripts.
    pub fn json(&self) -> String {
        json::pretty(&Filed { access_request: self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> RequestReport {
        RequestReport {
            id: "61396805-c807-4931-b79f-a49127735456".to_owned(),
            state: "pending".to_owned(),
            roles: vec!["ci-prod".to_owned()],
            reason: "deploy #42 (repository a/b) <b>`x`".to_owned(),
            resolve_reason: None,
            expires: "2026-11-21T14:12:21Z".parse().ok(),
            url: Some("https://p.example/web/requests/61396805-c807-4931-b79f-a49127735456".to_owned()),
        }
    }

    #[test]
    fn whoever_answers_knows_what_and_how() {
        let now: Timestamp = "2026-11-21T13:00:00Z".parse().unwrap();
        let until = "2026-11-21T13:15:00.4Z".parse().unwrap();
        let id = "61396805-c807-4931-b79f-a49127735456";
        assert_eq!(
            report().announcement(now, until),
            format!(
                "access request {id} for the role ci-prod: waiting for approval until 2026-11-21T13:15:00Z (15m)\n  \
                 asked for: deploy #42 (repository a/b) <b>`x`\n  to approve it: tctl requests approve {id}\n  \
                 or answer it at https://p.example/web/requests/{id}\n"
            )
        );
        let alone = RequestReport { url: None, roles: ["a", "b"].map(str::to_owned).to_vec(), ..report() };
        let text = alone.filed(now);
        assert!(text.starts_with(&format!(
            "filed access request {id} for the roles a, b, good until 2026-11-21T14:12:21Z (1h12m)\n"
        )));
        assert!(text.ends_with(&format!("`jobpass login --request-id {id}`")) && !text.contains("answer it"));
    }

    #[test]
    fn no_reason_is_read_as_markup() {
        let summary = report().summary("2026-11-21T13:15:00Z".parse().unwrap());
        assert!(!summary.contains("<b>") && summary.contains("&#60;b&#62;&#96;x&#96;"), "{summary}");
        assert!(summary.contains("[in the web UI](<https://p.example/web/requests/6"), "{summary}");
    }

    #[test]
    fn the_answer_is_told() {
        assert!(report().answer().ends_with("a49127735456 approved"));
        let report = RequestReport { resolve_reason: Some("go ahead".to_owned()), ..report() };
        assert!(report.answer().ends_with("approved: go ahead"));
    }
}
