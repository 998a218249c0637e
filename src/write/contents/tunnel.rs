//! The line that opens a tunnel with the files of an output and runs a client in it.

use super::Context;
use super::command_line::{command_line, word};
use crate::issue::Issued;
use crate::tunnel::variables::{name, url_variable};

/// A shell's line. Without a client the tunnel is open until it is stopped, and says where.
pub(super) fn line(issued: &Issued, client: &[&str], context: &Context<'_>) -> Option<String> {
    let (command, dir) = (word(context.command)?, word(&issued.output.destination.path())?);
    let dashes = if client.is_empty() { [].as_slice() } else { &["--"] };
    command_line([&[command.as_str(), "tunnel", "--dir", &dir], dashes, client].concat())
}

/// The same for a client that wants the URL of the tunnel to that resource as its last argument.
pub(super) fn line_with_url(
    issued: &Issued,
    client: &str,
    resource: &str,
    context: &Context<'_>,
) -> Option<String> {
    let script = format!("{client} \"${}\"", url_variable(&name(resource)));
    line(issued, &["sh", "-c", &script], context)
}
