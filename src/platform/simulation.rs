//! A job as the sandbox acts it out: what its platform would give it, signed by the sandbox.

use serde_json::Value;

/// The simulated repository, where a platform names one.
pub(super) const REPOSITORY: &str = "acme/app";
pub(super) const OWNER: &str = "acme";
pub(super) const SHA: &str = "0123456789abcdef0123456789abcdef01234567";
pub(super) const RUN: &str = "9001";
/// The branch that simulated jobs run on, and the only one that join tokens for them admit.
pub(super) const BRANCH: &str = "main";

/// What a simulated job of a platform has. The spec of a join token is plain JSON: platforms know nothing of Teleport.
#[derive(Debug)]
pub struct Simulation {
    /// Who issues its identity tokens, where no join token names another issuer.
    pub issuer: &'static str,
    /// The audience of its tokens, from the issuer, where nothing asks for one; `None`: the verifier's own name.
    pub audience: fn(issuer: &str) -> Option<String>,
    /// The usual claims beside `jti`, `iss`, `aud`, `iat` and an `exp` one hour later, from the issuer, the time in
    /// seconds since 1970 and the branch.
    pub claims: fn(issuer: &str, now: i64, branch: &str) -> Value,
    /// Variables of every such job.
    pub fixed: &'static [(&'static str, &'static str)],
    /// Variables that depend on the sandbox or the branch.
    pub variables: fn(&SimulatedJob<'_>) -> Vec<(&'static str, String)>,
    /// The section of a join token's spec that lets the job in.
    pub admitting_spec: fn() -> Value,
    /// Whether that section admits jobs of one branch only.
    pub admits_one_branch: bool,
}

impl Simulation {
    /// The branch that its jobs run on unless told otherwise.
    pub fn usual_branch(&self) -> &'static str {
        BRANCH
    }
}

/// What the sandbox gives a simulated job.
pub struct SimulatedJob<'a> {
    /// Who issues its tokens.
    pub issuer: &'a str,
    /// The branch it runs on.
    pub branch: &'a str,
    /// An identity token with the usual claims. Secret.
    pub token: &'a str,
    /// The address that issues tokens on request, without a query.
    pub token_endpoint: &'a str,
    /// The bearer for that address. Secret.
    pub bearer: &'a str,
    /// `HOST:PORT` of the machines' metadata service.
    pub metadata: &'a str,
}

/// The issuer without its scheme.
pub(super) fn host(issuer: &str) -> &str {
    issuer.trim_start_matches("https://")
}
