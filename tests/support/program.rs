//! A program of somebody else's in the background: what it says, and its end with the value.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::command::run;

/// A running program; killed when dropped.
pub struct Program {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Program {
    /// Starts it with nothing inherited but a path; its standard error is its log.
    pub fn start(command: &mut Command) -> Self {
        let path = "/usr/sbin:/usr/bin:/sbin:/bin";
        let child = command.env_clear().env("PATH", path).stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let lines = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::<Mutex<String>>::default();
        let sink = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let mut log = sink.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        Self { child, log }
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until something holds; `false` when the program ended before.
    #[track_caller]
    pub fn wait_for(&mut self, what: &str, mut holds: impl FnMut(&str) -> bool) -> bool {
        let end = Instant::now() + Duration::from_secs(120);
        loop {
            if holds(&self.log()) {
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(Instant::now() < end, "{what} did not come:\n{}", self.log());
            std::thread::yield_now();
        }
    }
}

impl Program {
    /// Asks it to end, and waits until it has.
    pub fn interrupt(&mut self) {
        self.signal("-INT");
    }

    /// The same for those that take no interrupt.
    pub fn terminate(&mut self) {
        self.signal("-TERM");
    }

    fn signal(&mut self, signal: &str) {
        run("kill", &[signal, &self.child.id().to_string()]);
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago: for programs that cannot say which one they took.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
