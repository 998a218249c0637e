//! What files and commands may not do: be endless, be late, be quoted.

use super::*;

#[tokio::test]
async fn files_are_bounded() {
    let token = fresh();
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = dir.path().join(name);
        std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), content).unwrap();
        path
    };
    let good = file("good", format!(" {token}\n").as_bytes());
    assert_eq!(Run::on(None, &[], GivenToken::File(good)).go().await.0.unwrap(), token);
    let padded = |size: usize| token.clone() + &" ".repeat(size - token.len());
    let full = file("full", padded(1_048_576).as_bytes());
    assert_eq!(Run::on(None, &[], GivenToken::File(full)).go().await.0.unwrap(), token);
    for (path, want) in [
        (file("long", padded(1_048_577).as_bytes()), "it is larger than 1048576 bytes"),
        (dir.path().join("none"), "there is no such file"),
        (dir.path().to_owned(), "directory"),
        (file("large", &vec![b'a'; 1 << 21]), "it is larger than 1048576 bytes"),
        ("/dev/zero".into(), "it is larger than 1048576 bytes"),
        (file("binary", b"\xff\xfe"), "it is not a text"),
        (file("empty", b"\n"), "it is empty"),
    ] {
        let error = Run::on(None, &[], GivenToken::File(path)).error().await;
        assert!(error.in_one_line().contains(want), "{}", error.in_one_line());
    }
    // A pipe nobody writes to is given up at the deadline.
    let pipe = dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut run = Run::on(None, &[], GivenToken::File(pipe));
    run.limit = Duration::from_millis(50);
    assert!(run.error().await.in_one_line().contains("deadline"));
}

#[tokio::test]
async fn commands_are_bounded_and_never_quoted() {
    let token = fresh();
    let shell = |script: &str| {
        let words = ["sh", "-c", script, "sh", &token].map(str::to_owned);
        Run::on(None, &[], GivenToken::Command(words.to_vec()))
    };
    assert_eq!(shell("cat; echo \"$1\"").go().await.0.unwrap(), token);
    assert_eq!(shell("printf '%-65536s' \"$1\"").go().await.0.unwrap(), token);
    // A child that lives on with its standard error is not waited for.
    assert_eq!(shell("sleep 3 >/dev/null & echo \"$1\"").go().await.0.unwrap(), token);
    for (script, want) in [
        (
            "echo \"$1\"; echo a >&2; echo \"no $1\" >&2; echo >&2; exit 3",
            "exit status: 3, saying `no [token]`",
        ),
        ("kill -9 $$", "signal: 9"),
        ("yes >&2 & yes", "it printed more than 65536 bytes"),
        ("yes | head -c 300000 >&2; exit 1", "exit status: 1, saying `y`"),
        // However far from the end, up to 4 KiB.
        ("echo why >&2; printf '%4091s' '' >&2; exit 1", "exit status: 1, saying `why`"),
        ("printf '%-65537s' \"$1\"", "it printed more than 65536 bytes"),
        // Whoever prints too much is not waited for.
        ("yes | head -c 70000; exec sleep 600", "it printed more than 65536 bytes"),
        (":", "it printed nothing"),
        ("printf '\\377'", "it did not print text"),
        ("echo \"token: $1\"", "the text from the command `sh` is not an identity token: it has characters"),
        ("echo hunter2", "this has 1"),
    ] {
        let error = shell(script).error().await;
        assert!(error.in_one_line().contains(want), "{script}: {}", error.in_one_line());
    }
    let mut hangs = shell("exec sleep 600");
    hangs.limit = Duration::from_millis(300);
    assert!(hangs.error().await.in_one_line().contains("deadline"));
    for (words, want) in [
        (
            &["/no/such/program", "hunter2"][..],
            "could not get an identity token from the command `/no/such/program`: there is no such program",
        ),
        (&["/"], "it cannot be run"),
        (&[], "it names no program"),
        (&[""], "it names no program"),
    ] {
        let words = words.iter().map(|w| (*w).to_owned()).collect();
        let error = Run::on(None, &[], GivenToken::Command(words)).error().await;
        assert!(error.in_one_line().contains(want), "{}", error.in_one_line());
    }
}
