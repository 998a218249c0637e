//! The trusted web roots, for the cluster and for all other servers, and where they come from.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{NetError, Options};
use crate::env::{Env, MAX_FILE, names};
use crate::log::Log;
use crate::system::ROOTS_IN_FILES;
use crate::text::io_reason;

/// Where systems keep their bundle: Debian, Alpine and Arch; Fedora and RHEL; SUSE; the BSDs and macOS.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The most we read of all files in the folders of `SSL_CERT_DIR`: 16 MiB.
const MAX_FOLDERS: u64 = 16 * MAX_FILE;

/// The web roots of this run: what the cluster needs is read at once if the user named it, all else on first use.
pub(super) struct Roots {
    /// `--ca-file`: the cluster's alone.
    cluster: Option<Loaded>,
    system: OnceLock<Result<Loaded, NetError>>,
    variables: Variables,
}

/// OpenSSL's two variables, which stand in for the system's roots; certificates of both are trusted when both are set.
struct Variables {
    /// Of `SSL_CERT_FILE`: as an error names it, and where it is.
    file: Option<(String, PathBuf)>,
    /// Of `SSL_CERT_DIR`.
    folders: Option<(String, Vec<PathBuf>)>,
}

/// Roots and where they come from.
pub(super) struct Loaded {
    pub(super) store: Arc<RootCertStore>,
    /// The same, whole (DER), where the user named them: a server may show one of them as its own. None of the system's.
    pub(super) named: Arc<BTreeSet<Vec<u8>>>,
    /// `145 of the system`.
    pub(super) description: String,
}

impl Roots {
    /// Reads `--ca-file`, else `SSL_CERT_FILE` and `SSL_CERT_DIR`; what is named but useless is an error, never silently ignored.
    pub(super) fn new(env: &Env, options: &Options, log: &Log) -> Result<Self, NetError> {
        let mut roots = Self { cluster: None, system: OnceLock::new(), variables: Variables::from_env(env) };
        let named = |found: Result<_, String>, source: &str| {
            let loaded = found.and_then(|found| usable(found, source, log));
            loaded.map_err(|reason| broken(source, reason))
        };
        match (&options.ca_pem, &options.ca_file) {
            (Some(pem), _) => {
                let loaded = named(certificates(pem.as_bytes()), "this process")?;
                log.detail(format!("web roots: {}", loaded.description));
                let _ = roots.system.set(Ok(loaded));
            }
            (None, Some(path)) => {
                let loaded = named(file(&env.absolute(path)), &format!("--ca-file `{}`", path.display()))?;
                log.detail(format!("web roots for the cluster: {}", loaded.description));
                roots.cluster = Some(loaded);
            }
            // The cluster needs them in any case.
            (None, None) if roots.variables.are_set() => {
                roots.system(log)?;
            }
            (None, None) => {}
        }
        Ok(roots)
    }

    /// Whether the cluster has roots of its own.
    pub(super) fn are_split(&self) -> bool {
        self.cluster.is_some()
    }

    /// The certificates of those.
    pub(super) fn own(&self) -> Option<&BTreeSet<Vec<u8>>> {
        self.cluster.as_ref().map(|loaded| &*loaded.named)
    }

    /// The roots for the cluster.
    pub(super) fn cluster(&self, log: &Log) -> Result<&Loaded, NetError> {
        self.cluster.as_ref().map_or_else(|| self.system(log), Ok)
    }

    /// The roots for all other servers; the first call reads them.
    pub(super) fn system(&self, log: &Log) -> Result<&Loaded, NetError> {
        let loaded = self.system.get_or_init(|| {
            let loaded = self.variables.load(log)?.unwrap_or_else(|| from_system(&BUNDLES, native));
            log.detail(format!("web roots: {}", loaded.description));
            Ok(loaded)
        });
        loaded.as_ref().map_err(Clone::clone)
    }
}

