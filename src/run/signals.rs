//! SIGINT, SIGTERM and SIGHUP end a run in order.

use tokio::signal::unix::{SignalKind, signal};

use crate::error::{Exit, Failed};
use crate::run::error::RunError;

/// Ends `work` at a signal; dropping it removes what is not finished.
pub async fn stoppable<T>(work: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        outcome = work => outcome,
        _ = hang_up.recv() => Err(RunError::Stopped { signal: "SIGHUP", code: Exit::HungUp }.into()),
        _ = interrupt.recv() => Err(RunError::Stopped { signal: "SIGINT", code: Exit::Interrupted }.into()),
        _ = terminate.recv() => Err(RunError::Stopped { signal: "SIGTERM", code: Exit::Terminated }.into()),
    }
}
