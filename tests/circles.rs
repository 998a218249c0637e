//! No circle of imports across files. Reads the paths in the sources: `use` declarations and `crate::…`, `super::…` in code;
//! re-exports are followed to the file that has the item.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// `net::tls` as its names.
type Module = Vec<String>;

/// Files that may import each other, with the reason beside it.
const DEFENDED: [&[&str]; 0] = [];

struct File {
    imports: Vec<Module>,
    /// The name that it re-exports → the path it has.
    exports: BTreeMap<String, Module>,
}

#[test]
fn no_file_imports_itself_by_way_of_others() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let graph = graph(&texts(&sources, &sources));
    assert!(graph.len() > 100, "{}", graph.len());
    let circles: Vec<BTreeSet<&str>> = circles(&graph)
        .into_iter()
        .filter(|circle| !DEFENDED.iter().any(|files| circle.iter().all(|file| files.contains(file))))
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn the_check_can_fail() {
    let found = |files: &[(&str, &str)]| {
        let texts = files.iter().map(|(name, text)| (split(name), (*text).to_owned())).collect();
        circles(&graph(&texts)).len()
    };
    for (files, wanted) in [
        (&[("a", "use crate::b::B;"), ("b", "use crate::c;"), ("c", "use crate::d::D;")][..], 0),
        (&[("a", "use crate::b::B;"), ("b", "use crate::{c, d};"), ("c", "fn f() { crate::a::g() }")], 1),
        (&[("a", "pub use b::B;"), ("a::b", "use super::c::C;"), ("a::c", "use crate::a::B;")], 1),
        (&[("a", "pub use b::B; mod b;"), ("a::b", "use super::A;")], 0),
        (&[("a", "use b::B; mod b;"), ("a::b", "use super::A;")], 1),
        (
            &[
                ("a", "use crate::b::{self, C as D};"),
                ("b", "// use crate::a;\n const T: &str = \"crate::a\";"),
            ],
            0,
        ),
        (&[("a", "use crate::b;"), ("b", "#[cfg(test)]\nmod tests { use crate::a; }")], 0),
    ] {
        assert_eq!(found(files), wanted, "{files:?}");
    }
}

fn split(path: &str) -> Module {
    path.split("::").map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

fn texts(folder: &Path, root: &Path) -> BTreeMap<Module, String> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let module: Module = path
            .strip_prefix(root)
            .unwrap()
            .with_extension("")
            .iter()
            .map(|name| name.to_str().unwrap().to_owned())
            .collect();
        let is_code = !["main", "tests", "testing"].contains(&module.last().unwrap().as_str());
        if path.is_dir() {
            found.extend(texts(&path, root));
        } else if is_code {
            let module = if module == ["lib"] { Module::new() } else { module };
            found.insert(module, std::fs::read_to_string(path).unwrap());
        }
    }
    found
}

/// Without comments, literals and the tests at the end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = text.lines().map(|line| line.split("//").next().unwrap());
    let text = lines.collect::<Vec<_>>().join("\n").replace("\\\"", "");
    text.split('"').step_by(2).collect()
}

fn read(module: &Module, text: &str, all: &BTreeSet<&Module>) -> File {
    let mut file = File { imports: Vec::new(), exports: BTreeMap::new() };
    let mut rest = String::new();
    let text = code(text);
    for statement in text.split_inclusive([';', '{', '}']) {
        // A group in braces comes in pieces: collect until the semicolon.
        rest.push_str(statement);
        let opened =
            rest.trim_start().starts_with("use ") || rest.contains("\nuse ") || rest.contains("pub use ");
        if opened && !statement.ends_with(';') {
            continue;
        }
        let (before, declaration) = rest.rsplit_once("use ").filter(|_| opened).unwrap_or((&rest, ""));
        let is_public = before.trim_end().ends_with("pub") || before.trim_end().ends_with(')');
        for path in expanded(declaration.trim_end_matches(';')) {
            let Some(path) = absolute(module, &path, all) else { continue };
            if is_public {
                file.exports.insert(path.last().cloned().unwrap_or_default(), path);
            } else {
                file.imports.push(path);
            }
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
        let paths = before.split(|c: char| !is_part(c)).filter(|path| path.contains("::"));
        file.imports.extend(paths.filter_map(|path| absolute(module, path, all)));
        rest.clear();
    }
    file
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
fn expanded(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap().trim();
        return if path.is_empty() { Vec::new() } else { vec![path.to_owned()] };
    };
    let group = group.rsplit_once('}').map_or(group, |(inner, _)| inner);
    let (mut depth, mut item, mut items) = (0, String::new(), Vec::new());
    for c in group.chars().chain([',']) {
        match c {
            ',' if depth == 0 => items.push(std::mem::take(&mut item)),
            c => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                item.push(c);
            }
        }
    }
    items.iter().flat_map(|item| expanded(item)).map(|path| format!("{head}{path}")).collect()
}

fn absolute(module: &Module, path: &str, all: &BTreeSet<&Module>) -> Option<Module> {
    let mut names = split(path);
    let mut base = module.clone();
    match names.first()?.as_str() {
        "crate" => base.clear(),
        "self" => {}
        "super" => {
            while names.get(1).is_some_and(|name| name == "super") {
                names.remove(0);
                base.pop();
            }
            base.pop();
        }
        _ => {
            let child = [base.as_slice(), &names[..1]].concat();
            return all.contains(&child).then(|| [base, names].concat());
        }
    }
    names.remove(0);
    names.retain(|name| name != "self");
    Some([base, names].concat())
}

/// The file that has what a path names.
fn file_of(path: &[String], files: &BTreeMap<Module, File>, steps: u8) -> Option<Module> {
    let depth = (0..=path.len()).rev().find(|depth| files.contains_key(&path[..*depth]))?;
    let module = &path[..depth];
    let exported = path.get(depth).and_then(|name| files[module].exports.get(name));
    match exported.filter(|_| steps > 0) {
        Some(target) => file_of(&[target.as_slice(), &path[depth + 1..]].concat(), files, steps - 1),
        None => Some(module.to_vec()),
    }
}

fn graph(texts: &BTreeMap<Module, String>) -> BTreeMap<String, BTreeSet<String>> {
    let all: BTreeSet<&Module> = texts.keys().collect();
    let files: BTreeMap<Module, File> =
        texts.iter().map(|(module, text)| (module.clone(), read(module, text, &all))).collect();
    let targets = |module: &Module, file: &File| {
        let found = file.imports.iter().filter_map(|path| file_of(path, &files, 8));
        found
            .filter(|target| target != module && !target.is_empty())
            .map(|target| target.join("::"))
            .collect()
    };
    files.iter().map(|(module, file)| (module.join("::"), targets(module, file))).collect()
}

/// Files that reach each other, by what each one reaches.
fn circles(graph: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<BTreeSet<&str>> {
    let reach = |start: &str| {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open = vec![start];
        while let Some(file) = open.pop() {
            for next in graph.get(file).into_iter().flatten() {
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        graph.keys().map(|file| (file.as_str(), reach(file))).collect();
    let in_circles = reached.iter().filter(|(file, seen)| seen.contains(*file));
    in_circles
        .map(|(file, seen)| seen.iter().copied().filter(|other| reached[other].contains(file)).collect())
        .collect()
}
