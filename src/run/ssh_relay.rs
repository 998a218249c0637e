//! ssh to nodes without a key in `ssh-proxy`: it asks `jobpass exec --agent`, which has the keys and connects, over a socket in the
//! private folder. The request is a line; the answer comes in frames, so that an error can be told at any moment; what ssh sends is
//! passed on as it is.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::env;
use crate::error::{Exit, Failed};
use crate::net::tls::ClientIdentity;
use crate::net::{Deadline, HostPort, Network};
use crate::report::Failure;
use crate::run::error::RunError;
use crate::teleport::Cluster;
use crate::teleport::dial::Endpoint;
use crate::teleport::transport::{Target, carry};

/// The node to reach, as ssh names it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    /// `%h`.
    pub host: String,
    /// `%p`.
    pub port: u16,
    /// The root when left out.
    pub cluster: Option<String>,
}

/// Kinds of frames: a byte, then the length of what follows in four.
const DATA: u8 = 0;
const END: u8 = 1;
const FAILED: u8 = 2;

/// The longest request, and the longest frame that is read, in bytes.
const LONGEST_REQUEST: u64 = 16 * 1024;
const LONGEST_FRAME: usize = 64 * 1024;

/// For a request to come in, and for a connection to the proxy.
const LIMIT: Duration = Duration::from_secs(30);

/// The identity of one output.
pub struct Relay {
    /// Under a deadline that no session reaches.
    pub network: Network,
    /// The proxy.
    pub proxy: HostPort,
    /// Of the host CA, DER.
    pub authorities: Vec<Vec<u8>>,
    /// The TLS half.
    pub client: ClientIdentity,
    /// The root's name.
    pub cluster: String,
}

impl Relay {
    /// Serves one `ssh-proxy` that has connected.
    pub async fn session(&self, stream: UnixStream) {
        let (input, mut output) = stream.into_split();
        let ended = self.answer(BufReader::new(input), &mut output).await;
        let _ = match ended {
            Ok(()) => frame(&mut output, END, &[]).await,
            Err(error) => {
                let failure = Failure::new(&error, env::now());
                let mut told = vec![failure.exit as u8];
                told.extend(failure.line().trim_start_matches("jobpass: ").trim_end().bytes());
                told.truncate(LONGEST_FRAME);
                frame(&mut output, FAILED, &told).await
            }
        };
    }

    async fn answer(
        &self,
        mut input: BufReader<impl AsyncRead + Unpin + Send + 'static>,
        output: &mut (impl AsyncWrite + Unpin),
    ) -> Result<(), Failed> {
        let odd =
            || RunError::usage("the request cannot be read", "run the `ProxyCommand` of this `ssh_config`");
        let mut line = String::new();
        let mut bounded = (&mut input).take(LONGEST_REQUEST);
        let read = timeout(LIMIT, bounded.read_line(&mut line)).await;
        read.map_err(|_| odd())?.map_err(|_| odd())?;
        let request: Request = serde_json::from_str(&line).map_err(|_| odd())?;
        let target =
            Target::new(&request.host, request.port, request.cluster.as_deref().unwrap_or(&self.cluster));
        let cluster = Cluster::new(self.network.clone(), Endpoint::Proxy(self.proxy.clone()));
        let connect = cluster.ssh(&self.authorities, self.client.clone());
        let channel = Deadline::after(LIMIT).run("connecting to the proxy", connect).await??;
        let (near, far) = tokio::io::duplex(LONGEST_FRAME);
        let (carried, framed) = tokio::join!(carry(&channel, &target, input, near), framed(far, output));
        carried?;
        // Who asked has gone away: nobody to tell.
        drop(framed);
        Ok(())
    }
}

/// Puts what comes into frames, until its end.
async fn framed(mut from: impl AsyncRead + Unpin, to: &mut (impl AsyncWrite + Unpin)) -> std::io::Result<()> {
    let mut buffer = vec![0; LONGEST_FRAME];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        frame(to, DATA, buffer.get(..length).unwrap_or_default()).await?;
    }
}

async fn frame(to: &mut (impl AsyncWrite + Unpin), kind: u8, content: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(content.len()).unwrap_or_default();
    to.write_u8(kind).await?;
    to.write_u32(length).await?;
    to.write_all(content).await?;
    to.flush().await
}

/// `ssh-proxy --socket`: asks, and carries both ways.
pub async fn ask(
    socket: &Path,
    request: &Request,
    mut input: impl AsyncRead + Unpin + Send + 'static,
    output: impl AsyncWrite + Unpin,
) -> Result<(), Failed> {
    let gone = |source| RunError::NoExec { path: socket.display().to_string(), source };
    let stream = UnixStream::connect(socket).await.map_err(gone)?;
    let (answers, mut asked) = stream.into_split();
    let line = serde_json::to_string(request).map_err(anyhow::Error::from)? + "\n";
    asked.write_all(line.as_bytes()).await.map_err(gone)?;
    let feed = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut input, &mut asked).await;
        let _ = asked.shutdown().await;
    });
    let ended = unframed(BufReader::new(answers), output).await;
    feed.abort();
    match ended.map_err(gone)? {
        None => Ok(()),
        Some((code, message)) => {
            let exit = [Exit::Usage, Exit::Refused, Exit::Network, Exit::Files];
            let exit = exit.into_iter().find(|exit| *exit as u8 == code).unwrap_or(Exit::Internal);
            Err(RunError::ByExec { message, exit }.into())
        }
    }
}

/// Writes what the frames hold, up to the one that is the end; the failure that it tells, with its exit code.
async fn unframed(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) -> std::io::Result<Option<(u8, String)>> {
    loop {
        let kind = from.read_u8().await?;
        let length = usize::try_from(from.read_u32().await?).unwrap_or(usize::MAX);
        if length > LONGEST_FRAME {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        let mut content = vec![0; length];
        from.read_exact(&mut content).await?;
        match kind {
            DATA => {
                if to.write_all(&content).await.is_err() || to.flush().await.is_err() {
                    // ssh has gone away.
                    return Ok(None);
                }
            }
            END => return Ok(None),
            FAILED => {
                let (code, text) = content.split_first().unwrap_or((&1, &[]));
                return Ok(Some((*code, String::from_utf8_lossy(text).into_owned())));
            }
            _ => return Err(std::io::ErrorKind::InvalidData.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
    }

    #[test]
    fn frames_carry_data_and_an_end() {
        let content: Vec<u8> = (0..300_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
        for (kind, told, wanted) in [
            (END, &b""[..], None),
            (FAILED, b"\x04not let in", Some((4, "not let in".to_owned()))),
            (FAILED, b"", Some((1, String::new()))),
        ] {
            let mut sent = Vec::new();
            let mut seen = Vec::new();
            let ended = block_on(async {
                framed(content.as_slice(), &mut sent).await.unwrap();
                frame(&mut sent, kind, told).await.unwrap();
                unframed(sent.as_slice(), &mut seen).await.unwrap()
            });
            assert_eq!((seen == content, ended), (true, wanted));
            // Nothing that ends before its end passes for whole.
            for cut in [0, 1, 4, 5, sent.len() - 1] {
                assert!(block_on(unframed(&sent[..cut], Vec::new())).is_err(), "{cut}");
            }
        }
        for bad in [&[9, 0, 0, 0, 0][..], &[DATA, 255, 255, 255, 255], &[DATA, 0, 1, 0, 1, 7]] {
            assert!(block_on(unframed(bad, Vec::new())).is_err(), "{bad:?}");
        }
    }
}
