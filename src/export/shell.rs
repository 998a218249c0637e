//! Lines that set variables in a shell, quoted so that nothing in a value is expanded.

use super::error::{ExportError, refused};
use super::name::is_posix;

/// A family of shells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// bash, dash, zsh, ksh: `export K=V`.
    Posix,
    /// fish: `set -gx K V`.
    Fish,
    /// `PowerShell`: `$env:K = V`.
    PowerShell,
}

impl Shell {
    /// What the lines are for, for people.
    pub(super) fn place(self) -> &'static str {
        match self {
            Self::Posix => "a shell's `export`",
            Self::Fish => "fish's `set`",
            Self::PowerShell => "`$env:` of PowerShell",
        }
    }

    /// What it is to run when jobpass failed with `code`, so that a script does not go on without the variables.
    pub fn failure(self, code: u8) -> String {
        match self {
            Self::Posix => format!("(exit {code})\n"),
            // No subshell is a command of its own there.
            Self::Fish => format!("sh -c 'exit {code}'\n"),
            Self::PowerShell => format!("throw 'jobpass ended with exit code {code}'\n"),
        }
    }
}

/// One line per variable (more where the value has newlines and the shell takes them).
pub(super) fn lines(shell: Shell, pairs: &[(String, String)], place: &str) -> Result<String, ExportError> {
    let mut out = String::new();
    for (name, value) in pairs {
        if !is_posix(name) {
            return Err(refused(name, place, "it is not a valid variable name"));
        }
        let line = match shell {
            Shell::Posix => {
                // `''`, `"…"` or `'…'` in forms that bash, dash, zsh and ksh agree on, and nothing around plain words.
                let value =
                    shlex::try_quote(value).map_err(|_| refused(name, place, "it contains a NUL byte"))?;
                format!("export {name}={value}\n")
            }
            Shell::Fish if value.contains('\0') => {
                return Err(refused(name, place, "it contains a NUL byte"));
            }
            Shell::Fish => format!("set -gx {name} '{}'\n", fish(value)),
            // What it reads from a program comes by lines, whose ends are not kept.
            Shell::PowerShell if value.contains(char::is_control) => {
                return Err(refused(name, place, "it has control characters"));
            }
            Shell::PowerShell => format!("$env:{name} = '{}'\n", powershell(value)),
        };
        out.push_str(&line);
    }
    Ok(out)
}

/// Between single quotes, fish reads `\\` and `\'` (fishshell.com/docs, "Quotes").
fn fish(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\'', "\\'")
}

/// Between single quotes, PowerShell reads two of them as one, and takes typographic ones for the same (`about_Quoting_Rules`;
/// "single-quote-character" in its language specification).
fn powershell(value: &str) -> String {
    let is_quote = |c: char| matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}');
    value.chars().flat_map(|c| std::iter::repeat_n(c, if is_quote(c) { 2 } else { 1 })).collect()
}

#[cfg(test)]
mod tests;
