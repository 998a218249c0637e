//! Keys → certificates, by `GenerateUserCerts`.

use jiff::Timestamp;

use super::error::IssueError;
use super::granted::Granted;
use super::keys::Keys;
use crate::error::StageError as _;
use crate::identity::keys::{KeyKind, KeyPair};
use crate::identity::route::Route;
use crate::identity::ssh::SshCertificate;
use crate::identity::tls::TlsCertificate;
use crate::identity::{Identity, SshIdentity, TlsIdentity};
use crate::join::BotIdentity;
use crate::net::tls::ClientIdentity;
use crate::teleport::auth_service::{AuthService, CertsWanted, Grant, PublicKeys};
use crate::teleport::{Cluster, wire};

/// What all calls of a run share.
#[derive(Clone, Copy)]
pub(super) struct Issuer<'a> {
    pub(super) cluster: &'a Cluster,
    /// Under the bot's own identity.
    pub(super) auth: &'a AuthService,
    pub(super) bot: &'a BotIdentity,
    /// Whether the server takes an SSH and a TLS key.
    pub(super) is_split: bool,
    pub(super) expires: Timestamp,
    /// The access request that gives the roles.
    pub(super) granted: Option<&'a Granted>,
}

/// One output's wishes.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The output's name, for errors.
    pub(super) output: &'a str,
    pub(super) keys: &'a Keys,
    pub(super) roles: &'a [String],
    /// The cluster it is for: the root, or a leaf.
    pub(super) cluster: &'a str,
}

impl Issuer<'_> {
    /// SSH and TLS certificates. With split keys a second call, in the same flight, certifies the TLS key for SSH: the `identity` file
    /// holds one key.
    pub(super) async fn ssh(self, wanted: Wanted<'_>) -> Result<Identity, IssueError> {
        let Keys { first, tls } = wanted.keys;
        let ssh_line = first.public_ssh_line();
        let public = match tls {
            None if !self.is_split => PublicKeys::One { ssh_line },
            tls => {
                let tls_pem = tls.as_ref().unwrap_or(first).public_pem();
                PublicKeys::Split { ssh_line: Some(ssh_line), tls_pem: Some(tls_pem) }
            }
        };
        let bundle = async {
            let Some(tls) = tls else { return Ok(None) };
            let public = PublicKeys::Split { ssh_line: Some(tls.public_ssh_line()), tls_pem: None };
            self.ask(wanted, &Route::Cluster, public).await.map(Some)
        };
        let (certs, bundle) = tokio::try_join!(self.ask(wanted, &Route::Cluster, public), bundle)?;
        Ok(Identity {
            ssh: Some(SshIdentity { key: first.clone(), cert: ssh_cert(&certs, wanted.output)? }),
            tls: TlsIdentity { key: wanted.keys.of_tls().clone(), cert: tls_cert(&certs, wanted.output)? },
            bundle_ssh_cert: bundle.as_ref().map(|certs| ssh_cert(certs, wanted.output)).transpose()?,
        })
    }

    /// A TLS certificate for that route.
    pub(super) async fn tls(self, wanted: Wanted<'_>, route: &Route) -> Result<Identity, IssueError> {
        let key = wanted.keys.of_tls();
        let public = if self.is_split {
            PublicKeys::Split { ssh_line: None, tls_pem: Some(key.public_pem()) }
        } else {
            PublicKeys::One { ssh_line: key.public_ssh_line() }
        };
        let certs = self.ask(wanted, route, public).await?;
        let tls = TlsIdentity { key: key.clone(), cert: tls_cert(&certs, wanted.output)? };
        Ok(Identity { ssh: None, tls, bundle_ssh_cert: None })
    }

    /// The auth service under an identity with these roles, which sees what they allow. It is for this run alone.
    pub(super) async fn session(self, output: &str, roles: &[String]) -> Result<AuthService, IssueError> {
        let keys = Keys { first: KeyPair::generate(KeyKind::P256)?, tls: None };
        let wanted = Wanted { output, keys: &keys, roles, cluster: &self.bot.cluster };
        let tls = self.tls(wanted, &Route::Cluster).await?.tls;
        let client = ClientIdentity { chain: vec![tls.cert.der], key: tls.key.private().clone() };
        Ok(self.cluster.auth(&self.bot.cluster, &self.bot.authorities, client).await?)
    }

    async fn ask(
        self,
        wanted: Wanted<'_>,
        route: &Route,
        keys: PublicKeys,
    ) -> Result<wire::Certs, IssueError> {
        let Wanted { output, roles, cluster, .. } = wanted;
        let user = &self.bot.user;
        let grant = self.granted.map_or(Grant::Roles(roles), |granted| Grant::Request(&granted.id));
        let certs = CertsWanted { user, keys, expires: self.expires, cluster, route, grant };
        self.auth.certificates(&certs).await.map_err(|error| IssueError::of(error, output, user))
    }
}

fn unusable(output: &str, reason: String) -> IssueError {
    IssueError::Certificate { output: output.to_owned(), reason }
}

fn ssh_cert(certs: &wire::Certs, output: &str) -> Result<SshCertificate, IssueError> {
    let line = std::str::from_utf8(&certs.ssh)
        .map_err(|_| unusable(output, "the SSH certificate is not text".into()))?;
    SshCertificate::from_line(line.trim()).map_err(|e| unusable(output, e.in_one_line()))
}

fn tls_cert(certs: &wire::Certs, output: &str) -> Result<TlsCertificate, IssueError> {
    let pem = std::str::from_utf8(&certs.tls)
        .map_err(|_| unusable(output, "the TLS certificate is not text".into()))?;
    TlsCertificate::from_pem(pem).map_err(|e| unusable(output, e.in_one_line()))
}
