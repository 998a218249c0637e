//! A second process of the same binary that looks after the folder of a command: when `jobpass exec` ends in whatever way, it removes
//! what is left. It has no secret, and nothing to do until then.
//!
//! It is in a session of its own, so that no signal to the group or from the terminal meets it, and has no living parent, so that who
//! kills `jobpass exec` with all its children does not find it. Where nobody would wait for its end, in containers whose first process is
//! no init, it stays a child of `jobpass exec`, which waits for it: else each run would leave an entry in the table of processes.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::private_folder::remove;
use crate::env::Env;
use crate::error::Failed;
use crate::run::error::RunError;
use crate::run::signals::Signals;
use crate::system::{Handle, orphans_are_reaped};

/// The first argument of such a process; no command for people.
const NAME: &str = "exec-watchdog";
const DETACHED: &str = "detached";
const READY: &str = "ready\n";

/// How long it may take to start, and to end.
const LIMIT: Duration = Duration::from_secs(20);

/// What it is told, a line each.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Word {
    /// Remove this folder at the end.
    Folder(PathBuf),
    /// The command's process.
    Command(i32),
    /// All is done that had to be done.
    Done,
}

/// The watchdog, as `jobpass exec` has it. Its end of a pipe closes with the process, whatever ends that.
pub struct Watchdog {
    words: ChildStdin,
    answers: ChildStdout,
    /// The process, where it is our child.
    child: Option<Child>,
}

impl Watchdog {
    /// Starts it; it watches when this returns.
    pub async fn start(env: &Env) -> Result<Self, Failed> {
        let failed = |source| RunError::Watchdog { program: env.exe.display().to_string(), source };
        let is_orphan = orphans_are_reaped(env.root.as_deref());
        let mut command = Command::new(&env.exe);
        command
            .arg(NAME)
            .args((!is_orphan).then_some(DETACHED))
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut first = command.spawn().map_err(failed)?;
        let (Some(words), Some(mut answers)) = (first.stdin.take(), first.stdout.take()) else {
            return Err(failed(io::ErrorKind::BrokenPipe.into()).into());
        };
        let mut answer = [0; READY.len()];
        let ready = timeout(LIMIT, answers.read_exact(&mut answer)).await;
        ready.map_err(io::Error::from).and_then(|read| read).map_err(failed)?;
        let child = if is_orphan {
            let _ = timeout(LIMIT, first.wait()).await;
            None
        } else {
            Some(first)
        };
        Ok(Self { words, answers, child })
    }

    /// Tells it of a folder, before that is created.
    pub async fn folder(&mut self, path: &Path) {
        self.tell(&Word::Folder(path.to_owned())).await;
    }

    /// Tells it of the command.
    pub async fn command(&mut self, id: Option<Pid>) {
        if let Some(id) = id {
            self.tell(&Word::Command(id.as_raw_nonzero().get())).await;
        }
    }

    /// Lets it go, and waits until it has gone.
    pub async fn end(mut self) {
        self.tell(&Word::Done).await;
        drop(self.words);
        let _ = timeout(LIMIT, self.answers.read_to_end(&mut Vec::new())).await;
        if let Some(child) = &mut self.child {
            let _ = timeout(LIMIT, child.wait()).await;
        }
    }

    /// One that somebody has killed does not hear it: no reason to stop.
    async fn tell(&mut self, word: &Word) {
        if let Ok(line) = serde_json::to_string(word) {
            let _ = self.words.write_all((line + "\n").as_bytes()).await;
            let _ = self.words.flush().await;
        }
    }
}

/// What a process does that was started as a watchdog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Leaves the family of who started it.
    Detach,
    /// Watches, in a session of its own.
    Watch,
}

impl Step {
    /// From the arguments of this process, the program's name first.
    pub fn of(arguments: &[OsString]) -> Option<Self> {
        let mut words = arguments.iter().skip(1).map(|word| word.to_str());
        match (words.next()??, words.next().flatten()) {
            (NAME, None) => Some(Self::Detach),
            (NAME, Some(DETACHED)) => Some(Self::Watch),
            _ => None,
        }
    }
}

/// Starts the process that watches; when this one ends it has no parent that anybody knows.
pub fn detach(exe: &Path) -> io::Result<()> {
    std::process::Command::new(exe).args([NAME, DETACHED]).spawn().map(drop)
}

/// Waits for the end of `jobpass exec`. What to say, if it was killed.
pub async fn watch() -> Result<Option<String>, Failed> {
    // One that leads a session already has what it needs.
    let _ = rustix::process::setsid();
    // Caught, never looked at: only SIGKILL ends it.
    let _caught = Signals::of(&[
        Signal::HUP,
        Signal::INT,
        Signal::QUIT,
        Signal::TERM,
        Signal::USR1,
        Signal::USR2,
        Signal::TSTP,
    ])?;
    let mut stdout = tokio::io::stdout();
    stdout.write_all(READY.as_bytes()).await?;
    stdout.flush().await?;
    let (mut folders, mut command, mut done) = (Vec::new(), None, false);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Word::Folder(folder)) => folders.push(folder),
            Ok(Word::Command(id)) => command = Pid::from_raw(id).and_then(Handle::of),
            Ok(Word::Done) => done = true,
            Err(_) => {}
        }
    }
    if done {
        folders.iter().try_for_each(|folder| remove(folder))?;
        return Ok(None);
    }
    if folders.is_empty() {
        return Ok(None);
    }
    // What it holds open or writes is gone with the folder; the second time for what it wrote meanwhile.
    let first = folders.iter().try_for_each(|folder| remove(folder));
    let ended = command.is_some_and(|command| {
        let told = command.send(Signal::TERM);
        command.send(Signal::CONT);
        told
    });
    first.and_then(|()| folders.iter().try_for_each(|folder| remove(folder)))?;
    let sent = if ended { ", and its command got SIGTERM" } else { "" };
    Ok(Some(format!("`jobpass exec` was killed: its credentials are removed{sent}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_arguments_make_a_watchdog() {
        for (words, wanted) in [
            (&["jobpass", "exec-watchdog"][..], Some(Step::Detach)),
            (&["jobpass", "exec-watchdog", "detached"], Some(Step::Watch)),
            (&["jobpass", "exec-watchdog", "x"], None),
            (&["jobpass", "exec", "--", "exec-watchdog"], None),
            (&["exec-watchdog"], None),
            (&[], None),
        ] {
            let arguments: Vec<OsString> = words.iter().map(Into::into).collect();
            assert_eq!(Step::of(&arguments), wanted, "{words:?}");
        }
    }

    #[test]
    fn a_word_is_a_line() {
        for word in [Word::Folder("/a b\n\"c".into()), Word::Command(7), Word::Done] {
            let line = serde_json::to_string(&word).unwrap();
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(serde_json::from_str::<Word>(&line).unwrap(), word);
        }
    }
}
