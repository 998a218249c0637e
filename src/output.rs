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
}

/// A folder that appears whole, and the place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The folder, absolute; outputs with the same one appear together.
    pub folder: PathBuf,
    /// Relative to it; empty where the output has the folder to itself.
    pub subfolder: PathBuf,
}

impl Kind {
    /// The word of `--output` and of the report.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ssh { .. } => "ssh",
        }
    }

    /// The leaf cluster it is for, where it names one.
    pub fn cluster(&self) -> Option<&str> {
        match self {
            Self::Ssh { cluster } => cluster.as_deref(),
        }
    }
}

impl Destination {
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
