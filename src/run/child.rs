//! A command that runs with variables of ours: it gets the signals that we get, the terminal is its own, and its status
//! becomes ours.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpgid, getpgrp, getpid, kill_process, waitid};
use rustix::termios::tcgetpgrp;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::Failed;
use crate::run::error::RunError;
use crate::run::signals::Signals;
use crate::text::safe;

/// A running command, in our own process group: whoever started us and the terminal see one job.
pub struct Child {
    process: tokio::process::Child,
    id: Option<Pid>,
    passed_on: Signals,
    changed: tokio::signal::unix::Signal,
}

impl Child {
    /// Starts `words`, with these variables beside those of the process. Standard input, output and error are ours.
    pub fn start(words: &[OsString], variables: &[(String, String)]) -> Result<Self, Failed> {
        let Some((program, arguments)) = words.split_first() else {
            return Err(RunError::usage("no command is named", "name one after `--`").into());
        };
        // From here on they are the command's.
        let passed_on = Signals::of(&[
            Signal::QUIT,
            Signal::USR1,
            Signal::USR2,
            Signal::TSTP,
            Signal::CONT,
            Signal::WINCH,
        ])?;
        let changed = signal(SignalKind::child())?;
        let process = Command::new(program).args(arguments).envs(variables.iter().cloned()).spawn();
        let process = process.map_err(|source| {
            let program = safe(&program.to_string_lossy(), 200);
            RunError::Command { program, source }
        })?;
        let id = process.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self { process, id, passed_on, changed })
    }

    /// Its process.
    pub fn id(&self) -> Option<Pid> {
        self.id
    }

    /// Waits for its end. `stop` has caught the signals so far; `beside` runs for as long, and may end before. The status is
    /// the command's own, or 128 and the signal's number, as shells have it.
    pub async fn end(mut self, stop: &mut Signals, beside: impl Future<Output = ()>) -> Result<u8, Failed> {
        tokio::pin!(beside);
        let mut beside_ended = false;
        loop {
            let signal = tokio::select! {
                status = self.process.wait() => {
                    let status = status?;
                    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
                    return Ok(u8::try_from(code).unwrap_or(u8::MAX));
                }
                signal = stop.next() => signal,
                signal = self.passed_on.next() => signal,
                _ = self.changed.recv() => {
                    self.stop_with_it();
                    continue;
                }
                () = &mut beside, if !beside_ended => {
                    beside_ended = true;
                    continue;
                }
            };
            if !self.has_it_from_the_terminal(signal) {
                self.send(signal);
            }
        }
    }

    /// The command may have ended by itself meanwhile.
    fn send(&self, signal: Signal) {
        if let Some(id) = self.id {
            let _ = kill_process(id, signal);
        }
    }

    /// A terminal sends its signals to the whole group in its foreground: the command has them already, unless it has moved to
    /// a group of its own.
    fn has_it_from_the_terminal(&self, signal: Signal) -> bool {
        let ours = getpgrp();
        let by_terminal = [Signal::INT, Signal::QUIT, Signal::TSTP, Signal::WINCH].contains(&signal);
        by_terminal
            && getpgid(self.id) == Ok(ours)
            && terminal().is_some_and(|terminal| tcgetpgrp(terminal) == Ok(ours))
    }

    /// When the command is stopped (Ctrl-Z, `suspend`), so are we, for the shell that waits for us to notice; when we go on, so does
    /// the command. Without a terminal nobody would wake us.
    fn stop_with_it(&self) {
        let Some(id) = self.id else { return };
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
        let changed = waitid(WaitId::Pid(id), options);
        if changed.is_ok_and(|status| status.is_some_and(|status| status.stopped())) && terminal().is_some() {
            let _ = kill_process(getpid(), Signal::STOP);
            self.send(Signal::CONT);
        }
    }
}

/// The terminal that controls this process.
fn terminal() -> Option<File> {
    File::open("/dev/tty").ok()
}
