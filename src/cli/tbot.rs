//! A tbot.yaml, version 2 → the flags of `login` that say the same.
//!
//! Fields and their meanings: Teleport's "Machine & Workload Identity Configuration Reference" (versions 15 to 19).

mod error;
mod notes;
mod outputs;
mod section;
mod ttl;
mod yaml;

pub use error::{ConfigError, Problem};
pub use notes::Notes;
pub use outputs::TbotOutput;
use section::{Section, Text, checked};
use ttl::Ttl;

use super::value;
use crate::teleport::JoinMethod;

/// What a file says, as flags.
#[derive(Debug, Default)]
pub struct Tbot {
    /// One flag each.
    pub settings: Vec<Setting>,
    /// The outputs; `--output` each.
    pub outputs: Vec<TbotOutput>,
    /// What else the user should know.
    pub notes: Notes,
    ttl: Option<Ttl>,
}

/// A flag with its value.
#[derive(Debug)]
pub struct Setting {
    /// Without dashes: `proxy`.
    pub flag: &'static str,
    /// As the flag takes it.
    pub value: String,
    /// Where it is from: `` `proxy_server` in line 3``.
    pub from: String,
}

/// What tbot does in the background, keeps or prints: nothing that a single run has.
const IGNORED: [&str; 8] = [
    "storage",
    "renewal_interval",
    "oneshot",
    "debug",
    "diag_addr",
    "diag_socket_for_updater",
    "pid_file",
    "log_format",
];

const FIELDS: [&str; 18] = [
    "version",
    "proxy_server",
    "auth_server",
    "onboarding",
    "outputs",
    "services",
    "credential_ttl",
    "certificate_ttl",
    "fips",
    "insecure",
    "storage",
    "renewal_interval",
    "oneshot",
    "debug",
    "diag_addr",
    "diag_socket_for_updater",
    "pid_file",
    "log_format",
];

const ONBOARDING: [&str; 10] = [
    "token",
    "join_method",
    "ca_pins",
    "ca_path",
    "gitlab",
    "generic_oidc",
    "terraform",
    "kubernetes",
    "azure",
    "bound_keypair",
];

/// The port of proxies, by which older files name one as `auth_server`.
const WEB_PORT: u16 = 443;

/// Reads a file. `has_method`: the command line names the join method.
pub(super) fn read(text: &str, has_method: bool) -> Result<Tbot, Problem> {
    let document = yaml::read(text)?;
    // Another version has other fields: nothing else is worth a word then.
    version(&Section::open(&document, "")?)?;
    let root = Section::read(&document, "", &FIELDS)?;
    let mut tbot = Tbot::default();
    for field in ["fips", "insecure"] {
        if root.flag(field)? == Some(true) {
            let line = root.get(field).map_or(0, |node| node.line);
            return Err(Problem::at(line, format!("`{field}: true` has no equal here")).hint(match field {
                "insecure" => "pass the roots to trust with `--ca-file`; at an auth service, pass `--ca-pin`",
                _ => "leave it out: this build is not validated for FIPS 140",
            }));
        }
    }
    for field in IGNORED.into_iter().filter(|field| !(*field == "oneshot" && root.is_true(field))) {
        tbot.notes.ignore(&root, field);
    }
    tbot.server(&root)?;
    tbot.onboarding(&root, has_method)?;
    tbot.ttl = ttl::read(&root)?;
    for field in ["services", "outputs"] {
        for node in root.list(field)? {
            let output = outputs::read(node, &mut tbot.notes)?;
            tbot.outputs.push(output);
        }
    }
    Ok(tbot)
}

fn version(root: &Section<'_>) -> Result<(), Problem> {
    let hint = "convert it with `tbot migrate -c FILE`";
    match root.text("version")? {
        Some(version) if version.text == "v2" => Ok(()),
        Some(version) => Err(Problem::at(version.line, "`version` is not `v2`").hint(hint)),
        None => Err(Problem::at(root.line, "`version: v2` is missing").hint(hint)),
    }
}

impl Tbot {
    fn set(&mut self, flag: &'static str, field: &str, text: Text) {
        self.settings.push(Setting { flag, value: text.text, from: from(field, text.line) });
    }

