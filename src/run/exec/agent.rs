//! The ssh-agent of one command: a socket in the private folder, served for as long as the command runs.

use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::socket::Socket;
use crate::identity::agent::{AgentKey, LONGEST, answer};
use crate::issue::Issued;
use crate::text::safe;
use crate::write::WriteError;

/// A listening agent.
pub struct Agent {
    socket: Socket,
    keys: Vec<AgentKey>,
}

impl Agent {
    /// Listens at `path`, with the keys of all ssh outputs.
    pub fn listen(path: &Path, issued: &[Issued]) -> Result<Self, WriteError> {
        let key = |issued: &Issued| {
            let ssh = issued.first.identity.ssh.as_ref()?;
            AgentKey::new(ssh, &safe(&format!("{} {}", ssh.cert.key_id, issued.output.name), 200))
        };
        Ok(Self { socket: Socket::listen(path)?, keys: issued.iter().filter_map(key).collect() })
    }

    /// Answers, until it is dropped.
    pub async fn serve(self) {
        let keys = self.keys.as_slice();
        self.socket.serve(|stream| session(stream, keys)).await;
    }
}

/// One connection: messages, each with its length before it.
async fn session(mut stream: UnixStream, keys: &[AgentKey]) {
    while let Ok(length) = stream.read_u32().await {
        let Some(length) = usize::try_from(length).ok().filter(|length| *length <= LONGEST) else { return };
        let mut message = vec![0; length];
        if stream.read_exact(&mut message).await.is_err() {
            return;
        }
        let answer = answer(&message, keys);
        let Ok(length) = u32::try_from(answer.len()) else { return };
        let whole = [&length.to_be_bytes(), answer.as_slice()].concat();
        if stream.write_all(&whole).await.is_err() {
            return;
        }
    }
}
