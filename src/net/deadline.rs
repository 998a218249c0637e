//! One deadline over the whole run.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::NetError;

/// No run is longer than this: a day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// When the run must have ended.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    end: Instant,
    limit: Duration,
}

impl Deadline {
    /// Counts from now; a limit above a day is a day.
    pub fn after(limit: Duration) -> Self {
        let limit = limit.min(LONGEST);
        Self { end: Instant::now() + limit, limit }
    }

    /// The same limit, of which that much is left from now on: for a run that went on after a wait which does not count.
    #[must_use]
    pub fn resumed(self, left: Duration) -> Self {
        Self { end: Instant::now() + left.min(LONGEST), ..self }
    }

    /// Time left; zero once it has passed.
    pub fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Runs `work`, or gives `NetError::Deadline` naming `doing` (a participle: `asking GitHub for a token`).
    pub async fn run<T>(&self, doing: &str, work: impl Future<Output = T>) -> Result<T, NetError> {
        timeout_at(self.end, work).await.map_err(|_| self.passed(doing))
    }

    /// Runs `work` within the deadline and at most `limit`: the shorter ends it, with `Deadline` or `Timeout`.
    pub async fn try_within<T>(
        &self,
        limit: Duration,
        peer: &str,
        doing: &str,
        work: impl Future<Output = T>,
    ) -> Result<T, NetError> {
        let now = Instant::now();
        let own = now.checked_add(limit).unwrap_or(self.end);
        timeout_at(own.min(self.end), work).await.map_err(|_| {
            if own < self.end {
                NetError::Timeout { peer: peer.to_owned(), doing: doing.to_owned(), seconds: seconds(limit) }
            } else {
                self.passed(doing)
            }
        })
    }

    fn passed(&self, doing: &str) -> NetError {
        NetError::Deadline { doing: doing.to_owned(), limit: seconds(self.limit) }
    }
}

/// Whole seconds, rounded up: half a second is not `0s`.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn the_shorter_limit_ends_the_work() {
        let long = Duration::from_secs(3600);
        let short = Duration::from_millis(1);
        let run = Deadline::after(short).run("asking", pending::<()>()).await;
        assert!(
            matches!(run, Err(NetError::Deadline { ref doing, limit: 1 }) if doing == "asking"),
            "{run:?}"
        );
        let tried = Deadline::after(short).try_within(long, "p", "asking", pending::<()>()).await;
        assert!(matches!(tried, Err(NetError::Deadline { .. })), "{tried:?}");
        let tried = Deadline::after(long).try_within(short, "p", "asking", pending::<()>()).await;
        assert!(matches!(tried, Err(NetError::Timeout { seconds: 1, .. })), "{tried:?}");
        assert_eq!(Deadline::after(long).try_within(long, "p", "asking", async { 7 }).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_wait_that_does_not_count_leaves_the_limit() {
        let long = Duration::from_secs(3600);
        let resumed = Deadline::after(Duration::from_secs(60)).resumed(long);
        assert!(resumed.left() > Duration::from_secs(3500), "{resumed:?}");
        let passed = Deadline::after(Duration::from_secs(60)).resumed(Duration::ZERO);
        let run = passed.run("asking", pending::<()>()).await;
        assert!(matches!(run, Err(NetError::Deadline { limit: 60, .. })), "{run:?}");
    }

    #[test]
    fn accepts_any_duration() {
        let left = Deadline::after(Duration::MAX).left().as_secs();
        assert!((86_000..=86_400).contains(&left), "{left}");
        assert_eq!(Deadline::after(Duration::ZERO).left(), Duration::ZERO);
    }
}
