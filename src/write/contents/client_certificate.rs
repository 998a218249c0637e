//! The files of a client certificate, for databases and applications: tbot's names, in tbot's formats.

use std::path::PathBuf;

use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::ssh::pems;
use super::{Contents, Context};
use crate::issue::Issued;
use crate::output::FileFormat;
use crate::write::FileToWrite;

/// Certificate, key and CA files as every format has them; relative to the output's folder.
pub(super) const CERTIFICATE: &str = "tlscert";
/// PKCS#8, PEM.
pub(super) const KEY: &str = "key";
/// What `mongosh` reads.
const MONGO: &str = "mongo.crt";

/// Files, variables and step outputs.
pub(super) fn contents(issued: &Issued, format: FileFormat, context: &Context<'_>) -> Contents {
    let destination = &issued.output.destination;
    let tls = &issued.first.identity.tls;
    let pem = tls.key.tls_pem();
    let (key, certificate) = (pem.expose_secret(), tls.cert.pem.as_str());
    let cas = context.authorities;
    let (host, user, database) = (pems(cas.host.first()), pems(cas.user.first()), pems(cas.database.first()));

    let mut contents = Contents::default();
    let mut add = |name: &str, content: &[&str]| {
        let content = Zeroizing::new(content.concat().into_bytes());
        contents.files.push(FileToWrite { path: destination.file(name), content, mode: 0o600 });
    };
    add(CERTIFICATE, &[certificate]);
    add(KEY, &[key]);
    add("teleport-host-ca.crt", &[&host]);
    add("teleport-user-ca.crt", &[&user]);
    add("teleport-database-ca.crt", &[&database]);
    // Which CA goes where: gravitational/teleport `lib/tbot/services/database`, 18. The host CA signs what a proxy shows, the
    // database CA what a database shows.
    let (certificate_file, key_file) = match format {
        FileFormat::Plain => (CERTIFICATE, KEY),
        FileFormat::Tls => {
            add("tls.crt", &[certificate]);
            add("tls.key", &[key]);
            add("tls.cas", &[&host]);
            ("tls.crt", "tls.key")
        }
        FileFormat::Mongo => {
            add(MONGO, &[certificate, key]);
            add("mongo.cas", &[&database]);
            (MONGO, MONGO)
        }
        FileFormat::Cockroach => {
            add("cockroach/node.crt", &[certificate]);
            add("cockroach/node.key", &[key]);
            add("cockroach/ca.crt", &[&database]);
            ("cockroach/node.crt", "cockroach/node.key")
        }
    };

    let dir = destination.path().display().to_string();
    let path = |file: &str| destination.path().join(file).display().to_string();
    contents.variables = vec![
        ("JOBPASS_DIR", dir.clone()),
        ("JOBPASS_CERTIFICATE_FILE", path(certificate_file)),
        ("JOBPASS_KEY_FILE", path(key_file)),
    ];
    contents.step_outputs = vec![
        ("destination-dir", dir),
        ("certificate-file", path(certificate_file)),
        ("key-file", path(key_file)),
        ("expires-at", context.expires.to_string()),
    ];
    contents
}

/// A file of the output, absolute.
pub(super) fn path(issued: &Issued, name: &str) -> PathBuf {
    issued.output.destination.path().join(name)
}
