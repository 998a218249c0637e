//! Requests that are answered only once all of a group have come: proof that a client waits for none of them before it sends the others.

use std::sync::Mutex;

use tokio::sync::Notify;

/// One group.
pub(super) struct Barrier {
    missing: Mutex<Vec<String>>,
    complete: Notify,
}

impl Barrier {
    /// Of requests whose paths end so; an ending listed twice is waited for twice.
    pub(super) fn new(endings: &[String]) -> Self {
        Self { missing: Mutex::new(endings.to_vec()), complete: Notify::new() }
    }

    /// Takes the request into the group, if one like it is missing, and waits until the group is complete. Returns whether it was taken.
    pub(super) async fn arrived(&self, path: &str) -> bool {
        let complete = self.complete.notified();
        tokio::pin!(complete);
        // Before the look at what is missing, so that the last one's word is not lost.
        complete.as_mut().enable();
        let Ok(is_last) = self.missing.lock().map(|mut missing| {
            let at = missing.iter().position(|end| path.ends_with(end.as_str()))?;
            missing.swap_remove(at);
            Some(missing.is_empty())
        }) else {
            return false;
        };
        match is_last {
            None => return false,
            Some(true) => self.complete.notify_waiters(),
            Some(false) => complete.await,
        }
        true
    }
}
