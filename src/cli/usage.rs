//! A command line that is wrong, in the form of all our errors. Values are never repeated: a password or a token may
//! have come to stand in the wrong place.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::login_only::LOGIN_ONLY;
use super::value::EMPTY;
use crate::error::{Exit, StageError};
use crate::text::looks_like_token;

/// Why the command line cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UsageError {
    message: String,
    causes: Vec<String>,
    hints: Vec<String>,
}

/// What tbot and tsh call things, and what to do here.
const OF_TBOT: [(&str, &str); 22] = [
    (
        "start",
        "use `jobpass login`: it joins once, writes the credentials and exits; `--config` takes a tbot.yaml",
    ),
    ("configure", "pass flags to `jobpass login`, or set `JOBPASS_` variables"),
    ("init", "leave it out: `jobpass login` creates its folder"),
    ("tbot", "leave it out: use `jobpass login`"),
    ("db", TUNNEL),
    ("proxy", TUNNEL),
    ("ssh", "log in, then run ssh itself: `ssh -F \"$JOBPASS_SSH_CONFIG\" LOGIN@NODE.CLUSTER`"),
    ("kube", "use `jobpass login --output kube=CLUSTER`, or `jobpass tunnel kube=CLUSTER`"),
    ("status", "use `jobpass inspect`"),
    ("--oneshot", "leave `--oneshot` out: jobpass always runs once"),
    ("--join-uri", "pass its parts: `--proxy HOST`, `--token NAME` and `--join-method METHOD`"),
    ("--insecure", "pass the roots to trust with `--ca-file`; at `--auth-server`, pass `--ca-pin`"),
    ("--data-dir", "leave it out: jobpass keeps no state"),
    ("--storage", "leave it out: jobpass keeps no state"),
    ("-d", "pass `-v` to print each step"),
    ("--debug", "pass `-v` to print each step"),
    ("--ca-path", "pass `--ca-file FILE`"),
    ("-c", NO_CONFIG),
    ("--config", NO_CONFIG),
    ("--renewal-interval", "leave it out: run `jobpass login` again in the job that needs fresh credentials"),
    ("--log-format", "pass `--json` for a report on standard output"),
    ("--ca-pins", "pass one pin with `--ca-pin`"),
];

const NO_CONFIG: &str = "pass the flags that `jobpass login --config FILE --print-command` prints: only `login` and `exec` read a \
                         tbot.yaml";
const TUNNEL: &str =
    "use `jobpass tunnel database=SERVICE,user=USER,database-name=NAME`, or `jobpass exec --tunnel`";

/// The command of `exec`, as clap shows it.
const COMMAND: &str = "<COMMAND>...";
/// What a folder has no use for stands beside one.
const OF_A_FOLDER: &str =
    "leave one of them out: a folder says itself which cluster, server and user it is for";
/// The same of a command.
const OF_A_COMMAND: &str = "leave one of them out: the command alone gets the variables";
/// What tunnels there are.
const SPECS: &str = "name what to reach: `database=SERVICE`, `app=NAME` or `kube=CLUSTER`, or pass `--dir` for a folder of `jobpass login`";
const AFTER_DASHES: &str = "put the command to run behind `--`: `jobpass exec --token NAME -- COMMAND`";

impl UsageError {
    /// A variable in place of a flag without a value.
    pub(super) fn not_a_truth(variable: &str) -> Self {
        Self {
            message: format!("invalid value in `{variable}`"),
            causes: vec!["expected `true` or `false`".to_owned()],
            hints: vec![format!("set `{variable}` to `true`, or unset it")],
        }
    }

