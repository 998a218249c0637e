use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

use super::*;

#[test]
fn folders_swap_their_names() {
    let base = tempfile::tempdir().unwrap();
    let [one, other] = ["one", "other"].map(|name| base.path().join(name));
    std::fs::create_dir_all(one.join("of-one")).unwrap();
    std::fs::create_dir_all(&other).unwrap();
    if exchange(&one, &other) {
        assert!(other.join("of-one").exists() && !one.join("of-one").exists());
    } else {
        assert!(one.join("of-one").exists(), "nothing has changed");
    }
    assert!(!exchange(&one, &base.path().join("missing")));
}

#[test]
fn the_peer_of_a_connection_is_known_by_its_user() {
    for ip in [Ipv4Addr::LOCALHOST.into(), std::net::IpAddr::from(Ipv6Addr::LOCALHOST)] {
        // A machine may have no IPv6.
        let Ok(listener) = TcpListener::bind((ip, 0)) else { continue };
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, peer) = listener.accept().unwrap();
        let found = user_of_peer(server.local_addr().unwrap(), peer);
        if cfg!(target_os = "linux") {
            assert_eq!(found, Some(user()));
        }
        let mut nobody = peer;
        nobody.set_port(1);
        assert_eq!(user_of_peer(server.local_addr().unwrap(), nobody), None);
        drop(client);
    }
}
