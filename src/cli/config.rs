//! `--config FILE`: what a tbot.yaml says fills in what the command line leaves out.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{ArgAction, ArgMatches, Args, Command};

use super::tbot::{self, ConfigError, Problem, Setting, Tbot};
use super::variables::{self, Filled};
use crate::env::{self, Env, names};

/// Arguments about the configuration file.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// A tbot.yaml (version 2), or what `TBOT_CONFIG` has in base64: cluster, join token and outputs, as far as flags do not
    /// name them
    #[arg(long, short = 'c', value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print the command line that does the same without the file, and do nothing
    #[arg(long)]
    pub print_command: bool,
    /// What the file led to.
    #[arg(skip)]
    pub outcome: Outcome,
}

/// What a file led to, beside flags.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What the user should know.
    pub notes: Vec<String>,
    /// What is not done as tbot would do it.
    pub warnings: Vec<String>,
    /// The equal command line, for a shell.
    pub command: String,
}

/// Flags that count only beside `--auth-server`.
const AT_AUTH_SERVER: [&str; 2] = ["ca-pin", "ca-file"];

/// The commands that read such a file.
const READERS: [&str; 2] = ["login", "exec"];

/// Fills in the flags of `login` or `exec`, read by `lenient`, from the file that it names, or that tbot's variables name.
pub(super) fn fill_in(
    lenient: &mut Command,
    mut filled: Filled,
    env: &Env,
) -> Result<(Filled, Outcome), ConfigError> {
    let matches = lenient.try_get_matches_from_mut(&filled.arguments);
    let called = matches.as_ref().ok().and_then(|matches| matches.subcommand());
    let Some((name, given)) = called.filter(|(name, _)| READERS.contains(name)) else {
        return Ok((filled, Outcome::default()));
    };
    let Some((file, text)) = text(given, env)? else { return Ok((filled, Outcome::default())) };
    let problem = |problem: Problem| ConfigError::Line { file: file.clone(), problem };
    let login = lenient.find_subcommand(name).unwrap_or(lenient);
    let arg = |flag: &str| login.get_arguments().find(|arg| arg.get_long() == Some(flag));
    let is_given = |flag: &str| arg(flag).is_some_and(|arg| variables::is_given(arg, given));
    // `exec` has a folder of its own.
    let is_free = |flag: &str| {
        if flag == "dir" && name == "exec" {
            return false;
        }
        let excluded = arg(flag).map(|arg| variables::excluded_by(login, arg)).unwrap_or_default();
        !is_given(flag) && !excluded.iter().any(|arg| variables::is_given(arg, given))
    };
    let tbot = tbot::read(&text, is_given("join-method")).map_err(problem)?;
    let mut settings = settings(&tbot, &is_free).map_err(problem)?;
    settings.retain(|setting| is_free(setting.flag));
    let at_auth_server =
        is_given("auth-server") || settings.iter().any(|setting| setting.flag == "auth-server");
    settings.retain(|setting| at_auth_server || !AT_AUTH_SERVER.contains(&setting.flag));

    let mut outcome = Outcome { warnings: tbot.notes.warnings, ..Outcome::default() };
    if !tbot.notes.ignored.is_empty() {
        outcome.notes.push(format!("`{file}`: ignoring {}", tbot.notes.ignored.join(", ")));
    }
    let token = settings.iter().find(|setting| setting.flag == "token");
    if token.is_some_and(|token| env.var(names::TELEPORT_BOT_TOKEN).is_some_and(|other| other != token.value))
    {
        outcome.warnings.push(format!(
            "`TELEPORT_BOT_TOKEN` names another join token than `{file}`: taking that of the file"
        ));
    }
    let added =
        settings.iter().map(|setting| OsString::from(format!("--{}={}", setting.flag, setting.value)));
    filled.add(name, added.collect());
    filled.from_variables.extend(
        settings
            .into_iter()
            .map(|setting| (format!("--{}", setting.flag), format!("{} of {file}", setting.from))),
    );
    Ok((filled, outcome))
}

