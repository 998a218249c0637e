//! `jobpass inspect`: whose a folder of credentials, or an `identity` file, is, and for how long. Never key material.

pub mod agent;
pub mod facts;
pub mod key_kind;
pub mod kubeconfig;
pub mod material;

use std::fmt::Write as _;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::cli;
use crate::env::{self, Env, names};
use crate::error::{Exit, Failed};
use crate::identity::logins::LoginSource;
use crate::run::error::RunError;
use crate::run::outcome::Outcome;
use crate::text::duration;
use crate::text::fold::fold;
use facts::Facts;
use material::Material;

/// Reads one path or several, each output of a folder with several; JSON of one is an object, of several an array. Exit code 6 if one of them is broken, else 4 if
/// one is not valid now.
pub fn run(args: &cli::inspect::Inspect, env: &Env) -> Result<Outcome, Failed> {
    let by_default = || env.var(names::JOBPASS_DIR).map(PathBuf::from).into_iter().collect();
    let paths: Vec<PathBuf> = if args.paths.is_empty() { by_default() } else { args.paths.clone() };
    if paths.is_empty() {
        let hint = "name a folder or an `identity` file, or set `JOBPASS_DIR`";
        return Err(RunError::usage("no folder is named", hint).into());
    }
    let now = env::now();
    let mut all = Vec::new();
    for path in &paths {
        let materials = Material::read_all(&env.absolute(path).components().collect::<PathBuf>())?;
        all.extend(materials.iter().map(|material| Facts::new(material, now)));
    }
    let exit = match () {
        () if all.iter().any(|facts| !facts.problems.is_empty() && !facts.expired) => Exit::Files,
        () if all.iter().any(|facts| facts.expired || facts.valid_from > now) => Exit::Refused,
        () => Exit::Done,
    };
    let stdout = match (args.messages.json, all.as_slice()) {
        (true, [facts]) => json(facts),
        (true, _) => json(&all),
        (false, [facts]) => text(facts, now),
        (false, _) => {
            all.iter().map(|f| format!("{}\n{}", f.path, text(f, now))).collect::<Vec<_>>().join("\n")
        }
    };
    Ok(Outcome { stdout, exit, ..Outcome::default() })
}

fn json(value: &impl serde::Serialize) -> String {
    crate::text::json::pretty(value)
}

/// Columns of the names.
const NAMES: usize = 18;

fn text(facts: &Facts, now: Timestamp) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{name:<NAMES$}{}", fold(value, NAMES));
        }
    };
    let list = |items: &[String]| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
    line("user", &facts.user);
    line("impersonator", facts.impersonator.as_deref().unwrap_or_default());
    line("cluster", facts.cluster.as_deref().unwrap_or("unknown"));
    line("roles", &list(&facts.roles));
    line("logins", &list(&facts.login_sources.iter().map(LoginSource::text).collect::<Vec<_>>()));
    line("access requests", &facts.access_requests.join(", "));
    if let Some(kubernetes) = &facts.kubernetes {
        line("kubernetes", &kubernetes.clusters.join(", "));
        line("kubernetes groups", &kubernetes.groups.join(", "));
    }
    line("contexts", &facts.contexts.join(", "));
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
            _ if until == Timestamp::MAX => "forever".to_owned(),
            (true, _) => format!("{until}: expired {} ago", duration(now.duration_since(until))),
            (_, true) => format!("{until}, but not before {}", facts.valid_from),
            _ => format!("{until} ({})", duration(until.duration_since(now))),
        },
    );
    line("keys", &facts.keys.text());
    if let Some(agent) = &facts.agent {
        line(
            "private keys",
            &format!("in no file: `jobpass exec` has them, those for ssh in its ssh-agent `{agent}`"),
        );
    }
    line("dry run", if facts.dry_run { "yes: created by `login --dry-run`, gives no access" } else { "" });
    line(
        "match",
        match facts.belong_together {
            Some(true) => "keys and certificates belong together",
            Some(false) => "no: a certificate is for another key",
            None if facts.agent.is_some() => "the ssh-agent has the key of the ssh certificate",
            None => "cannot be checked: a private key is missing or not readable",
        },
    );
    for warning in &facts.warnings {
        line("warning", warning);
    }
    for problem in &facts.problems {
        line("problem", problem);
    }
    if facts.expired {
        line("hint", "run `jobpass login` again in this job");
    } else if !facts.problems.is_empty() {
        line("hint", "write the folder again with `jobpass login`, and keep its files together");
    }
    text
}

/// Those parts that are there, with the word before each.
fn joined(parts: &[(&str, &Option<String>)]) -> String {
    let there = parts.iter().filter_map(|(word, value)| value.as_ref().map(|v| format!("{word}{v}")));
    there.collect::<Vec<_>>().join(", ")
}
