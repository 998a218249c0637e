//! Stand-ins for the metadata services of clouds: they pass a question on to the sandbox's, which answers as the vendors document it,
//! save where a test wants something to go wrong.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use jobpass::cloud::Cloud;
use jobpass::platform::Platform;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::background::Background;
use super::cluster::{Cluster, Job};

/// What happens to a question.
pub enum Reply {
    /// The sandbox answers.
    Pass,
    /// This status and body.
    Say(u16, String),
    /// Another address is named.
    Redirect,
    /// Nothing, for as long as the stand-in lives.
    Silence,
}

pub struct StandIn {
    background: Background,
    asked: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    /// `reply` gets the path with its query, and how many such questions (by the path alone) there were before.
    pub fn start(behind: SocketAddr, reply: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (keep, reply) = (Arc::clone(&asked), Arc::new(reply));
        let background = Background::serve(move |tcp| {
            let (keep, reply) = (Arc::clone(&keep), Arc::clone(&reply));
            async move { connection(tcp, behind, &keep, |path, before| reply(path, before)).await }
        });
        Self { background, asked }
    }

    /// One that only watches.
    pub fn watching(behind: SocketAddr) -> Self {
        Self::start(behind, |_, _| Reply::Pass)
    }

    pub fn address(&self) -> SocketAddr {
        self.background.address
    }

    /// The heads of the questions, in order, lower case.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// How many questions had this in their first line.
    pub fn count(&self, part: &str) -> usize {
        self.asked().iter().filter(|head| head.lines().next().unwrap().contains(part)).count()
    }
}

async fn connection(
    mut client: TcpStream,
    behind: SocketAddr,
    asked: &Mutex<Vec<String>>,
    reply: impl Fn(&str, usize) -> Reply,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16_384 {
        let Ok(byte) = client.read_u8().await else { return };
        head.push(byte);
    }
    let text = String::from_utf8(head.clone()).unwrap();
    let path = text.split(' ').nth(1).unwrap().to_owned();
    let bare = path.split('?').next().unwrap().to_lowercase();
    let before = {
        let mut asked = asked.lock().unwrap();
        let same = |head: &&String| head.split([' ', '?']).nth(1) == Some(&bare);
        let before = asked.iter().filter(same).count();
        asked.push(text.to_lowercase());
        before
    };
    let (status, more, body) = match reply(&path, before) {
        Reply::Pass => {
            let mut server = TcpStream::connect(behind).await.unwrap();
            server.write_all(&head).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            return;
        }
        Reply::Silence => return std::future::pending().await,
        Reply::Say(status, body) => (status, String::new(), body),
        Reply::Redirect => (302, "Location: http://127.0.0.1:9/elsewhere\r\n".to_owned(), String::new()),
    };
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status} X\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let _ = client.write_all(answer.as_bytes()).await;
}

/// A job on a machine of that cloud, whose metadata service is there: its variable, a path, a temp folder, the sandbox's roots.
pub fn job(cluster: &Cluster, cloud: Cloud, metadata: SocketAddr) -> Job<'_> {
    let mut job = cluster.job(Platform::Spacelift);
    job.variables.retain(|(name, _)| matches!(name.as_str(), "PATH" | "SSL_CERT_FILE" | "TMPDIR"));
    job.token = format!("ci-{}", cloud.id());
    match cloud {
        Cloud::Azure => job.set("AZURE_POD_IDENTITY_AUTHORITY_HOST", &format!("http://{metadata}")),
        _ => job.set("GCE_METADATA_HOST", &metadata.to_string()),
    }
}
