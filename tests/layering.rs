//! Imports go downwards only: the table of `lib.rs`, read from the `use crate::` lines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Layer of each top module; a file may use lower layers, its own module, and what `ALLOWED` names.
const LAYERS: &[(&str, u8)] = &[
    ("main", 9),
    ("under_fire", 9),
    ("run", 8),
    ("cli", 7),
    ("report", 7),
    ("detect", 6),
    ("output", 5),
    ("token", 6),
    ("join", 6),
    ("approval", 6),
    ("issue", 6),
    ("verify", 6),
    ("write", 6),
    ("export", 6),
    ("refusal", 5),
    ("tunnel", 5),
    ("cloud", 4),
    ("platform", 4),
    ("sandbox", 4),
    ("rules", 4),
    ("teleport", 4),
    ("identity", 2),
    ("net", 2),
    ("claims", 1),
    ("log", 1),
    ("text", 0),
    ("error", 0),
    ("env", 0),
    ("secret", 0),
    ("system", 0),
];

/// Same layer: a stage names the types of the stage before it; what the cluster, its rules and the sandbox share.
const ALLOWED: &[(&str, &str)] = &[
    ("token", "detect"),
    ("join", "token"),
    ("approval", "join"),
    ("issue", "join"),
    ("verify", "issue"),
    ("verify", "join"),
    ("write", "issue"),
    ("refusal", "join"),
    ("cloud", "platform"),
    ("rules", "cloud"),
    ("rules", "platform"),
    ("rules", "teleport"),
    ("sandbox", "rules"),
    ("sandbox", "teleport"),
    ("sandbox", "platform"),
    ("sandbox", "cloud"),
];

/// Functions of a neighbour stage that no other stage may call: stages do not call each other.
const CALLS: &[&str] =
    &["detect::detect(", "token::token(", "join::join(", "approval::", "issue::issue(", "verify::verify("];

#[test]
fn imports_go_downwards() {
    let layers: BTreeMap<&str, u8> = LAYERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for file in sources() {
        let own = module_of(&file);
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let Some(layer) = layers.get(own.as_str()) else {
            assert!(own == "lib", "{own} has no layer: add it to the table");
            continue;
        };
        for used in used_modules(text) {
            let Some(other) = layers.get(used.as_str()) else { continue };
            // Part of tests only.
            let is_test = used == "under_fire";
            let allowed =
                is_test || own == used || other < layer || ALLOWED.contains(&(own.as_str(), used.as_str()));
            if !allowed {
                wrong.push(format!("{} ({own}) uses {used}", file.display()));
            }
        }
        if *layer == 6 {
            for call in CALLS.iter().filter(|c| !c.starts_with(&own) && text.contains(*c)) {
                wrong.push(format!("{} calls {call}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_stay_readable() {
    for file in sources() {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines", file.display());
        assert!(file.file_name().unwrap() != "mod.rs", "{}", file.display());
    }
}

/// What only some systems have, and the module that knows which.
#[test]
fn systems_differ_in_one_place() {
    for file in sources().iter().filter(|file| module_of(file) != "system") {
        let text = std::fs::read_to_string(file).unwrap();
        for mark in ["target_os", "target_vendor", "\"/proc/", "rustix::fs", "rustix::mount", "cfg(windows)"]
        {
            assert!(!text.contains(mark), "{}: `{mark}` belongs into `system`", file.display());
        }
    }
}

#[test]
fn the_table_can_fail() {
    assert_eq!(
        used_modules("use crate::{claims, net::tls};\n    crate::report::line(x)"),
        ["claims", "net", "report"]
    );
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 20);
    found
}

/// The top module a file belongs to.
fn module_of(file: &Path) -> String {
    let inner = file.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    inner.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// Every `crate::NAME` and every name in `crate::{…}`.
fn used_modules(text: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + 7..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => used.push(first_word(&std::mem::take(&mut item))),
                    c => item.push(c),
                }
            }
            used.push(first_word(&item));
        } else {
            used.push(first_word(rest));
        }
    }
    used.retain(|u| !u.is_empty());
    used
}

fn first_word(text: &str) -> String {
    text.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}