impl Variables {
    fn from_env(env: &Env) -> Self {
        let named = |name: &str| env.var(name).map(|value| (format!("{name}=`{value}`"), value));
        let at = |text: &str| env.absolute(Path::new(text));
        // Several folders as in `PATH`; the empty ones mean nothing.
        let separator = if cfg!(windows) { ';' } else { ':' };
        let all = |value: &str| value.split(separator).filter(|f| !f.is_empty()).map(at).collect();
        Self {
            file: named(names::SSL_CERT_FILE).map(|(source, value)| (source, at(value))),
            folders: named(names::SSL_CERT_DIR).map(|(source, value)| (source, all(value))),
        }
    }

    fn are_set(&self) -> bool {
        self.file.is_some() || self.folders.is_some()
    }

    /// `None` when neither is set.
    fn load(&self, log: &Log) -> Result<Option<Loaded>, NetError> {
        let mut certificates = BTreeSet::new();
        let mut sources = Vec::new();
        if let Some((source, path)) = &self.file {
            certificates.extend(file(path).map_err(|reason| broken(source, reason))?);
            sources.push(source.as_str());
        }
        if let Some((source, folders)) = &self.folders {
            certificates.extend(in_folders(folders).map_err(|reason| broken(source, reason))?);
            sources.push(source);
        }
        if sources.is_empty() {
            return Ok(None);
        }
        let source = sources.join(" and ");
        usable(certificates, &source, log).map(Some).map_err(|reason| broken(&source, reason))
    }
}

fn broken(source: &str, reason: String) -> NetError {
    NetError::Roots { source_name: source.to_owned(), reason }
}

/// The certificates as roots; what cannot be one is a warning, none at all is an error.
fn usable(certificates: BTreeSet<Vec<u8>>, source: &str, log: &Log) -> Result<Loaded, String> {
    let mut store = RootCertStore::empty();
    let named = Arc::new(certificates.clone());
    let (used, ignored) = store.add_parsable_certificates(certificates.into_iter().map(CertificateDer::from));
    if used == 0 {
        return Err(format!("none of its {ignored} certificates can be read"));
    }
    if ignored > 0 {
        log.warn(format!("{ignored} of the {} certificates in {source} cannot be read", used + ignored));
    }
    Ok(Loaded { store: Arc::new(store), named, description: format!("{used} of {source}") })
}

/// The first bundle with a root in it, else what `native` finds, else Mozilla's set, which is built in.
fn from_system(bundles: &[&str], native: fn() -> Vec<CertificateDer<'static>>) -> Loaded {
    let silent = Log::silent();
    let system = |found| {
        let loaded = usable(found, "the system", &silent).ok()?;
        Some(Loaded { named: Arc::default(), ..loaded })
    };
    let mut files = bundles.iter().filter(|_| ROOTS_IN_FILES).filter_map(|path| file(Path::new(path)).ok());
    if let Some(loaded) = files.find_map(system) {
        return loaded;
    }
    system(native().iter().map(|c| c.to_vec()).collect()).unwrap_or_else(|| {
        let roots = webpki_roots::TLS_SERVER_ROOTS.to_vec();
        let description = format!("{} built in (Mozilla's), the system has none", roots.len());
        let store = Arc::new(RootCertStore { roots });
        Loaded { store, named: Arc::default(), description }
    })
}

fn native() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// All certificates of one PEM file.
fn file(path: &Path) -> Result<BTreeSet<Vec<u8>>, String> {
    certificates(&bounded(path, MAX_FILE)?)
}

fn certificates(text: &[u8]) -> Result<BTreeSet<Vec<u8>>, String> {
    let mut found = BTreeSet::new();
    for certificate in CertificateDer::pem_slice_iter(text) {
        let certificate = certificate.map_err(|_| "its PEM is damaged".to_owned())?;
        found.insert(certificate.to_vec());
    }
    if found.is_empty() {
        return Err(match text.first() {
            None => "the file is empty".to_owned(),
            Some(0x30) => "it contains no PEM certificate (it looks like DER)".to_owned(),
            Some(_) => "it contains no PEM certificate".to_owned(),
        });
    }
    Ok(found)
}

