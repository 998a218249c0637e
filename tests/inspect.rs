//! `inspect`: what login and tbot wrote, what has expired, and what is broken.

use std::path::{Path, PathBuf};

use jobpass::platform::Platform;
use jobpass::sandbox::{SandboxDatabase, SandboxOptions};
use serde_json::Value;
use snapbox::{assert_data_eq, file};

use crate::support::cluster::Cluster;
use crate::support::command::{Ran, jobpass, put, run};

fn inspect(folder: &Path, arguments: &[&str]) -> Ran {
    let mut all = vec!["inspect"];
    all.extend(arguments);
    let ran = Ran::of(&jobpass(folder, &all, [("NO", "thing")]).output().unwrap());
    assert!(!ran.all().contains("-----"), "no PEM: {}", ran.all());
    for line in ran.stdout.lines().filter(|_| !arguments.contains(&"--json")) {
        let one_word = line.split_whitespace().count() == 1;
        assert!(line.chars().count() <= 100 || one_word, "too wide: {line}");
    }
    ran
}

fn login(cluster: &Cluster, name: &str, arguments: &[&str]) -> PathBuf {
    let dir = cluster.path(name);
    let mut all = vec!["--dir", dir.to_str().unwrap()];
    all.extend(arguments);
    cluster.job(Platform::GitLabCi).login(&all).ok();
    dir
}

/// Copies a folder's files into another, to be damaged.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    mode(to, 0o700);
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        put(&to.join(entry.file_name()), std::fs::read(entry.path()).unwrap());
    }
}

#[test]
fn what_login_wrote() {
    for (version, suite, folder_keys, bundle_keys) in [
        ("18.2.0", "balanced-v1", ("Ed25519", "P-256"), "P-256"),
        ("17.5.0", "legacy", ("RSA-2048", "RSA-2048"), "RSA-2048"),
        ("15.4.0", "", ("P-256", "P-256"), "P-256"),
    ] {
        let options = SandboxOptions {
            version: version.into(),
            suite: suite.into(),
            ..SandboxOptions::simulating(None)
        };
        let cluster = Cluster::start(options);
        let dir = login(&cluster, "out", &[]);
        let json = inspect(&dir, &[".", "--json"]).ok();
        let facts: Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!(
            (facts["keys"]["ssh"].as_str(), facts["keys"]["tls"].as_str()),
            (Some(folder_keys.0), Some(folder_keys.1))
        );
        assert_eq!(facts["belong_together"], true);
        let identity = inspect(&dir, &["identity", "--json"]).ok();
        let facts: Value = serde_json::from_str(&identity.stdout).unwrap();
        assert_eq!(facts["keys"]["tls"], bundle_keys, "{}", identity.stdout);
        assert_eq!(facts["user"], "bot-ci");
        if version == "18.2.0" {
            assert_data_eq!(
                json.stdout.replace(dir.to_str().unwrap(), "[DIR]"),
                file!["inspect/folder.json": Text]
            );
            assert_data_eq!(inspect(&dir, &["."]).ok().stdout, file!["inspect/folder.txt"]);
            // By the variable of a later step.
            let variables = [("JOBPASS_DIR", dir.to_str().unwrap())];
            let named = Ran::of(&jobpass(Path::new("/"), &["inspect"], variables).output().unwrap()).ok();
            assert_eq!(named.stdout, inspect(&dir, &["."]).stdout);
        }
    }
}

#[test]
fn several_at_once() {
    let cluster = Cluster::any();
    let (first, second) = (login(&cluster, "first", &[]), login(&cluster, "second", &["--roles", "ci-read"]));
    let ran = inspect(cluster.folder.path(), &["first", "second"]).ok();
    let heads = [&first, &second].map(|dir| format!("{}\nuser              bot-ci\n", dir.display()));
    assert!(
        ran.stdout.starts_with(&heads[0]) && ran.stdout.contains(&format!("\n\n{}", heads[1])),
        "{}",
        ran.stdout
    );
    let ran = inspect(cluster.folder.path(), &["first", "second/identity", "--json"]).ok();
    let all: Value = serde_json::from_str(&ran.stdout).unwrap();
    let roles: Vec<_> = all.as_array().unwrap().iter().map(|facts| facts["roles"].clone()).collect();
    assert_eq!(roles, [serde_json::json!(["ci-deploy", "ci-read"]), serde_json::json!(["ci-read"])]);
    // The worst of them is the answer.
    expire(&first);
    assert_eq!(inspect(cluster.folder.path(), &["first", "second"]).code, 4);
    std::fs::remove_file(second.join("key")).unwrap();
    assert_eq!(inspect(cluster.folder.path(), &["first", "second"]).code, 6);
    assert_eq!(inspect(cluster.folder.path(), &["first", "absent"]).code, 6);
}

