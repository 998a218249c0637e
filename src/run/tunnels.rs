//! The tunnels of a run: what is asked for → outputs to be issued → listeners, and the variables by which programs find them.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::cli::tunnel_spec::{At, TunnelSpec};
use crate::env::Env;
use crate::error::Failed;
use crate::identity::route::{AppRoute, DatabaseRoute, Route};
use crate::issue::Issued;
use crate::log::Log;
use crate::net::HostPort;
use crate::net::tls::ClientIdentity;
use crate::output::{Destination, Kind, Output};
use crate::run::base_folder::temporary;
use crate::run::error::RunError;
use crate::run::obtain::Credentials;
use crate::run::scratch::Scratch;
use crate::teleport::database_protocol::{self, DatabaseProtocol, Plain};
use crate::teleport::dial::Endpoint;
use crate::teleport::target::{Meant, TCP, Target};
use crate::tunnel::variables::{self, Variables, postgres_socket};
use crate::tunnel::{
    IS_CHECKED, Listen, Listener, Outage, Place, Speaks, Tunnel, TunnelError, Upstream, Web,
};
use crate::write::contents::kube;
use crate::write::{FileToWrite, Pending};

/// Tunnels that listen.
pub struct Opened {
    /// To be served.
    pub tunnels: Vec<Tunnel>,
    /// What programs find them by.
    pub variables: Vec<(String, String)>,
    /// A line for people of each.
    pub lines: Vec<String>,
    /// When their certificates end, by this machine's clock.
    pub ends: Timestamp,
    /// Sockets and kubeconfigs, no credential: kept for as long as the tunnels.
    pub folder: Option<Scratch>,
}

/// The outputs whose credentials the tunnels use, in the order of the tunnels. What can be told without the cluster is refused here.
pub fn outputs(specs: &[TunnelSpec], roles: &[String]) -> Result<Vec<Output>, Failed> {
    let mut outputs: Vec<Output> = Vec::new();
    for spec in specs {
        let name = match &spec.output.name {
            Some(name) => name.clone(),
            None => free_name(&spec.output.kind, specs, &outputs),
        };
        if outputs.iter().any(|other| variables::suffix(&other.name) == variables::suffix(&name)) {
            let message = format!("two tunnels have the same name: `{name}`");
            return Err(RunError::usage(message, "tell them apart by `name=`").into());
        }
        if let Kind::Database(database) = &spec.output.kind
            && let Some(protocol) = &database.protocol
        {
            served(&name, &database.service, protocol)?;
        }
        let all = (!roles.is_empty()).then(|| roles.to_vec());
        let (kind, roles) = (spec.output.kind.clone(), spec.output.roles.clone().or(all));
        outputs.push(Output { name, kind, roles, destination: Destination::in_memory() });
    }
    Ok(outputs)
}

/// That of the resource, with a number where it is taken.
fn free_name(kind: &Kind, specs: &[TunnelSpec], outputs: &[Output]) -> String {
    let resource = kind.resource().unwrap_or_else(|| kind.name());
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = resource.chars().take(60).map(fits).collect();
    let given = specs.iter().filter_map(|spec| spec.output.name.as_deref());
    let taken: Vec<String> =
        given.chain(outputs.iter().map(|output| output.name.as_str())).map(variables::suffix).collect();
    let mut names = std::iter::once(name.clone()).chain((2..).map(|number| format!("{name}-{number}")));
    names.find(|name| !taken.contains(&variables::suffix(name))).unwrap_or(name)
}

/// Tunnels go through the proxy.
pub fn check_entry(entry: &Endpoint) -> Result<(), RunError> {
    match entry {
        Endpoint::Proxy(_) => Ok(()),
        Endpoint::Auth { .. } => Err(RunError::usage(
            "tunnels go through the proxy, and `--auth-server` goes past it",
            "pass `--proxy HOST[:PORT]` in its place",
        )),
    }
}

/// Takes what was issued for tunnels, in their order; what is left is to be written. A tunnel that was refused is no output that one can go
/// on without.
pub fn take(credentials: &mut Credentials, names: &[Output]) -> Result<Vec<Issued>, Failed> {
    let is_ours = |refused: &(String, Failed)| names.iter().any(|output| output.name == refused.0);
    if let Some(at) = credentials.refused.iter().position(is_ours) {
        return Err(credentials.refused.swap_remove(at).1);
    }
    let all = std::mem::take(&mut credentials.checked.batch.issued);
    let (ours, others) = all.into_iter().partition(|issued| issued.output.destination.is_in_memory());
    credentials.checked.batch.issued = others;
    Ok(ours)
}

