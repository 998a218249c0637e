//! What must never come in, whoever brings it: the bans of `.deny.toml`, and features that break connections we dial ourselves.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::command::{Ran, put};

/// Every crate that is built, tests' included, with its features; the lock file would list what is only possible.
fn tree() -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "tree",
        "--locked",
        "--offline",
        "--edges",
        "all",
        "--prefix",
        "none",
        "--format",
        "{p} {f}",
    ]);
    Ran::of(&cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()).ok().stdout
}

#[test]
fn banned_crates_are_not_built() {
    let bans = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.deny.toml")).unwrap();
    let crates = bans.lines().filter_map(|l| l.trim().strip_prefix("{ crate = \""));
    let banned: Vec<&str> = crates.filter_map(|l| l.split('"').next()).collect();
    assert!(banned.contains(&"ring") && banned.len() >= 4, "{banned:?}");
    let tree = tree();
    let built = |name: &str| tree.lines().any(|l| l.starts_with(&format!("{name} v")));
    assert!(built("rustls") && built("tonic"), "{tree}");
    for name in banned {
        assert!(!built(name), "{name} is built");
    }
}

/// tonic's `tls-*` features bring its own TLS, which refuses our connector.
#[test]
fn tonic_has_no_tls_of_its_own() {
    let tree = tree();
    let tonic = tree.lines().find(|l| l.starts_with("tonic v")).unwrap();
    assert!(tonic.contains("codegen") && !tonic.contains("tls"), "{tonic}");
}

/// What is missing is told, and is no failure; what cargo-deny finds is one.
#[test]
fn advisories_are_checked_where_that_is_possible() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let cargo = folder.path().join("cargo");
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let check = |script: &str| {
        put(&cargo, format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o700)).unwrap();
        let mut check = Command::new("bash");
        check.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/advisories"));
        Ran::of(&check.env_clear().env("PATH", &path).env("CARGO_HOME", &home).output().unwrap())
    };
    let finds = "case $* in *--version) ;; *) echo \"$*\"; exit 1 ;; esac";
    let ran = check("exit 101").ok();
    assert!(ran.all().starts_with("tests/advisories: not checked: cargo-deny is missing"), "{}", ran.all());
    let ran = check(finds).ok();
    assert!(ran.all().contains("not checked: ") && ran.all().contains("has no database"), "{}", ran.all());
    assert_eq!(ran.all().lines().count(), 1, "{}", ran.all());
    std::fs::create_dir_all(home.join("advisory-dbs/advisory-db-1")).unwrap();
    let ran = check(finds);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (1, "deny --offline --locked check --config .deny.toml advisories\n"),
        "{}",
        ran.all()
    );
}

/// `rust-version` is kept: no crate asks for a newer compiler, and clippy refuses what is newer in our own code
/// (`incompatible_msrv`). A crate that names no version is not known.
#[test]
fn no_crate_needs_a_newer_compiler() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--locked", "--offline", "--format-version", "1"]);
    let metadata = Ran::of(&cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()).ok().stdout;
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let version =
        |text: &str| -> Vec<u32> { text.split('.').map(|number| number.parse().unwrap()).collect() };
    let ours = version(env!("CARGO_PKG_RUST_VERSION"));
    assert_eq!(ours, [1, 89]);
    let packages = metadata["packages"].as_array().unwrap();
    let named =
        packages.iter().filter_map(|package| Some((package, version(package["rust_version"].as_str()?))));
    let (newer, fine): (Vec<_>, Vec<_>) =
        named.partition(|(_, needed)| *needed > [&ours[..], &[u32::MAX]].concat());
    let newer: Vec<String> =
        newer.iter().map(|(package, needed)| format!("{}: {needed:?}", package["id"])).collect();
    assert!(newer.is_empty(), "{newer:#?}");
    assert!(fine.len() > 100, "{} of {} name one", fine.len(), packages.len());
}

/// An action is what its commit is: a tag can be moved.
#[test]
fn workflows_pin_what_they_use() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/.github/workflows");
    let mut used = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for line in text.lines().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("uses: "))
        {
            let (action, version) = line.split_once(" # v").unwrap_or_else(|| panic!("{line}: no version"));
            let (_, commit) = action.split_once('@').unwrap_or_else(|| panic!("{line}: no commit"));
            assert!(commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()), "{line}");
            assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{line}");
            used += 1;
        }
        assert!(text.contains("\npermissions: {}\n"), "nothing is allowed that no job asks for");
    }
    assert!(used >= 5, "{used}");
}
