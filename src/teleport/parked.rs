//! Connections to the auth service that are opened before they are needed, each as far as what is known allows: TCP at once, an upgrade when one
//! is needed, the first flight of TLS when it is known what to ask for. The server's flight waits ([`crate::net::held`]) for the certificate that
//! answers it, so that whoever has one has a connection too. Nothing is sent under any identity here, and what is not needed is closed.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::ClusterError;
use super::upgrade::upgrade;
use crate::net::held::{HeldHandshake, Hello};
use crate::net::{HostPort, Network, Stream};

/// No handshake waits longer. Servers give a client 5 s for it (`HandshakeReadDeadline` in `lib/defaults`; newer ones 15 s).
const LIMIT: Duration = Duration::from_secs(3);

/// The connections ahead, to one address.
pub(super) struct Parked {
    network: Network,
    address: HostPort,
    limit: Duration,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    open: VecDeque<Open>,
    held: VecDeque<Held>,
    /// How many are still going to be asked for.
    expected: usize,
    /// Whether connections are upgraded before TLS with the auth service.
    is_upgrading: bool,
}

/// One of them, as far as it came.
pub(super) enum Place {
    Open(Open),
    Held(Held),
}

/// A stream on which TLS can begin, soon.
pub(super) struct Open(Ahead<Result<Opened, ClusterError>>);

/// What it became.
pub(super) enum Opened {
    Tcp(Stream),
    /// An upgraded connection.
    Tunnel(Stream),
}

/// A handshake that waits.
pub(super) struct Held {
    hello: Hello,
    wanted: oneshot::Sender<()>,
    handshake: Ahead<Option<HeldHandshake>>,
}

impl Parked {
    /// Nothing is opened yet.
    pub(super) fn new(network: Network, address: HostPort) -> Self {
        Self { network, address, limit: LIMIT, places: Mutex::default() }
    }

    /// Opens so many in place of those that were.
    pub(super) fn open(&self, count: usize, is_upgrading: bool) {
        let open = (0..count).map(|_| self.another(is_upgrading)).collect();
        *self.places() = Places { open, held: VecDeque::new(), expected: count, is_upgrading };
    }

    /// Upgrades those that are open, and all that will be.
    pub(super) fn upgrade(&self) {
        let mut places = self.places();
        if !std::mem::replace(&mut places.is_upgrading, true) {
            let open = std::mem::take(&mut places.open);
            places.open = open.into_iter().map(|open| self.upgraded(open)).collect();
        }
    }

    /// One for another purpose, if any is open. The next takes its place.
    pub(super) fn spare(&self) -> Option<Open> {
        let mut places = self.places();
        let spare = places.open.pop_front()?;
        let another = self.another(places.is_upgrading);
        places.open.push_back(another);
        Some(spare)
    }

    /// Begins a handshake by this hello, unless one waits already. Those that were begun by another, on a guess, are given up. Whom the
    /// server hangs up on is begun once more, but for a guess: that may be the answer to it.
    pub(super) fn hello(&self, hello: &Hello, is_guess: bool) {
        let mut places = self.places();
        places.held.retain(|held| held.hello == *hello);
        if places.held.is_empty() && places.expected > 0 {
            self.hold(&mut places, hello, is_guess);
        }
    }

    /// One for this hello, if any was opened. The others that are expected begin their handshakes now: there is time for that before they are
    /// needed.
    pub(super) fn take(&self, hello: &Hello, goes_on: bool) -> Option<Place> {
        let mut places = self.places();
        places.expected = places.expected.saturating_sub(1);
        places.held.retain(|held| held.hello == *hello);
        let place = match places.held.pop_front() {
            Some(held) => Some(Place::Held(held)),
            None => places.open.pop_front().map(Place::Open),
        };
        while goes_on && places.held.len() < places.expected {
            self.hold(&mut places, hello, false);
        }
        place
    }

    fn hold(&self, places: &mut Places, hello: &Hello, is_guess: bool) {
        let open = places.open.pop_front().unwrap_or_else(|| self.another(places.is_upgrading));
        // What was opened long ago may be closed by now.
        let again = dialled(self.network.clone(), self.address.clone(), places.is_upgrading);
        let again = (!is_guess).then_some(again);
        places.held.push_back(Held::begin(self.network.clone(), open, again, hello.clone(), self.limit));
    }

    fn another(&self, is_upgrading: bool) -> Open {
        Open(Ahead::start(dialled(self.network.clone(), self.address.clone(), is_upgrading)))
    }

    fn upgraded(&self, open: Open) -> Open {
        let (network, address) = (self.network.clone(), self.address.clone());
        Open(Ahead::start(async move {
            match open.opened().await {
                Some(Ok(Opened::Tcp(tcp))) => Ok(Opened::Tunnel(upgrade(&network, tcp, &address).await?)),
                Some(other) => other,
                None => dialled(network, address, true).await,
            }
        }))
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn dialled(network: Network, address: HostPort, is_upgrading: bool) -> Result<Opened, ClusterError> {
    let tcp = network.tcp(&address).await?;
    Ok(if is_upgrading { Opened::Tunnel(upgrade(&network, tcp, &address).await?) } else { Opened::Tcp(tcp) })
}

impl Open {
    /// `None`: it got lost.
    pub(super) async fn opened(self) -> Option<Result<Opened, ClusterError>> {
        self.0.reached().await
    }
}

impl Held {
    /// Where the server ends it, one more is begun, on `again` if there is one.
    fn begin(
        network: Network,
        open: Open,
        mut again: Option<impl Future<Output = Result<Opened, ClusterError>> + Send + 'static>,
        hello: Hello,
        limit: Duration,
    ) -> Self {
        let (wanted, mut is_wanted) = oneshot::channel();
        let begun = hello.clone();
        let handshake = async move {
            let mut opened = open.opened().await?;
            loop {
                let (Opened::Tcp(stream) | Opened::Tunnel(stream)) = opened.ok()?;
                let mut held = network.hold(stream, begun.clone()).ok()?;
                tokio::select! {
                    biased;
                    _ = held.ended() => {}
                    () = tokio::time::sleep(limit) => return None,
                    _ = &mut is_wanted => return Some(held),
                }
                opened = again.take()?.await;
            }
        };
        Self { hello, wanted, handshake: Ahead::start(handshake) }
    }

    /// `None`: it is gone, as the server closed it twice or it waited too long.
    pub(super) async fn taken(self) -> Option<HeldHandshake> {
        let _ = self.wanted.send(());
        self.handshake.reached().await.flatten()
    }
}

/// Work that goes on while nobody waits for it, and ends with its value.
struct Ahead<T>(JoinHandle<T>);

impl<T: Send + 'static> Ahead<T> {
    fn start(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    async fn reached(mut self) -> Option<T> {
        (&mut self.0).await.ok()
    }
}

impl<T> Drop for Ahead<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests;
