//! One entry of `services` or `outputs` → one `--output`.

use super::error::Problem;
use super::notes::Notes;
use super::section::{Section, Text, nearest, text};
use super::ttl::{self, Ttl};
use super::yaml::{Node, Value};

use crate::cli::output;
use crate::text::safe;

/// One entry, in the parts of an `--output`.
#[derive(Debug)]
pub struct TbotOutput {
    /// `ssh`, `kube=prod`.
    head: String,
    /// `,KEY=VALUE` each.
    keys: Vec<(&'static str, String)>,
    roles: Vec<String>,
    /// The folder.
    pub dir: Option<String>,
    pub(super) ttl: Option<Ttl>,
    /// Where it is from: `` `services` in line 9``.
    pub from: String,
}

impl TbotOutput {
    /// As `--output` takes it, with its own roles and folder or without them.
    pub fn spec(&self, roles: bool, dir: bool) -> String {
        let mut spec = self.head.clone();
        let roles = Some(self.roles.join("+")).filter(|all| roles && !all.is_empty());
        let dir = self.dir.clone().filter(|_| dir);
        let keys = self.keys.iter().map(|(key, value)| (*key, value.clone()));
        for (key, value) in keys.chain(roles.map(|r| ("roles", r))).chain(dir.map(|d| ("dir", d))) {
            spec.extend([",", key, "=", &value]);
        }
        spec
    }
}

/// What this program issues, with the fields of each kind beside the common ones.
const KINDS: [(&str, &[&str]); 5] = [
    ("identity", &["cluster", "roles", "ssh_config", "allow_reissue"]),
    ("kubernetes", &["kubernetes_cluster", "roles", "disable_exec_plugin"]),
    ("kubernetes/v2", &["selectors", "disable_exec_plugin", "context_name_template"]),
    ("database", &["service", "database", "username", "format", "roles"]),
    ("application", &["app_name", "specific_tls_extensions", "roles"]),
];

const COMMON: [&str; 6] =
    ["type", "name", "destination", "credential_ttl", "certificate_ttl", "renewal_interval"];

/// What tbot does beside, and why this program does not.
const NOT_HERE: [(&str, &str); 15] = [
    (DATABASE_TUNNEL, STAYS),
    (APPLICATION_TUNNEL, STAYS),
    ("application-proxy", STAYS),
    (SSH_MULTIPLEXER, STAYS),
    ("ssh-proxy", STAYS),
    ("workload-identity-api", STAYS),
    ("spiffe-workload-api", STAYS),
    ("kubernetes/argo-cd", "writes secrets of Kubernetes"),
    ("ssh_host", "issues host certificates"),
    ("spiffe-svid", WORKLOAD),
    ("workload-identity-x509", WORKLOAD),
    ("workload-identity-jwt", WORKLOAD),
    ("workload-identity-aws-roles-anywhere", WORKLOAD),
    ("workload-identity-aws-ra", WORKLOAD),
    ("example", "is for tests"),
];
const STAYS: &str = "keeps running, and `jobpass login` ends once the files are written";
const DATABASE_TUNNEL: &str = "database-tunnel";
const APPLICATION_TUNNEL: &str = "application-tunnel";
const SSH_MULTIPLEXER: &str = "ssh-multiplexer";
const WORKLOAD: &str = "issues workload identities (SPIFFE)";

/// Reads one. What it has that changes nothing is noted.
pub(super) fn read(node: &Node, notes: &mut Notes) -> Result<TbotOutput, Problem> {
    let kind = Section::open(node, "services.")?.needed("type")?;
    let Some((_, own)) = KINDS.iter().find(|(name, _)| *name == kind.text) else {
        return Err(not_here(&kind, node));
    };
    let known: Vec<&str> = COMMON.iter().chain(own.iter()).copied().collect();
    let section = Section::read(node, "", &known)?;
    notes.ignore(&section, "renewal_interval");
    let mut keys = Vec::new();
    let mut key = |name: &'static str, value: Option<Text>| -> Result<(), Problem> {
        if let Some(value) = value {
            keys.push((name, plain(&value)?));
        }
        Ok(())
    };
    let head = match kind.text.as_str() {
        "kubernetes" => {
            let name = plain(&section.needed("kubernetes_cluster")?)?;
            if name == "*" || name.contains(':') {
                return Err(Problem::at(section.line, "`kubernetes_cluster` is not a name of a cluster"));
            }
            format!("kube={name}")
        }
        "kubernetes/v2" => {
            key("context", section.text("context_name_template")?.map(|text| template(&text)).transpose()?)?;
            let selector = selector(&section)?;
            key("namespace", selector.namespace)?;
            format!("kube={}", selector.clusters)
        }
        "database" => {
            key("user", section.text("username")?)?;
            key("database-name", section.text("database")?)?;
            key("format", section.text("format")?)?;
            format!("database={}", plain(&section.needed("service")?)?)
        }
        "application" => {
            if section.flag("specific_tls_extensions")? == Some(true) {
                keys.push(("format", "tls".to_owned()));
            }
            format!("app={}", plain(&section.needed("app_name")?)?)
        }
        _ => {
            key("cluster", section.text("cluster")?)?;
            if section.flag("ssh_config")? == Some(false) {
                notes.ignore(&section, "ssh_config");
            }
            if section.flag("allow_reissue")? == Some(true) {
                let line = section.get("allow_reissue").map_or(0, |node| node.line);
                notes.warnings.push(format!(
                    "`allow_reissue` (line {line}) has no equal here: list what `tsh db login` and the like would ask \
                     for as outputs"
                ));
            }
            "ssh".to_owned()
        }
    };
    // Certificate and key are in the kubeconfig: what refreshes them has nothing to do.
    if !section.is_true("disable_exec_plugin") {
        notes.ignore(&section, "disable_exec_plugin");
    }
    let name = section.text("name")?;
    if let Some(name) = &name {
        keys.push(("name", plain(name)?));
    }
    let roles = section.texts("roles")?.iter().map(role).collect::<Result<_, _>>()?;
    let output = TbotOutput {
        head,
        keys,
        roles,
        dir: directory(&section)?,
        ttl: ttl::read(&section)?,
        from: format!("`{}` in line {}", kind.text, kind.line),
    };
    // The reader of the flag has the last word; here its words get a line.
    let checked = output::parse(&output.spec(true, false));
    checked.map_err(|cause| {
        Problem::at(kind.line, format!("the `{}` cannot be used", kind.text)).because(cause)
    })?;
    Ok(output)
}

