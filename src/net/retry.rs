//! When and how often a failed attempt is repeated.

use std::future::Future;
use std::time::Duration;

use super::Deadline;
use crate::error::StageError;
use crate::log::Log;

/// The first wait is at most this, each later one twice as long.
const FIRST: Duration = Duration::from_millis(200);
/// The longest wait of our own choice.
const LONGEST: Duration = Duration::from_secs(5);
/// A `Retry-After` is honoured up to this.
const LONGEST_ASKED: Duration = Duration::from_secs(30);

/// Whether a failed attempt is worth another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It is an answer, or would only fail again.
    Never,
    /// After a wait of our own choice.
    Soon,
    /// After the wait the peer asked for.
    After(Duration),
}

impl From<bool> for Retry {
    fn from(transient: bool) -> Self {
        if transient { Self::Soon } else { Self::Never }
    }
}

/// Runs `work` (it gets the number of the attempt, from 1) until it succeeds, `decide` says never, there were `attempts`
/// of them, or the next wait would not end before the deadline; then its last error is the result. Waits grow from
/// 0.2 s to 5 s, shortened at random so that many jobs do not come back at once. Each retry is one note in the log;
/// `what` is a participle: `asking GitHub for a token`; empty where the error says it.
pub async fn retry<T, E, F, A>(
    deadline: Deadline,
    log: &Log,
    what: &str,
    attempts: u32,
    mut work: impl FnMut(u32) -> F,
    decide: impl Fn(&E) -> A,
) -> Result<T, E>
where
    E: StageError,
    F: Future<Output = Result<T, E>>,
    A: Into<Retry>,
{
    let mut attempt = 1;
    loop {
        let error = match work(attempt).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let wait = match decide(&error).into() {
            Retry::Never => return Err(error),
            Retry::Soon => shortened(backoff(attempt)),
            Retry::After(asked) => asked.min(LONGEST_ASKED),
        };
        if attempt >= attempts || wait >= deadline.left() {
            return Err(error);
        }
        let doing = if what.is_empty() { String::new() } else { format!("{what}: ") };
        let wait_shown = wait.as_secs_f64().max(0.1);
        log.note(format!("trying again in {wait_shown:.1}s: {doing}{}", error.in_one_line()));
        tokio::time::sleep(wait).await;
        attempt += 1;
    }
}

/// What an answer's `Retry-After` asks for, when it is in seconds (RFC 9110, section 10.2.3; dates are not read).
pub fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    let seconds = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The longest wait after this attempt.
fn backoff(attempt: u32) -> Duration {
    let factor = 2u32.saturating_pow(attempt.saturating_sub(1));
    FIRST.saturating_mul(factor).min(LONGEST)
}

/// Anything from nothing to the whole wait ("full jitter").
fn shortened(wait: Duration) -> Duration {
    let mut bytes = [0; 2];
    // Without randomness the whole wait is as good.
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => wait.mul_f64(f64::from(u16::from_be_bytes(bytes)) / f64::from(u16::MAX)),
        Err(_) => wait,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Debug, PartialEq, thiserror::Error)]
    #[error("no answer")]
    struct Silence;

    impl StageError for Silence {
        fn exit(&self) -> crate::error::Exit {
            crate::error::Exit::Network
        }
    }

    async fn run(
        limit: Duration,
        attempts: u32,
        good_at: u32,
        decision: Retry,
    ) -> (Result<u32, Silence>, u32, Vec<String>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = lines.clone();
        let log = Log::new(move |_, line| sink.lock().unwrap().push(line.to_owned()));
        let attempts_made = Cell::new(0);
        let work = |attempt| {
            attempts_made.set(attempt);
            std::future::ready(if attempt >= good_at { Ok(attempt) } else { Err(Silence) })
        };
        let result =
            retry(Deadline::after(limit), &log, "asking", attempts, work, |_: &Silence| decision).await;
        let lines = lines.lock().unwrap().clone();
        (result, attempts_made.get(), lines)
    }

    #[tokio::test]
    async fn retries_as_decided() {
        const MINUTE: Duration = Duration::from_secs(60);
        let now = Retry::After(Duration::ZERO);
        let (result, tries, lines) = run(MINUTE, 5, 3, now).await;
        assert_eq!((result, tries), (Ok(3), 3));
        assert_eq!(lines, ["trying again in 0.1s: asking: no answer"; 2]);
        let (result, tries, _) = run(MINUTE, 2, 3, now).await;
        assert_eq!((result.is_err(), tries), (true, 2));
        let (result, tries, lines) = run(MINUTE, 5, 3, Retry::Never).await;
        assert_eq!((result.is_err(), tries, lines.len()), (true, 1, 0));
        // Longer than the time left: the error is reported now.
        let (result, tries, _) =
            run(Duration::from_secs(20), 5, 3, Retry::After(Duration::from_secs(3600))).await;
        assert_eq!((result.is_err(), tries), (true, 1));
        let (result, tries, _) = run(MINUTE, 2, 2, true.into()).await;
        assert_eq!((result, tries), (Ok(2), 2));
        assert_eq!(run(MINUTE, 2, 2, false.into()).await.1, 1);
    }

    #[test]
    fn waits_grow_to_a_bound() {
        let millis: Vec<_> = (1..9).map(|n| backoff(n).as_millis()).collect();
        assert_eq!(millis, [200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
        assert_eq!(backoff(u32::MAX), LONGEST);
        let shortened: Vec<_> = (0..100).map(|_| shortened(LONGEST)).collect();
        assert!(shortened.iter().all(|wait| *wait <= LONGEST));
        let (least, most) = (shortened.iter().min().unwrap(), shortened.iter().max().unwrap());
        assert!(*least < LONGEST / 2 && *most > LONGEST / 2, "anything between: {least:?} to {most:?}");
    }

    #[test]
    fn reads_retry_after() {
        for (value, want) in
            [("7", Some(7)), (" 7 ", Some(7)), ("-1", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
        {
            let headers = [(http::header::RETRY_AFTER, value.parse().unwrap())].into_iter().collect();
            assert_eq!(retry_after(&headers), want.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(&http::HeaderMap::new()), None);
    }
}