    /// The address, as the flag that takes it.
    fn server(&mut self, root: &Section<'_>) -> Result<(), Problem> {
        match (root.text("proxy_server")?, root.text("auth_server")?) {
            (Some(_), Some(auth)) => {
                Err(Problem::at(auth.line, "`auth_server` and `proxy_server` exclude each other")
                    .hint("keep `proxy_server`"))
            }
            (Some(proxy), None) => {
                checked(&proxy, "proxy_server", value::address)?;
                self.set("proxy", "proxy_server", proxy);
                Ok(())
            }
            (None, Some(auth)) => {
                let address = checked(&auth, "auth_server", value::auth_address)?;
                if address.port == WEB_PORT {
                    self.notes.warnings.push(format!(
                        "`auth_server` (line {}) has the port of a proxy, and is taken for one: call it `proxy_server`",
                        auth.line
                    ));
                    self.set("proxy", "auth_server", auth);
                } else {
                    self.set("auth-server", "auth_server", auth);
                }
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }

    fn onboarding(&mut self, root: &Section<'_>, has_method: bool) -> Result<(), Problem> {
        let Some(node) = root.get("onboarding") else { return Ok(()) };
        let onboarding = Section::read(node, "onboarding.", &ONBOARDING)?;
        let token = onboarding.text("token")?;
        match onboarding.text("join_method")? {
            Some(method) => {
                self.id_token(&onboarding, &method)?;
                self.set("join-method", "onboarding.join_method", method);
            }
            // A token of the method `token` is a secret, which tbot would use once.
            None if token.is_some() && !has_method => {
                return Err(Problem::at(onboarding.line, "`onboarding.join_method` is missing")
                    .hint("add the join method of the token, such as `join_method: github`"));
            }
            None => {}
        }
        if let Some(token) = token {
            self.set("token", "onboarding.token", token);
        }
        self.trust(&onboarding)
    }

    /// Pins and CAs are about the auth service: tbot does not look at them behind a proxy, either.
    fn trust(&mut self, onboarding: &Section<'_>) -> Result<(), Problem> {
        if self.settings.iter().any(|setting| setting.flag == "proxy") {
            self.notes.ignore(onboarding, "ca_pins");
            self.notes.ignore(onboarding, "ca_path");
            return Ok(());
        }
        let pins = onboarding.texts("ca_pins")?;
        if let Some(second) = pins.get(1) {
            return Err(Problem::at(second.line, "`onboarding.ca_pins` has more than one pin")
                .hint("keep the one of the CA that is in use, or name the CAs with `ca_path`"));
        }
        if let Some(pin) = pins.into_iter().next() {
            checked(&pin, "onboarding.ca_pins", value::pin)?;
            self.set("ca-pin", "onboarding.ca_pins", pin);
        }
        if let Some(path) = onboarding.text("ca_path")? {
            self.set("ca-file", "onboarding.ca_path", path);
        }
        Ok(())
    }

    /// Where the join method's settings say that the identity token is. Those of other methods say nothing.
    fn id_token(&mut self, onboarding: &Section<'_>, method: &Text) -> Result<(), Problem> {
        let Ok(known) = method.text.parse::<JoinMethod>() else {
            let what = "`onboarding.join_method` is not a method that jobpass serves";
            let served: Vec<_> = JoinMethod::ALL.iter().map(|m| m.name()).collect();
            return Err(Problem::at(method.line, what)
                .hint(format!("join by the identity of a job or of a machine: {}", served.join(", "))));
        };
        let part = |name: &'static str, fields: &[&str]| {
            let node = onboarding.get(name);
            node.map(|node| Section::read(node, &format!("onboarding.{name}."), fields)).transpose()
        };
        let (section, field, flag, path) = match known {
            JoinMethod::Azure => ("azure", "client_id", "azure-client-id", "onboarding.azure.client_id"),
            JoinMethod::GitLab => {
                ("gitlab", "token_env_var_name", "id-token-env", "onboarding.gitlab.token_env_var_name")
            }
            JoinMethod::TerraformCloud => {
                ("terraform", "audience_tag", "id-token-env", "onboarding.terraform.audience_tag")
            }
            JoinMethod::Kubernetes => {
                ("kubernetes", "token_path", "id-token-file", "onboarding.kubernetes.token_path")
            }
            JoinMethod::GenericOidc => {
                let generic = part("generic_oidc", &["env", "command", "timeout"])?;
                return generic.map_or(Ok(()), |generic| self.generic_oidc(&generic));
            }
            _ => return Ok(()),
        };
        if let Some(settings) = part(section, &[field])?
            && let Some(mut value) = settings.text(field)?
        {
            if known == JoinMethod::TerraformCloud {
                // HCP Terraform: `TFC_WORKLOAD_IDENTITY_TOKEN_TAG`, the tag as written.
                value.text.insert_str(0, "TFC_WORKLOAD_IDENTITY_TOKEN_");
            }
            self.set(flag, path, value);
        }
        Ok(())
    }

    fn generic_oidc(&mut self, generic: &Section<'_>) -> Result<(), Problem> {
        self.notes.ignore(generic, "timeout");
        let command = generic.texts("command")?;
        match (generic.text("env")?, command.first()) {
            (Some(env), Some(_)) => Err(Problem::at(
                env.line,
                "`env` and `command` of `onboarding.generic_oidc` exclude each other",
            )
            .hint("keep one of them")),
            (Some(env), None) => {
                self.set("id-token-env", "onboarding.generic_oidc.env", env);
                Ok(())
            }
            (None, Some(first)) => {
                let name = "onboarding.generic_oidc.command";
                let words = command.iter().map(|word| word.text.as_str());
                let joined = shlex::try_join(words)
                    .map_err(|_| Problem::at(first.line, format!("`{name}` has a null character")))?;
                self.set("id-token-command", name, Text { line: first.line, text: joined });
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }

    /// The one life of all outputs, if the file says any.
    pub fn ttl(&self) -> Result<Option<Setting>, Problem> {
        let mut lives = self.outputs.iter().map(|output| output.ttl.as_ref().or(self.ttl.as_ref()));
        let first = match lives.next() {
            Some(first) => first,
            None => self.ttl.as_ref(),
        };
        let life = |ttl: Option<&Ttl>| ttl.map(|ttl| ttl.life);
        if let Some(other) = lives.find(|other| life(*other) != life(first)) {
            let line = other.or(first).map_or(0, |ttl| ttl.line);
            return Err(Problem::at(
                line,
                "the outputs have different lives, and one run gives all the same",
            )
            .hint("pass `--ttl` for all of them, or run `jobpass login` once for each life"));
        }
        Ok(first.map(|ttl| Setting {
            flag: "ttl",
            value: ttl.text.clone(),
            from: from("credential_ttl", ttl.line),
        }))
    }
}

fn from(field: &str, line: u64) -> String {
    format!("`{field}` in line {line}")
}

#[cfg(test)]
mod tests;