/// Listens for each tunnel, with what was issued for it, in the same order. What it needs on disk, which is no credential, goes below `parent`;
/// without one into the user's own temporary folder.
pub async fn open(
    specs: &[TunnelSpec],
    issued: &[Issued],
    credentials: &Credentials,
    parent: Option<&Path>,
    env: &Env,
    log: &Log,
) -> Result<Opened, Failed> {
    let outage = Arc::new(Outage::new(log.clone()));
    let mut folder = Private { made: None, parent, env };
    let (mut tunnels, mut lines, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for (spec, issued) in specs.iter().zip(issued) {
        let (name, route) = (issued.output.name.clone(), &issued.first.route);
        let way = way(&name, route, credentials)?;
        let listen = match &spec.at {
            At::Port(port) => Listen::Port(port.unwrap_or_default()),
            At::Socket(Some(path)) => Listen::Socket(chosen_socket(&name, route, env.absolute(path))?),
            At::Socket(None) => Listen::Socket(private_socket(&name, route, folder.path()?)?),
        };
        let listener = Listener::bind(&name, &listen).await?;
        let place = listener.place().clone();
        let mut variables = variables::variables(route, &place);
        if let Route::Kube { kube: cluster } = route {
            let folder = folder.path()?;
            let config = kubeconfig(&name, &issued.output.kind, cluster, &variables, credentials, folder)?;
            variables.plain.push(("KUBECONFIG", config));
        }
        lines.push(format!("tunnel `{name}`: {} at {place}", described(route)));
        let target = Target {
            meant: way.meant,
            authorities: credentials.bot.authorities.clone(),
            client: client(issued),
        };
        let service = target.service(credentials.cluster.address());
        let (cluster, outage) = (Arc::clone(&credentials.cluster), Arc::clone(&outage));
        let upstream = Upstream { name: name.clone(), cluster, service, outage };
        let speaks = match way.host {
            None => Speaks::Bytes,
            Some(host) => {
                let is_anonymous = matches!(route, Route::Kube { .. });
                Speaks::Web(Web { host, is_anonymous, place: place.clone() })
            }
        };
        found.push((name.clone(), place, variables));
        tunnels.push(Tunnel { name, listener, upstream, speaks });
    }
    if !IS_CHECKED && found.iter().any(|(_, place, _)| matches!(place, Place::Port(_))) {
        log.warn(
            "this system does not say whose a connection on loopback is: every user of this machine may use the tunnels; listen on \
             a Unix socket (`,unix`) where that matters",
        );
    }
    let ends = issued.iter().map(Issued::expires).min().unwrap_or(Timestamp::MAX);
    let skew = SignedDuration::from_secs(credentials.ping.clock_skew.unwrap_or(0));
    let ends = ends.checked_sub(skew).unwrap_or(ends);
    let named = found.iter().map(|(name, place, variables)| (name.as_str(), place, variables.clone()));
    Ok(Opened { tunnels, variables: variables::all(named), lines, ends, folder: folder.made })
}

/// The way of one tunnel: how the proxy knows what is meant, and its name for HTTP.
struct Way {
    meant: Meant,
    host: Option<String>,
}

fn way(name: &str, route: &Route, credentials: &Credentials) -> Result<Way, Failed> {
    let proxy = credentials.cluster.address();
    Ok(match route {
        Route::Database(database) => {
            let protocol = served(name, &database.service, &database.protocol)?;
            Way { meant: Meant::Protocol(protocol.alpn), host: None }
        }
        Route::App(app) if app.is_tcp() => Way { meant: Meant::Protocol(TCP), host: None },
        Route::App(app) => web_app(name, app, proxy)?,
        Route::Kube { .. } => {
            let meant = Meant::kube(proxy, credentials.ping.public_address.as_ref());
            Way { meant, host: Some(host_header(proxy)) }
        }
        Route::Cluster => return Err(anyhow::anyhow!("a tunnel to no server").into()),
    })
}

fn web_app(name: &str, app: &AppRoute, proxy: &HostPort) -> Result<Way, TunnelError> {
    let unserved = |reason: String, hint: &str| TunnelError::Unserved {
        name: name.to_owned(),
        what: format!("application `{}`", app.name),
        reason,
        hint: hint.to_owned(),
    };
    if !["http://", "https://"].iter().any(|scheme| app.uri.starts_with(scheme)) {
        let scheme = app.uri.split(':').next().unwrap_or_default();
        let scheme = crate::text::safe(scheme, 40);
        return Err(unserved(
            format!("it is reached by `{scheme}`, neither by HTTP nor by TCP"),
            "take an application whose `uri` is `http://…`, `https://…` or `tcp://…`",
        ));
    }
    let address = HostPort::parse(&app.public_addr, proxy.port).map_err(|_| {
        let reason = "its public address is not a valid host name".to_owned();
        unserved(reason, "give the application a `public_addr` of its own")
    })?;
    let host = host_header(&HostPort { port: proxy.port, ..address.clone() });
    Ok(Way { meant: Meant::App(address.host), host: Some(host) })
}

/// `HOST`, with the port where that is not 443.
fn host_header(address: &HostPort) -> String {
    let full = address.to_string();
    full.strip_suffix(":443").map(str::to_owned).unwrap_or(full)
}

fn served(name: &str, service: &str, protocol: &str) -> Result<&'static DatabaseProtocol, TunnelError> {
    let unserved = |reason: String, hint: String| TunnelError::Unserved {
        name: name.to_owned(),
        what: format!("database `{service}`"),
        reason,
        hint,
    };
    let Some(found) = database_protocol::find(protocol) else {
        let all = database_protocol::all().filter(|protocol| protocol.plain == Plain::Served);
        let all: Vec<&str> = all.map(|protocol| protocol.name).collect();
        let shown = crate::text::safe(protocol, 40);
        return Err(unserved(
            format!("its protocol `{shown}` is not known"),
            format!("check `protocol=`: tunnels serve {}", all.join(", ")),
        ));
    };
    match found.plain {
        Plain::Served => Ok(found),
        Plain::Unserved(reason, hint) => {
            Err(unserved(format!("its protocol is `{protocol}`, and {reason}"), hint.to_owned()))
        }
    }
}

