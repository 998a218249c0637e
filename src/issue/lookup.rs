//! What an output names → the routes of its certificates: protocol, address and names are the cluster's to tell.

use tokio::sync::OnceCell;

use super::certify::Issuer;
use super::error::{IssueError, What};
use crate::identity::route::{AppRoute, DatabaseRoute, Route};
use crate::output::{App, Database, Kube, KubeClusters};
use crate::teleport::ClusterError;
use crate::teleport::auth_service::AuthService;
use crate::teleport::resources::Filter;

/// The auth service under an identity of some roles, opened once when it is wanted.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// What the identity has.
    pub(super) roles: Vec<String>,
    pub(super) auth: OnceCell<AuthService>,
}

/// As many kubernetes clusters as one kubeconfig is made for: a certificate each.
const MOST_KUBE_CLUSTERS: usize = 100;

/// What looks up the routes of one output.
#[derive(Clone, Copy)]
pub(super) struct Lookup<'a> {
    pub(super) issuer: Issuer<'a>,
    pub(super) session: &'a Session,
    /// The output's name, for errors.
    pub(super) output: &'a str,
}

impl<'a> Lookup<'a> {
    /// One that is named goes unseen: Teleport refuses a certificate for what it does not know.
    pub(super) async fn kube(self, kube: &Kube) -> Result<Vec<Route>, IssueError> {
        let filter = match &kube.clusters {
            KubeClusters::Named(kube) => return Ok(vec![Route::Kube { kube: kube.clone() }]),
            KubeClusters::All => Filter::All,
            KubeClusters::Labeled(labels) => Filter::Labeled(labels),
        };
        let found = self.answered(self.auth().await?.kube_clusters(filter).await)?;
        let output = self.output.to_owned();
        match found.len() {
            0 => Err(IssueError::NoMatch { output, known: self.kube_clusters().await? }),
            count if count > MOST_KUBE_CLUSTERS => {
                Err(IssueError::TooMany { output, count, most: MOST_KUBE_CLUSTERS })
            }
            _ => Ok(found.into_iter().map(|kube| Route::Kube { kube }).collect()),
        }
    }

    /// The protocol is looked up unless it is given.
    pub(super) async fn database(self, database: &Database) -> Result<Route, IssueError> {
        let service = database.service.clone();
        let protocol = if let Some(protocol) = &database.protocol {
            protocol.clone()
        } else {
            let found = self.answered(self.auth().await?.databases(Filter::Named(&service)).await)?;
            let Some(found) = found.into_iter().find(|found| found.name == service) else {
                let all = self.answered(self.auth().await?.databases(Filter::All).await)?;
                let known = all.into_iter().map(|database| database.name).collect();
                return Err(self.unknown(What::Database, &service, known));
            };
            found.protocol
        };
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let (user, name) = (text(&database.user), text(&database.name));
        Ok(Route::Database(DatabaseRoute { service, protocol, user, name }))
    }

    /// Servers up to 16 want a session in the certificate.
    pub(super) async fn app(self, app: &App) -> Result<Route, IssueError> {
        let found = self.answered(self.auth().await?.apps(Filter::Named(&app.name)).await)?;
        let Some(found) = found.into_iter().find(|found| found.name == app.name) else {
            let all = self.answered(self.auth().await?.apps(Filter::All).await)?;
            let known = all.into_iter().map(|app| app.name).collect();
            return Err(self.unknown(What::App, &app.name, known));
        };
        let mut route = AppRoute {
            name: found.name,
            public_addr: found.public_addr,
            cluster: self.issuer.bot.cluster.clone(),
            uri: found.uri,
            session: String::new(),
            target_port: app.target_port.unwrap_or_default(),
        };
        if !self.issuer.is_split {
            let session = self.issuer.auth.app_session(&self.issuer.bot.user, &route).await;
            route.session = self.answered(session)?;
        }
        Ok(Route::App(route))
    }

    /// With the names that are known, where Teleport refused one that is not.
    pub(super) async fn explained(self, error: IssueError, kube: &Kube) -> IssueError {
        let KubeClusters::Named(name) = &kube.clusters else { return error };
        // `lib/auth/auth_with_roles.go`; recorded with 15.
        let is_unknown = matches!(&error, IssueError::Refused { message, .. }
            if message.contains("kubernetes cluster") && message.contains("is not registered"));
        if !is_unknown {
            return error;
        }
        match self.kube_clusters().await {
            Ok(known) => self.unknown(What::Kube, name, known),
            Err(_) => error,
        }
    }

    async fn kube_clusters(self) -> Result<Vec<String>, IssueError> {
        self.answered(self.auth().await?.kube_clusters(Filter::All).await)
    }

    async fn auth(self) -> Result<&'a AuthService, IssueError> {
        let Session { roles, auth } = self.session;
        auth.get_or_try_init(|| self.issuer.session(self.output, roles)).await
    }

    fn answered<T>(self, answer: Result<T, ClusterError>) -> Result<T, IssueError> {
        answer.map_err(|error| IssueError::of(error, self.output, &self.issuer.bot.user))
    }

    fn unknown(self, what: What, name: &str, known: Vec<String>) -> IssueError {
        IssueError::UnknownResource { output: self.output.to_owned(), what, name: name.to_owned(), known }
    }
}
