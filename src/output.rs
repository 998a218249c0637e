//! What is asked for: one credential, what it is for, and where its files go.

use std::path::{Path, PathBuf};

/// One `--output`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its name: the subfolder where there are several, the suffix of its variables.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// Roles to impersonate; `None`: all that the bot may.
    pub roles: Option<Vec<String>>,
    /// Where its files go.
    pub destination: Destination,
}

/// What a credential is for. Decides which certificates it has, and which files and variables come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Plain OpenSSH to the nodes of a cluster, and the `identity` file of Teleport's own tools.
    Ssh {
        /// The cluster the certificate is for; `None`: the root.
        cluster: Option<String>,
    },
    /// `kubectl` and all that reads a kubeconfig.
    Kube(Kube),
    /// A client certificate for a database.
    Database(Database),
    /// A client certificate for a web or TCP application.
    App(App),
}

/// A kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kube {
    /// The kubernetes clusters in it.
    pub clusters: KubeClusters,
    /// `context=`: names of the contexts, with `{cluster}` and `{kube}` replaced; `None`: `CLUSTER-KUBE`, as `tsh` names them.
    pub context: Option<String>,
    /// `namespace=`: the default namespace of the contexts.
    pub namespace: Option<String>,
    /// `--kube-exec`: kubectl asks `jobpass kube-credential` in place of reading an embedded certificate.
    pub exec: bool,
}

/// Which kubernetes clusters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KubeClusters {
    /// The one of that name.
    Named(String),
    /// All that the roles let the bot see: `*`.
    All,
    /// Those with all of these labels: `env:prod`.
    Labeled(Vec<(String, String)>),
}

/// A client certificate for a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// The name of its `db` resource.
    pub service: String,
    /// `user=`: the account in the database.
    pub user: Option<String>,
    /// `database-name=`: the database in the service.
    pub name: Option<String>,
    /// `protocol=`; `None`: the cluster is asked.
    pub protocol: Option<String>,
    /// How its files are laid out.
    pub format: FileFormat,
}

/// A client certificate for an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// The name of its `app` resource.
    pub name: String,
    /// `target-port=`: the port of a TCP application with several.
    pub target_port: Option<u16>,
    /// `Plain` or `Tls`.
    pub format: FileFormat,
}

/// How the files of a client certificate are laid out; the words are those of tbot's `format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FileFormat {
    /// `tlscert`, `key` and the CA files.
    #[default]
    Plain,
    /// `tls.crt`, `tls.key`, `tls.cas` besides.
    Tls,
    /// `mongo.crt` (certificate and key in one), `mongo.cas` besides.
    Mongo,
    /// A folder for `CockroachDB` besides: `cockroach/node.crt`, `cockroach/node.key`, `cockroach/ca.crt`.
    Cockroach,
}

/// A folder that appears whole, and the place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The folder, absolute; outputs with the same one appear together.
    pub folder: PathBuf,
    /// Relative to it; empty where the output has the folder to itself.
    pub subfolder: PathBuf,
}

/// A variable of an identity or output with a name of its own.
pub fn suffixed(variable: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{variable}_{}", suffix(name)),
        None => variable.to_owned(),
    }
}

/// What a name adds to its variables. Several names may add the same.
pub fn suffix(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

impl Kind {
    /// The word of `--output` and of the report.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ssh { .. } => "ssh",
            Self::Kube(_) => "kube",
            Self::Database(_) => "database",
            Self::App(_) => "app",
        }
    }

    /// The leaf cluster it is for, where it names one.
    pub fn cluster(&self) -> Option<&str> {
        match self {
            Self::Ssh { cluster } => cluster.as_deref(),
            Self::Kube(_) | Self::Database(_) | Self::App(_) => None,
        }
    }

    /// The one resource it names, as written.
    pub fn resource(&self) -> Option<&str> {
        match self {
            Self::Kube(Kube { clusters: KubeClusters::Named(name), .. }) => Some(name),
            Self::Ssh { .. } | Self::Kube(_) => None,
            Self::Database(database) => Some(&database.service),
            Self::App(app) => Some(&app.name),
        }
    }
}

impl Destination {
    /// Nowhere: the credential stays in the memory of this process.
    pub fn in_memory() -> Self {
        Self::whole(PathBuf::new())
    }

    /// Whether nothing is written.
    pub fn is_in_memory(&self) -> bool {
        self.folder.as_os_str().is_empty()
    }

    /// A folder of its own.
    pub fn whole(folder: PathBuf) -> Self {
        Self { folder, subfolder: PathBuf::new() }
    }

    /// Where the files will be, absolute.
    pub fn path(&self) -> PathBuf {
        // `join` would end the path of an empty subfolder with a slash.
        if self.subfolder.as_os_str().is_empty() {
            self.folder.clone()
        } else {
            self.folder.join(&self.subfolder)
        }
    }

    /// A file of that name, relative to the folder.
    pub fn file(&self, name: impl AsRef<Path>) -> PathBuf {
        self.subfolder.join(name)
    }
}
