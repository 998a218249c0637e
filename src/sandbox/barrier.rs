//! Requests that are answered only once all of a group have come: proof that a client waits for none of them before it sends the others.

use std::sync::Mutex;

use tokio::sync::Notify;

/// One group.
pub(super) struct Barrier {
    endings: Vec<String>,
    missing: Mutex<Vec<String>>,
    complete: Notify,
}

impl Barrier {
    /// Of requests whose paths end so; an ending listed twice is waited for twice.
    pub(super) fn new(endings: &[String]) -> Self {
        Self { endings: endings.to_vec(), missing: Mutex::new(endings.to_vec()), complete: Notify::new() }
    }

    /// Waits, if the path belongs to the group, until the group is complete.
    pub(super) async fn arrived(&self, path: &str) {
        if !self.endings.iter().any(|end| path.ends_with(end.as_str())) {
            return;
        }
        let complete = self.complete.notified();
        tokio::pin!(complete);
        // Before the look at what is missing, so that the last one's word is not lost.
        complete.as_mut().enable();
        let all_here = self.missing.lock().is_ok_and(|mut missing| {
            if let Some(at) = missing.iter().position(|end| path.ends_with(end.as_str())) {
                missing.swap_remove(at);
            }
            missing.is_empty()
        });
        if all_here {
            self.complete.notify_waiters();
        } else {
            complete.await;
        }
    }
}
