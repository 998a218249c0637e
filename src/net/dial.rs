//! TCP: a name to its addresses, and the first of them that answers.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{HostPort, NetError, Network};

/// How long resolving, then connecting may take.
const LIMIT: Duration = Duration::from_secs(10);

/// The next address is tried when the one before did not answer by then (RFC 8305, "Connection Attempt Delay").
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
    network.deadline().try_within(LIMIT, peer, &doing, resolve(target)).await?
}

async fn resolve(target: &HostPort) -> Result<VecDeque<SocketAddr>, NetError> {
    if let Some(ip) = target.ip() {
        return Ok(VecDeque::from([SocketAddr::new(ip, target.port)]));
    }
    let dns = |reason: String| NetError::Dns { host: target.host.clone(), reason };
    let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await.map_err(|e| {
        let text = e.to_string();
        dns(text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned())
    })?;
    let found = interleaved(found.collect());
    if found.is_empty() { Err(dns("it has no address".to_owned())) } else { Ok(found) }
}

/// The two families in turns, beginning with the one the resolver prefers.
fn interleaved(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let v6_first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut one, mut other): (VecDeque<_>, VecDeque<_>) =
        addresses.into_iter().partition(|a| a.is_ipv6() == v6_first);
    let mut all = VecDeque::new();
    while !(one.is_empty() && other.is_empty()) {
        all.extend(one.pop_front());
        all.extend(other.pop_front());
    }
    all.truncate(MAX_ADDRESSES);
    all
}

/// Tries the addresses, each a little after the one before, and takes the first connection.
async fn first(mut addresses: VecDeque<SocketAddr>, peer: &str) -> Result<TcpStream, NetError> {
    let mut tries = JoinSet::new();
    let mut failures: Vec<io::Error> = Vec::new();
    loop {
        match addresses.pop_front() {
            Some(address) => drop(tries.spawn(TcpStream::connect(address))),
            None if tries.is_empty() => return Err(none(peer, &failures)),
            None => {}
        }
        let more = !addresses.is_empty();
        tokio::select! {
            ended = tries.join_next() => match ended {
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(failure))) => failures.push(failure),
                Some(Err(_)) | None => {}
            },
            () = sleep(STAGGER), if more => {}
        }
    }
}

fn none(peer: &str, failures: &[io::Error]) -> NetError {
    let mut reasons: Vec<String> = Vec::new();
    for reason in failures.iter().map(plain) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let refused =
        !failures.is_empty() && failures.iter().all(|f| f.kind() == io::ErrorKind::ConnectionRefused);
    NetError::Connect { peer: peer.to_owned(), reason: reasons.join(", "), refused }
}

/// The system's words, without its number.
pub(super) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map(|c| c.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    async fn a_name_that_does_not_resolve_is_told_as_such() {
        // No resolver needs a network to refuse this one.
        let target = HostPort { host: "a..b".to_owned(), port: 1 };
        match resolve(&target).await {
            Err(error @ NetError::Dns { .. }) => {
                assert!(error.to_string().starts_with("the name `a..b` does not resolve: "), "{error}");
                assert!(!error.to_string().contains("lookup") && error.hint().is_some());
            }
            other => panic!("{other:?}"),
        }
    }
}
