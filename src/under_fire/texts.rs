//! What people and jobs write, and what is shown of it.

use super::parser;
use crate::cli::{output, resource, value};
use crate::net::HostPort;
use crate::rules::{self, ServerVersion};
use crate::text;

#[test]
fn token_resources() {
    let token = "kind: token\nversion: v2\nmetadata: {name: ci, expires: 2030-01-01T00:00:00Z}\nspec:\n  roles: [Bot]\n  \
                 bot_name: ci\n  join_method: github\n  github:\n    allow: &rules\n    - repository: a/b\n      ref: 'refs/heads/main'\n";
    let more = "kind: token\nversion: v2\nmetadata: {name: x}\nspec:\n  join_method: kubernetes\n  kubernetes:\n    type: in_cluster\n    \
                allow: [{service_account: 'ci:d'}]\n---\n{\"kind\":\"token\"}\n--- |\n  text\n";
    let json = r#"[{"kind":"token","version":"v2","metadata":{"name":"g"},"spec":{"join_method":"gitlab","gitlab":{"allow":[{"project_path":"a/b"}]}}}]"#;
    // The budget for nodes and aliases is what bounds a document.
    parser("token resources", [token, more, json]).slow(4).memory(2_000, 16 << 20).text(|text| {
        for document in rules::read(text).unwrap_or_default() {
            if let Ok(token) = document.token {
                let _ = rules::lint(&token, jiff::Timestamp::UNIX_EPOCH);
            }
        }
    });
}

#[test]
fn versions() {
    parser("versions", ["18.2.0", "v15.0.0-dev", "17.5+x"]).text(|text| {
        let _ = ServerVersion::parse(text);
    });
}

#[test]
fn values_of_flags() {
    let addresses =
        ["teleport.example.com:443", "[::1]:3080", "https://a.example/", "user:pw@a?b#c", "127.0.0.1"];
    parser("addresses", addresses).text(|text| {
        let Ok(address) = HostPort::parse(text, 443) else { return };
        assert!(address.host.len() <= 253 && address.port > 0);
        assert_eq!(HostPort::parse(&address.to_string(), 1).unwrap(), address, "it reads back");
    });
    let durations = ["1h30m", "PT1H", "90", "1d 2h", "9223372036854775807h", "-1s", "1.5h"];
    parser("durations", durations).text(|text| {
        if let Ok(duration) = value::timeout(text) {
            assert!(!duration.is_zero());
            let _ = (
                value::duration(text),
                text::duration(jiff::SignedDuration::try_from(duration).unwrap_or_default()),
            );
        }
    });
    let others = [
        "kube=env:prod,roles=a+b,context={cluster}-{kube}",
        "database=pg,user=ci,database-name=app,protocol=postgres",
        "app=x,format=tls",
        "ssh,roles=deployer,dir=/x,name=n,cluster=leaf",
        "env-file=a b",
        "root@node",
        "web-1=127.0.0.1:22",
        "file://localhost/a%20b",
        "feature/a-b",
        "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ];
    parser("other values of flags", others).text(|text| {
        let _ = (
            output::parse(text),
            value::folder(text),
            value::node(text),
            value::pin(text),
            value::sink(text),
        );
        let _ = (
            value::target(text),
            value::name(text),
            value::branch(text),
            value::version(text),
            value::text(text),
        );
        let _ =
            (resource::role(text), resource::database(text), resource::app(text), resource::bot_trait(text));
    });
}

#[test]
fn words_of_a_shell() {
    parser(
        "words of a shell",
        ["gcloud auth print-identity-token --audiences='a b'", "a \"b\\\"c\" \\$d # e", "''"],
    )
    .text(|text| {
        // No program can be given a NUL.
        if text.contains('\0') {
            return;
        }
        if let Ok(words) = value::words(text) {
            let again = shlex::try_join(words.0.iter().map(String::as_str));
            assert_eq!(again.ok().and_then(|line| shlex::split(&line)), Some(words.0), "they read back");
        }
        let quoted = shlex::try_quote(text).unwrap();
        assert_eq!(shlex::split(&quoted), Some(vec![text.to_owned()]), "it reads back");
    });
}

/// What is shown is no command of a CI system's, no control character, and not too long.
#[test]
fn foreign_text() {
    let seeds = [
        "::error file=a::b",
        "##[add-mask]x",
        "##vso[task.x]y",
        "##teamcity[x]",
        "a\x1b[31mb\r\n\u{202e}c",
        "eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2ln",
    ];
    // Text that is wrapped takes some hundred bytes for each word, which may be a letter.
    parser("foreign text", seeds).memory(256, 256 * 1024).slow(2).text(|text| {
        let is_command = |line: &str| {
            line.trim_start().starts_with("::")
                || ["##[", "##vso[", "##teamcity["].iter().any(|mark| line.contains(mark))
        };
        let shown = text::safe(text, 200);
        assert!(
            shown.chars().count() <= 200 && !shown.chars().any(char::is_control) && !is_command(&shown),
            "{shown}"
        );
        for line in text::safe_lines(text) {
            assert!(!line.chars().any(|c| c.is_control() && c != '\t') && !is_command(&line), "{line}");
        }
        let _ = (text::is_name(text), text::looks_like_token(text), text::markdown::code(text));
        let json = text::json::pretty(&text);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        assert!(!json.lines().any(|line| line.starts_with("::")) && !json.contains("##["), "{json}");
        let _ = text::fold::fold_to(text, 2, 40);
    });
}