/// All certificates of the files in the folders. Other files are skipped; a missing folder counts only when the others
/// have nothing.
fn in_folders(folders: &[PathBuf]) -> Result<BTreeSet<Vec<u8>>, String> {
    let mut found = BTreeSet::new();
    let mut failure = None;
    let mut left = MAX_FOLDERS;
    for folder in folders {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) => {
                failure.get_or_insert(format!("`{}`: {}", folder.display(), io_reason(&e)));
                continue;
            }
        };
        for entry in entries.filter_map(Result::ok) {
            let path = entry.path();
            let size = std::fs::metadata(&path).map_or(0, |m| m.len());
            left = left.checked_sub(size.min(MAX_FILE)).ok_or("it contains more than 16 MiB")?;
            found.extend(file(&path).unwrap_or_default());
        }
    }
    if found.is_empty() {
        return Err(failure.unwrap_or_else(|| "no file in it contains a PEM certificate".to_owned()));
    }
    Ok(found)
}

/// A regular file of at most `limit` bytes; a pipe could make us wait for ever.
fn bounded(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let kind = std::fs::metadata(path).map_err(|e| io_reason(&e))?;
    if !kind.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let mut text = Vec::new();
    let open = std::fs::File::open(path).map_err(|e| io_reason(&e))?;
    open.take(limit + 1).read_to_end(&mut text).map_err(|e| io_reason(&e))?;
    if text.len() as u64 > limit {
        return Err(format!("it is larger than {} MiB", limit / (1024 * 1024)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StageError as _;
    use crate::net::testing::{Pki, collected, network};

    fn description(vars: &[(&str, &str)], ca_file: Option<&Path>) -> Result<String, NetError> {
        network(vars, ca_file, Log::silent())?.roots_description()
    }

    #[test]
    fn what_is_named_replaces_the_system() {
        let (pki, other) = (Pki::new(), Pki::new());
        let (ours, others) = (pki.ca_file(), other.ca_file());
        let (file, folder) = (ours.to_str().unwrap(), others.parent().unwrap().to_str().unwrap());
        let missing = format!("/does/not/exist::{folder}");
        for (vars, ca_file, want) in [
            (&[][..], Some(&*ours), format!("1 of --ca-file `{file}`")),
            (&[("SSL_CERT_FILE", "/does/not/exist")], Some(&*ours), format!("1 of --ca-file `{file}`")),
            (&[("SSL_CERT_FILE", file)], None, format!("1 of SSL_CERT_FILE=`{file}`")),
            (&[("SSL_CERT_DIR", folder)], None, format!("1 of SSL_CERT_DIR=`{folder}`")),
            (&[("SSL_CERT_DIR", &*missing)], None, format!("1 of SSL_CERT_DIR=`{missing}`")),
            (
                &[("SSL_CERT_FILE", file), ("SSL_CERT_DIR", folder)],
                None,
                format!("2 of SSL_CERT_FILE=`{file}` and SSL_CERT_DIR=`{folder}`"),
            ),
        ] {
            assert_eq!(description(vars, ca_file).unwrap(), want);
        }
        let (log, lines) = collected();
        let network = network(&[], Some(&ours), log).unwrap();
        assert_eq!(network.web_roots().unwrap().len(), 1);
        let _ = network.web_roots();
        assert_eq!(*lines.lock().unwrap(), [format!("web roots for the cluster: 1 of --ca-file `{file}`")]);
    }

    #[test]
    fn what_is_named_and_useless_is_an_error_at_once() {
        let pki = Pki::new();
        let path = |name: &str, text: &str| pki.write(name, text).to_str().unwrap().to_owned();
        let empty = path("empty", "");
        let text = path("text", "no certificate here");
        let pem = std::fs::read_to_string(pki.ca_file()).unwrap();
        let cut = path("cut", &pem[..pem.len() / 2]);
        let damaged = path("damaged", "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n");
        let hollow = path("hollow", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        let full = format!("{pem}{}", "\n".repeat(usize::try_from(MAX_FILE).unwrap() - pem.len()));
        assert!(description(&[("SSL_CERT_FILE", &*path("full", &full))], None).is_ok());
        let large = path("large", &format!("{full}\n"));
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().to_str().unwrap().to_owned();
        for (place, reason) in [
            (&*empty, "the file is empty"),
            (&*text, "no PEM certificate"),
            (&*cut, "damaged"),
            (&*damaged, "damaged"),
            (&*hollow, "none of its 1 certificates can be read"),
            (&*large, "larger than 1 MiB"),
            ("/does/not/exist", "no such file"),
            (&*folder, "not a regular file"),
        ] {
            let by_option = network(&[], Some(Path::new(place)), Log::silent()).unwrap_err();
            let by_variable = network(&[("SSL_CERT_FILE", place)], None, Log::silent()).unwrap_err();
            for (error, source) in [
                (by_option, format!("--ca-file `{place}`")),
                (by_variable, format!("SSL_CERT_FILE=`{place}`")),
            ] {
                let text = error.to_string();
                assert!(
                    text.starts_with(&format!("{source} cannot be used: ")) && text.contains(reason),
                    "{text}"
                );
                assert!(matches!(error, NetError::Roots { .. }) && !error.hints().is_empty());
            }
        }
        for (place, reason) in [(&*folder, "no file in it"), ("/does/not/exist", "no such file")] {
            let error = network(&[("SSL_CERT_DIR", place)], None, Log::silent()).unwrap_err().to_string();
            assert!(error.starts_with("SSL_CERT_DIR=`") && error.contains(reason), "{error}");
        }
    }

    #[test]
    fn folders_are_read_up_to_a_bound() {
        let pki = Pki::new();
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(pki.ca_file(), folder.path().join("ca.pem")).unwrap();
        let shown = folder.path().to_str().unwrap();
        // Without content on the disk; each counts as the 1 MiB that would be read of it.
        let add = |names: std::ops::Range<u32>| {
            for name in names {
                let file = std::fs::File::create(folder.path().join(name.to_string())).unwrap();
                file.set_len(2 * MAX_FILE).unwrap();
            }
            description(&[("SSL_CERT_DIR", shown)], None)
        };
        assert_eq!(add(0..15).unwrap(), format!("1 of SSL_CERT_DIR=`{shown}`"));
        let error = add(15..16).unwrap_err().to_string();
        assert!(error.contains("more than 16 MiB"), "{error}");
    }

    #[test]
    fn a_useless_certificate_beside_good_ones_is_told() {
        let pki = Pki::new();
        let pem = std::fs::read_to_string(pki.ca_file()).unwrap();
        let path = pki
            .write("mixed", &format!("{pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
        let (log, lines) = collected();
        assert_eq!(network(&[], Some(&path), log).unwrap().web_roots().unwrap().len(), 1);
        assert!(lines.lock().unwrap()[0].starts_with("1 of the 2 certificates in --ca-file"));
    }

    #[test]
    fn the_system_comes_before_the_set_built_in() {
        let pki = Pki::new();
        let bundle = pki.ca_file();
        let bundles = ["/does/not/exist", bundle.to_str().unwrap()];
        if ROOTS_IN_FILES {
            let loaded = from_system(&bundles, Vec::new);
            assert_eq!(loaded.description, "1 of the system");
            assert!(loaded.named.is_empty(), "no root of the system is a server");
        }
        let none = from_system(&[], Vec::new);
        assert!(none.store.len() > 50 && none.description.contains("built in"), "{}", none.description);
        assert!(!description(&[("SSL_CERT_FILE", "")], None).unwrap().starts_with('0'));
        // The system's store has what its bundle has.
        assert_eq!(native().is_empty(), !BUNDLES.iter().any(|path| file(Path::new(path)).is_ok()));
    }

    #[test]
    fn bundles_under_fire() {
        let bundle = include_str!("../../tests/data/teleport/tbot_output/identity.txt");
        let bundle = &bundle[bundle.find("-----BEGIN CERTIFICATE").unwrap()..];
        crate::under_fire::parser(
            "bundles of roots",
            [bundle, "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n"],
        )
        .slow(4)
        .bytes(|bytes| {
            if let Ok(found) = certificates(bytes) {
                assert!(found.iter().map(Vec::len).sum::<usize>() <= bytes.len());
            }
        });
    }
}