fn client(issued: &Issued) -> ClientIdentity {
    let tls = &issued.first.identity.tls;
    ClientIdentity { chain: vec![tls.cert.der.clone()], key: tls.key.private().clone() }
}

fn described(route: &Route) -> String {
    match route {
        Route::App(app) if app.is_tcp() => format!("the TCP application `{}`", app.name),
        Route::App(app) => format!("the application `{}`", app.name),
        other => other.to_string(),
    }
}

/// A private folder, made when it is first needed.
struct Private<'a> {
    made: Option<Scratch>,
    parent: Option<&'a Path>,
    env: &'a Env,
}

impl Private<'_> {
    fn path(&mut self) -> Result<&Path, Failed> {
        let made = if let Some(made) = self.made.take() {
            made
        } else {
            let parent = self.parent.map_or_else(|| temporary(self.env), |parent| Ok(parent.to_owned()))?;
            Scratch::create(&parent, "jobpass-tunnel-")?
        };
        Ok(self.made.insert(made).path())
    }
}

/// Whether libpq looks for a socket of its own name in a folder.
fn is_postgres(route: &Route) -> bool {
    matches!(route, Route::Database(DatabaseRoute { protocol, .. }) if matches!(protocol.as_str(), "postgres" | "cockroachdb"))
}

fn private_socket(name: &str, route: &Route, folder: &Path) -> Result<PathBuf, Failed> {
    if !is_postgres(route) {
        return Ok(folder.join(format!("{name}.sock")));
    }
    let folder = folder.join(name);
    std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder.join(postgres_socket(5432)))
}

fn chosen_socket(name: &str, route: &Route, path: PathBuf) -> Result<PathBuf, TunnelError> {
    let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let number = file.strip_prefix(&postgres_socket(0).replace('0', ""));
    let fits = number.is_some_and(|number| number.parse::<u16>().is_ok_and(|port| port != 0));
    if !is_postgres(route) || fits {
        return Ok(path);
    }
    Err(TunnelError::Unserved {
        name: name.to_owned(),
        what: format!("postgres at `{}`", path.display()),
        reason: "clients look for a socket of another name".to_owned(),
        hint: format!("call the socket `{}`, in any folder", postgres_socket(5432)),
    })
}

/// Writes one that leads to the tunnel and has no credential; its path.
fn kubeconfig(
    name: &str,
    kind: &Kind,
    cluster: &str,
    variables: &Variables,
    credentials: &Credentials,
    folder: &Path,
) -> Result<String, Failed> {
    let Kind::Kube(kube) = kind else { return Err(anyhow::anyhow!("`{name}` is not for kubernetes").into()) };
    let text = kube::of_tunnel(kube, &credentials.bot.cluster, cluster, &variables.url)?;
    let folder = folder.join(name);
    let file = FileToWrite { path: kube::KUBECONFIG.into(), content: text.into_bytes().into(), mode: 0o600 };
    Pending::prepare(&folder)?.commit(&[file])?;
    Ok(folder.join(kube::KUBECONFIG).display().to_string())
}
