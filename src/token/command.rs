//! A token from a command of the user's or the platform's: run without a shell, bounded in output and time, never quoted.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

use super::error::TokenError;
use super::found::Found;
use super::variable;
use crate::env::Env;
use crate::net::Network;
use crate::text::{io_reason, looks_like_token, safe};

/// The most a command may print.
const MAX_OUTPUT: u64 = 64 * 1024;
/// How much of the end of its standard error is kept.
const KEPT: usize = 4 * 1024;
/// How long the rest of its standard error is waited for, where a child of the command's own keeps it open.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// The token the command prints.
pub(super) async fn output_of(network: &Network, env: &Env, words: &[String]) -> Result<Found, TokenError> {
    let refused = |place: &str, reason: &str| {
        Err(TokenError::Source { place: place.to_owned(), reason: reason.to_owned() })
    };
    let Some((program, arguments)) = words.split_first().filter(|(program, _)| !program.is_empty()) else {
        return refused("`--id-token-command`", "it names no program");
    };
    if looks_like_token(program) {
        return refused("`--id-token-command`", "it takes a command, not a token");
    }
    // Its arguments may hold secrets: they are never shown.
    let place = format!("the command `{}`", safe(program, 100));
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(env.iter())
        .current_dir(&env.cwd)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let child = match child {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(TokenError::Absent {
                place,
                reason: "there is no such program",
                hint: "check its name and `PATH`; what needs a shell is `--id-token-command \"sh -c '…'\"`",
            });
        }
        Err(error) => return refused(&place, &format!("it cannot be run: {}", io_reason(&error))),
    };
    let doing = format!("running `{}`", safe(program, 100));
    let ended = match network.deadline().run(&doing, output(child)).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(error)) => {
            return refused(&place, &format!("could not read its output: {}", io_reason(&error)));
        }
        Err(late) => return refused(&place, &late.to_string()),
    };
    if ended.stdout.len() as u64 > MAX_OUTPUT {
        return refused(&place, &format!("it printed more than {MAX_OUTPUT} bytes"));
    }
    match ended.status {
        Some(status) if status.success() => {}
        status => {
            let status = status.map_or_else(|| "no status".to_owned(), |s| s.to_string());
            let words = ended.last_words.map(|w| format!(", saying `{w}`")).unwrap_or_default();
            return refused(&place, &format!("it ended with {status}{words}"));
        }
    }
    match std::str::from_utf8(&ended.stdout) {
        Ok(text) if text.trim().is_empty() => refused(&place, "it printed nothing"),
        Ok(text) => variable::parse(text, place),
        Err(_) => refused(&place, "it did not print text"),
    }
}

/// Splits a command line into words as a POSIX shell does, without expanding anything; `#` begins a comment.
pub fn words(line: &str) -> Result<Vec<String>, &'static str> {
    shlex::split(line).ok_or("a quote is not closed, or a backslash ends it")
}

struct Ended {
    /// One byte over the limit where there was more.
    stdout: Zeroizing<Vec<u8>>,
    /// `None`: it was stopped for printing too much.
    status: Option<ExitStatus>,
    last_words: Option<String>,
}

async fn output(mut child: Child) -> io::Result<Ended> {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let errors = child.stderr.take().map(|pipe| tokio::spawn(keep_end(pipe, kept.clone())));
    let mut stdout = Zeroizing::new(Vec::new());
    if let Some(pipe) = child.stdout.take() {
        pipe.take(MAX_OUTPUT + 1).read_to_end(&mut stdout).await?;
    }
    let status = if stdout.len() as u64 > MAX_OUTPUT { None } else { Some(child.wait().await?) };
    if let Some(mut task) = errors
        && tokio::time::timeout(LAST_WORDS, &mut task).await.is_err()
    {
        task.abort();
    }
    let text = kept.lock().map(|end| String::from_utf8_lossy(&end).into_owned()).unwrap_or_default();
    let last_words = text.lines().rev().map(|line| safe(line, 200)).find(|line| !line.is_empty());
    Ok(Ended { stdout, status, last_words })
}

/// Reads to the end, so that the child is never held up, and keeps the last of it.
async fn keep_end(mut pipe: impl AsyncRead + Unpin, kept: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0u8; 1024];
    while let Ok(n @ 1..) = pipe.read(&mut buffer).await {
        let Ok(mut end) = kept.lock() else { return };
        end.extend_from_slice(&buffer[..n]);
        let over = end.len().saturating_sub(KEPT);
        end.drain(..over);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::time::timeout;

    use super::*;
    use crate::log::Log;
    use crate::net::{Deadline, Options};

    #[test]
    fn splits_as_a_shell_does() {
        for (line, want) in [
            ("", Ok(&[][..])),
            ("  a  b\tc ", Ok(&["a", "b", "c"])),
            (
                r#"circleci run oidc get --claims '{"aud":"x"}'"#,
                Ok(&["circleci", "run", "oidc", "get", "--claims", r#"{"aud":"x"}"#]),
            ),
            (r#"a"b c"'d'\ e"#, Ok(&["ab cd e"])),
            (r#""\"\x" ''"#, Ok(&["\"\\x", ""])),
            ("$(id) *", Ok(&["$(id)", "*"])),
            ("'a", Err("a quote is not closed, or a backslash ends it")),
            (r#""a\"#, Err("a quote is not closed, or a backslash ends it")),
            ("a\\", Err("a quote is not closed, or a backslash ends it")),
        ] {
            let want: Result<Vec<String>, _> = want.map(|w| w.iter().map(|w| (*w).to_owned()).collect());
            assert_eq!(words(line), want, "{line}");
        }
    }

    /// It holds a connection to the test for as long as it lives.
    #[tokio::test]
    async fn a_command_is_killed_at_the_deadline() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; exec sleep 60");
        let words = ["bash", "-c", &script].map(str::to_owned);
        let env = Env::new([("", ""); 0], "/");
        for seconds in [1, 4, 16] {
            let deadline = Deadline::after(Duration::from_secs(seconds));
            let network = Network::new(&env, &Options::default(), deadline, Log::silent()).unwrap();
            let Err(TokenError::Source { reason, .. }) = output_of(&network, &env, &words).await else {
                panic!("it printed nothing");
            };
            assert!(reason.contains("the deadline"), "{reason}");
            let waiting = timeout(Duration::from_millis(10), listener.accept()).await;
            // On a busy machine it may not have come so far.
            let Ok(Ok((mut connection, _))) = waiting else { continue };
            let end = timeout(Duration::from_secs(10), connection.read_u8()).await;
            assert_eq!(end.expect("it lives on").unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
            return;
        }
        panic!("it never came so far as to connect");
    }

    proptest! {
        #[test]
        fn quoted_words_come_back(list in proptest::collection::vec("[^']{0,12}", 0..4)) {
            let line = list.iter().map(|w| format!("'{w}'")).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(words(&line).unwrap(), list);
        }
    }
}
