//! Round trips, counted and not timed: a network in lockstep.
//!
//! What servers say is held back until nobody has more to say, and then all of it is delivered at once: that is one round trip, for all connections
//! alike, so that every server is equally far. What a client says goes out at once; on a new connection only after a round of its own, which
//! stands for the TCP handshake. A client that needs N answers, each before it can ask for the next, needs N rounds, however fast it is; so no run
//! can be counted too low. A busy machine may make a round end too early, and a run count too high: the least of some runs is the true number.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(2);

/// One such network; what goes through it ends with it.
#[derive(Default)]
pub struct Rounds {
    shared: Arc<Shared>,
    addresses: Vec<SocketAddr>,
}

#[derive(Default)]
struct Shared(Mutex<State>);

struct State {
    wires: Vec<Wire>,
    moved: Instant,
    is_over: bool,
}

impl Default for State {
    fn default() -> Self {
        Self { wires: Vec::new(), moved: Instant::now(), is_over: false }
    }
}

struct Wire {
    client: TcpStream,
    server: TcpStream,
    is_established: bool,
    /// What the client said before that.
    early: Vec<u8>,
    /// What the server said since the last round.
    held: Vec<u8>,
    has_ended: bool,
    end_is_told: bool,
}

/// What a run took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    pub rounds: usize,
    pub connections: usize,
}

impl Rounds {
    /// Where clients find `target` in this network.
    pub fn leading_to(&mut self, target: SocketAddr) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        self.addresses.push(address);
        let shared = Arc::clone(&self.shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.0.lock().unwrap().is_over {
                    return;
                }
                let Ok(server) = TcpStream::connect(target) else { return };
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                shared.carry(client, server);
            }
        });
        address
    }

    /// Lets rounds pass until the client has ended. One ends when nothing came from either side for a time of `quiet`, and the client sleeps.
    pub fn count(&self, client: &mut Child, quiet: Duration) -> Counted {
        let mut rounds = 0;
        while client.try_wait().unwrap().is_none() {
            thread::sleep(LOOK);
            let mut state = self.shared.0.lock().unwrap();
            if state.moved.elapsed() < quiet || !is_asleep(client.id()) {
                continue;
            }
            let mut delivered = false;
            for wire in &mut state.wires {
                delivered |= wire.deliver();
            }
            if delivered {
                rounds += 1;
                state.moved = Instant::now();
            }
        }
        Counted { rounds, connections: self.shared.0.lock().unwrap().wires.len() }
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        if let Ok(mut state) = self.shared.0.lock() {
            state.is_over = true;
            for wire in &state.wires {
                let _ = wire.client.shutdown(Shutdown::Both);
                let _ = wire.server.shutdown(Shutdown::Both);
            }
        }
        for address in &self.addresses {
            let _ = TcpStream::connect(address);
        }
    }
}

impl Shared {
    fn carry(self: &Arc<Self>, client: TcpStream, server: TcpStream) {
        let (from_client, from_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let number = {
            let mut state = self.0.lock().unwrap();
            state.moved = Instant::now();
            let (early, held) = (Vec::new(), Vec::new());
            state.wires.push(Wire {
                client,
                server,
                is_established: false,
                early,
                held,
                has_ended: false,
                end_is_told: false,
            });
            state.wires.len() - 1
        };
        let shared = Arc::clone(self);
        thread::spawn(move || {
            read(from_client, |bytes| {
                let mut state = shared.0.lock().unwrap();
                state.moved = Instant::now();
                let wire = &mut state.wires[number];
                match bytes {
                    Some(bytes) if wire.is_established => drop(wire.server.write_all(bytes)),
                    Some(bytes) => wire.early.extend_from_slice(bytes),
                    None => drop(wire.server.shutdown(Shutdown::Write)),
                }
            });
        });
        let shared = Arc::clone(self);
        thread::spawn(move || {
            read(from_server, |bytes| {
                let mut state = shared.0.lock().unwrap();
                state.moved = Instant::now();
                let wire = &mut state.wires[number];
                match bytes {
                    Some(bytes) => wire.held.extend_from_slice(bytes),
                    None => wire.has_ended = true,
                }
            });
        });
    }
}

impl Wire {
    /// Whether there was something to deliver.
    fn deliver(&mut self) -> bool {
        let held = std::mem::take(&mut self.held);
        let ends = self.has_ended && !self.end_is_told;
        let is_new = !self.is_established;
        if is_new {
            self.is_established = true;
            let _ = self.server.write_all(&std::mem::take(&mut self.early));
        }
        let _ = self.client.write_all(&held);
        if ends {
            self.end_is_told = true;
            let _ = self.client.shutdown(Shutdown::Write);
        }
        is_new || ends || !held.is_empty()
    }
}

fn read(mut from: TcpStream, mut take: impl FnMut(Option<&[u8]>)) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(length @ 1..) => take(Some(&buffer[..length])),
            _ => return take(None),
        }
    }
}

/// Whether no thread of the process runs, as far as Linux says.
fn is_asleep(process: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else { return true };
    threads.flatten().all(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // The name before it may have spaces and brackets of its own.
        stat.rsplit(") ").next().is_none_or(|rest| rest.starts_with('S'))
    })
}
