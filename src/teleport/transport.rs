//! ssh through the proxy (`teleport.transport.v1`): bytes in frames, in both directions, over one gRPC stream.

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};

use super::ClusterError;
use super::grpc::Channel;
use super::wire::{Frame, ProxySshRequest, ProxySshResponse, SshFrame, TargetHost};
use crate::text::safe;

const CALL: &str = "ssh through the proxy";
const PATH: &str = "/teleport.transport.v1.TransportService/ProxySSH";
/// The largest frame sent, and how many wait: they bound memory, however much is carried.
const FRAME: usize = 32 * 1024;
const WAITING: usize = 8;

/// The node to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The node's own name or address, without the cluster.
    pub host: String,
    /// 0: the node's own.
    pub port: u16,
    /// The root's name, or a leaf's.
    pub cluster: String,
}

impl Target {
    /// From what `ssh` passes (`%h`, `%p`): the cluster's suffix is not part of a node's name, and the port that our `ssh_config`
    /// names stands for the node's own.
    pub fn new(host: &str, port: u16, cluster: &str) -> Self {
        let suffix = format!(".{cluster}");
        let host = host.strip_suffix(&suffix).filter(|h| !h.is_empty()).unwrap_or(host).to_owned();
        Self { host, port: if port == DEFAULT_PORT { 0 } else { port }, cluster: cluster.to_owned() }
    }

    fn host_port(&self) -> String {
        if self.host.contains(':') {
            return format!("[{}]:{}", self.host, self.port);
        }
        format!("{}:{}", self.host, self.port)
    }
}

/// The port in our `ssh_config`: Teleport's own for ssh.
pub const DEFAULT_PORT: u16 = 3022;

/// Carries `input` to the node and what comes back to `output`, until the node ends. `input`'s end is passed on while the rest still comes back.
pub async fn carry(
    channel: &Channel,
    target: &Target,
    input: impl AsyncRead + Unpin + Send + 'static,
    mut output: impl AsyncWrite + Unpin,
) -> Result<(), ClusterError> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let dial = TargetHost { host_port: target.host_port(), cluster: target.cluster.clone() };
    let first = ProxySshRequest { dial_target: Some(dial), frame: None };
    // The receiver is right here.
    let _ = sender.send(first).await;
    let feed = Abort(tokio::spawn(feed(input, sender)));
    let answers: Streaming<ProxySshResponse> = channel
        .bidirectional(CALL, PATH, ReceiverStream::new(receiver))
        .await
        .map_err(|e| named(e, target))?;
    let done = drain(answers, &mut output, target).await;
    drop(feed);
    done
}

struct Abort(tokio::task::JoinHandle<()>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Reads until the end; dropping the sender is the half-close.
async fn feed(mut input: impl AsyncRead + Unpin, sender: mpsc::Sender<ProxySshRequest>) {
    loop {
        let mut buffer = bytes::BytesMut::with_capacity(FRAME);
        match input.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let frame = Some(SshFrame::Ssh(Frame { payload: buffer.freeze() }));
                if sender.send(ProxySshRequest { dial_target: None, frame }).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn drain(
    mut answers: Streaming<ProxySshResponse>,
    output: &mut (impl AsyncWrite + Unpin),
    target: &Target,
) -> Result<(), ClusterError> {
    while let Some(answer) =
        answers.message().await.map_err(|s| named(ClusterError::from_status(CALL, &s), target))?
    {
        let Some(SshFrame::Ssh(Frame { payload })) = answer.frame else { continue };
        if write(output, &payload).await.is_err() {
            // ssh has gone away.
            return Ok(());
        }
    }
    let _ = output.shutdown().await;
    Ok(())
}

async fn write(output: &mut (impl AsyncWrite + Unpin), payload: &Bytes) -> std::io::Result<()> {
    output.write_all(payload).await?;
    output.flush().await
}

/// A refusal that names the node.
fn named(error: ClusterError, target: &Target) -> ClusterError {
    match error {
        ClusterError::Refused { call, code, message } => {
            let what = if code == Code::NotFound || message.contains("not found in inventory") {
                "is not a node of"
            } else {
                "cannot be reached in"
            };
            let message =
                format!("`{}` {what} `{}`: {message}", safe(&target.host, 200), safe(&target.cluster, 200));
            ClusterError::Refused { call, code, message }
        }
        other @ ClusterError::Connection(_) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clusters_suffix_is_not_part_of_the_node() {
        for (host, port, cluster, want) in [
            ("node1.lab.example", 3022, "lab.example", "node1:0"),
            ("node1", 22, "lab.example", "node1:22"),
            ("a.b.lab.example", 0, "lab.example", "a.b:0"),
            (".lab.example", 0, "lab.example", ".lab.example:0"),
            ("node1.lab.example", 1, "leaf.example", "node1.lab.example:1"),
            ("::1", 22, "lab.example", "[::1]:22"),
        ] {
            assert_eq!(Target::new(host, port, cluster).host_port(), want);
        }
    }

    #[tokio::test]
    async fn what_is_read_goes_in_bounded_frames() {
        let (sender, mut receiver) = mpsc::channel(WAITING);
        feed(&*vec![7; 40_000], sender).await;
        let mut sizes = Vec::new();
        while let Some(request) = receiver.recv().await {
            let Some(SshFrame::Ssh(Frame { payload })) = request.frame else { panic!("{request:?}") };
            sizes.push(payload.len());
        }
        assert_eq!(sizes, [32_768, 7_232]);
    }

    #[test]
    fn a_refusal_names_the_node() {
        let target = Target::new("node1", 22, "lab.example");
        for (code, message, want) in [
            (Code::NotFound, "no", "`node1` is not a node of `lab.example`: no"),
            (
                Code::Unknown,
                "not found in inventory",
                "`node1` is not a node of `lab.example`: not found in inventory",
            ),
            (Code::PermissionDenied, "no", "`node1` cannot be reached in `lab.example`: no"),
        ] {
            let refused = ClusterError::Refused { call: CALL, code, message: message.to_owned() };
            let ClusterError::Refused { message, .. } = named(refused, &target) else { panic!("{code:?}") };
            assert_eq!(message, want);
        }
    }
}
