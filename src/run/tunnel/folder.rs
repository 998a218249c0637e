//! The folder of an output that `login` wrote, as a tunnel has it: which server its certificates are for, and where the cluster is.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::cli::tunnel_spec::At;
use crate::env::{self, Env};
use crate::error::StageError as _;
use crate::identity::route::{DatabaseRoute, Route};
use crate::identity::tls::ders_of;
use crate::net::HostPort;
use crate::net::tls::ClientIdentity;
use crate::output::Kind;
use crate::report::OutputReport;
use crate::run::certificate::{certificate, key, none};
use crate::run::error::RunError;
use crate::run::tunnels::{Opened, Wanted, free_name};
use crate::run::written::Written;
use crate::run::{renew, request};
use crate::teleport::target::Target;
use crate::text::{io_reason, safe};
use crate::write::contents::kube::{CERTIFICATE, KEY, certificate_of};

/// The cluster's host CA in a folder, by tbot's name.
const HOST_CA: &str = "teleport-host-ca.crt";

const ANOTHER: &str = "name the folder of a `database`, `app` or `kube` output that `jobpass login` wrote and `jobpass logout` has \
                       not wiped: `$JOBPASS_DIR`";
const AGAIN: &str = "run `jobpass login` again in this job";

/// What is in a folder.
pub struct Folder {
    dir: PathBuf,
    /// Where the cluster is.
    pub proxy: HostPort,
    /// Its name.
    pub cluster: String,
    /// Its host CA (DER).
    pub authorities: Vec<Vec<u8>>,
    /// The roots that the login trusted, where it named a file.
    pub ca_file: Option<PathBuf>,
    kind: Kind,
    certificates: Vec<Certified>,
}

/// A certificate with its key.
struct Certified {
    route: Route,
    client: ClientIdentity,
    ends: Timestamp,
}

impl Folder {
    /// Reads it. What has no certificate that is valid, or none for a tunnel, is an error.
    pub fn read(dir: &Path, env: &Env) -> Result<Self, RunError> {
        let dir: PathBuf = dir.components().collect();
        dir.symlink_metadata().map_err(|e| none(&dir, io_reason(&e), ANOTHER))?;
        let no_login = || none(&dir, "no login wrote it, or its `jobpass.json` cannot be read", ANOTHER);
        let written = Written::find(&dir).ok_or_else(no_login)?;
        if written.is_wiped() {
            return Err(none(&dir, "`jobpass logout` has wiped it", AGAIN));
        }
        let report = written.report().map_err(|reason| none(&dir, reason, AGAIN))?;
        if report.dry_run {
            return Err(RunError::usage(
                format!("`{}` is of a dry run, and its cluster is gone", dir.display()),
                "run `jobpass login` without `--dry-run`, or try `jobpass tunnel --dry-run SPEC`",
            ));
        }
        // The folder may have been moved, or be mounted elsewhere.
        let at = dir.strip_prefix(&written.dir).unwrap_or(Path::new(""));
        let within = |output: &OutputReport| Some(output.dir.strip_prefix(&report.dir).ok()?.to_path_buf());
        let Some(output) = report.outputs.iter().find(|output| within(output).as_deref() == Some(at)) else {
            let for_tunnels = report.outputs.iter().filter(|output| output.kind != "ssh");
            let shown = |path: PathBuf| format!("`{}`", safe(&dir.join(path).display().to_string(), 200));
            let below: Vec<String> = for_tunnels.filter_map(within).take(20).map(shown).collect();
            let one = format!("name one of them: {}", below.join(", "));
            let hint = if below.is_empty() { ANOTHER } else { &one };
            return Err(none(&dir, "it has a folder for each output", hint));
        };
        if output.kind == "ssh" {
            let hint = format!("run `ssh -F {} LOGIN@NODE`", dir.join("ssh_config").display());
            let message = format!("`{}` is of an ssh output, which needs no tunnel", dir.display());
            return Err(RunError::usage(message, hint));
        }
        let asked = report.asked.as_ref().ok_or_else(|| renew::another_version(&dir))?;
        let login = renew::login(asked.flags.iter().map(Into::into), &dir)?;
        let outputs = request::outputs(&login, env, &asked.base)?;
        let kind = outputs.into_iter().find(|known| known.name == output.name).map(|output| output.kind);
        let at_auth_server = login.cluster.auth_server.is_some();
        Ok(Self {
            proxy: HostPort::parse(&report.proxy, 443).map_err(|e| none(&dir, e.in_one_line(), AGAIN))?,
            cluster: report.cluster.clone(),
            authorities: authorities(&dir.join(HOST_CA))?,
            // At an auth service `--ca-file` is about the cluster's own CA, not about the web.
            ca_file: login.cluster.ca_file.filter(|_| !at_auth_server),
            kind: kind.ok_or_else(|| renew::another_version(&dir))?,
            certificates: certificates(&dir, output)?,
            dir,
        })
    }

