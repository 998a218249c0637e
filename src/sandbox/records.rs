//! What clients did: evidence for tests, bounded.

use std::sync::Mutex;

const MAX_CONNECTIONS: usize = 1000;
const MAX_PATHS: usize = 200;
const MAX_MESSAGE: usize = 1000;

/// One connection. Never has a header, a body or a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The server name the client asked for.
    pub sni: Option<String>,
    /// The protocols it offered, in order.
    pub alpn_offered: Vec<String>,
    /// The protocol agreed on.
    pub alpn: Option<String>,
    /// Whether the handshake was completed.
    pub established: bool,
    /// CN of the client's certificate.
    pub client: Option<String>,
    /// The connection upgrade around it: `alpn` or `websocket`.
    pub upgrade: Option<&'static str>,
    /// Paths asked for, with their query: `/webapi/ping`, `/proto.AuthService/GetRole`, …
    pub paths: Vec<String>,
    /// Whether an identity token came on it by the join stream.
    pub proved: bool,
    /// The message with which it gave up a join (`GivingUp`).
    pub gave_up: Option<String>,
}

/// The records of one sandbox.
#[derive(Default)]
pub(super) struct Records(Mutex<Vec<Record>>);

impl Records {
    /// A new connection; its number is for the other calls.
    pub(super) fn connection(&self, record: Record) -> usize {
        let Ok(mut all) = self.0.lock() else { return usize::MAX };
        if all.len() >= MAX_CONNECTIONS {
            return usize::MAX;
        }
        all.push(record);
        all.len() - 1
    }

    /// The handshake was completed.
    pub(super) fn established(&self, number: usize, alpn: Option<String>, client: Option<String>) {
        self.change(number, |record| {
            record.established = true;
            record.alpn = alpn;
            record.client = client;
        });
    }

    /// A path was asked for.
    pub(super) fn requested(&self, number: usize, path: &str) {
        self.change(number, |record| {
            if record.paths.len() < MAX_PATHS {
                record.paths.push(path.to_owned());
            }
        });
    }

    /// An identity token came.
    pub(super) fn proved(&self, number: usize) {
        self.change(number, |record| record.proved = true);
    }

    /// A join was given up.
    pub(super) fn gave_up(&self, number: usize, message: &str) {
        self.change(number, |record| record.gave_up = Some(message.chars().take(MAX_MESSAGE).collect()));
    }

    /// A copy of all records.
    pub(super) fn to_vec(&self) -> Vec<Record> {
        self.0.lock().map(|all| all.clone()).unwrap_or_default()
    }

    fn change(&self, number: usize, change: impl FnOnce(&mut Record)) {
        if let Ok(mut all) = self.0.lock()
            && let Some(record) = all.get_mut(number)
        {
            change(record);
        }
    }
}