/// The words of login's report and of its manifest are those of `inspect`.
#[test]
fn bot_and_user_are_the_same_words_everywhere() {
    let cluster = Cluster::any();
    let dir = cluster.path("out");
    let ran = cluster.job(Platform::GitLabCi).login(&["--dir", dir.to_str().unwrap(), "--json"]).ok();
    let manifest = std::fs::read_to_string(dir.join("jobpass.json")).unwrap();
    for text in [ran.stdout, manifest, inspect(&dir, &[".", "--json"]).ok().stdout] {
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&json["user"], &json["bot"]), (&"bot-ci".into(), &"ci".into()), "{text}");
    }
}

#[test]
fn a_dry_run_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let dry = ["login", "--dry-run", "--simulate", "gitlab", "--dir", "out"];
    Ran::of(&jobpass(folder.path(), &dry, [("TMPDIR", "/tmp")]).output().unwrap()).ok();
    for path in ["out", "out/identity"] {
        let ran = inspect(folder.path(), &[path]).ok();
        assert!(
            ran.stdout.contains("dry run           yes") && ran.stdout.contains("user              bot-ci\n")
        );
    }
}

#[test]
fn what_tbot_wrote_and_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/teleport/tbot_output");
    put(&folder.path().join("identity"), std::fs::read(recorded.join("identity.txt")).unwrap());
    let ran = inspect(folder.path(), &["identity"]);
    assert_eq!(ran.code, 4, "{}", ran.all());
    assert_data_eq!(ran.stdout, file!["inspect/recorded.txt"]);
    // The folder of an older tbot: `sshcert`, and one key for both.
    let bundle = std::fs::read_to_string(folder.path().join("identity")).unwrap();
    put(&folder.path().join("sshcert"), bundle.lines().find(|l| l.starts_with("ssh-rsa-cert")).unwrap());
    std::fs::remove_file(folder.path().join("identity")).unwrap();
    let ran = inspect(folder.path(), &[".", "--json"]);
    let facts: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (ran.code, &facts["bot"], &facts["expired"]),
        (4, &"ci".into(), &true.into()),
        "{}",
        ran.all()
    );
    assert_eq!(facts["problems"][0], "the private key of `sshcert` is missing");
}

/// A subject with all the routes Teleport knows.
const SUBJECT: &str = "oid_section = oids
[oids]
kubeGroup = 1.3.9999.1.2
kubeCluster = 1.3.9999.1.3
appCluster = 1.3.9999.1.5
appAddress = 1.3.9999.1.6
cluster = 1.3.9999.1.7
appName = 1.3.9999.1.10
dbService = 1.3.9999.2.1
dbProtocol = 1.3.9999.2.2
dbUser = 1.3.9999.2.3
dbName = 1.3.9999.2.4
impersonator = 1.3.9999.2.7
[req]
prompt = no
distinguished_name = subject
[subject]
L = -teleport-nologin-x
1.O = dev
2.O = admin
CN = bot-kube
1.kubeGroup = viewers
2.kubeGroup = editors
kubeCluster = prod
appCluster = lab.example
appAddress = grafana.lab.example
cluster = lab.example
appName = grafana
dbService = orders
dbProtocol = postgres
dbUser = ci
dbName = main
impersonator = bot-ci
";

#[test]
fn routes_of_kubernetes_databases_and_applications() {
    let folder = tempfile::tempdir().unwrap();
    mode(folder.path(), 0o700);
    let path = |name: &str| folder.path().join(name).display().to_string();
    put(&folder.path().join("openssl.conf"), SUBJECT);
    let (config, key, cert) = (path("openssl.conf"), path("key"), path("tlscert"));
    let make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-config", &config];
    run("openssl", &[&make[..], &["-keyout", &key, "-out", &cert]].concat()).ok();
    let ran = inspect(folder.path(), &["."]).ok();
    assert_data_eq!(ran.stdout, file!["inspect/routes.txt"]);
    let json = inspect(folder.path(), &[".", "--json"]).ok();
    let json = json.stdout.replace(folder.path().to_str().unwrap(), "[DIR]");
    assert_data_eq!(json, file!["inspect/routes.json": Text]);
}

/// A recorded certificate of a real cluster as the folder of an output would have it: the answer to that request, PEM.
pub fn recorded(file: &str, case: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/teleport").join(file);
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let answer = all.as_array().unwrap().iter().find(|exchange| exchange["case"] == case).unwrap();
    let hex = answer["response_hex"].as_str().unwrap();
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let end = "-----END CERTIFICATE-----";
    let range = text.find("-----BEGIN CERTIFICATE-----").unwrap()..text.find(end).unwrap() + end.len();
    format!("{}\n", &text[range])
}

