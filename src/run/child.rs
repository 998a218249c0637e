//! A command that runs with variables of ours: it gets the signals that we get, and its status becomes ours.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::os::unix::process::ExitStatusExt as _;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::Failed;
use crate::run::error::RunError;
use crate::text::{io_reason, safe};

/// Runs `words` to their end, with these variables beside those of the process. The status is the command's own, or 128 and
/// the signal's number, as shells have it.
pub async fn run(words: &[OsString], variables: &[(String, String)]) -> Result<u8, Failed> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(RunError::usage("no command is named", "name one after `--`").into());
    };
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut quit = signal(SignalKind::quit())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut child =
        Command::new(program).args(arguments).envs(variables.iter().cloned()).spawn().map_err(|error| {
            let program = safe(&program.to_string_lossy(), 200);
            let message = format!("could not run `{program}`: {}", io_reason(&error));
            RunError::usage(message, "check its name, and that it is an executable file")
        })?;
    let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    // A terminal sends its own to the whole group, so the command has them already.
    let from_terminal = std::io::stdin().is_terminal();
    loop {
        let signal = tokio::select! {
            status = child.wait() => {
                let status = status?;
                let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
                return Ok(u8::try_from(code).unwrap_or(u8::MAX));
            }
            _ = interrupt.recv() => Some(Signal::INT).filter(|_| !from_terminal),
            _ = quit.recv() => Some(Signal::QUIT).filter(|_| !from_terminal),
            _ = terminate.recv() => Some(Signal::TERM),
            _ = hang_up.recv() => Some(Signal::HUP),
        };
        if let (Some(signal), Some(id)) = (signal, id) {
            // The command may have ended by itself meanwhile.
            let _ = kill_process(id, signal);
        }
    }
}
