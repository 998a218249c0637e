//! A long wire on loopback: every byte takes half a round trip, and a connection's first byte one round trip more, for the TCP handshake
//! that loopback hides.
//!
//! Bytes wait in a queue with the time they are due, so that any number of them is under way at once: what a client sends in one flight arrives
//! in one flight. A client that waits for N answers, one after the other, needs N round trips longer than without the relay: round trips are
//! `(wall time - wall time at 0 ms) / round trip`.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Pieces under way in one direction; a reader waits when there are more.
const UNDER_WAY: usize = 1024;
const PIECE: usize = 16 * 1024;

/// A relay to one target; stops, with all that goes through it, when dropped.
pub struct Relay {
    /// Where it listens, on 127.0.0.1.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

/// What went over one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// Bursts of client bytes: the first one, and each that follows bytes of the server.
    pub flights: usize,
    /// Bytes to the server.
    pub up: u64,
    /// Bytes to the client.
    pub down: u64,
}

struct Shared {
    target: SocketAddr,
    half: Duration,
    stopped: AtomicBool,
    wires: Mutex<Vec<Arc<Wire>>>,
}

struct Wire {
    client: TcpStream,
    server: TcpStream,
    /// Whether the client got bytes since it last sent some.
    answered: AtomicBool,
    flights: AtomicUsize,
    up: AtomicU64,
    down: AtomicU64,
}

impl Relay {
    /// Bytes take `round_trip` there and back.
    pub fn start(target: SocketAddr, round_trip: Duration) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target,
            half: round_trip / 2,
            stopped: AtomicBool::new(false),
            wires: Mutex::default(),
        });
        let for_thread = Arc::clone(&shared);
        let accepting = thread::spawn(move || {
            for client in listener.incoming() {
                if for_thread.stopped.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(client) = client {
                    for_thread.connect(client);
                }
            }
        });
        Self { address, shared, accepting: Some(accepting) }
    }

    /// The connections so far, in the order of their arrival.
    pub fn carried(&self) -> Vec<Carried> {
        let wires = self.shared.wires.lock().unwrap();
        let of = |wire: &Arc<Wire>| Carried {
            flights: wire.flights.load(Ordering::SeqCst),
            up: wire.up.load(Ordering::SeqCst),
            down: wire.down.load(Ordering::SeqCst),
        };
        wires.iter().map(of).collect()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        for wire in self.shared.wires.lock().unwrap().iter() {
            wire.close();
        }
    }
}

impl Shared {
    fn connect(&self, client: TcpStream) {
        let accepted = Instant::now();
        let Ok(server) = TcpStream::connect(self.target) else { return };
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        let wire = Arc::new(Wire {
            client,
            server,
            answered: AtomicBool::new(true),
            flights: AtomicUsize::new(0),
            up: AtomicU64::new(0),
            down: AtomicU64::new(0),
        });
        self.wires.lock().unwrap().push(Arc::clone(&wire));
        let (half, established) = (self.half, accepted + self.half * 2);
        let (up, down) = (Arc::clone(&wire), wire);
        let due = move || Instant::now().max(established) + half;
        thread::spawn(move || {
            carry(
                &up.client,
                &up.server,
                &due,
                |length| {
                    up.up.fetch_add(length, Ordering::SeqCst);
                    if up.answered.swap(false, Ordering::SeqCst) {
                        up.flights.fetch_add(1, Ordering::SeqCst);
                    }
                },
                || {},
            );
        });
        thread::spawn(move || {
            carry(
                &down.server,
                &down.client,
                &due,
                |length| {
                    down.down.fetch_add(length, Ordering::SeqCst);
                },
                || down.answered.store(true, Ordering::SeqCst),
            );
        });
    }
}

impl Wire {
    fn close(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}

/// One direction, until either end closes: `taken` when bytes came in, `given` just before they go out.
fn carry(
    from: &TcpStream,
    to: &TcpStream,
    due: &(impl Fn() -> Instant + Sync),
    taken: impl Fn(u64) + Send,
    given: impl Fn() + Send,
) {
    let (queue, under_way) = mpsc::sync_channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    thread::scope(|scope| {
        scope.spawn(move || {
            for (due, bytes) in under_way {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                given();
                let mut to = to;
                if bytes.is_empty() || to.write_all(&bytes).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Write);
        });
        let mut buffer = vec![0; PIECE];
        let mut from = from;
        loop {
            // The end is a piece too: it must not overtake the bytes before it.
            let length = from.read(&mut buffer).unwrap_or(0);
            if length > 0 {
                taken(length as u64);
            }
            if queue.send((due(), buffer[..length].to_vec())).is_err() || length == 0 {
                return;
            }
        }
    });
}
