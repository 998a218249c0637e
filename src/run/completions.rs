//! `jobpass completions`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::{Cli, Completions};

/// The script for a shell.
pub fn script(args: &Completions) -> String {
    let mut command = offered(Cli::command());
    let mut bytes = Vec::new();
    clap_complete::generate(args.shell, &mut command, "jobpass", &mut bytes);
    let script = String::from_utf8_lossy(&bytes).into_owned();
    if args.shell == Shell::PowerShell { with_values(&script, &command) } else { script }
}

/// All that a user may want to complete. `clap_complete` leaves out values that are hidden, but not flags: those of `login` that `exec`
/// refuses.
fn offered(command: clap::Command) -> clap::Command {
    command.mut_subcommands(|command| {
        if !command.get_arguments().any(clap::Arg::is_hide_set) {
            return command;
        }
        let args = command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned();
        let about = command.get_about().cloned().unwrap_or_default();
        clap::Command::new(command.get_name().to_owned()).about(about).args(args)
    })
}

/// The script for PowerShell with the values of flags, which `clap_complete` leaves out there: they are offered where the
/// word before the cursor's is the flag, or the command whose argument they are.
fn with_values(script: &str, command: &clap::Command) -> String {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    for command in command.get_subcommands().chain([command]) {
        for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values()) {
            let names = arg.get_possible_values().into_iter().filter(|value| !value.is_hide_set());
            let names: Vec<String> = names.map(|value| format!("'{}'", value.get_name())).collect();
            if !names.is_empty() {
                let word = arg.get_long().map_or(command.get_name().to_owned(), |flag| format!("--{flag}"));
                values.insert(word, names.join(", "));
            }
        }
    }
    let mut block = String::from(
        "    $before = $commandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |\n        \
         Select-Object -Last 1\n    \
         $values = switch ([string]$before) {\n",
    );
    for (word, names) in values {
        let _ = writeln!(block, "        '{word}' {{ {names}; break }}");
    }
    block.push_str(
        "    }\n    \
         if ($values) {\n        \
         return $values | Where-Object { $_ -like \"$wordToComplete*\" } |\n            \
         ForEach-Object { [CompletionResult]::new($_, $_, [CompletionResultType]::ParameterValue, $_) }\n    \
         }\n\n",
    );
    let begin = "    $completions = @(switch ($command) {";
    script.replacen(begin, &(block + begin), 1)
}
