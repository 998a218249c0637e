//! What an `app` output leaves: a client certificate, and how to reach the application with it.

use super::client_certificate::{self, CERTIFICATE, KEY, path};
use super::command_line::{command_line, curl_file, word};
use super::tunnel::{line, line_with_url};
use super::{Contents, Context};
use crate::identity::route::{AppRoute, Route};
use crate::issue::Issued;
use crate::net::HostPort;
use crate::output::App;

/// Files, variables, step outputs and a command.
pub(super) fn contents(issued: &Issued, app: &App, context: &Context<'_>) -> Contents {
    let mut contents = client_certificate::contents(issued, app.format, context);
    let Route::App(route) = &issued.first.route else { return contents };
    if route.is_tcp() {
        contents.usage.extend(line(issued, &[], context));
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
    // What terminates TLS before the proxy keeps the certificate from it.
    contents.usage.extend(if context.is_behind_a_balancer {
        line_with_url(issued, "curl", &app.name, context)
    } else {
        curl(issued, &url, context)
    });
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
