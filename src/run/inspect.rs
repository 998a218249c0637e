//! `jobpass inspect`: what a folder of credentials, or an `identity` file, holds. Never key material.

pub mod facts;
pub mod key_kind;
pub mod material;

use std::fmt::Write as _;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::cli;
use crate::env::{self, Env, names};
use crate::error::Failed;
use crate::report::Exit;
use crate::report::wrapped::wrapped;
use crate::run::Outcome;
use crate::run::error::RunError;
use crate::span::span;
use facts::Facts;
use material::Material;

/// Reads and tells. What has ended gives exit code 4, what is broken 6.
pub fn run(args: &cli::inspect::Inspect, env: &Env) -> Result<Outcome, Failed> {
    let named = args.path.clone().or_else(|| env.var(names::JOBPASS_DIR).map(Into::into));
    let Some(path) = named else {
        return Err(RunError::Usage {
            message: "no folder is named".into(),
            hint: Some("name a folder or an `identity` file, or set `JOBPASS_DIR`".into()),
        }
        .into());
    };
    let now = env::now();
    let material = Material::read(&env.absolute(&path).components().collect::<PathBuf>())?;
    let facts = Facts::of(&material, now);
    let exit = match (&facts, facts.problems.is_empty()) {
        (facts, _) if facts.expired || facts.valid_from > now => Exit::Refused,
        (_, false) => Exit::Files,
        (_, true) => Exit::Done,
    };
    let stdout = if args.messages.json {
        let mut text = serde_json::to_string_pretty(&facts).unwrap_or_default();
        text.push('\n');
        text
    } else {
        text(&facts, now)
    };
    Ok(Outcome { stdout, exit, ..Outcome::default() })
}

/// Columns of the names.
const NAMES: usize = 18;

fn text(facts: &Facts, now: Timestamp) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{name:<NAMES$}{}", wrapped(value, NAMES));
        }
    };
    let list = |items: &[String]| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
    line("user", &facts.user);
    line("impersonator", facts.impersonator.as_deref().unwrap_or_default());
    line("cluster", facts.cluster.as_deref().unwrap_or("unknown"));
    line("roles", &list(&facts.roles));
    line("logins", &list(&facts.logins));
    if let Some(kubernetes) = &facts.kubernetes {
        line("kubernetes", kubernetes.cluster.as_deref().unwrap_or_default());
        line("kubernetes groups", &kubernetes.groups.join(", "));
    }
    if let Some(database) = &facts.database {
        let parts = [
            ("", &database.service),
            ("protocol ", &database.protocol),
            ("user ", &database.user),
            ("name ", &database.name),
        ];
        line("database", &joined(&parts));
    }
    if let Some(app) = &facts.app {
        let parts = [("", &app.name), ("at ", &app.public_address), ("in cluster ", &app.cluster)];
        line("application", &joined(&parts));
    }
    let until = facts.valid_until;
    line(
        "valid until",
        &match (facts.expired, facts.valid_from > now) {
            _ if until == Timestamp::MAX => "for ever".to_owned(),
            (true, _) => format!("{until}: ended {} ago", span(now.duration_since(until))),
            (_, true) => format!("{until}, but not before {}", facts.valid_from),
            _ => format!("{until} ({})", span(until.duration_since(now))),
        },
    );
    line("keys", &facts.keys.text());
    line("dry run", if facts.dry_run { "yes: made by `login --dry-run`, opens nothing" } else { "" });
    line(
        "match",
        match facts.belong_together {
            Some(true) => "keys and certificates belong together",
            Some(false) => "no: a certificate is for another key",
            None => "unknown: no private key readable",
        },
    );
    for warning in &facts.warnings {
        line("warning", warning);
    }
    for problem in &facts.problems {
        line("problem", problem);
    }
    if facts.expired {
        line("cure", "run `jobpass login` again in this job");
    } else if !facts.problems.is_empty() {
        line("cure", "write the folder anew with `jobpass login`, and keep its files together");
    }
    text
}

/// Those parts that are there, with the word before each.
fn joined(parts: &[(&str, &Option<String>)]) -> String {
    let there = parts.iter().filter_map(|(word, value)| value.as_ref().map(|v| format!("{word}{v}")));
    there.collect::<Vec<_>>().join(", ")
}
