//! What an `app` output leaves: a client certificate, and how to reach the application with it.

use super::client_certificate::{self, CERTIFICATE, KEY, path};
use super::command_line::{command_line, curl_file, word};
use super::{Contents, Context, relay};
use crate::identity::route::{AppRoute, Route};
use crate::issue::Issued;
use crate::net::HostPort;
use crate::output::App;

/// gravitational/teleport `lib/srv/alpnproxy/common`.
const TCP: &str = "teleport-tcp";

/// Files, variables, step outputs and a command.
pub(super) fn contents(issued: &Issued, app: &App, context: &Context<'_>) -> Contents {
    let mut contents = client_certificate::contents(issued, app.format, context);
    let Route::App(route) = &issued.first.route else { return contents };
    if route.is_tcp() {
        contents.usage.extend(tcp(issued, route, context));
        return contents;
    }
    let Some(address) = address(route, context) else {
        let name = &app.name;
        contents.warnings.push(format!(
            "the public address of application `{name}` is not a valid host name: find out where it is reached"
        ));
        return contents;
    };
    let url = format!("https://{address}");
    contents.usage.extend(curl(issued, &url, context));
    contents.variables.push(("JOBPASS_APP_URL", url.clone()));
    contents.step_outputs.push(("app-url", url));
    contents
}

/// The application's host at the proxy's port.
fn address(route: &AppRoute, context: &Context<'_>) -> Option<HostPort> {
    let port = HostPort::parse(context.proxy, 443).ok()?.port;
    let address = HostPort::parse(&route.public_addr, port).ok()?;
    Some(HostPort { port, ..address })
}

fn curl(issued: &Issued, url: &str, context: &Context<'_>) -> Option<String> {
    let (certificate, key) = (word(&path(issued, CERTIFICATE))?, word(&path(issued, KEY))?);
    let mut words = vec!["curl".to_owned(), "--cert".into(), curl_file(&certificate), "--key".into(), key];
    if let Some(file) = context.ca_file {
        words.extend(["--cacert".into(), word(file)?]);
    }
    words.push(format!("{url}/"));
    command_line(words)
}

/// A relay on the port of the application's own. No web client reaches these, and few others can send an ALPN.
fn tcp(issued: &Issued, route: &AppRoute, context: &Context<'_>) -> Option<String> {
    let of_uri = || route.uri.rsplit(':').next()?.trim_end_matches('/').parse().ok();
    let port = Some(route.target_port).filter(|port| *port != 0).or_else(of_uri)?;
    relay::line(issued, port, TCP, context)
}
