//! What goes wrong is said, and nothing is left.

use std::process::Stdio;

use super::{Machine, SHELLS, archive, archive_name, checksum, good, installed, packed, path_of, release};
use crate::support::cluster::listing;
use crate::support::command::{program, put, run};
use crate::support::mirror::{Mirror, Served};
use crate::support::web_certificate::WebCertificate;

struct Wrong<'a> {
    name: &'a str,
    served: Vec<(String, Served)>,
    variables: Vec<(&'a str, String)>,
    code: i32,
    words: &'a str,
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_left() {
    let (good, name) = (good(), archive_name());
    let web = WebCertificate::new("IP:127.0.0.1");
    let plain = Mirror::start(None, release(&good));
    let other = WebCertificate::new("IP:127.0.0.1");
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("https://{}", listener.local_addr().unwrap())
    };
    let page = |text: &str| Served::Page(200, text.as_bytes().to_vec());
    let with = |name: &str, served: Served| vec![(name.to_owned(), served)];
    // Another archive, with its own checksum in the list.
    let replaced = |content: Vec<u8>| release(&content).into_iter().collect::<Vec<_>>();
    let folder = tempfile::tempdir().unwrap();
    let inner = name.trim_end_matches(".tar.gz");
    std::fs::create_dir(folder.path().join(inner)).unwrap();
    let without = packed(folder.path(), inner);
    std::os::unix::fs::symlink("/bin/true", folder.path().join(inner).join("jobpass")).unwrap();
    let linked = packed(folder.path(), inner);
    let wrong = |name, served, variables, code, words| Wrong { name, served, variables, code, words };
    let cases = [
        wrong("no mirror", vec![], vec![("JOBPASS_MIRROR", String::new())], 2, "JOBPASS_MIRROR is not set"),
        wrong("odd mirror", vec![], vec![("JOBPASS_MIRROR", "ftp://x".into())], 2, "neither an address"),
        wrong(
            "code in it",
            vec![],
            vec![("JOBPASS_MIRROR", "https://x\"\noutput = \"y".into())],
            2,
            "has characters",
        ),
        wrong(
            "no version",
            vec![],
            vec![("JOBPASS_VERSION", "latest".into())],
            2,
            "JOBPASS_VERSION is not a version",
        ),
        wrong(
            "odd version",
            vec![],
            vec![("JOBPASS_VERSION", "1/../2".into())],
            2,
            "JOBPASS_VERSION is not a version",
        ),
        wrong(
            "odd checksum",
            vec![],
            vec![("JOBPASS_SHA256", "g".repeat(64))],
            2,
            "JOBPASS_SHA256 is not a SHA-256",
        ),
        wrong(
            "short checksum",
            vec![],
            vec![("JOBPASS_SHA256", "0".repeat(63))],
            2,
            "JOBPASS_SHA256 is not a SHA-256",
        ),
        wrong("no TLS", vec![], vec![("JOBPASS_MIRROR", plain.url())], 2, "asked without TLS"),
        wrong("a colon", vec![], vec![("JOBPASS_INSTALL_DIR", "/a:b".into())], 2, "PATH cannot hold it"),
        wrong(
            "no home",
            vec![],
            vec![("HOME", String::new()), ("JOBPASS_INSTALL_DIR", String::new())],
            2,
            "HOME is not set",
        ),
        wrong(
            "a file in the way",
            vec![],
            vec![("JOBPASS_INSTALL_DIR", "ca.pem/bin".into())],
            6,
            "could not write to",
        ),
        wrong(
            "another checksum",
            vec![],
            vec![("JOBPASS_SHA256", "0".repeat(64))],
            4,
            "but JOBPASS_SHA256 says 000",
        ),
        wrong("another archive", with(&name, page("x")), vec![], 4, "but the mirror's SHA256SUMS says"),
        wrong("a page", with(&name, page("<html>log in</html>")), vec![], 4, "(it is a page of HTML"),
        wrong("a page of sums", with("SHA256SUMS", page("<html>")), vec![], 4, "does not name jobpass-"),
        wrong("cut", with(&name, Served::Half(good.clone())), vec![], 5, "could not fetch jobpass-"),
        wrong("cut unseen", with(&name, Served::HalfUnannounced(good.clone())), vec![], 4, "the checksum of"),
        wrong("cut sums", with("SHA256SUMS", page(&checksum(&good)[..40])), vec![], 4, "does not name"),
        wrong("not there", with(&name, Served::Page(404, vec![])), vec![], 5, "404"),
        wrong("not allowed", with("SHA256SUMS", Served::Page(403, vec![])), vec![], 5, "403"),
        wrong(
            "a way out of TLS",
            with("SHA256SUMS", Served::Redirect(format!("{}/SHA256SUMS", plain.url()))),
            vec![],
            5,
            "could not fetch SHA256SUMS",
        ),
        wrong("dead", vec![], vec![("JOBPASS_MIRROR", closed)], 5, "could not fetch SHA256SUMS"),
        wrong("unknown authority", vec![], vec![("SSL_CERT_FILE", "other.pem".into())], 5, "certificate"),
        wrong("no archive", replaced(b"text".to_vec()), vec![], 6, "could not unpack"),
        wrong("no program", replaced(without), vec![], 6, "could not unpack"),
        wrong("a link", replaced(linked), vec![], 6, "has no program jobpass"),
        wrong("it does not run", replaced(archive("#!/nowhere\n")), vec![], 6, "does not run in"),
        wrong(
            "it is another",
            replaced(archive("#!/bin/sh\necho jobpass 9\n")),
            vec![],
            6,
            "or is not version",
        ),
        wrong(
            "no such folder",
            vec![],
            vec![("JOBPASS_MIRROR", "/nonexistent".into())],
            6,
            "could not copy SHA256SUMS",
        ),
    ];
    for (index, Wrong { name, served, variables, code, words }) in cases.into_iter().enumerate() {
        let mut files = release(&good);
        files.extend(served);
        let mirror = Mirror::start(Some(&web), files);
        for client in ["curl", "wget"] {
            let machine = Machine::new(&[client])
                .set("JOBPASS_MIRROR", mirror.url())
                .set("JOBPASS_INSTALL_DIR", "bin")
                .set("SSL_CERT_FILE", "ca.pem");
            put(&machine.path("ca.pem"), &web.ca_pem);
            put(&machine.path("other.pem"), &other.ca_pem);
            // An older one stays as it is.
            let old = "#!/bin/sh\necho 'jobpass 0.0.1'\n";
            program(&machine.path("bin"), "jobpass", old);
            let machine = variables.iter().fold(machine, |machine, (name, value)| machine.set(name, value));
            let ran = machine.install(SHELLS[index % 2]);
            assert_eq!(ran.code, code, "{name} by {client}: {}", ran.all());
            assert!(ran.stderr.contains(words), "{name} by {client}: {}", ran.stderr);
            assert!(ran.stderr.contains("error: ") && ran.stdout.is_empty(), "{name}: {}", ran.all());
            let left = listing(&machine.path("bin"));
            assert_eq!(left.len(), 1, "{name} by {client}: {left:?}");
            assert_eq!(std::fs::read_to_string(machine.path("bin/jobpass")).unwrap(), old, "{name}");
            let all: Vec<_> =
                listing(machine.folder.path()).into_iter().filter(|(file, _)| file.contains("/.")).collect();
            assert!(all.is_empty(), "{name}: {all:?}");
        }
    }
}

