//! SIGINT and SIGTERM end a run in order.

use tokio::signal::unix::{SignalKind, signal};

use crate::error::{Exit, Failed};
use crate::run::error::RunError;

/// Ends `work` at a signal; dropping it removes what is not finished.
pub async fn stoppable<T>(work: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = work => outcome,
        _ = interrupt.recv() => Err(RunError::Stopped { signal: "SIGINT", code: Exit::Interrupted }.into()),
        _ = terminate.recv() => Err(RunError::Stopped { signal: "SIGTERM", code: Exit::Terminated }.into()),
    }
}