fn not_here(kind: &Text, node: &Node) -> Problem {
    let name = kind.text.as_str();
    if let Some((name, why)) = NOT_HERE.iter().find(|(other, _)| *other == name) {
        let hint = match *name {
            DATABASE_TUNNEL | APPLICATION_TUNNEL => format!(
                "leave it out here, and run `jobpass tunnel {0}`, or a command with `jobpass exec --tunnel {0}`",
                tunnel(name, node)
            ),
            SSH_MULTIPLEXER => {
                "leave it out here: the `ssh_config` of an `identity` output connects without it".to_owned()
            }
            _ => "leave it out here, and keep tbot for it".to_owned(),
        };
        return Problem::at(kind.line, format!("`{name}` {why}")).hint(hint);
    }
    let known: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
    let problem = Problem::at(kind.line, format!("unknown `type: {}`", safe(name, 60)));
    problem.hint(match nearest(name, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use one of `{}`", known.join("`, `")),
    })
}

/// What `jobpass tunnel` takes for the same, as far as the file says it in words that a shell leaves alone.
fn tunnel(kind: &str, node: &Node) -> String {
    let value = |field: &str| {
        let text = Section::open(node, "services.").ok()?.text(field).ok()??.text;
        let is_plain =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'@' | b':' | b'/');
        Some(text).filter(|text| text.bytes().all(is_plain))
    };
    let port = value("listen").and_then(|at| at.rsplit(':').next()?.parse::<u16>().ok());
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let (kind, name, keys) = match kind {
        DATABASE_TUNNEL => {
            ("database", "service", &[("username", "user"), ("database", "database-name")][..])
        }
        _ => ("app", "app_name", &[][..]),
    };
    let name = value(name).unwrap_or_else(|| "NAME".to_owned());
    let keys = keys.iter().filter_map(|(field, key)| Some(format!(",{key}={}", value(field)?)));
    format!("{kind}={name}{port}{}", keys.collect::<String>())
}

/// A value that can be part of an `--output`.
fn plain(value: &Text) -> Result<String, Problem> {
    if value.text.contains(',') {
        return Err(Problem::at(value.line, "a value has a comma, which `--output` cannot express")
            .hint("name the resource without a comma"));
    }
    Ok(value.text.clone())
}