#[test]
fn what_the_machine_lacks_is_said() {
    let good = good();
    let plain = Mirror::start(None, release(&good));
    let none = Machine::new(&[]).set("JOBPASS_MIRROR", plain.url());
    let ran = none.install(SHELLS[0]);
    assert!(ran.code == 6 && ran.stderr.contains("neither curl nor wget"), "{}", ran.all());
    // BusyBox's client may not look at certificates, and would show a password.
    for (url, words) in
        [("https://127.0.0.1:9", "may not verify"), ("http://u:p@127.0.0.1:9", "would show the password")]
    {
        let ran = Machine::new(&["busybox"]).set("JOBPASS_MIRROR", url).install(SHELLS[2]);
        assert!(ran.code == 2 && ran.stderr.contains(words), "{}", ran.all());
    }
    for (answer, words) in
        [("Darwin", "no build of jobpass for Darwin"), ("riscv64", "no build of jobpass for riscv64")]
    {
        let machine = Machine::new(&["curl"]).set("JOBPASS_MIRROR", plain.url());
        let script =
            format!("#!/bin/sh\n[ {answer} = Darwin ] || [ $1 = -m ] && echo {answer} || echo Linux\n");
        std::fs::remove_file(machine.path("programs/uname")).unwrap();
        program(&machine.path("programs"), "uname", &script);
        let ran = machine.install(SHELLS[0]);
        assert!(ran.code == 2 && ran.stderr.contains(words), "{}", ran.all());
    }
    let without =
        Machine::new(&["curl"]).set("JOBPASS_MIRROR", plain.url()).set("JOBPASS_SHA256", checksum(&good));
    std::fs::remove_file(without.path("programs/sha256sum")).unwrap();
    let ran = without.install(SHELLS[1]);
    assert!(ran.code == 6 && ran.stderr.contains("none of sha256sum, shasum and openssl"), "{}", ran.all());
    std::os::unix::fs::symlink(path_of("openssl"), without.path("programs/openssl")).unwrap();
    without.install(SHELLS[1]).ok();
    installed(&without.bin());
}

#[test]
fn a_signal_ends_it_and_leaves_nothing() {
    let mut files = release(&good());
    files.insert(archive_name(), Served::Silence);
    let web = WebCertificate::new("IP:127.0.0.1");
    for (shell, signal, code) in
        [(SHELLS[0], "-TERM", 143), (SHELLS[1], "-INT", 130), (SHELLS[0], "-HUP", 129)]
    {
        for client in ["curl", "wget"] {
            let mirror = Mirror::start(Some(&web), files.clone());
            let machine =
                Machine::new(&[client]).set("JOBPASS_MIRROR", mirror.url()).set("SSL_CERT_FILE", "ca.pem");
            put(&machine.path("ca.pem"), &web.ca_pem);
            let mut child =
                machine.command(shell).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let has = |part: &str| mirror.asked().iter().any(|head| head.contains(part));
            let wait = |part: &str| {
                let end = std::time::Instant::now() + std::time::Duration::from_secs(120);
                while !has(part) {
                    assert!(std::time::Instant::now() < end, "{part} {client}: {:?}", mirror.asked());
                    std::thread::yield_now();
                }
            };
            wait(".tar.gz");
            run("kill", &[signal, &child.id().to_string()]).ok();
            assert_eq!(child.wait().unwrap().code(), Some(code), "{client} {signal}");
            wait("gone");
            assert!(listing(&machine.bin()).is_empty(), "{:?}", listing(&machine.bin()));
        }
    }
}
