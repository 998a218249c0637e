//! Two folders swap their names in one step, so that nobody finds neither of them.

use std::path::Path;

/// Swaps two folders of one file system. `false`: it cannot be done here (network file systems, other systems than Linux
/// and macOS), and nothing has changed.
pub(super) fn exchange(one: &Path, other: &Path) -> bool {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok()
    }
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    {
        let _ = (one, other);
        false
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::super::{FileToWrite, MANIFEST, Pending};

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
}
