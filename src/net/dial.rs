//! TCP: resolves a name and connects to the first of its addresses that answers.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{HostPort, NetError, Network};
use crate::text::io_reason;

/// How long resolving, then connecting may take.
const LIMIT: Duration = Duration::from_secs(10);

/// The next address is tried when the previous one has not answered by then (RFC 8305, "Connection Attempt Delay").
const STAGGER: Duration = Duration::from_millis(250);

/// No more addresses than these are tried.
const MAX_ADDRESSES: usize = 12;

/// A TCP connection straight to the target; `peer` is what errors call it.
pub(super) async fn dial(network: &Network, target: &HostPort, peer: &str) -> Result<TcpStream, NetError> {
    let addresses = addresses(network, target, peer).await?;
    let doing = format!("connecting to {peer}");
    let stream = network.deadline().try_within(LIMIT, peer, &doing, first(addresses, peer)).await??;
    // Small messages go back and forth; waiting to fill a packet only costs time.
    let _ = stream.set_nodelay(true);
    network.count_connection();
    Ok(stream)
}

/// The addresses of the target's name, in the order they are tried.
pub(super) async fn addresses(
    network: &Network,
    target: &HostPort,
    peer: &str,
) -> Result<VecDeque<SocketAddr>, NetError> {
    let doing = format!("resolving `{}`", target.host);
    network.deadline().try_within(LIMIT, peer, &doing, resolve(&target.host, target.port)).await?
}

pub(super) async fn resolve(host: &str, port: u16) -> Result<VecDeque<SocketAddr>, NetError> {
    if let Ok(ip) = host.parse() {
        return Ok(VecDeque::from([SocketAddr::new(ip, port)]));
    }
    let dns = |reason: String| NetError::Dns { host: host.to_owned(), reason };
    let found = tokio::net::lookup_host((host, port)).await.map_err(|e| {
        let text = e.to_string();
        dns(text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned())
    })?;
    let found = interleaved(found.collect());
    if found.is_empty() { Err(dns("it has no address".to_owned())) } else { Ok(found) }
}

/// The two families in turns, starting with the one that the resolver prefers.
fn interleaved(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let v6_first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut preferred, mut others): (VecDeque<_>, VecDeque<_>) =
        addresses.into_iter().partition(|a| a.is_ipv6() == v6_first);
    let mut all = VecDeque::new();
    while !(preferred.is_empty() && others.is_empty()) {
        all.extend(preferred.pop_front());
        all.extend(others.pop_front());
    }
    all.truncate(MAX_ADDRESSES);
    all
}

/// Tries the addresses, each a little after the previous one; the first connection wins.
async fn first(mut addresses: VecDeque<SocketAddr>, peer: &str) -> Result<TcpStream, NetError> {
    let mut attempts = JoinSet::new();
    let mut failures: Vec<io::Error> = Vec::new();
    loop {
        match addresses.pop_front() {
            Some(address) => drop(attempts.spawn(TcpStream::connect(address))),
            None if attempts.is_empty() => return Err(no_connection(peer, &failures)),
            None => {}
        }
        let more = !addresses.is_empty();
        tokio::select! {
            ended = attempts.join_next() => match ended {
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(failure))) => failures.push(failure),
                Some(Err(_)) | None => {}
            },
            () = sleep(STAGGER), if more => {}
        }
    }
}

fn no_connection(peer: &str, failures: &[io::Error]) -> NetError {
    let mut reasons: Vec<String> = Vec::new();
    for reason in failures.iter().map(io_reason) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let refused =
        !failures.is_empty() && failures.iter().all(|f| f.kind() == io::ErrorKind::ConnectionRefused);
    NetError::Connect { peer: peer.to_owned(), reason: reasons.join(", "), refused }
}

impl Network {
    /// The addresses of the target's name, in the order they are tried; within 10 s.
    pub async fn resolve(&self, target: &HostPort) -> Result<Vec<std::net::SocketAddr>, NetError> {
        addresses(self, target, &target.to_string()).await.map(Vec::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StageError as _;

    #[test]
    fn families_take_turns() {
        let read = |list: &[&str]| list.iter().map(|a| a.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let mixed = read(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]);
        assert_eq!(interleaved(mixed), read(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]));
        let mixed = read(&["1.1.1.1:1", "1.1.1.2:1", "[::1]:1"]);
        assert_eq!(interleaved(mixed), read(&["1.1.1.1:1", "[::1]:1", "1.1.1.2:1"]));
        assert_eq!(interleaved(vec!["1.1.1.1:1".parse().unwrap(); 99]).len(), MAX_ADDRESSES);
    }

    #[tokio::test]
    async fn the_next_address_is_tried_when_one_refuses() {
        // Bound, so that nobody else gets the port, and not listening.
        let closed = tokio::net::TcpSocket::new_v4().unwrap();
        closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let shut = closed.local_addr().unwrap();
        let open = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = open.local_addr().unwrap();
        let stream = first(VecDeque::from([shut, address]), "p").await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        match first(VecDeque::from([shut, shut]), "p").await {
            Err(NetError::Connect { reason, refused: true, .. }) => assert_eq!(reason, "connection refused"),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_is_an_error_of_its_own() {
        // No resolver needs a network to refuse this one.
        match resolve("a..b", 1).await {
            Err(error @ NetError::Dns { .. }) => {
                assert!(error.to_string().starts_with("the name `a..b` does not resolve: "), "{error}");
                assert!(!error.to_string().contains("lookup") && !error.hints().is_empty());
            }
            other => panic!("{other:?}"),
        }
    }
}
