//! Where the variables go: decided once, from what the user said, the platform and the environment.

use std::path::PathBuf;

use super::error::{ExportError, io_error};
use super::exports::{Exported, Exports};
use super::shell::{self, Shell};
use super::sink::Sink;
use super::tool::{Tool, tool};
use super::{commands, file, heredoc, lines};
use crate::env::Env;
use crate::platform::{Channel, Dialect, Platform};

/// The flag that names a file of the user's.
const ENV_FILE: &str = "`--export env-file`";

/// A place, and what to write in the script besides.
#[derive(Debug)]
pub(super) struct Target {
    place: Place,
    /// Where some commands of the job do not get the variables: what to do in those.
    hint: Option<&'static str>,
}

#[derive(Debug)]
enum Place {
    Nowhere,
    /// Standard output, for a shell.
    Shell(Shell),
    /// Standard output, for the platform's log.
    Commands(Dialect),
    /// A file of the user's.
    UserFile(PathBuf),
    /// Blocks; old servers have no outputs.
    CommandFiles {
        environment: Named,
        outputs: Option<Named>,
    },
    /// Lines.
    File(Named, Lines),
    /// A program of the platform's. `is_needed`: without it later steps have nothing.
    Program {
        tool: Tool,
        is_needed: bool,
    },
}

/// A file, and what names it.
#[derive(Debug)]
struct Named {
    name: &'static str,
    path: PathBuf,
}

#[derive(Debug, Clone, Copy)]
enum Lines {
    /// `K=V`, read by a shell's `read -r`.
    Read,
    /// `K=V`, of plain values.
    Plain,
    /// `export K=V`.
    Export,
}

impl Target {
    /// Decides. An error: the user asked for a place that is not there, or the platform should have it.
    pub(super) fn new(env: &Env, detected: Option<Platform>, sink: &Sink) -> Result<Self, ExportError> {
        let only = |place| Ok(Self { place, hint: None });
        let (platform, is_asked_for) = match (sink, detected) {
            (Sink::None, _) | (Sink::Auto, None) => return only(Place::Nowhere),
            (Sink::Shell, _) => return only(Place::Shell(Shell::Posix)),
            (Sink::Fish, _) => return only(Place::Shell(Shell::Fish)),
            (Sink::PowerShell, _) => return only(Place::Shell(Shell::PowerShell)),
            (Sink::EnvFile(path), _) => return only(Place::UserFile(env.absolute(path))),
            (Sink::Auto, Some(platform)) => (platform, false),
            (Sink::Platform(platform), _) => (*platform, true),
        };
        let place = match platform.channel() {
            Channel::CommandFiles { environment, outputs, .. } => Place::CommandFiles {
                environment: named(env, environment)?,
                outputs: named(env, outputs).ok(),
            },
            Channel::EnvFile { variable, hint } => {
                let file = named(env, variable).map(|file| Place::File(file, Lines::Read));
                let place = if is_asked_for { file? } else { file.unwrap_or(Place::Nowhere) };
                return Ok(Self { place, hint: Some(hint) });
            }
            Channel::BashFile { variable } => Place::File(named(env, variable)?, Lines::Export),
            Channel::FolderFile { folder, name, .. } if is_asked_for => {
                let folder = named(env, folder)?;
                Place::File(Named { path: folder.path.join(name), ..folder }, Lines::Plain)
            }
            Channel::Commands(dialect) => Place::Commands(dialect),
            Channel::Program { program, socket, is_enough, hint } => {
                let hint = Some(hint);
                return match tool(env, program, socket) {
                    Some(tool) if is_enough => only(Place::Program { tool, is_needed: true }),
                    Some(tool) => Ok(Self { place: Place::Program { tool, is_needed: is_asked_for }, hint }),
                    None if is_asked_for => Err(ExportError::NoProgram { program: program.name() }),
                    None => Ok(Self { place: Place::Nowhere, hint }),
                };
            }
            Channel::Script { .. } if is_asked_for => Place::Shell(Shell::Posix),
            Channel::FolderFile { hint, .. } | Channel::Script { hint } => {
                return Ok(Self { place: Place::Nowhere, hint: Some(hint) });
            }
        };
        only(place)
    }

    /// Finds out whether [`Self::write`] can write there; writes nothing.
    pub(super) fn check(&self) -> Result<(), ExportError> {
        let append = |file: &Named| {
            file::check_append(&file.path).map_err(|source| io_error(file.name, &file.path, source))
        };
        match &self.place {
            Place::UserFile(path) => {
                file::check_replace(path).map_err(|source| io_error(ENV_FILE, path, source))
            }
            Place::CommandFiles { environment, outputs } => {
                std::iter::once(environment).chain(outputs).try_for_each(append)
            }
            Place::File(file, _) => append(file),
            Place::Nowhere | Place::Shell(_) | Place::Commands(_) | Place::Program { .. } => Ok(()),
        }
    }

    /// Formats all of it, then writes it.
    pub(super) fn write(&self, env: &Env, exports: &Exports) -> Result<Exported, ExportError> {
        let variables = &exports.variables;
        let mut done = Exported { hint: self.hint, ..Exported::default() };
        match &self.place {
            Place::Nowhere => {}
            Place::Shell(shell) => {
                done.stdout = shell::lines(*shell, variables, shell.place())?;
                done.places.push("standard output".to_owned());
            }
            Place::Commands(dialect) => {
                done.stdout = commands::lines(exports, *dialect)?;
                done.places.push("standard output".to_owned());
            }
            Place::UserFile(path) => {
                let text = lines::env_file(variables, "an env file")?;
                file::replace(path, text.as_bytes()).map_err(|source| io_error(ENV_FILE, path, source))?;
                done.places.push(path.display().to_string());
            }
            Place::CommandFiles { environment, outputs } => {
                let lines = heredoc::variables(variables, environment.name)?;
                let step =
                    outputs.as_ref().map(|o| heredoc::outputs(&exports.outputs, o.name)).transpose()?;
                environment.append(&lines, &mut done)?;
                if let (Some(outputs), Some(step)) = (outputs, step) {
                    outputs.append(&step, &mut done)?;
                }
            }
            Place::File(file, form) => {
                let place = format!("`{}`", file.name);
                let text = match form {
                    Lines::Read => lines::gitlab(variables, file.name)?,
                    Lines::Plain => lines::env_file(variables, &place)?,
                    Lines::Export => shell::lines(Shell::Posix, variables, &place)?,
                };
                file.append(&text, &mut done)?;
            }
            Place::Program { tool, is_needed } => match tool.hand_over(env, variables) {
                Ok(()) => done.places.push(tool.name().to_owned()),
                Err(error) if *is_needed => return Err(error),
                // The hint says what works without it.
                Err(error) => done.problem = Some(error),
            },
        }
        Ok(done)
    }
}

impl Named {
    /// Appends, if there is anything to.
    fn append(&self, text: &str, done: &mut Exported) -> Result<(), ExportError> {
        if !text.is_empty() {
            file::append(&self.path, text.as_bytes())
                .map_err(|source| io_error(self.name, &self.path, source))?;
            done.places.push(self.name.to_owned());
        }
        Ok(())
    }
}

fn named(env: &Env, variable: &'static str) -> Result<Named, ExportError> {
    let value = env.var(variable).ok_or(ExportError::NoFile { variable })?;
    Ok(Named { name: variable, path: env.absolute(value.as_ref()) })
}
