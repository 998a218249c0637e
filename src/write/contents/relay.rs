//! A relay for clients that know nothing of ALPN: it listens on loopback and adds TLS on the way to the proxy.

use super::Context;
use super::client_certificate::{CERTIFICATE, KEY, path};
use super::command_line::{command_line, word};
use crate::issue::Issued;
use crate::net::HostPort;

/// A shell's line that starts one on that port: `ncat` listens, `openssl` does the TLS. It runs until it is killed.
pub(super) fn line(issued: &Issued, port: u16, alpn: &str, context: &Context<'_>) -> Option<String> {
    let proxy = HostPort::parse(context.proxy, 443).ok()?;
    let (address, file) = (proxy.to_string(), |name: &str| word(&path(issued, name)));
    let (certificate, key) = (file(CERTIFICATE)?, file(KEY)?);
    let verified = if proxy.ip().is_some() { "-verify_ip" } else { "-verify_hostname" };
    let mut tls = vec!["openssl", "s_client", "-quiet", "-verify_quiet", "-verify_return_error"];
    tls.extend([verified, &proxy.host, "-connect", &address, "-alpn", alpn]);
    tls.extend(["-cert", &certificate, "-key", &key]);
    let roots = context.ca_file.map(word);
    match &roots {
        Some(Some(roots)) => tls.extend(["-CAfile", roots]),
        Some(None) => return None,
        None => {}
    }
    let (tls, port) = (command_line(tls)?, port.to_string());
    let relay = command_line(["ncat", "--listen", "--keep-open", "127.0.0.1", &port, "--sh-exec", &tls])?;
    Some(format!("{relay} &"))
}
