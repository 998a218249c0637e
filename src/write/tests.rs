//! What `wipe` takes away, and what the tests of this folder share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::ownership::check_replaceable;
use super::*;
use crate::error::StageError as _;
use crate::system::user;

pub(super) fn file(path: &str, content: &str) -> FileToWrite {
    FileToWrite { path: path.into(), content: content.as_bytes().to_vec().into(), mode: 0o600 }
}

pub(super) fn ours() -> Vec<FileToWrite> {
    vec![
        file("a/key", "secret"),
        file("key", "secret"),
        file(MANIFEST, r#"{"jobpass":"0.1.0","files":["a/key","key","jobpass.json"]}"#),
    ]
}

#[allow(clippy::disallowed_methods)]
pub(super) fn make(path: &Path, content: &[u8]) -> std::io::Result<()> {
    std::fs::write(path, content)
}

pub(super) fn entries(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn wipes_what_its_manifest_lists() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("out");
    assert_eq!(wipe(&dir).unwrap().len(), 0);
    Pending::prepare(&dir).unwrap().commit(&ours()).unwrap();
    assert_eq!(wipe(&dir).unwrap().len(), 3);
    assert!(!dir.exists());
    Pending::prepare(&dir).unwrap().commit(&ours()).unwrap();
    make(&dir.join("mine"), b"x").unwrap();
    wipe(&dir).unwrap();
    assert_eq!(entries(&dir), ["mine"]);
    assert!(matches!(wipe(&dir), Err(WriteError::NotOurs { .. })));
    std::fs::remove_file(dir.join("mine")).unwrap();
    assert_eq!(wipe(&dir).unwrap().len(), 0);
    assert!(!dir.exists(), "an empty folder goes too");
}

#[test]
fn wipe_follows_no_link() {
    let base = tempfile::tempdir().unwrap();
    let (dir, elsewhere, link) =
        (base.path().join("out"), base.path().join("elsewhere"), base.path().join("link"));
    Pending::prepare(&elsewhere).unwrap().commit(&[file("key", "not ours")]).unwrap();
    let manifest = file(MANIFEST, r#"{"jobpass":"1","files":["a/key","jobpass.json"]}"#);
    Pending::prepare(&dir).unwrap().commit(&[manifest]).unwrap();
    std::os::unix::fs::symlink(&dir, &link).unwrap();
    assert!(matches!(wipe(&link), Err(WriteError::NotOurs { .. })));
    std::os::unix::fs::symlink(&elsewhere, dir.join("a")).unwrap();
    wipe(&dir).unwrap();
    assert_eq!(entries(&elsewhere), ["key"]);
}

#[test]
fn a_manifest_cannot_point_outside() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("out");
    let outside = base.path().join("keep");
    make(&outside, b"x").unwrap();
    let evil = format!(r#"{{"jobpass":"1","files":["../keep","{}","jobpass.json"]}}"#, outside.display());
    Pending::prepare(&dir).unwrap().commit(&[file(MANIFEST, &evil)]).unwrap();
    wipe(&dir).unwrap();
    assert!(outside.exists());
}

#[test]
fn an_interrupted_wipe_can_be_run_again() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("out");
    Pending::prepare(&dir).unwrap().commit(&ours()).unwrap();
    // Removed by hand: no error. A folder in a file's place: one.
    std::fs::remove_file(dir.join("a/key")).unwrap();
    std::fs::remove_file(dir.join("key")).unwrap();
    std::fs::create_dir(dir.join("key")).unwrap();
    let error = wipe(&dir).unwrap_err();
    assert!(matches!(error, WriteError::Io { action: "remove", .. }), "{error:?}");
    assert_eq!(entries(&dir), [MANIFEST, "key"], "the manifest goes last");
    std::fs::remove_dir(dir.join("key")).unwrap();
    assert_eq!(wipe(&dir).unwrap(), [Path::new(MANIFEST)]);
    assert!(!dir.exists());
}

#[test]
fn what_cannot_be_looked_at_is_an_error() {
    let base = tempfile::tempdir().unwrap();
    let plain = base.path().join("file");
    make(&plain, b"x").unwrap();
    let below = plain.join("out");
    for error in [wipe(&below).unwrap_err(), check_replaceable(&below, user()).unwrap_err()] {
        assert!(matches!(error, WriteError::Io { action: "access", .. }), "{error:?}");
    }
}

#[test]
fn the_hint_is_about_what_failed() {
    use std::io::ErrorKind;
    for (kind, hint) in [
        (ErrorKind::StorageFull, "the disk is full"),
        (ErrorKind::QuotaExceeded, "the disk is full"),
        (ErrorKind::ReadOnlyFilesystem, "the file system is read-only"),
        (ErrorKind::PermissionDenied, "that this user may write"),
    ] {
        let error = io("create", Path::new("/x"), kind.into());
        assert!(error.hints()[0].contains(hint), "{kind}: {:?}", error.hints());
    }
}

#[test]
fn what_may_be_about_to_be_locked_is_left_alone() {
    let base = tempfile::tempdir().unwrap();
    let partial = base.path().join(".jobpass-partial-x");
    std::fs::create_dir(&partial).unwrap();
    let made = partial.metadata().unwrap().modified().unwrap();
    let grace = Duration::from_secs(60);
    stale::sweep(base.path(), user(), made + grace);
    assert!(partial.exists());
    stale::sweep(base.path(), user(), made + grace + Duration::from_nanos(1));
    assert!(!partial.exists());
}

/// A reader that looks all the time finds the folder every time, and never files of two logins.
#[test]
fn the_folder_is_there_and_whole_at_every_moment() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("out");
    let write = |number: u32| {
        let file = |path: &str, content: String| FileToWrite {
            path: path.into(),
            content: content.into_bytes().into(),
            mode: 0o600,
        };
        let manifest = format!(r#"{{"jobpass":"{number}","files":["key","cert","jobpass.json"]}}"#);
        let files =
            [file("key", number.to_string()), file("cert", number.to_string()), file(MANIFEST, manifest)];
        Pending::prepare(&dir).unwrap().commit(&files).unwrap();
    };
    write(0);
    let done = AtomicBool::new(false);
    let (looks, missing) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut looks, mut missing) = (0_u32, 0_u32);
            while !done.load(Ordering::Relaxed) {
                looks += 1;
                missing += u32::from(!dir.exists());
            }
            (looks, missing)
        });
        (1..150).for_each(write);
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(looks > 150, "{looks}");
    assert_eq!(missing, 0, "of {looks}");
    let left: Vec<_> = std::fs::read_dir(base.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["out"], "nothing of the earlier ones is left");
    assert_eq!(std::fs::read_to_string(dir.join("key")).unwrap(), "149");
}
