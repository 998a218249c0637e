//! Arguments about access requests: a person says yes before there are credentials.

use std::time::Duration;

use clap::Args;

use super::value::{self, EMPTY};
use crate::teleport::RequestId;
use crate::teleport::request_id::NotAnId;
use crate::text::is_name;

/// The longest wait for an answer: no bot's identity lives longer than a day.
const LONGEST_WAIT: Duration = Duration::from_secs(23 * 3_600);

/// What people are asked for.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Approval")]
pub struct RequestArgs {
    /// Ask people for this role and wait for their answer, repeatable. What is issued has the bot's own role beside it, and can ask
    /// for more: `jobpass exec` leaves none of it behind
    #[arg(long, value_name = "ROLE", group = "access_request", value_parser = role)]
    pub request_role: Vec<String>,
    /// Why; what the identity token says of the job is added, and is all there is when left out
    #[arg(long, value_name = "TEXT", requires = "request_role", value_parser = value::text)]
    pub request_reason: Option<String>,
    /// How long an answer may take; it does not count against `--timeout`. A bare number is seconds
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = wait)]
    pub request_wait: Duration,
    /// A user to be told, where the cluster tells reviewers, repeatable
    #[arg(long, value_name = "USER", requires = "request_role", value_parser = role)]
    pub request_reviewer: Vec<String>,
    /// Take a request that an earlier job filed, and wait for its answer
    #[arg(long, value_name = "ID", group = "access_request", value_parser = request_id)]
    pub request_id: Option<RequestId>,
    /// File the request, print its id and hand it to later steps, and write no credentials
    #[arg(long, requires = "request_role")]
    pub request_nowait: bool,
}

impl RequestArgs {
    /// Whether people are asked for anything.
    pub fn is_wanted(&self) -> bool {
        !self.request_role.is_empty() || self.request_id.is_some()
    }
}

/// The name of a role or a user.
pub(super) fn role(text: &str) -> Result<String, String> {
    match text {
        "" => Err(EMPTY.to_owned()),
        name if is_name(name) => Ok(name.to_owned()),
        _ => Err("Teleport has no such names".to_owned()),
    }
}

/// The id of an access request.
pub(super) fn request_id(text: &str) -> Result<RequestId, String> {
    if text.is_empty() {
        return Err(EMPTY.to_owned());
    }
    text.trim().parse().map_err(|error: NotAnId| error.to_string())
}

fn wait(text: &str) -> Result<Duration, String> {
    match value::timeout(text)? {
        long if long > LONGEST_WAIT => {
            Err("it must be 23h at most: a bot's identity lives for a day".to_owned())
        }
        wait => Ok(wait),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_names_ids_and_times() {
        assert_eq!(role("ci-prod").as_deref(), Ok("ci-prod"));
        for bad in ["", "a\nb", "::error::x", "\u{202e}a"] {
            assert!(role(bad).is_err(), "{bad:?}");
        }
        let id = "61396805-c807-4931-b79f-a49127735456";
        assert_eq!(request_id(&format!(" {id}\n")).map(|id| id.to_string()).as_deref(), Ok(id));
        assert!(request_id("").is_err() && request_id("42").unwrap_err().contains("a UUID like"));
        assert_eq!(wait("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(wait("23h"), Ok(LONGEST_WAIT));
        assert!(wait("1d").is_err() && wait("0").is_err() && wait("").is_err());
    }
}
