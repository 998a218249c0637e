//! A token in a file or on standard input: bounded in size, and in time too, as a pipe may never end.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::error::TokenError;
use super::found::Found;
use super::variable;
use crate::env::{Env, MAX_FILE};
use crate::net::Network;
use crate::text::{io_reason, looks_like_token};

/// The file of `--id-token-file`; `-` is standard input.
pub(super) async fn user_file(env: &Env, network: &Network, path: &Path) -> Result<Found, TokenError> {
    if path == Path::new("-") {
        let place = "standard input".to_owned();
        return match read(network, || Ok(io::stdin())).await {
            Ok(text) => variable::parse(&text, place),
            Err(reason) => Err(TokenError::Source { place, reason: reason.text() }),
        };
    }
    if looks_like_token(&path.to_string_lossy()) && !env.absolute(path).exists() {
        let reason = "it takes a path, not a token".to_owned();
        return Err(TokenError::Source { place: "`--id-token-file`".to_owned(), reason });
    }
    let place = shown_path(path);
    match platform_file(network, &env.absolute(path)).await? {
        Some(found) => Ok(Found { place, ..found }),
        None => Err(TokenError::Absent {
            place,
            reason: "there is no such file",
            hint: "check the path, and that the step that writes the token runs before",
        }),
    }
}

/// The token in a file of the platform's; `None`: there is no such file.
pub(super) async fn platform_file(network: &Network, path: &Path) -> Result<Option<Found>, TokenError> {
    match read_file(network, path).await {
        Ok(text) => variable::parse(&text, shown_path(path)).map(Some),
        Err(Unread::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(reason) => Err(TokenError::Source { place: shown_path(path), reason: reason.text() }),
    }
}

pub(super) async fn read_file(network: &Network, path: &Path) -> Result<Zeroizing<String>, Unread> {
    let owned = path.to_owned();
    read(network, || File::open(owned)).await
}

pub(super) fn shown_path(path: &Path) -> String {
    format!("the file `{}`", path.display().to_string().escape_debug())
}

pub(super) enum Unread {
    Io(io::Error),
    Reason(String),
}

impl Unread {
    pub(super) fn text(self) -> String {
        match self {
            Self::Io(error) => io_reason(&error),
            Self::Reason(reason) => reason,
        }
    }
}

/// Reads in a thread of its own: a read that never returns then holds up neither the deadline nor the end of
/// the process.
async fn read<R: Read>(
    network: &Network,
    open: impl FnOnce() -> io::Result<R> + Send + 'static,
) -> Result<Zeroizing<String>, Unread> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = sender.send(open().and_then(bounded));
    });
    let bytes = network
        .deadline()
        .run("reading the identity token", receiver)
        .await
        .map_err(|late| Unread::Reason(late.to_string()))?
        .map_err(|_| Unread::Reason("reading it broke off".to_owned()))?
        .map_err(Unread::Io)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Unread::Reason(format!("it is larger than {MAX_FILE} bytes")));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Unread::Reason("it is not a text".to_owned())),
    }
}

fn bounded(reader: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    reader.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
