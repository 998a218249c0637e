//! The files that a simulated job finds its identity in, in a private folder that ends with the value.

use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::error::Failed;
use crate::sandbox::{Sandbox, Simulated};
use crate::write::{FileToWrite, Pending};

/// Files by the variables that name them.
pub struct JobFiles {
    /// The name of a variable, and the absolute path that is its value.
    pub variables: Vec<(&'static str, PathBuf)>,
    _folder: Option<TempDir>,
}

impl JobFiles {
    /// Writes them.
    pub fn new(sandbox: &Sandbox, job: Simulated) -> Result<Self, Failed> {
        use std::os::unix::fs::PermissionsExt as _;

        let Some(variable) = job.token_file_variable() else {
            return Ok(Self { variables: Vec::new(), _folder: None });
        };
        let private = std::fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("jobpass-job-").permissions(private).tempdir()?;
        let dir = folder.path().join("token");
        let jwt = sandbox.id_token(job, &Value::Null)?;
        let content = jwt.expose().as_bytes().to_vec().into();
        let file = FileToWrite { path: variable.into(), content, mode: 0o600 };
        Pending::prepare(&dir)?.commit(&[file])?;
        Ok(Self { variables: vec![(variable, dir.join(variable))], _folder: Some(folder) })
    }
}