    /// From clap's error. `command` is the one that was called; `from_variables` are flags and the variables they are from.
    pub(super) fn new(
        error: &clap::Error,
        command: Option<&str>,
        from_variables: &[(String, String)],
    ) -> Self {
        let named = |text: &str| {
            // Clap's form of what is no flag: `[COMMAND]...`.
            let flag = flag(text);
            let flag = flag.strip_prefix('[').and_then(|name| name.strip_suffix("]...")).unwrap_or(flag);
            let variable = from_variables.iter().find(|(from, _)| from == flag);
            variable.map_or_else(|| format!("`{flag}`"), |(_, variable)| format!("`{variable}`"))
        };
        let arg = named(&first(error, ContextKind::InvalidArg).unwrap_or_default());
        let mut causes = Vec::new();
        let mut hints = Vec::new();
        let message = match error.kind() {
            ErrorKind::InvalidValue => {
                let is_empty = first(error, ContextKind::InvalidValue).is_some_and(|value| value.is_empty());
                if let Some(suggested) = first(error, ContextKind::SuggestedValue) {
                    hints.push(format!("did you mean `{suggested}`?"));
                }
                let valid = all(error, ContextKind::ValidValue);
                if !valid.is_empty() {
                    causes.push(format!("expected one of {}", valid.join(", ")));
                }
                if is_empty {
                    hints.push(empty(&arg));
                    format!("{arg} needs a value")
                } else {
                    format!("invalid value for {arg}")
                }
            }
            ErrorKind::ValueValidation => {
                let text = error.source().map(ToString::to_string).unwrap_or_default();
                // The cause, then hints, one a line.
                let mut lines = text.lines().map(str::to_owned);
                let cause = lines.next().unwrap_or_default();
                if cause == EMPTY {
                    hints.push(empty(&arg));
                }
                causes.extend(Some(cause).filter(|cause| !cause.is_empty()));
                hints.extend(lines);
                format!("invalid value for {arg}")
            }
            ErrorKind::UnknownArgument => {
                return Self::misplaced(error, command)
                    .unwrap_or_else(|| Self::unknown_argument(error, command));
            }
            ErrorKind::InvalidSubcommand => {
                let word = first(error, ContextKind::InvalidSubcommand).unwrap_or_default();
                hints.extend(of_tbot(&word));
                // The nearest comes last.
                let near = all(error, ContextKind::SuggestedSubcommand).pop().filter(|_| hints.is_empty());
                hints.extend(near.map(|near| format!("did you mean `{near}`?")));
                "unknown command".to_owned()
            }
            ErrorKind::MissingRequiredArgument => {
                let missing = all(error, ContextKind::InvalidArg);
                if missing.iter().any(|arg| arg.starts_with(COMMAND)) {
                    hints.push(AFTER_DASHES.to_owned());
                }
                if missing.iter().any(|arg| arg.starts_with("<SPEC>")) {
                    hints.push(SPECS.to_owned());
                }
                // A switch: its name is all there is to say.
                if let [switch] = missing.as_slice()
                    && is_flag(switch)
                {
                    hints.push(format!("add `{switch}`"));
                }
                hints.extend(command.and_then(example).map(str::to_owned));
                let missing: Vec<_> = missing
                    .iter()
                    .map(|arg| {
                        format!("`{}`", flag(arg)).replace(&format!("`{COMMAND}`"), "the command to run")
                    })
                    .collect();
                if !from_variables.is_empty() {
                    let variables: Vec<_> = from_variables.iter().map(|(_, v)| format!("`{v}`")).collect();
                    hints.push(format!("check the variables that are set: {}", variables.join(", ")));
                }
                match missing.split_last() {
                    Some((last, before)) if !before.is_empty() => {
                        format!("{} and {last} are missing", before.join(", "))
                    }
                    _ => format!("{} is missing", missing.concat()),
                }
            }
            ErrorKind::ArgumentConflict => {
                let others: Vec<_> = all(error, ContextKind::PriorArg).iter().map(|a| named(a)).collect();
                let are_in_it = |name: &str| others.iter().chain([&arg]).any(|arg| arg == name);
                match command {
                    Some("tunnel") if are_in_it("`--dir`") => hints.push(OF_A_FOLDER.to_owned()),
                    Some("tunnel") if are_in_it("`COMMAND`") => hints.push(OF_A_COMMAND.to_owned()),
                    _ => {}
                }
                if others.is_empty() || others.contains(&arg) {
                    format!("{arg} is given twice")
                } else {
                    format!("{arg} cannot be used with {}", others.join(" and "))
                }
            }
            ErrorKind::NoEquals | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
                format!("{arg} needs a value")
            }
            ErrorKind::TooManyValues => format!("{arg} takes no value, or fewer"),
            ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
            _ => "the command line cannot be read".to_owned(),
        };
        Self { message, causes, hints }.with_help(command)
    }

    /// What would be right elsewhere: behind the command, or with the folder in the form that the command has for it.
    fn misplaced(error: &clap::Error, command: Option<&str>) -> Option<Self> {
        let command = command?;
        let text = first(error, ContextKind::InvalidArg)?;
        let flag = flag(&text);
        let is_folder = if command == "renew" { !flag.starts_with('-') } else { flag == "--dir" };
        let message =
            if is_flag(flag) { format!("unknown flag `{flag}`") } else { "unexpected argument".to_owned() };
        let hint = if is_flag(flag) && is_before(error, command) {
            format!("put flags behind the command: `jobpass {command} {flag}`")
        } else {
            folder(command).filter(|_| is_folder && !looks_like_token(&text))?.to_owned()
        };
        Some(Self { message, causes: Vec::new(), hints: vec![hint] })
    }

    fn unknown_argument(error: &clap::Error, command: Option<&str>) -> Self {
        let text = first(error, ContextKind::InvalidArg).unwrap_or_default();
        let flag = flag(&text);
        let mut hints: Vec<String> = of_tbot(flag).into_iter().collect();
        let is_refused = |near: &str| command == Some("exec") && LOGIN_ONLY.contains(&id(near).as_str());
        let near =
            first(error, ContextKind::SuggestedArg).filter(|near| hints.is_empty() && !is_refused(near));
        hints.extend(
            near.map(|near| format!("did you mean `{}`?", near.split('=').next().unwrap_or_default())),
        );
        let message = if is_flag(flag) {
            format!("unknown flag `{flag}`")
        } else {
            if looks_like_token(&text) {
                hints.push(
                    "pass an identity token with `--id-token-env` or `--id-token-file`: other users of the machine can \
                     read command lines"
                        .to_owned(),
                );
            }
            if command == Some("exec") {
                hints.push(AFTER_DASHES.to_owned());
            }
            "unexpected argument".to_owned()
        };
        Self { message, causes: Vec::new(), hints }.with_help(command)
    }

    fn with_help(mut self, command: Option<&str>) -> Self {
        if self.hints.is_empty() {
            let command = command.map(|name| format!(" {name}")).unwrap_or_default();
            self.hints.push(format!("see `jobpass{command} --help`"));
        }
        self
    }
}

