//! Commands in the log by which a platform takes variables, one a line.

use std::fmt::Write as _;

use super::error::{ExportError, refused};
use super::exports::Exports;
use super::name::{is_output, is_posix};
use crate::platform::Dialect;

/// One command a variable, and one an output where there is such a thing. A value cannot end its command: what could is
/// encoded or refused.
pub(super) fn lines(exports: &Exports, dialect: Dialect) -> Result<String, ExportError> {
    let mut out = String::new();
    for (name, value) in &exports.variables {
        if !is_posix(name) {
            return Err(refused(name, dialect.command(), "it is not a valid variable name"));
        }
        let value = encoded(name, value, dialect)?;
        let _ = match dialect {
            Dialect::AzurePipelines => writeln!(out, "##vso[task.setvariable variable={name}]{value}"),
            Dialect::TeamCity => writeln!(out, "##teamcity[setParameter name='env.{name}' value='{value}']"),
        };
    }
    // Later jobs read them as `dependencies.JOB.outputs['STEP.NAME']`, where the step has a name.
    let outputs = match dialect {
        Dialect::AzurePipelines => &exports.outputs[..],
        Dialect::TeamCity => &[],
    };
    for (name, value) in outputs {
        if !is_output(name) {
            return Err(refused(name, dialect.command(), "it is not a valid name of an output"));
        }
        let value = encoded(name, value, dialect)?;
        let _ = writeln!(out, "##vso[task.setvariable variable={name};isOutput=true]{value}");
    }
    Ok(out)
}

/// The command by which Azure Pipelines takes a page; `None` for a path that it cannot carry.
pub(super) fn upload_summary(path: &str) -> Option<String> {
    let path = encoded("", path, Dialect::AzurePipelines).ok()?;
    Some(format!("##vso[task.uploadsummary]{path}\n"))
}

fn encoded(name: &str, value: &str, dialect: Dialect) -> Result<String, ExportError> {
    if value.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r')) {
        return Err(refused(name, dialect.command(), "it has control characters"));
    }
    match dialect {
        // As azure-pipelines-task-lib `taskcommand.ts` encodes data.
        Dialect::AzurePipelines => Ok(value.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A")),
        Dialect::TeamCity if value.contains('%') => {
            Err(refused(name, dialect.command(), "TeamCity takes `%` for the begin of a reference"))
        }
        Dialect::TeamCity => Ok(escaped(value)),
    }
}

/// The value of an attribute of a TeamCity message, by its table of escaped values.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '|' | '\'' | '[' | ']' => out.extend(['|', c]),
            '\n' => out.push_str("|n"),
            '\r' => out.push_str("|r"),
            c if c.is_ascii() => out.push(c),
            c => out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("|0x{unit:04x}"))),
        }
    }
    out
}

#[cfg(test)]
mod tests;