fn role(role: &Text) -> Result<String, Problem> {
    if role.text.contains('+') {
        return Err(Problem::at(role.line, "a role has a `+`, which `--output` cannot express")
            .hint("pass the roles with `--roles`"));
    }
    plain(role)
}

/// The folder of `destination`. Without one, jobpass chooses.
fn directory(section: &Section<'_>) -> Result<Option<String>, Problem> {
    let Some(node) = section.get("destination") else { return Ok(None) };
    let kind = Section::open(node, "destination.")?.needed("type")?;
    if kind.text != "directory" {
        return Err(Problem::at(
            kind.line,
            "the destination is not a `directory`, and jobpass writes folders",
        )
        .hint("write `type: directory` and a `path:`"));
    }
    let destination = Section::read(node, "destination.", &["type", "path", "symlinks", "acls", "readers"])?;
    let readers = destination.list("readers")?;
    let required = destination.text("acls")?.filter(|acls| acls.text == "required");
    if let Some(line) = readers.first().map(|node| node.line).or(required.map(|acls| acls.line)) {
        return Err(Problem::at(
            line,
            "the folder would be open to other users, and jobpass writes for one only",
        )
        .hint("run `jobpass login` as the user who reads the files, and leave out `readers` and `acls`"));
    }
    destination.needed("path").map(|path| Some(path.text))
}

struct Selector {
    clusters: String,
    namespace: Option<Text>,
}

/// The one selector: a kubeconfig has the clusters of one.
fn selector(section: &Section<'_>) -> Result<Selector, Problem> {
    let all = section.list("selectors")?;
    let Some(node) = all.first() else {
        return Err(Problem::at(section.line, "`selectors` is missing")
            .hint("name clusters (`- name: prod`) or labels (`- labels: {env: prod}`)"));
    };
    if let Some(second) = all.get(1) {
        return Err(Problem::at(second.line, "`selectors` has more than one entry")
            .hint("write an output with a folder of its own for each, or select by a label that all have"));
    }
    let selector = Section::read(node, "selectors.", &["name", "labels", "default_namespace"])?;
    let namespace = selector.text("default_namespace")?;
    let clusters = match (selector.text("name")?, selector.get("labels")) {
        (Some(name), None) if !name.text.contains(':') => plain(&name)?,
        (None, Some(labels)) => labels_of(labels)?,
        _ => return Err(Problem::at(node.line, "a selector has either a `name` or `labels`")),
    };
    Ok(Selector { clusters, namespace })
}

fn labels_of(node: &Node) -> Result<String, Problem> {
    let Value::Map(entries) = &node.value else {
        return Err(Problem::at(node.line, "`selectors.labels` must be a mapping"));
    };
    let mut labels = Vec::new();
    for (key, value) in entries {
        let value = text(value, "a label's value")?;
        let odd = |text: &str| text.is_empty() || text.contains('+');
        if key.name.contains(':') || odd(&key.name) || odd(&value.text) {
            return Err(Problem::at(key.line, "a label has a character that `--output` cannot express")
                .hint("select the clusters by another label, or by name"));
        }
        labels.push(format!(
            "{}:{}",
            plain(&Text { line: key.line, text: key.name.clone() })?,
            plain(&value)?
        ));
    }
    if labels.is_empty() {
        return Err(Problem::at(node.line, "`selectors.labels` is empty"));
    }
    Ok(labels.join("+"))
}

/// A Go template with `.ClusterName` and `.KubeName`, as `context=` has it.
fn template(text: &Text) -> Result<Text, Problem> {
    let mut out = String::new();
    let mut rest = text.text.as_str();
    let unknown = || {
        Problem::at(text.line, "`context_name_template` uses more than `.ClusterName` and `.KubeName`")
            .hint("write it of `{{.ClusterName}}`, `{{.KubeName}}` and plain text")
    };
    while let Some((before, after)) = rest.split_once("{{") {
        let (action, tail) = after.split_once("}}").ok_or_else(unknown)?;
        let word = match action.trim() {
            ".ClusterName" => "{cluster}",
            ".KubeName" => "{kube}",
            _ => return Err(unknown()),
        };
        out.extend([before, word]);
        rest = tail;
    }
    out.push_str(rest);
    Ok(Text { line: text.line, text: out })
}
