//! `jobpass logout`: wipes what login wrote, and takes its variables back from later steps.

pub mod done;
pub mod places;

use std::path::Path;

use crate::cli;
use crate::env::{self, Env, names};
use crate::error::Failed;
use crate::export::{self, Current, Sink};
use crate::log::Log;
use crate::platform::Platform;
use crate::report::Failure;
use crate::run::outcome::Outcome;
use crate::run::request;
use crate::run::written::Written;
use crate::write::{self, WriteError};
use done::{Done, Folder};
use places::{NamedBy, Place};

/// What login exports beside `JOBPASS_DIR` that names files in its folder.
const IN_THE_FOLDER: [&str; 3] = ["JOBPASS_SSH_CONFIG", "TELEPORT_IDENTITY_FILE", "KUBECONFIG"];

/// What a login gave later steps.
struct Exported {
    /// Whose job it is.
    platform: Option<Platform>,
    /// How it did.
    sink: Sink,
    /// Names and values.
    variables: Vec<(String, String)>,
}

/// Wipes first, so that no secret outlives an interrupted run.
pub fn run(args: &cli::Logout, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    request::check_one_on_stdout(&args.export, args.messages.json)?;
    let platform = args.platform.0.or_else(|| Platform::marked(env));
    let mut done = Done::default();
    let mut errors: Vec<Failed> = Vec::new();
    let mut variables: Vec<Exported> = Vec::new();
    let mut logins: Vec<Written> = Vec::new();
    let places = places::places(args, env, platform);
    for place in &places {
        match Written::find(&place.path) {
            // Files of others may be gone by now.
            Some(login) if login.is_wiped() => match write::wipe(&login.dir) {
                Ok(_) => done.before.push(Folder::new(login.dir, Vec::new())),
                Err(error) => errors.push(error.into()),
            },
            Some(login) if !is_meant(args, place, &login) => {
                log.detail(format!("`{}` belongs to a login of another `--name`", login.dir.display()));
            }
            Some(login) if logins.contains(&login) => {}
            Some(login) => logins.push(login),
            None => match write::wipe(&place.path) {
                Ok(_) => {
                    let variables_of_it = dangling(place, &Current::read(env, platform, &args.export));
                    variables.push(Exported { platform, sink: Sink::Auto, variables: variables_of_it });
                    if place.named_by != NamedBy::Nobody {
                        done.absent.push(place.path.clone());
                    }
                }
                Err(WriteError::NotWritten { path, reason }) if place.named_by == NamedBy::Nobody => {
                    log.note(format!("leaving `{path}`: jobpass did not write it ({reason})"));
                }
                Err(error) => errors.push(error.into()),
            },
        }
    }
    for login in logins {
        let exported = Exported {
            // What it was told counts for it alone.
            platform: login.platform().or(platform),
            sink: login.sink().unwrap_or_default(),
            variables: login.variables(),
        };
        for dir in login.folders() {
            match write::wipe(&dir) {
                Ok(files) => {
                    log.detail(format!("wiped {}", dir.display()));
                    done.wiped.push(Folder::new(dir, files));
                }
                Err(error) => errors.push(error.into()),
            }
        }
        variables.push(exported);
    }
    for place in &places {
        write::sweep_leftovers(&place.path);
    }
    for Exported { platform, sink, variables } in variables {
        // A shell runs what is printed only if it is asked to.
        let recorded = if sink.shell().is_some() { Sink::None } else { sink };
        let sink = if args.export == Sink::Auto { recorded } else { args.export.clone() };
        match export::blank(env, platform, &sink, &variables) {
            Ok(blanked) => done.add(blanked),
            Err(error) => errors.push(error.into()),
        }
    }
    outcome(args, done, errors, log)
}

/// Variables whose names end alike may be of another login.
fn is_meant(args: &cli::Logout, place: &Place, login: &Written) -> bool {
    args.all || place.named_by == NamedBy::Argument || login.name() == args.name.as_deref()
}

/// The variables of a folder that is gone, with its manifest: those that name it or a file in it.
fn dangling(place: &Place, current: &Current<'_>) -> Vec<(String, String)> {
    let NamedBy::Variable(name) = &place.named_by else { return Vec::new() };
    let Some(suffix) = name.strip_prefix(names::JOBPASS_DIR) else { return Vec::new() };
    let bases = std::iter::once(names::JOBPASS_DIR).chain(IN_THE_FOLDER);
    let pairs = bases.filter_map(|base| {
        let name = format!("{base}{suffix}");
        let value = current.value(&name)?.to_owned();
        Path::new(&value).starts_with(&place.path).then_some((name, value))
    });
    pairs.collect()
}

fn outcome(args: &cli::Logout, done: Done, mut errors: Vec<Failed>, log: &Log) -> Result<Outcome, Failed> {
    if done.wiped.is_empty() && done.blanked.is_empty() && !errors.is_empty() {
        return Err(errors.swap_remove(0));
    }
    if !done.kept.is_empty() {
        log.note(format!("hint: this shell still has its variables: `unset {}`", done.kept.join(" ")));
    }
    if args.messages.json && !done.stdout.is_empty() {
        log.warn(
            "`--json` takes standard output, by which later steps would lose the variables: leave `--json` out",
        );
    }
    let mut outcome = Outcome { line: done.text(args.name.as_deref()), ..Outcome::default() };
    outcome.stdout = if args.messages.json { done.json() } else { done.stdout };
    let failures: Vec<Failure> = errors.iter().map(|error| Failure::new(error, env::now())).collect();
    outcome.exit = failures.first().map(|failure| failure.exit).unwrap_or_default();
    outcome.failures = failures;
    Ok(outcome)
}