impl StageError for UsageError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn causes(&self) -> Vec<String> {
        self.causes.clone()
    }

    fn hints(&self) -> Vec<String> {
        self.hints.clone()
    }
}

fn empty(arg: &str) -> String {
    format!("is its variable empty? set it, or leave {arg} out")
}

/// A command line of a command that cannot do without arguments.
fn example(command: &str) -> Option<&'static str> {
    match command {
        "completions" => Some("name the shell: `jobpass completions bash`"),
        _ => folder(command),
    }
}

/// How a command takes its folder, where its neighbours take theirs in the other way.
fn folder(command: &str) -> Option<&'static str> {
    match command {
        "inspect" => Some("name the folder without a flag: `jobpass inspect DIR`"),
        "logout" => Some("name the folder without a flag: `jobpass logout DIR`"),
        "renew" => Some("name the folder of `login --renew` by the flag: `jobpass renew --dir DIR`"),
        _ => None,
    }
}

/// Whether what is wrong stands before the command.
fn is_before(error: &clap::Error, command: &str) -> bool {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else { return false };
    !usage.to_string().contains(&format!("jobpass {command}"))
}

fn of_tbot(word: &str) -> Option<String> {
    OF_TBOT.iter().find(|(name, _)| *name == word).map(|(_, hint)| (*hint).to_owned())
}

/// `--ttl` of `--ttl <DURATION>`, `--proxy` of `--proxy=x`.
fn flag(text: &str) -> &str {
    text.split([' ', '=']).next().unwrap_or_default()
}

/// What clap knows the flag by.
fn id(text: &str) -> String {
    flag(text).trim_start_matches('-').replace('-', "_")
}

/// Whether it is no more than a flag's name.
fn is_flag(text: &str) -> bool {
    let name = text.trim_start_matches('-');
    let dashes = text.len() - name.len();
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    plain && (dashes == 1 && name.len() == 1 || dashes == 2 && (2..=30).contains(&name.len()))
}

fn first(error: &clap::Error, kind: ContextKind) -> Option<String> {
    all(error, kind).into_iter().next()
}

fn all(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_one_letter_or_a_long_name() {
        for (text, want) in [
            ("-v", true),
            ("--dir", true),
            ("--id-token-env", true),
            ("-dir", false),
            ("--v", false),
            ("---dir", false),
            ("v", false),
            ("dir", false),
            ("--Dir", false),
            ("-", false),
            ("--", false),
        ] {
            assert_eq!(is_flag(text), want, "{text}");
        }
    }
}
