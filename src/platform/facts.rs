//! What has to be known of a platform, as data and as functions of the environment.
//!
//! Each platform's file has one [`Facts`]; the compiler asks for every field of it.

use std::path::PathBuf;

use jiff::Timestamp;

use super::endpoint::{Endpoint, Protocol};
use super::simulation::Simulation;
use crate::env::Env;
use crate::text::{safe, safe_lines};

/// A platform.
pub(super) struct Facts {
    /// The word for flags and JSON.
    pub(super) id: &'static str,
    /// The vendor's name for people.
    pub(super) title: &'static str,
    /// Whether the job runs here.
    pub(super) marker: fn(&Env) -> Marker,
    /// Where the identity token is; `None` where a variable that must be there is not.
    pub(super) token_place: fn(&Env) -> Option<TokenPlace>,
    /// The platform's own program that prints a new token for an audience, its arguments behind it; `None` where there
    /// is no such program, or the job lacks what it needs. It is asked for an audience, and where the token's place is
    /// empty or has an expired one.
    pub(super) program: fn(&Env, Option<&str>) -> Option<Vec<String>>,
    /// Why there is no token. May read the event's payload (bounded).
    pub(super) absent: fn(&Env) -> Absent,
    /// The same for a variable that the user named, on platforms where the job's configuration names it.
    pub(super) absent_variable: Option<fn(&Env, &str) -> Absent>,
    /// How to get another audience, where the job's configuration fixes it; `None`: it is chosen per request.
    pub(super) audience_hint: Option<fn(&str) -> String>,
    /// What to do about an expired token.
    pub(super) expired_hints: fn(&Env) -> Vec<String>,
    /// The variable that names a folder which lives as long as the job and lies outside the checkout.
    pub(super) temp_dir: Option<&'static str>,
    /// Where the job's sources are.
    pub(super) checkout: fn(&Env) -> Option<PathBuf>,
    /// The variables that together tell one run of a job from all others.
    pub(super) job: &'static [&'static str],
    /// Where the job's time limit is; `None`: the platform does not tell.
    pub(super) limit: Option<TimeLimit>,
    /// What the log understands.
    pub(super) log: LogSyntax,
    /// How later steps get variables.
    pub(super) channel: Channel,
    /// The variable, and its value, by which the job's owner asks for a debug log.
    pub(super) debug: Option<(&'static str, &'static str)>,
    /// How its tokens are asked for, where they are issued on request.
    pub(super) protocol: Option<&'static Protocol>,
    /// A job of it, for trial runs and tests.
    pub(super) simulation: Simulation,
}

/// The variables that tell how long a job may run.
pub(super) struct TimeLimit {
    /// A number; anything else: there is no limit.
    pub(super) variable: &'static str,
    /// Its unit, in seconds.
    pub(super) unit: u64,
    /// The variable with the time when the job began (RFC 3339); without one, all of the limit counts as left.
    pub(super) began: Option<&'static str>,
}

/// Whether a platform's marker is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// It is, exactly as the platform documents it.
    pub present: bool,
    /// The variable is there with another value than the documented one.
    pub has_other_value: bool,
    /// What was seen: `GITHUB_ACTIONS is true`, `GITLAB_CI is not set`.
    pub why: String,
}

/// Where a platform keeps the job's identity token.
#[derive(Debug, Clone)]
pub enum TokenPlace {
    /// It is issued on request.
    Endpoint(Endpoint),
    /// In this variable.
    Variable(String),
    /// In this file.
    File(PathBuf),
}

/// Why a platform has no token for this job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// What was found.
    pub why: String,
    /// What to do, most likely first.
    pub hints: Vec<String>,
}

/// How a message stands out in the platform's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The step failed.
    Error,
    /// The step goes on.
    Warning,
    /// Nothing is wrong: somebody is to do something.
    Notice,
}

/// What a platform's log understands.
pub(super) struct LogSyntax {
    /// A body under a title, ending with a newline. Neither can give the log commands, whatever is in them.
    pub(super) fold: fn(title: &str, body: &str, now: Timestamp) -> String,
    /// Whether the details of an error are folded: the fold opens at a click and hides nothing from the search.
    pub(super) folds_details: bool,
    /// The line, without its newline, that shows a message (title, text) in the platform's pages.
    pub(super) annotate: Option<fn(Severity, &str, &str) -> String>,
}

