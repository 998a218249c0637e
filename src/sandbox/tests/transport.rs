//! ssh through the proxy: bytes, half closes, refusals.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_stream::wrappers::ReceiverStream;

use super::client::{Channel, INTERNAL, TRANSPORT, bot, tls};
use super::*;
use crate::teleport::wire::{Frame, ProxySshRequest, ProxySshResponse, SshFrame, TargetHost};

const PATH: &str = "/teleport.transport.v1.TransportService/ProxySSH";

fn dial(host_port: &str, cluster: &str) -> ProxySshRequest {
    let target = TargetHost { host_port: host_port.to_owned(), cluster: cluster.to_owned() };
    ProxySshRequest { dial_target: Some(target), frame: None }
}

fn frame(payload: &'static [u8]) -> ProxySshRequest {
    let frame = Frame { payload: bytes::Bytes::from_static(payload) };
    ProxySshRequest { dial_target: None, frame: Some(SshFrame::Ssh(frame)) }
}

fn payload(answer: ProxySshResponse) -> Vec<u8> {
    match answer.frame {
        Some(SshFrame::Ssh(frame)) => frame.payload.to_vec(),
        other => panic!("{other:?}"),
    }
}

/// A sandbox with one node whose sshd is `listener`, and a connection to its transport service.
async fn start(listener: &tokio::net::TcpListener) -> (Sandbox, Channel) {
    let mut options = options("18.2.0");
    options.leaves = vec!["leaf.example".to_owned()];
    let address = listener.local_addr().unwrap();
    options.nodes =
        vec![SandboxNode { name: "node1".to_owned(), cluster: "leaf.example".to_owned(), address }];
    let sandbox = Sandbox::start(options).await.unwrap();
    let (client, host_ca) = bot(&sandbox).await;
    let stream = tls(&sandbox, INTERNAL, &[TRANSPORT, "h2"], &host_ca, Some(&client)).await.unwrap();
    let channel = Channel::over(stream).await;
    (sandbox, channel)
}

#[tokio::test]
async fn carries_bytes_and_both_half_closes() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    for node_first in [false, true] {
        let (_sandbox, mut channel) = start(&listener).await;
        let (sender, receiver) = tokio::sync::mpsc::channel(4);
        sender.send(dial("node1:0", "leaf.example")).await.unwrap();
        let (answers, accepted) = tokio::join!(
            channel.stream::<_, ProxySshResponse>(PATH, ReceiverStream::new(receiver)),
            listener.accept()
        );
        let (mut answers, mut node) = (answers.unwrap(), accepted.unwrap().0);
        assert!(answers.message().await.unwrap().unwrap().details.is_some());
        node.write_all(b"SSH-2.0-node\r\n").await.unwrap();
        assert_eq!(payload(answers.message().await.unwrap().unwrap()), b"SSH-2.0-node\r\n");
        let mut heard = Vec::new();
        if node_first {
            node.shutdown().await.unwrap();
            assert!(answers.message().await.unwrap().is_none());
            // The other direction is still open.
            sender.send(frame(b"late")).await.unwrap();
            drop(sender);
            node.read_to_end(&mut heard).await.unwrap();
            assert_eq!(heard, b"late");
        } else {
            sender.send(frame(b"SSH-2.0-client\r\n")).await.unwrap();
            drop(sender);
            node.read_to_end(&mut heard).await.unwrap();
            assert_eq!(heard, b"SSH-2.0-client\r\n");
            node.write_all(b"bye").await.unwrap();
            assert_eq!(payload(answers.message().await.unwrap().unwrap()), b"bye");
            drop(node);
            assert!(answers.message().await.unwrap().is_none());
        }
    }
}

#[tokio::test]
async fn a_client_that_leaves_closes_the_node() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_sandbox, mut channel) = start(&listener).await;
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    sender.send(dial("node1:0", "leaf.example")).await.unwrap();
    let (answers, accepted) = tokio::join!(
        channel.stream::<_, ProxySshResponse>(PATH, ReceiverStream::new(receiver)),
        listener.accept()
    );
    let mut node = accepted.unwrap().0;
    drop((answers, channel, sender));
    assert!(!matches!(node.read(&mut [0; 10]).await, Ok(1..)));
}

#[tokio::test]
async fn refuses_nodes_it_does_not_know() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_sandbox, mut channel) = start(&listener).await;
    for (host_port, cluster) in [
        ("node1.leaf.example:0", "leaf.example"),
        ("node1:0", "sandbox.example"),
        ("node2:0", "leaf.example"),
    ] {
        let requests = tokio_stream::once(dial(host_port, cluster));
        let status = match channel.stream::<_, ProxySshResponse>(PATH, requests).await {
            Ok(mut answers) => answers.message().await.unwrap_err(),
            Err(status) => status,
        };
        assert_eq!(status.code(), tonic::Code::NotFound);
        assert_eq!(status.message(), "direct dialing to nodes not found in inventory is not supported");
    }
}
