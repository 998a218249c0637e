//! Azure Pipelines of Azure DevOps.
//!
//! Names from learn.microsoft.com, "Use predefined variables" and "Logging commands"; the request for a token from
//! Teleport's `lib/join/azuredevops/token_source.go`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::endpoint::{AudienceIn, Endpoint, Protocol};
use super::facts::{Absent, Channel, Dialect, Facts, LogSyntax, Severity, TokenPlace, exactly, how_missing};
use super::simulation::{BRANCH, REPOSITORY, RUN, SHA, Simulation};
use crate::env::Env;
use crate::text::{safe, safe_lines};

const TF_BUILD: &str = "TF_BUILD";
/// There in every job.
const SYSTEM_OIDCREQUESTURI: &str = "SYSTEM_OIDCREQUESTURI";
/// Secret. Only in steps that map it.
const SYSTEM_ACCESSTOKEN: &str = "SYSTEM_ACCESSTOKEN";
/// The only version that the request is known in.
const API_VERSION: &str = "api-version=7.1";
const MAP: &str =
    "map the job's own token into the step: `env: { SYSTEM_ACCESSTOKEN: $(System.AccessToken) }`";

static PROTOCOL: Protocol = Protocol {
    posts: true,
    scheme: "Bearer ",
    accept: "application/json",
    audience: AudienceIn::Nowhere,
    field: "oidcToken",
    url: SYSTEM_OIDCREQUESTURI,
    secret: SYSTEM_ACCESSTOKEN,
    // Its page to sign in, in the place of a refusal.
    refuses_with: &[203, 302],
    refused_hint: MAP,
};

pub(super) const FACTS: Facts = Facts {
    id: "azure_devops",
    title: "Azure Pipelines",
    marker: |env| exactly(env, TF_BUILD, "True"),
    token_place,
    program: |_, _| None,
    absent,
    absent_variable: None,
    audience_hint: Some(|_| {
        "leave `--audience` out: the audience is always `api://AzureADTokenExchange`".to_owned()
    }),
    expired_hints: |_| {
        vec!["run jobpass in the step that needs it: Azure DevOps' tokens live for minutes only".to_owned()]
    },
    // Cleaned after each job.
    temp_dir: Some("AGENT_TEMPDIRECTORY"),
    checkout: |env| Some(env.absolute(env.var("BUILD_SOURCESDIRECTORY")?.as_ref())),
    // learn.microsoft.com, "Use predefined variables": System.JobId is of a single attempt of a single job, and unique within
    // the pipeline only.
    job: &["BUILD_BUILDID", "SYSTEM_JOBID"],
    limit: None,
    log: LogSyntax { fold, folds_details: true, annotate: Some(annotate) },
    channel: Channel::Commands(Dialect::AzurePipelines),
    debug: Some(("SYSTEM_DEBUG", "true")),
    protocol: Some(&PROTOCOL),
    simulation: Simulation {
        issuer: ISSUER,
        audience: |_| Some("api://AzureADTokenExchange".to_owned()),
        claims,
        fixed: &VARIABLES,
        variables: |job| {
            vec![
                (SYSTEM_OIDCREQUESTURI, job.token_endpoint.to_owned()),
                (SYSTEM_ACCESSTOKEN, job.bearer.to_owned()),
                ("BUILD_SOURCEBRANCH", format!("refs/heads/{}", job.branch)),
                ("BUILD_SOURCEBRANCHNAME", job.branch.to_owned()),
            ]
        },
        admitting_spec: || {
            json!({
                "organization_id": ORGANIZATION,
                "allow": [{"project_name": "acme", "repository_ref": format!("refs/heads/{BRANCH}")}],
            })
        },
        admits_one_branch: true,
    },
};

/// Without `serviceConnectionId`, which would give the subject of a service connection.
fn token_place(env: &Env) -> Option<TokenPlace> {
    let endpoint = PROTOCOL.endpoint(env)?;
    let joint = if endpoint.url.contains('?') { '&' } else { '?' };
    let url = format!("{}{joint}{API_VERSION}", endpoint.url);
    Some(TokenPlace::Endpoint(Endpoint { url, ..endpoint }))
}

fn absent(env: &Env) -> Absent {
    let missing: Vec<String> = [SYSTEM_OIDCREQUESTURI, SYSTEM_ACCESSTOKEN]
        .into_iter()
        .filter(|name| env.var(name).is_none())
        .map(|name| how_missing(env, name))
        .collect();
    let mut hints = Vec::new();
    if env.var(SYSTEM_ACCESSTOKEN).is_none() {
        hints.push(MAP.to_owned());
    }
    if env.var(SYSTEM_OIDCREQUESTURI).is_none() {
        hints.push("run the job on Azure DevOps Services: only there jobs get identity tokens".to_owned());
    }
    if env.is("SYSTEM_PULLREQUEST_ISFORK", "True") {
        hints.push("run the step for your own branches only: this pull request is from a fork".to_owned());
    }
    hints.push(format!(
        "inside a container of your own, forward both variables: `docker run -e {SYSTEM_OIDCREQUESTURI} -e \
         {SYSTEM_ACCESSTOKEN}`"
    ));
    Absent { why: missing.join(", "), hints }
}

