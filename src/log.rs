//! What a run tells while it works: warnings and retries always, details under `-v`. Always stderr, never a secret.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

/// How loud a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Shown under `-v` only.
    Detail,
    /// Shown unless `-q`: something was tried again, or cut.
    Note,
    /// Shown unless `-q`: the user should know.
    Warning,
    /// Shown unless `-q`, and where the platform shows it best: somebody is to do something.
    Notice,
    /// For the user's scripts, verbatim, on stdout, before the run ends.
    Data,
}

type Sink = dyn Fn(Level, &str) + Send + Sync;

/// Where lines go; `main` gives one that prints, a test one that collects. Clones share the sink.
#[derive(Clone)]
pub struct Log {
    sink: Arc<Sink>,
    timings: Arc<Mutex<Vec<(&'static str, Duration)>>>,
}

impl Log {
    /// A log that hands each line to `sink`.
    pub fn new(sink: impl Fn(Level, &str) + Send + Sync + 'static) -> Self {
        Self { sink: Arc::new(sink), timings: Arc::default() }
    }

    /// A log nobody reads.
    pub fn silent() -> Self {
        Self::new(|_, _| {})
    }

    /// A line for `-v`.
    pub fn detail(&self, text: impl AsRef<str>) {
        (self.sink)(Level::Detail, text.as_ref());
    }

    /// A line that tells of a retry or of something cut.
    pub fn note(&self, text: impl AsRef<str>) {
        (self.sink)(Level::Note, text.as_ref());
    }

    /// A line the user should act on.
    pub fn warn(&self, text: impl AsRef<str>) {
        (self.sink)(Level::Warning, text.as_ref());
    }

    /// Lines that tell somebody what to do while the run waits.
    pub fn notice(&self, text: impl AsRef<str>) {
        (self.sink)(Level::Notice, text.as_ref());
    }

    /// Data that is wanted before the run ends.
    pub fn data(&self, text: impl AsRef<str>) {
        (self.sink)(Level::Data, text.as_ref());
    }

    /// Runs `work` and keeps how long it took.
    pub async fn timed<T>(&self, stage: &'static str, work: impl Future<Output = T>) -> T {
        let begin = Instant::now();
        let result = work.await;
        if let Ok(mut timings) = self.timings.lock() {
            timings.push((stage, begin.elapsed()));
        }
        result
    }

    /// The stages so far, in the order they ended.
    pub fn timings(&self) -> Vec<(&'static str, Duration)> {
        self.timings.lock().map(|t| t.clone()).unwrap_or_default()
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Log")
    }
}
