//! What is opened, when it is closed, and what is left of it.

use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;
use crate::env::Env;
use crate::log::Log;
use crate::net::{Deadline, Options};

const SOON: Duration = Duration::from_secs(20);

/// A server that answers nothing, and what leads to it.
async fn silent(limit: Duration) -> (TcpListener, Parked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let deadline = Deadline::after(SOON);
    let network =
        Network::new(&Env::new([("", "")], "/"), &Options::default(), deadline, Log::silent()).unwrap();
    let address = HostPort { host: "127.0.0.1".to_owned(), port };
    (listener, Parked { limit, ..Parked::new(network, address) })
}

fn hello(protocol: &str) -> Hello {
    let (peer, server_name) = ("p".to_owned(), "teleport.cluster.local".to_owned());
    Hello { peer, server_name, alpn: vec![protocol.as_bytes().to_vec()] }
}

/// The next connection, and whether the protocol is in its first flight.
async fn offers(listener: &TcpListener, protocol: &str) -> (TcpStream, bool) {
    let mut tcp = timeout(SOON, listener.accept()).await.unwrap().unwrap().0;
    let mut flight = vec![0; 4096];
    let length = timeout(SOON, tcp.read(&mut flight)).await.unwrap().unwrap();
    let found = flight[..length].windows(protocol.len()).any(|part| part == protocol.as_bytes());
    (tcp, found)
}

async fn is_closed(mut tcp: TcpStream) -> bool {
    // An end, or a reset.
    matches!(timeout(SOON, tcp.read(&mut [0; 4096])).await, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn what_waits_too_long_is_closed_and_not_used() {
    let (listener, parked) = silent(Duration::from_millis(20)).await;
    parked.open(1, false);
    parked.hello(&hello("a"), false);
    let (tcp, _) = offers(&listener, "a").await;
    assert!(is_closed(tcp).await);
    let Some(Place::Held(held)) = parked.take(&hello("a"), true) else { panic!("it was begun") };
    assert!(held.taken().await.is_none());
}

#[tokio::test]
async fn what_the_server_closed_is_begun_once_more() {
    for closed in [1, 2] {
        let (listener, parked) = silent(SOON).await;
        parked.open(1, false);
        parked.hello(&hello("a"), false);
        for _ in 0..closed {
            drop(offers(&listener, "a").await);
        }
        let again = if closed == 1 { Some(offers(&listener, "a").await) } else { None };
        let Some(Place::Held(held)) = parked.take(&hello("a"), true) else { panic!("it was begun") };
        // The end is on its way.
        while closed == 2 && !held.handshake.0.is_finished() {
            tokio::task::yield_now().await;
        }
        assert_eq!(held.taken().await.is_some(), again.is_some(), "{closed}");
    }
}

#[tokio::test]
async fn what_nobody_needs_is_closed() {
    let (listener, parked) = silent(SOON).await;
    parked.open(2, false);
    parked.hello(&hello("a"), false);
    let (first, _) = offers(&listener, "a").await;
    let second = timeout(SOON, listener.accept()).await.unwrap().unwrap().0;
    drop(parked);
    assert!(is_closed(first).await && is_closed(second).await);
}

#[tokio::test]
async fn a_wrong_guess_is_given_up_for_the_right_name() {
    let (listener, parked) = silent(SOON).await;
    parked.open(2, false);
    parked.hello(&hello("guess"), true);
    parked.hello(&hello("guess"), true);
    let (first, is_guess) = offers(&listener, "guess").await;
    assert!(is_guess);
    parked.hello(&hello("right"), false);
    assert!(is_closed(first).await);
    assert!(offers(&listener, "right").await.1);
    // One more is expected, and begins when the first is taken.
    assert!(matches!(parked.take(&hello("right"), true), Some(Place::Held(_))));
    assert!(offers(&listener, "right").await.1);
    assert!(matches!(parked.take(&hello("right"), true), Some(Place::Held(_))));
    assert!(parked.take(&hello("right"), true).is_none(), "no more than were asked for");
    parked.hello(&hello("right"), false);
    assert!(parked.take(&hello("right"), true).is_none());
}

#[tokio::test]
async fn a_guess_that_the_server_hangs_up_on_is_not_repeated() {
    let (listener, parked) = silent(SOON).await;
    parked.open(1, false);
    parked.hello(&hello("guess"), true);
    drop(offers(&listener, "guess").await);
    let Some(Place::Held(held)) = parked.take(&hello("guess"), true) else { panic!("it was begun") };
    let ended = async {
        while !held.handshake.0.is_finished() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, ended).await.unwrap();
    assert!(held.taken().await.is_none());
}

#[tokio::test]
async fn a_handshake_for_another_name_is_never_handed_out() {
    let (listener, parked) = silent(SOON).await;
    parked.open(1, false);
    parked.hello(&hello("guess"), true);
    let (tcp, _) = offers(&listener, "guess").await;
    assert!(parked.take(&hello("right"), true).is_none());
    assert!(is_closed(tcp).await);
}

#[tokio::test]
async fn where_the_route_is_not_known_no_handshake_begins() {
    let (listener, parked) = silent(SOON).await;
    parked.open(2, false);
    assert!(matches!(parked.take(&hello("a"), false), Some(Place::Open(_))));
    let places = parked.places();
    assert_eq!((places.open.len(), places.held.len(), places.expected), (1, 0, 1));
    drop((places, listener));
}

#[tokio::test]
async fn one_for_another_purpose_is_replaced() {
    let (_listener, parked) = silent(SOON).await;
    assert!(parked.spare().is_none());
    parked.open(1, false);
    assert!(matches!(parked.spare().unwrap().opened().await, Some(Ok(Opened::Tcp(_)))));
    assert_eq!(parked.places().open.len(), 1);
}
