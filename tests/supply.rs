//! What must never come in, whoever brings it: the bans of `.deny.toml`, and features that break connections we dial ourselves.

use crate::support::command::Ran;

/// Every crate that is built, tests' included, with its features; the lock file would list what is only possible.
fn tree() -> String {
    let mut cargo = std::process::Command::new(env!("CARGO"));
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