#[test]
fn recorded_routes_of_a_real_cluster() {
    let folder = tempfile::tempdir().unwrap();
    mode(folder.path(), 0o700);
    let (database, application) = ("database, asked with the bot's own identity", "application");
    for file in ["auth_service.json", "auth_service_13.json"] {
        for (case, name) in [(database, "database"), (application, "app"), ("one role", "nothing")] {
            put(&folder.path().join("tlscert"), recorded(file, case));
            let ran = inspect(folder.path(), &[".", "--json"]);
            let facts: Value = serde_json::from_str(&ran.stdout).unwrap();
            assert_eq!(
                (&facts["user"], &facts["cluster"]),
                (&"bot-ci".into(), &"lab.example".into()),
                "{file}"
            );
            for kind in ["database", "app"] {
                assert_eq!(facts[kind].is_object(), kind == name, "{file} {case}: {facts:#}");
            }
            match name {
                "database" => assert_eq!(
                    facts[name],
                    serde_json::json!({"service": "pg", "protocol": "postgres", "user": "ci", "name": "app"})
                ),
                "app" => assert_eq!(
                    facts[name],
                    serde_json::json!({"name": "hello", "public_address": "hello.teleport.test", "cluster": "lab.example"})
                ),
                _ => {}
            }
        }
    }
}

#[test]
fn files_of_the_formats() {
    let cluster = Cluster::start(SandboxOptions {
        databases: vec![SandboxDatabase { name: "pg".into(), protocol: "postgres".into() }],
        ..SandboxOptions::simulating(None)
    });
    for (format, certificate, key) in [
        ("tls", "tls.crt", "tls.key"),
        ("mongo", "mongo.crt", "mongo.crt"),
        ("cockroach", "cockroach/node.crt", "cockroach/node.key"),
    ] {
        let dir = login(&cluster, format, &["--output", &format!("database=pg,user=ci,format={format}")]);
        let ran = inspect(&dir, &["."]).ok();
        for line in [
            "database          pg, protocol postgres, user ci\n",
            "match             keys and certificates belong together\n",
        ] {
            assert!(ran.stdout.contains(line), "{}", ran.stdout);
        }
        // Alone, they say the same.
        for plain in ["tlscert", "key"] {
            std::fs::remove_file(dir.join(plain)).unwrap();
        }
        assert_eq!(inspect(&dir, &["."]).ok().stdout, ran.stdout);
        let strange = login(&cluster, &format!("{format}-2"), &["--output", "database=pg"]);
        let mut text = std::fs::read_to_string(strange.join("key")).unwrap();
        if certificate == key {
            text += &std::fs::read_to_string(dir.join(certificate)).unwrap();
        }
        put(&dir.join(key), text);
        let ran = inspect(&dir, &["."]);
        assert_eq!(ran.code, 6, "{}", ran.all());
        let problem = if certificate == key { "do not belong together" } else { "is not for the key in" };
        assert!(ran.stdout.contains(problem) && ran.stdout.contains(certificate), "{}", ran.stdout);
    }
}

type Bend<'a> = &'a dyn Fn(&Path);

