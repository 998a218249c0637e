//! `--reuse-if-valid-for`: what an earlier login of this job wrote still serves. Whatever is doubtful is a reason for a new one.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::cli::Login;
use crate::env::{self, Env, names};
use crate::error::StageError as _;
use crate::export::{Current, Exports};
use crate::output::suffixed;
use crate::platform::Platform;
use crate::report::{OutputReport, Report};
use crate::run::asked;
use crate::run::base_folder::BaseFolder;
use crate::run::delivery::Delivered;
use crate::run::inspect::facts::Facts;
use crate::run::inspect::material::Material;
use crate::run::request;
use crate::run::written::Written;
use crate::system::user;
use crate::text::duration;
use crate::write::manifest;

/// What is there, as if it had just been written; or why it does not serve. Asks nobody.
pub fn reuse(
    args: &Login,
    env: &Env,
    platform: Option<Platform>,
    least: Duration,
    now: Timestamp,
) -> Result<Delivered, String> {
    let mut asked = asked::asked(args, env, platform, Path::new("")).map_err(|error| error.in_one_line())?;
    asked.job = asked::job(env, platform)?;
    let written = earlier(args, env, platform).ok_or("there is nothing of an earlier login")?;
    let mut report = written.report()?;
    let before = report.asked.take().ok_or("it does not say what it was asked for")?;
    let name = args.output.name.as_deref();
    if report.jobpass != env!("CARGO_PKG_VERSION") {
        return Err(format!("jobpass {} wrote it", report.jobpass));
    }
    if report.name.as_deref() != name || report.dry_run || !report.refused.is_empty() {
        return Err("it was another login, a trial, or only a part".to_owned());
    }
    if let Some(difference) = asked::difference(&before, &asked) {
        return Err(difference.to_owned());
    }
    let outputs = request::outputs(args, env, &written.dir).map_err(|error| error.in_one_line())?;
    let same_places = outputs.len() == report.outputs.len()
        && outputs.iter().zip(&report.outputs).all(|(output, was)| {
            (output.name.as_str(), output.kind.name(), output.destination.path())
                == (was.name.as_str(), was.kind.as_str(), was.dir.clone())
        });
    if !same_places {
        return Err("its outputs are in other places".to_owned());
    }
    let until = SignedDuration::try_from(least).ok().and_then(|least| now.checked_add(least).ok());
    let until = until.ok_or("nothing is valid for so long")?;
    is_valid(report.valid_until, until, now)?;
    let folders: Vec<PathBuf> = outputs.iter().map(|output| output.destination.folder.clone()).collect();
    for folder in &folders {
        private(folder)?;
    }
    for output in &report.outputs {
        is_usable(output, &report, until, now)?;
    }
    report.reused = true;
    let variables = report.outputs.iter().flat_map(|output| output.variables.clone()).collect();
    let exports = Exports { variables, outputs: before.step_outputs, summary: String::new() };
    Ok(Delivered { report, exports, placed: Vec::new(), failures: Vec::new() })
}

/// The login of this name in the folder that this one would write, or that a variable names where each login has a folder of
/// its own.
fn earlier(args: &Login, env: &Env, platform: Option<Platform>) -> Option<Written> {
    let name = args.output.name.as_deref();
    if let Some(dir) = &args.output.dir {
        return Written::find(&env.absolute(dir));
    }
    if let Some(fixed) = BaseFolder::fixed(name, env, platform) {
        return Written::find(&fixed);
    }
    let current = Current::read(env, platform, &args.output.export);
    Written::find(Path::new(current.value(&suffixed(names::JOBPASS_DIR, name))?))
}

fn is_valid(end: Timestamp, until: Timestamp, now: Timestamp) -> Result<(), String> {
    if end >= until {
        Ok(())
    } else if end > now {
        Err(format!("it is valid for {} only", duration(end.duration_since(now))))
    } else {
        Err(format!("it expired at {end:.0}"))
    }
}

/// Modes of files and folders, and of a copied binary.
const PRIVATE: [u32; 2] = [0o600, 0o700];

/// All files are there, ours, and nobody else's to read or change.
fn private(folder: &Path) -> Result<(), String> {
    let is_private = |path: &Path, is_folder: bool| {
        std::fs::symlink_metadata(path).is_ok_and(|meta| {
            let kind = if is_folder { meta.is_dir() } else { meta.is_file() };
            kind && meta.uid() == user() && PRIVATE.contains(&(meta.mode() & 0o777))
        })
    };
    let manifest = manifest::read(folder).ok_or_else(|| format!("`{}` has no manifest", folder.display()))?;
    if !is_private(folder, true) {
        return Err(format!("`{}` is not private", folder.display()));
    }
    for file in manifest::files(&manifest) {
        let path = folder.join(&file);
        let above = path.parent().is_some_and(|parent| is_private(parent, true));
        if !above || !is_private(&path, false) || std::fs::File::open(&path).is_err() {
            return Err(format!("`{}` is missing, not private or not readable", path.display()));
        }
    }
    Ok(())
}

/// Keys and certificates belong together, are whose they should be, and live long enough.
fn is_usable(output: &OutputReport, report: &Report, until: Timestamp, now: Timestamp) -> Result<(), String> {
    let material = Material::read(&output.dir).map_err(|error| error.in_one_line())?;
    let facts = Facts::new(&material, now);
    if let Some(problem) = facts.problems.iter().chain(&facts.warnings).next() {
        return Err(problem.clone());
    }
    let mut roles = output.roles.clone();
    roles.sort();
    if facts.belong_together != Some(true) {
        return Err(format!("keys and certificates in `{}` do not belong together", output.dir.display()));
    }
    if facts.user != report.user || facts.roles != roles || facts.valid_from > now {
        return Err(format!(
            "the certificates in `{}` are not those that were written",
            output.dir.display()
        ));
    }
    is_valid(facts.valid_until, until, env::now().max(now))
}