/// What the file says as flags; the folder, the roles and the life on the command line are for all its outputs.
fn settings(tbot: &Tbot, is_free: &impl Fn(&str) -> bool) -> Result<Vec<Setting>, Problem> {
    let mut settings: Vec<Setting> = Vec::new();
    let setting =
        |flag, value: &str, from: &str| Setting { flag, value: value.to_owned(), from: from.to_owned() };
    settings.extend(tbot.settings.iter().map(|s| setting(s.flag, &s.value, &s.from)));
    if !is_free("output") {
        return Ok(settings);
    }
    let (roles, dir) = (is_free("roles"), is_free("dir"));
    if is_free("ttl") {
        settings.extend(tbot.ttl()?);
    }
    // The folder of a single output is the folder of the run.
    let alone = match &tbot.outputs[..] {
        [output] if dir => output.dir.as_ref().map(|path| setting("dir", path, &output.from)),
        _ => None,
    };
    let is_alone = alone.is_some();
    settings.extend(alone);
    for output in &tbot.outputs {
        settings.push(setting("output", &output.spec(roles, dir && !is_alone), &output.from));
    }
    Ok(settings)
}

/// The file that is named, or the variable that holds one, and what is in it.
fn text(given: &ArgMatches, env: &Env) -> Result<Option<(String, String)>, ConfigError> {
    let path = given.get_one::<PathBuf>("config").cloned();
    let (in_variable, encoded) = (env.var(names::TBOT_CONFIG_PATH), env.var(names::TBOT_CONFIG));
    let path = match (path, in_variable, encoded) {
        (Some(path), _, _) => path,
        (None, Some(_), Some(_)) => {
            return Err(ConfigError::Variable {
                variable: names::TBOT_CONFIG_PATH,
                problem: "and `TBOT_CONFIG` are both set",
                hint: "unset one of them, or name the file with `--config`".to_owned(),
            });
        }
        (None, Some(path), None) => PathBuf::from(path),
        (None, None, Some(encoded)) => return decoded(encoded).map(Some),
        (None, None, None) => return Ok(None),
    };
    read(&env.absolute(&path)).map(Some)
}

fn read(path: &Path) -> Result<(String, String), ConfigError> {
    let shown = path.display().to_string();
    match env::read_text(path) {
        Ok(text) => Ok((shown, text)),
        Err(source) => Err(ConfigError::Read { path: shown, source }),
    }
}

/// `TBOT_CONFIG`, base64 as tbot takes it; lines may be broken.
fn decoded(encoded: &str) -> Result<(String, String), ConfigError> {
    let packed: String = encoded.split_whitespace().collect();
    let bytes = STANDARD.decode(packed).ok();
    let text =
        bytes.filter(|bytes| bytes.len() as u64 <= env::MAX_FILE).and_then(|b| String::from_utf8(b).ok());
    let text = text.ok_or_else(|| ConfigError::Variable {
        variable: names::TBOT_CONFIG,
        problem: "is not a tbot.yaml in base64",
        hint: "set it to the output of `base64 tbot.yaml`, or name the file with `--config`".to_owned(),
    })?;
    Ok((names::TBOT_CONFIG.to_owned(), text))
}

/// The flags of a command line, quoted for a shell; those that are from variables stay variables.
pub(super) fn equal_command(
    command: &Command,
    matches: &ArgMatches,
    filled: &Filled,
    added: usize,
) -> String {
    let from_variables: Vec<&str> =
        filled.from_variables.iter().take(added).map(|(flag, _)| flag.as_str()).collect();
    let mut words = vec!["jobpass".to_owned(), "login".to_owned()];
    let Some(login) = command.find_subcommand("login") else { return String::new() };
    for arg in login.get_arguments().filter(|arg| !arg.is_global_set()) {
        let Some(flag) = arg.get_long().filter(|flag| !["config", "print-command"].contains(flag)) else {
            continue;
        };
        let flag = format!("--{flag}");
        if from_variables.contains(&flag.as_str()) || !variables::is_given(arg, matches) {
            continue;
        }
        if matches!(arg.get_action(), ArgAction::SetTrue) {
            words.push(flag);
            continue;
        }
        let values = matches.get_raw(arg.get_id().as_str()).into_iter().flatten();
        let mut values: Vec<String> = values.map(|value| value.to_string_lossy().into_owned()).collect();
        if let Some(delimiter) = arg.get_value_delimiter() {
            values = vec![values.join(&delimiter.to_string())];
        }
        for value in values {
            if value.starts_with('-') {
                words.push(format!("{flag}={value}"));
            } else {
                words.extend([flag.clone(), value]);
            }
        }
    }
    // No argument has a null character.
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default() + "\n"
}
