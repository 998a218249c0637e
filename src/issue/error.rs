//! Why an output was not issued.

use thiserror::Error;
use tonic::Code;

use crate::error::{Exit, StageError};
use crate::identity::keys::KeyError;
use crate::refusal::access_requests;
use crate::teleport::ClusterError;
use crate::text::close_names;

/// Why an output was not issued.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum IssueError {
    /// What came cannot be used.
    #[error("the certificates for output `{output}` cannot be used")]
    Certificate { output: String, reason: String },
    /// The cluster cannot be reached, or its answers make no sense.
    #[error("could not get certificates from the cluster")]
    Cluster(#[from] ClusterError),
    /// A key could not be generated.
    #[error("could not generate a key for the output")]
    Key(#[from] KeyError),
    /// The bot may impersonate no role at all.
    #[error("the bot `{user}` may not impersonate any role, so there is nothing to issue")]
    NoRoles { user: String },
    /// Teleport says no.
    #[error("Teleport refused to issue output `{output}`")]
    Refused { output: String, user: String, message: String },
    /// More kubernetes clusters than a kubeconfig is made for.
    #[error("{count} kubernetes clusters match output `{output}`, and {most} is the most")]
    TooMany { output: String, count: usize, most: usize },
    /// It names a leaf cluster that the root does not know.
    #[error("there is no leaf cluster `{leaf}`, which output `{output}` is for")]
    UnknownLeaf { output: String, leaf: String, known: Vec<String> },
    /// It names a resource that its roles do not see.
    #[error("there is no {what} `{name}` that the roles of output `{output}` can see")]
    UnknownResource { output: String, what: What, name: String, known: Vec<String> },
    /// No kubernetes cluster matches.
    #[error("no kubernetes cluster matches output `{output}`")]
    NoMatch { output: String, known: Vec<String> },
}

/// Kinds of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum What {
    App,
    Database,
    Kube,
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::App => "application",
            Self::Database => "database",
            Self::Kube => "kubernetes cluster",
        })
    }
}

impl What {
    /// The field of a role that decides who sees it.
    fn labels(self) -> &'static str {
        match self {
            Self::App => "app_labels",
            Self::Database => "db_labels",
            Self::Kube => "kubernetes_labels",
        }
    }
}

/// As many names as are listed.
const SHOWN: usize = 10;

impl IssueError {
    /// Whether no answer came. Asking twice gives two certificates for the same key, of which one is never used.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Cluster(error) if error.is_transient())
    }

    /// Whether it is about one output alone, so that the others can be issued without it.
    pub fn is_of_one_output(&self) -> bool {
        match self {
            Self::Certificate { .. }
            | Self::NoMatch { .. }
            | Self::Refused { .. }
            | Self::TooMany { .. }
            | Self::UnknownLeaf { .. }
            | Self::UnknownResource { .. } => true,
            Self::Cluster(_) | Self::Key(_) | Self::NoRoles { .. } => false,
        }
    }

    /// A refusal of Teleport's, which is about this output; anything else is about the cluster.
    pub(super) fn of(error: ClusterError, output: &str, user: &str) -> Self {
        match error {
            ClusterError::Refused { code, message, .. } if code != Code::Unimplemented => {
                Self::Refused { output: output.to_owned(), user: user.to_owned(), message }
            }
            other => other.into(),
        }
    }
}

impl StageError for IssueError {
    fn exit(&self) -> Exit {
        match self {
            Self::Cluster(error) => error.exit(),
            Self::Key(_) => Exit::Internal,
            Self::Certificate { .. }
            | Self::NoMatch { .. }
            | Self::NoRoles { .. }
            | Self::Refused { .. }
            | Self::TooMany { .. }
            | Self::UnknownLeaf { .. }
            | Self::UnknownResource { .. } => Exit::Refused,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Certificate { reason, .. } => vec![reason.clone()],
            Self::Cluster(error) => error.chain(),
            Self::Key(error) => error.chain(),
            Self::Refused { message, .. } => vec![message.clone()],
            Self::UnknownLeaf { known, .. } if known.is_empty() => {
                vec!["the cluster has no leaf clusters".to_owned()]
            }
            Self::UnknownLeaf { known, .. } => vec![format!("its leaf clusters are {}", list(known))],
            Self::UnknownResource { what, known, .. } if known.is_empty() => {
                vec![format!("they see no {what} at all")]
            }
            Self::UnknownResource { known, .. } => vec![format!("they see {}", list(known))],
            Self::NoMatch { known, .. } if known.is_empty() => {
                vec!["its roles see no kubernetes cluster at all".to_owned()]
            }
            Self::NoMatch { known, .. } => vec![format!("its roles see {}", list(known))],
            Self::NoRoles { .. } | Self::TooMany { .. } => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        let did_you_mean = |name: &str, known: &[String]| {
            close_names(name, known).first().map(|near| format!("did you mean `{near}`?"))
        };
        match self {
            Self::Certificate { .. } => Vec::new(),
            Self::Cluster(error) => error.hints(),
            Self::Key(error) => error.hints(),
            Self::NoRoles { user } => {
                vec![format!("give the bot roles: `tctl bots update {} --add-roles ROLE`", bot_name(user))]
            }
            Self::Refused { user, message, .. } => {
                let hints = access_requests::hints(message, user, &[]);
                if hints.is_empty() { vec![refusal_hint(bot_name(user), message)] } else { hints }
            }
            Self::TooMany { .. } => vec!["choose fewer by labels: `kube=KEY:VALUE`".to_owned()],
            Self::UnknownLeaf { leaf, known, .. } => {
                let list = "check `cluster=` of the output; `tctl get remote_clusters` lists the trusted leaf clusters";
                did_you_mean(leaf, known).into_iter().chain([list.to_owned()]).collect()
            }
            Self::UnknownResource { what, name, known, .. } => {
                let roles =
                    format!("check the name, and that a role of the output has `{}` for it", what.labels());
                did_you_mean(name, known).into_iter().chain([roles]).collect()
            }
            Self::NoMatch { .. } => vec![
                "check the labels, and that a role of the output has `kubernetes_labels` for them".to_owned(),
            ],
        }
    }
}

fn list(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => shown.join(", "),
        Some(more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// By Teleport's words (`lib/auth/auth_with_roles.go`, `lib/services/local`; recorded with 15).
fn refusal_hint(bot: &str, message: &str) -> String {
    if message.contains("role impersonation") {
        format!(
            "allow the bot these roles (`tctl bots update {bot} --add-roles ROLE`), or leave them out of `--roles`"
        )
    } else if message.contains("role") && message.contains("not found") {
        "check the spelling of `--roles`; `tctl get roles` lists them".to_owned()
    } else {
        format!("look in the audit log and at `tctl bots ls` for what `{bot}` may do")
    }
}

fn bot_name(user: &str) -> &str {
    user.strip_prefix("bot-").unwrap_or(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_is_about_what_was_refused() {
        for (message, hint) in [
            ("access denied: role impersonation is not allowed", "allow the bot these roles"),
            ("role \"ci\" is not found", "`tctl get roles`"),
            ("role \"ci\" is locked", "look in the audit log"),
            ("user not found", "look in the audit log"),
        ] {
            assert!(refusal_hint("ci", message).contains(hint), "{message}");
        }
    }
}