fn fold(title: &str, body: &str, _: Timestamp) -> String {
    let mut out = format!("##[group]{}\n", safe(title, 200));
    for line in safe_lines(body) {
        out.push_str(&line);
        out.push('\n');
    }
    out + "##[endgroup]\n"
}

/// The encoding of data is that of azure-pipelines-task-lib `taskcommand.ts`.
fn annotate(severity: Severity, title: &str, message: &str) -> String {
    let kind = match severity {
        Severity::Error => "error",
        // It knows no third kind (`task.logissue`).
        Severity::Warning | Severity::Notice => "warning",
    };
    let text = format!("{title}: {message}");
    let text = text.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A");
    format!("##vso[task.logissue type={kind}]{text}")
}

const ISSUER: &str = "https://vstoken.dev.azure.com/11111111-2222-3333-4444-555555555555";
const ORGANIZATION: &str = "11111111-2222-3333-4444-555555555555";
const PROJECT: &str = "66666666-7777-8888-9999-000000000000";

const VARIABLES: [(&str, &str); 9] = [
    ("SYSTEM_JOBID", "cccccccc-dddd-eeee-ffff-000000000000"),
    (TF_BUILD, "True"),
    ("BUILD_BUILDID", RUN),
    ("BUILD_DEFINITIONNAME", "deploy"),
    ("BUILD_REPOSITORY_NAME", REPOSITORY),
    ("BUILD_SOURCEVERSION", SHA),
    ("SYSTEM_COLLECTIONID", ORGANIZATION),
    ("SYSTEM_DEFINITIONID", "7"),
    ("SYSTEM_TEAMPROJECT", "acme"),
];

fn claims(_: &str, now: i64, branch: &str) -> Value {
    json!({
        "exp": now + 600,
        "nbf": now,
        "sub": "p://acme-org/acme/deploy",
        "org_id": ORGANIZATION,
        "prj_id": PROJECT,
        "def_id": "7",
        "rpo_id": "bbbbbbbb-cccc-dddd-eeee-ffffffffffff",
        "rpo_uri": "https://dev.azure.com/acme-org/acme/_git/app",
        "rpo_ver": SHA,
        "rpo_ref": format!("refs/heads/{branch}"),
        "run_id": RUN,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_goes_into_the_query() {
        for (uri, want) in [
            (
                "https://dev.azure.com/o/p/_apis/oidctoken",
                "https://dev.azure.com/o/p/_apis/oidctoken?api-version=7.1",
            ),
            ("https://x/t?a=b", "https://x/t?a=b&api-version=7.1"),
        ] {
            let env = Env::new([(SYSTEM_OIDCREQUESTURI, uri), (SYSTEM_ACCESSTOKEN, "s3cr3t")], "/");
            let Some(TokenPlace::Endpoint(endpoint)) = token_place(&env) else { panic!("{uri}") };
            assert_eq!(endpoint.url, want);
            assert!(!format!("{endpoint:?}").contains("s3cr3t"));
        }
    }

    #[test]
    fn tells_what_is_missing() {
        const URI: (&str, &str) = (SYSTEM_OIDCREQUESTURI, "https://x");
        for (vars, why, hint, not) in [
            (&[URI][..], "`SYSTEM_ACCESSTOKEN` is not set", "$(System.AccessToken)", "Services"),
            (
                &[(SYSTEM_ACCESSTOKEN, "t")],
                "`SYSTEM_OIDCREQUESTURI` is not set",
                "Azure DevOps Services",
                "$(",
            ),
            (
                &[URI, ("SYSTEM_PULLREQUEST_ISFORK", "True")],
                "`SYSTEM_ACCESSTOKEN`",
                "from a fork",
                "Services",
            ),
        ] {
            let absent = absent(&Env::new(vars.iter().copied(), "/"));
            let hints = absent.hints.join("\n");
            assert!(absent.why.contains(why) && hints.contains(hint) && !hints.contains(not), "{absent:?}");
        }
    }

    /// One line, which the agent turns back into what was said (`taskcommand.ts`).
    #[test]
    fn annotations_come_back_under_fire() {
        crate::under_fire::parser("annotations of Azure DevOps", ["100%\r\n##vso[x]y", "%AZP250A"]).text(
            |text| {
                let line = annotate(Severity::Warning, "t", text);
                let message = line.strip_prefix("##vso[task.logissue type=warning]t: ").unwrap();
                assert!(!message.contains(['\r', '\n']));
                assert_eq!(message.replace("%0D", "\r").replace("%0A", "\n").replace("%AZP25", "%"), text);
            },
        );
    }
}
