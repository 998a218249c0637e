//! Signals that end a run in order, or are for the command that runs.

use std::future::poll_fn;
use std::task::Poll;

use rustix::process::Signal;
use tokio::signal::unix::{self, SignalKind, signal};

use crate::error::{Exit, Failed};
use crate::run::error::RunError;
use crate::system::ignored_signals;

/// Ends `work` at a signal; dropping it removes what is not finished.
pub async fn stoppable<T>(work: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
    let mut stop = Signals::that_stop()?;
    stop.end(work).await
}

/// Some signals, caught from now on in place of their default action, and for good: what comes between two calls of
/// [`Signals::next`] is kept.
pub struct Signals(Vec<(Signal, unix::Signal)>);

impl Signals {
    /// SIGHUP, SIGINT and SIGTERM.
    pub fn that_stop() -> std::io::Result<Self> {
        Self::of(&[Signal::HUP, Signal::INT, Signal::TERM])
    }

    /// Catches these. One that is ignored stays so, as whoever started us wants it (`nohup`, jobs in the background of a
    /// script), and is ignored by what we start.
    pub fn of(signals: &[Signal]) -> std::io::Result<Self> {
        let ignored = ignored_signals();
        let wanted = signals.iter().filter(|wanted| !is_in(ignored, **wanted));
        let caught = wanted.map(|wanted| Ok((*wanted, signal(SignalKind::from_raw(wanted.as_raw()))?)));
        caught.collect::<std::io::Result<_>>().map(Self)
    }

    /// Waits for one of them, which may have come before.
    pub async fn next(&mut self) -> Signal {
        poll_fn(|context| {
            for (signal, signals) in &mut self.0 {
                if signals.poll_recv(context).is_ready() {
                    return Poll::Ready(*signal);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Ends `work` at one of them.
    pub async fn end<T>(&mut self, work: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
        tokio::select! {
            // What has more to say of a signal hears it first.
            biased;
            outcome = work => outcome,
            signal = self.next() => Err(stopped_by(signal).into()),
        }
    }
}

/// The error for a run that a signal ended.
pub fn stopped_by(signal: Signal) -> RunError {
    let (signal, code) = match signal {
        Signal::HUP => ("SIGHUP", Exit::HungUp),
        Signal::INT => ("SIGINT", Exit::Interrupted),
        _ => ("SIGTERM", Exit::Terminated),
    };
    RunError::Stopped { signal, code }
}

fn is_in(mask: u64, signal: Signal) -> bool {
    let bit = u32::try_from(signal.as_raw() - 1).ok().and_then(|bit| 1_u64.checked_shl(bit));
    bit.is_some_and(|bit| mask & bit != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_has_a_bit_for_each_signal() {
        for (mask, signal, wanted) in [
            (0, Signal::HUP, false),
            (1, Signal::HUP, true),
            (2, Signal::INT, true),
            (2, Signal::HUP, false),
            (0x4000, Signal::TERM, true),
            (u64::MAX, Signal::CONT, true),
        ] {
            assert_eq!(is_in(mask, signal), wanted, "{mask:x} {signal:?}");
        }
    }
}
