//! Commands in the log by which a platform takes variables, one a line.

use std::fmt::Write as _;

use super::error::{ExportError, refused};
use super::name::is_posix;
use crate::platform::Dialect;

/// One command a variable. A value cannot end its command: what could is encoded or refused.
pub(super) fn lines(pairs: &[(String, String)], dialect: Dialect) -> Result<String, ExportError> {
    let place = match dialect {
        Dialect::AzurePipelines => "`task.setvariable`",
        Dialect::TeamCity => "`setParameter`",
    };
    let mut out = String::new();
    for (name, value) in pairs {
        if !is_posix(name) {
            return Err(refused(name, place, "it is not a valid variable name"));
        }
        if value.contains(char::is_control) {
            return Err(refused(name, place, "it has control characters"));
        }
        match dialect {
            // As azure-pipelines-task-lib `taskcommand.ts` encodes data.
            Dialect::AzurePipelines => {
                let value = value.replace('%', "%AZP25");
                let _ = writeln!(out, "##vso[task.setvariable variable={name}]{value}");
            }
            Dialect::TeamCity if value.contains('%') => {
                return Err(refused(name, place, "TeamCity takes `%` for the begin of a reference"));
            }
            Dialect::TeamCity => {
                let value = escaped(value);
                let _ = writeln!(out, "##teamcity[setParameter name='env.{name}' value='{value}']");
            }
        }
    }
    Ok(out)
}

/// The value of an attribute of a TeamCity message, by its table of escaped values.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '|' | '\'' | '[' | ']' => out.extend(['|', c]),
            c if c.is_ascii() => out.push(c),
            c => out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("|0x{unit:04x}"))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(value: &str, dialect: Dialect) -> Option<String> {
        lines(&[("K".to_owned(), value.to_owned())], dialect).ok()
    }

    #[test]
    fn values_stay_inside_their_command() {
        for (value, azure, teamcity) in [
            ("/a b/c.d:443", Some("/a b/c.d:443"), Some("/a b/c.d:443")),
            ("100%25", Some("100%AZP2525"), None),
            ("a]b", Some("a]b"), Some("a|]b")),
            ("it's [x] | y", Some("it's [x] | y"), Some("it|'s |[x|] || y")),
            ("é\u{1f600}", Some("é\u{1f600}"), Some("|0x00e9|0xd83d|0xde00")),
            ("", Some(""), Some("")),
            ("a\n##vso[task.setvariable variable=PATH]/x", None, None),
            ("a\r", None, None),
        ] {
            let azure = azure.map(|value| format!("##vso[task.setvariable variable=K]{value}\n"));
            let teamcity =
                teamcity.map(|value| format!("##teamcity[setParameter name='env.K' value='{value}']\n"));
            assert_eq!(line(value, Dialect::AzurePipelines), azure, "{value:?}");
            assert_eq!(line(value, Dialect::TeamCity), teamcity, "{value:?}");
        }
        for name in ["A]B", "A;B", "A B", "", "A-B"] {
            for dialect in [Dialect::AzurePipelines, Dialect::TeamCity] {
                assert!(lines(&[(name.to_owned(), "v".to_owned())], dialect).is_err(), "{name:?}");
            }
        }
    }
}