    /// A tunnel for each certificate: one, but for several kubernetes clusters.
    pub fn wanted(&self, at: &At) -> Result<Vec<Wanted<'_>>, RunError> {
        let refused = |message: String| RunError::usage(message, "leave `--listen` out to take a free port");
        if matches!((at, &self.kind), (At::Socket(_), Kind::Kube(_))) {
            return Err(refused("kubectl cannot use a Unix socket".to_owned()));
        }
        if self.certificates.len() > 1 && *at != At::Port(None) {
            let message = "is for several kubernetes clusters, and `--listen` is about one tunnel";
            return Err(refused(format!("`{}` {message}", self.dir.display())));
        }
        let mut all: Vec<Wanted<'_>> = Vec::new();
        for Certified { route, client, ends } in &self.certificates {
            let resource = match route {
                Route::Database(DatabaseRoute { service: name, .. }) | Route::Kube { kube: name } => name,
                Route::App(app) => &app.name,
                Route::Cluster => "cluster",
            };
            let name = free_name(resource, all.iter().map(|other| other.name.as_str()));
            let (at, client, ends) = (at.clone(), client.clone(), *ends);
            all.push(Wanted { name, at, kind: &self.kind, route, client, ends });
        }
        Ok(all)
    }
}

fn authorities(path: &Path) -> Result<Vec<Vec<u8>>, RunError> {
    let text = env::read_text(path).map_err(|e| none(path, io_reason(&e), AGAIN))?;
    ders_of(&text).map_err(|e| none(path, e.in_one_line(), AGAIN))
}

fn certificates(dir: &Path, output: &OutputReport) -> Result<Vec<Certified>, RunError> {
    let files: Vec<String> = match output.routes.as_slice() {
        [] | [_] => vec![CERTIFICATE.to_owned()],
        several => {
            several.iter().filter_map(|route| certificate_of(route.kube_cluster.as_deref()?)).collect()
        }
    };
    let certified = |file: String| {
        let path = dir.join(file);
        let certificate = certificate(&path, AGAIN)?;
        let mut route = Route::of(&certificate);
        if route == Route::Cluster {
            let kind = safe(&output.kind, 40);
            return Err(none(
                &path,
                format!("its certificate is not for what a `{kind}` output is for"),
                AGAIN,
            ));
        }
        if let (Route::App(app), Some(known)) = (&mut route, output.routes.first()) {
            app.uri = known.uri.clone().unwrap_or_default();
        }
        let key = key(&dir.join(KEY), &certificate, &path, AGAIN)?;
        let client = ClientIdentity { chain: vec![certificate.der], key: key.private().clone() };
        Ok(Certified { route, client, ends: certificate.not_after })
    };
    files.into_iter().map(certified).collect()
}

/// Takes over what a later login, or `jobpass renew`, puts into the folder of tunnels that are open.
pub struct Renewal {
    folder: Folder,
    env: Env,
    targets: Vec<Arc<Mutex<Target>>>,
    skew: SignedDuration,
}

impl Renewal {
    /// For the tunnels that were opened from that folder.
    pub fn new(mut folder: Folder, opened: &Opened, env: &Env) -> Self {
        let targets = opened.tunnels.iter().map(|tunnel| Arc::clone(&tunnel.upstream.target)).collect();
        for certified in &mut folder.certificates {
            if let Route::App(app) = &mut certified.route {
                // Each certificate has its own.
                app.session.clear();
            }
        }
        Self { folder, env: env.clone(), targets, skew: opened.skew }
    }

    /// Takes the certificates in the folder, if they are for the same and end later than `end`: their end, by this machine's clock.
    /// Connections that are open keep what they have.
    pub fn take(&self, end: Timestamp) -> Option<Timestamp> {
        let fresh = Folder::read(&self.folder.dir, &self.env).ok()?;
        let later = fresh.certificates.iter().map(|certified| certified.ends).min()?;
        let later = later.checked_sub(self.skew).ok().filter(|later| *later > end)?;
        let [routes, before] =
            [&fresh, &self.folder].map(|folder| folder.certificates.iter().map(|certified| &certified.route));
        let is_same =
            routes.len() == before.len() && routes.zip(before).all(|(route, was)| route.serves(was));
        if !is_same || fresh.proxy != self.folder.proxy {
            return None;
        }
        for (target, certified) in self.targets.iter().zip(fresh.certificates) {
            let mut target = target.lock().unwrap_or_else(PoisonError::into_inner);
            (target.client, target.authorities) = (certified.client, fresh.authorities.clone());
        }
        Some(later)
    }
}