/// The kinds of ways by which later steps get variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Files that these variables name: `K<<DELIMITER` blocks (docs.github.com, "Workflow commands").
    CommandFiles {
        /// For the environment of later steps.
        environment: &'static str,
        /// For the outputs of this step.
        outputs: &'static str,
        /// For Markdown on the run's page.
        summary: &'static str,
    },
    /// `K=V` lines in the file that a variable names.
    EnvFile {
        /// The variable.
        variable: &'static str,
        /// Which commands do not see the file, and what they can do.
        hint: &'static str,
    },
    /// `export K=V` lines in the file that a variable names, which bash reads before each later step.
    BashFile {
        /// The variable.
        variable: &'static str,
    },
    /// `K=V` lines in a file of the folder that a variable names: for who asks for it by name.
    FolderFile {
        /// The variable.
        folder: &'static str,
        /// The file's name.
        name: &'static str,
        /// What to write in the script instead.
        hint: &'static str,
    },
    /// Commands in the log, one a line, of which each sets a variable.
    Commands(Dialect),
    /// A program of the platform's takes them.
    Program {
        /// The program, in `PATH`.
        program: Program,
        /// The variable that names the socket by which it talks to the job; `None`: it needs none.
        socket: Option<&'static str>,
        /// Whether all later steps get them so.
        is_enough: bool,
        /// What to write in the script where the program is not there or not enough.
        hint: &'static str,
    },
    /// There is none.
    Script {
        /// What to write in the script instead.
        hint: &'static str,
    },
}

/// A program of a platform's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Bitrise's (bitrise-io/envman `cli/add.go`).
    Envman,
    /// Buildkite's (buildkite.com/docs, "buildkite-agent env" and "buildkite-agent annotate").
    BuildkiteAgent,
}

impl Program {
    /// As it is found in `PATH`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Envman => "envman",
            Self::BuildkiteAgent => "buildkite-agent",
        }
    }
}

/// Whose commands they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `##vso[task.setvariable …]` (learn.microsoft.com, "Logging commands").
    AzurePipelines,
    /// `##teamcity[setParameter …]` (jetbrains.com/help/teamcity, "Service messages").
    TeamCity,
}

impl Dialect {
    /// The command that sets a variable, for people.
    pub fn command(self) -> &'static str {
        match self {
            Self::AzurePipelines => "`task.setvariable`",
            Self::TeamCity => "`setParameter`",
        }
    }
}

impl Channel {
    /// The variables that name its files.
    pub fn variables(self) -> Vec<&'static str> {
        match self {
            Self::CommandFiles { environment, outputs, summary } => vec![environment, outputs, summary],
            Self::EnvFile { variable, .. } | Self::BashFile { variable } => vec![variable],
            Self::FolderFile { .. } | Self::Commands(_) | Self::Program { .. } | Self::Script { .. } => {
                Vec::new()
            }
        }
    }
}

/// A marker that must be exactly `true`.
pub(super) fn exactly_true(env: &Env, name: &str) -> Marker {
    exactly(env, name, "true")
}

/// A marker that must have exactly this value.
pub(super) fn exactly(env: &Env, name: &str, value: &str) -> Marker {
    let (present, has_other_value, why) = match env.var(name) {
        Some(found) if found == value => (true, false, format!("{name} is {value}")),
        Some(other) => (false, true, format!("{name} is `{}`, not `{value}`", safe(other, 40))),
        None if env.is_set(name) => (false, false, format!("{name} is empty")),
        None => (false, false, format!("{name} is not set")),
    };
    Marker { present, has_other_value, why }
}

/// A marker of which one of these variables is enough, whatever its value.
pub(super) fn one_of(env: &Env, names: &[&str]) -> Marker {
    let found = names.iter().find(|name| env.var(name).is_some());
    let why = match (found, names) {
        (Some(name), _) => format!("{name} is set"),
        (None, [one]) => format!("{one} is not set"),
        (None, _) => format!("neither {} is set", names.join(" nor ")),
    };
    Marker { present: found.is_some(), has_other_value: false, why }
}

/// The token in the variable `name`, if that is there.
pub(super) fn in_variable(env: &Env, name: &str) -> Option<TokenPlace> {
    env.var(name).map(|_| TokenPlace::Variable(name.to_owned()))
}

/// `is not set` or `is empty`.
pub(super) fn how_missing(env: &Env, name: &str) -> String {
    format!("`{name}` is {}", if env.is_set(name) { "empty" } else { "not set" })
}

/// For logs without folds: the body indented below its title.
pub(super) fn indented(title: &str, body: &str, _: Timestamp) -> String {
    safe_lines(body).fold(format!("{}\n", safe(title, 200)), |out, line| out + "  " + &line + "\n")
}
