//! `teleport.transport.v1.TransportService/ProxySSH`: bytes between an ssh client and a node, ends closed one at a time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tonic::Status;
use tonic::body::Body;
use tonic::codec::Streaming;

use super::cluster::Cluster;
use super::grpc::{self, Sender};
use super::refusal::Refusal;
use super::reply::unknown;
use crate::teleport::wire::{ClusterDetails, Frame, ProxySshRequest, ProxySshResponse, SshFrame, TargetHost};

const DIAL: Duration = Duration::from_secs(10);
const BUFFER: usize = 16 * 1024;

/// Answers one call.
pub(super) async fn answer(cluster: Arc<Cluster>, request: http::Request<Incoming>) -> http::Response<Body> {
    if request.uri().path() != "/teleport.transport.v1.TransportService/ProxySSH" {
        return unknown(request.uri().path());
    }
    let newer = cluster.options.inject.newer;
    grpc::bidirectional(newer, request, |requests, answers| async move {
        proxy(&cluster, requests, answers).await;
    })
    .await
}

async fn proxy(
    cluster: &Cluster,
    mut requests: Streaming<ProxySshRequest>,
    answers: Sender<ProxySshResponse>,
) {
    let Ok(Some(first)) = requests.message().await else { return };
    let tcp = match dial(cluster, first.dial_target.as_ref()).await {
        Ok(tcp) => tcp,
        Err(status) => {
            let _ = answers.send(Err(status)).await;
            return;
        }
    };
    let details = ProxySshResponse { details: Some(ClusterDetails { fips_enabled: false }), frame: None };
    if answers.send(Ok(details)).await.is_err() {
        return;
    }
    let (read, write) = tcp.into_split();
    tokio::join!(up(first.frame, requests, write), down(read, answers));
}

/// Client to node. The client's half close becomes the node's end of input.
async fn up(first: Option<SshFrame>, mut requests: Streaming<ProxySshRequest>, mut node: OwnedWriteHalf) {
    let mut frame = first;
    loop {
        if let Some(SshFrame::Ssh(Frame { payload })) = frame
            && node.write_all(&payload).await.is_err()
        {
            return;
        }
        match requests.message().await {
            Ok(Some(next)) => frame = next.frame,
            Ok(None) => break,
            Err(_) => return,
        }
    }
    let _ = node.shutdown().await;
}

/// Node to client. The node's end of output ends the answering half alone.
async fn down(mut node: OwnedReadHalf, answers: Sender<ProxySshResponse>) {
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = tokio::select! {
            read = node.read(&mut buffer) => read,
            // The client is gone, and a silent node would never tell.
            () = answers.closed() => return,
        };
        let Ok(n @ 1..) = read else { return };
        let payload = Bytes::copy_from_slice(buffer.get(..n).unwrap_or_default());
        let frame = Some(SshFrame::Ssh(Frame { payload }));
        if answers.send(Ok(ProxySshResponse { details: None, frame })).await.is_err() {
            return;
        }
    }
}

async fn dial(cluster: &Cluster, target: Option<&TargetHost>) -> Result<TcpStream, Status> {
    let target = target.ok_or_else(|| Refusal::bad("first message must contain a dial target"))?;
    let host = target.host_port.rsplit_once(':').map_or(target.host_port.as_str(), |(host, _)| host);
    let root = cluster.options.cluster.as_str();
    let wanted = if target.cluster.is_empty() { root } else { target.cluster.as_str() };
    let node =
        cluster.options.nodes.iter().find(|node| node.name == host && node.cluster == wanted).ok_or_else(
            || Refusal::not_found("direct dialing to nodes not found in inventory is not supported"),
        )?;
    match tokio::time::timeout(DIAL, TcpStream::connect(node.address)).await {
        Ok(Ok(tcp)) => {
            let _ = tcp.set_nodelay(true);
            Ok(tcp)
        }
        _ => Err(Status::unavailable(format!("failed to dial {}", target.host_port))),
    }
}
