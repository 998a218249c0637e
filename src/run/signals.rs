//! SIGINT, SIGTERM and SIGHUP end a run in order.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{Exit, Failed};
use crate::run::error::RunError;

/// Ends `work` at a signal; dropping it removes what is not finished.
pub async fn stoppable<T>(work: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
    let mut stop = Stop::new()?;
    tokio::select! {
        // What has more to say of a signal hears it first.
        biased;
        outcome = work => outcome,
        stopped = stop.received() => Err(stopped.into()),
    }
}

/// The three signals, caught from now on.
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Stop {
    /// Catches them in place of their default action.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for one of them, which may have come before.
    pub async fn received(&mut self) -> RunError {
        let (signal, code) = tokio::select! {
            _ = self.hang_up.recv() => ("SIGHUP", Exit::HungUp),
            _ = self.interrupt.recv() => ("SIGINT", Exit::Interrupted),
            _ = self.terminate.recv() => ("SIGTERM", Exit::Terminated),
        };
        RunError::Stopped { signal, code }
    }
}
