//! Every designed failure as a person sees it: exit code and the whole text, and nothing left behind.

mod approval;
mod aws;
mod azure;
mod cluster;
mod exec;
mod files;
mod gcp;
mod identity;
mod kube;
mod machine;
mod network;
mod outputs;
mod platforms;
mod stopped;
mod tunnel;

use std::path::Path;

use snapbox::data::DataFormat;
use snapbox::{Assert, Data, Redactions};

use crate::support::cluster::{Cluster, Job, listing};
use crate::support::command::Ran;

/// Runs `login` and compares what it leaves: the code, the text, and no file more or less.
#[track_caller]
pub fn fails(name: &str, exit: i32, cluster: &Cluster, job: &Job<'_>, arguments: &[&str]) {
    let before = listing(cluster.folder.path());
    let ran = job.login(arguments);
    assert_eq!(listing(cluster.folder.path()), before, "{name} leaves files");
    shows(name, exit, cluster, &ran);
}

/// The same for a machine, with what changes of its metadata service's address.
#[track_caller]
fn machine_fails(name: &str, exit: i32, cluster: &Cluster, job: &Job<'_>, arguments: &[&str], address: &str) {
    let before = listing(cluster.folder.path());
    let mut ran = job.login(arguments);
    assert_eq!(listing(cluster.folder.path()), before, "{name} leaves files");
    ran.stderr = unfolded(&ran.stderr).replace(address, "[METADATA]");
    shows(name, exit, cluster, &ran);
}

/// The same for arguments that are not those of a plain login.
#[track_caller]
pub fn run_fails(name: &str, exit: i32, cluster: &Cluster, job: &Job<'_>, arguments: &[&str]) {
    let before = listing(cluster.folder.path());
    let ran = job.run(arguments);
    assert_eq!(listing(cluster.folder.path()), before, "{name} leaves files");
    shows(name, exit, cluster, &ran);
}

/// Compares code and standard error with `tests/failures/snapshots/NAME.txt`; standard output must be empty.
#[track_caller]
fn shows(name: &str, exit: i32, cluster: &Cluster, ran: &Ran) {
    assert_eq!(ran.code, exit, "{name}: {}", ran.all());
    assert_eq!(ran.stdout, "", "{name}");
    let stderr = unfolded(&ran.stderr);
    let mut redactions = Redactions::new();
    redactions.insert("[PROXY]", cluster.proxy()).unwrap();
    for request in cluster.sandbox.access_requests() {
        redactions.insert("[REQUEST]", request.id.to_string()).unwrap();
    }
    redactions.insert("[FOLDER]", cluster.folder.path().to_path_buf()).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/failures/snapshots/{name}.txt"));
    let wanted = Data::read_from(&path, Some(DataFormat::Text));
    let assert = Assert::new().action_env("SNAPSHOTS").redact_with(redactions).normalize_paths(false);
    assert.eq(format!("exit {}\n\n{}", ran.code, without_times(&stderr)), wanted);
}

/// Where a line is folded depends on the length of paths and ports, which changes from run to run.
fn unfolded(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut margin = usize::MAX;
    for line in text.lines() {
        let bare = line.trim_start();
        if line.len() - bare.len() == margin && !bare.is_empty() {
            let last = out.last_mut().unwrap();
            last.push(' ');
            last.push_str(bare);
            continue;
        }
        let begins = ["error: ", "  caused by: ", "hint: "].into_iter().find(|begin| line.starts_with(begin));
        margin = begins.map_or(usize::MAX, str::len);
        out.push(line.to_owned());
    }
    out.join("\n") + "\n"
}

/// What changes from run to run, by what stands before and after it.
const CHANGING: [(&str, &str); 15] = [
    ("waiting for approval until ", "\n"),
    ("have it approved until ", " ("),
    ("for later: from ", " on"),
    ("it expired at ", "\n"),
    ("trying again in ", ":"),
    ("valid for another ", "\n"),
    ("identity token expired ", " ago"),
    ("it expired ", " ago"),
    ("its token expired at ", "\n"),
    ("this machine's clock ", "\n"),
    ("that expired at ", "\n"),
    ("Token Expiry: ", ")"),
    ("SERIALNUMBER=", ","),
    ("section_start:", ":"),
    ("section_end:", ":"),
];

fn without_times(text: &str) -> String {
    let mut text = text.to_owned();
    for (before, after) in CHANGING {
        let mut parts = text.split(before);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let rest = part.find(after).map(|at| &part[at..]);
            out = out + before + rest.map_or("", |_| "[..]") + rest.unwrap_or(part);
        }
        text = out;
    }
    text
}

/// A port that nobody else can take and that refuses connections, as long as the value lives.
pub struct DeadPort(tokio::net::TcpSocket);

impl DeadPort {
    pub fn new() -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self(socket)
    }

    pub fn address(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }
}