#[test]
fn what_is_broken_is_told() {
    let cluster = Cluster::any();
    let good = login(&cluster, "good", &[]);
    let other = login(&cluster, "other", &[]);
    let two = login(&cluster, "two", &["--output", "ssh,name=a", "--output", "ssh,name=b"]);
    assert!(two.join("a").is_dir());
    let take = |name: &str| std::fs::read(other.join(name)).unwrap();
    let bent: &[(&str, Bend<'_>, i32, &[&str])] = &[
        (
            "key",
            &|d| put(&d.join("key"), take("key")),
            6,
            &["`key-cert.pub` is not for the key in `key`", "match             no"],
        ),
        (
            "tlskey",
            &|d| put(&d.join("tlskey"), take("tlskey")),
            6,
            &["`tlscert` is not for the key in `tlskey`"],
        ),
        (
            "tlscert",
            &|d| put(&d.join("tlscert"), take("tlscert")),
            6,
            &["`tlscert` is not for the key in `tlskey`"],
        ),
        (
            "bundle",
            &|d| put(&d.join("identity"), bundle(d, &other)),
            6,
            &["the key and a certificate in `identity` do not"],
        ),
        (
            "no-key",
            &|d| std::fs::remove_file(d.join("key")).unwrap(),
            6,
            &["the private key of `key-cert.pub` is missing", "match             cannot be checked"],
        ),
        (
            "binary",
            &|d| put(&d.join("key"), [0xff; 300]),
            6,
            &["`key` cannot be read: it is not text", "user              bot-ci"],
        ),
        (
            "garbage",
            &|d| put(&d.join("tlscert"), "-----BEGIN CERTIFICATE-----\n!\n"),
            6,
            &["`tlscert`: ", "user              bot-ci"],
        ),
        (
            "huge",
            &|d| put(&d.join("identity"), vec![b'a'; 2 << 20]),
            6,
            &["`identity` cannot be read: larger than 1 MiB"],
        ),
        ("pipe", &|d| pipe(&d.join("identity")), 6, &["`identity` is not a regular file"]),
        (
            "open",
            &|d| open(&d.join("key")),
            0,
            &["`key` has a private key and is open to other users (mode 0644)"],
        ),
        ("ended", &expire, 4, &[": expired ", "ago\n", "hint              run `jobpass login` again"]),
        ("folder", &|d| mode(d, 0o777), 0, &["the folder is open to other users (mode 0777): `chmod 700 "]),
        (
            "writable",
            &|d| mode(&d.join("ssh_config"), 0o666),
            0,
            &["other users can change `ssh_config` (mode 0666): `chmod 600 "],
        ),
    ];
    for (name, bend, code, wanted) in bent {
        let dir = cluster.path(&format!("bent-{name}"));
        copy(&good, &dir);
        bend(&dir);
        let ran = inspect(&dir, &["."]);
        assert_eq!(ran.code, *code, "{name}: {}", ran.all());
        for part in *wanted {
            assert!(
                ran.stdout.replace("\n                  ", " ").contains(part),
                "{name}: {part} is not in {}",
                ran.all()
            );
        }
    }

    // A folder with several outputs is all of them.
    let ran = inspect(cluster.folder.path(), &["two"]).ok();
    for name in ["a", "b"] {
        assert!(ran.stdout.contains(&format!("{}/{name}\n", two.display())), "{}", ran.stdout);
    }
    assert_eq!(ran.stdout.matches("\ncluster ").count(), 2, "{}", ran.stdout);
    let json = inspect(cluster.folder.path(), &["two", "--json"]).ok().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json.as_array().map(Vec::len), Some(2), "{json}");
    std::fs::rename(&two, cluster.path("moved")).unwrap();

    let empty = cluster.path("empty");
    std::fs::create_dir(&empty).unwrap();
    put(&cluster.path("noise"), [0xfe; 4_096]);
    put(&cluster.path("text"), "hello");
    put(&cluster.path("big"), vec![b'a'; 2 << 20]);
    for (path, code, message, hint) in [
        ("empty", 6, "no `identity`, `tlscert` or `key-cert.pub` or `sshcert` is in it", "`identity` file"),
        ("noise", 6, "`noise` cannot be read: it is not text", "jobpass login"),
        ("text", 6, "`text` has no certificate in it", "jobpass login"),
        ("big", 6, "larger than 1 MiB", "jobpass login"),
        ("nowhere", 6, "no such file or directory", "check the path"),
        // Its manifest leads out of it.
        ("moved", 6, "it has a folder for each output", "/two/a"),
    ] {
        let ran = inspect(cluster.folder.path(), &[path]);
        assert_eq!(ran.code, code, "{path}: {}", ran.all());
        // Folded lines are put together again.
        let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(message) && said.contains(hint), "{path}: {}", ran.stderr);
        assert!(ran.stdout.is_empty());
    }
    let ran = inspect(cluster.folder.path(), &[]);
    assert!(ran.code == 2 && ran.stderr.contains("JOBPASS_DIR"), "{}", ran.all());
}

/// The bundle of `dir` under the key of another.
fn bundle(dir: &Path, other: &Path) -> String {
    let text = |d: &Path| std::fs::read_to_string(d.join("identity")).unwrap();
    let end = "-----END PRIVATE KEY-----\n";
    let key = text(other).split_inclusive(end).next().unwrap().to_owned();
    key + text(dir).split_once(end).unwrap().1
}

fn pipe(path: &Path) {
    std::fs::remove_file(path).unwrap();
    run("mkfifo", &[path.to_str().unwrap()]).ok();
}

fn open(path: &Path) {
    mode(path, 0o644);
}

fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A certificate for the same key that has expired, by a CA of our own.
fn expire(dir: &Path) {
    let path = |name: &str| dir.join(name).display().to_string();
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &path("ca")]).ok();
    let ended = ["-q", "-s", &path("ca"), "-I", "bot-ci", "-n", "deploy", "-V", "-2h:-1h", &path("key.pub")];
    run("ssh-keygen", &ended).ok();
}
