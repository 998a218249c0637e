//! A service of a few lines, on loopback.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::env::Env;
use crate::log::Log;
use crate::net::{Deadline, Options};

/// Answers each connection with the next text (nothing at all for an empty one), and keeps what was asked.
async fn service(answers: &[&str]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (keep, answers) = (asked.clone(), answers.iter().map(ToString::to_string).collect::<Vec<_>>());
    tokio::spawn(async move {
        let mut held = Vec::new();
        for answer in answers.iter().chain(std::iter::repeat(answers.last().unwrap())) {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 4096];
            let n = socket.read(&mut bytes).await.unwrap_or(0);
            keep.lock().unwrap().push(String::from_utf8_lossy(&bytes[..n]).to_lowercase());
            let _ = socket.write_all(answer.as_bytes()).await;
            if answer.is_empty() {
                held.push(socket);
            }
        }
    });
    (base, asked)
}

fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn network(variables: &[(&str, &str)]) -> Network {
    let env = Env::new(variables.iter().copied(), "/");
    Network::new(&env, &Options::default(), Deadline::after(Duration::from_secs(60)), Log::silent()).unwrap()
}

#[tokio::test]
async fn answers_come_past_every_proxy() {
    // Nothing listens there: who used it would fail.
    let proxies = [("http_proxy", "http://127.0.0.1:9"), ("ALL_PROXY", "http://127.0.0.1:9")];
    let (base, asked) = service(&[&http("200 OK", "{\"a\":1}")]).await;
    let metadata = Metadata::at(&network(&proxies), &format!("{base}/"));
    let header = (HeaderName::from_static("metadata"), HeaderValue::from_static("True"));
    let value: serde_json::Value = metadata.json("/x?q=1", &[header]).await.unwrap();
    assert_eq!(value["a"], 1);
    let asked = asked.lock().unwrap();
    assert!(asked[0].starts_with("get /x?q=1 http/1.1") && asked[0].contains("metadata: true"), "{asked:?}");
}

#[tokio::test]
async fn what_is_no_answer_is_told() {
    for (answer, path, cause) in [
        (
            http("404 Not Found", "no such\r\n\u{1b}[2Jthing"),
            "/x?secret=1",
            "`/x`: HTTP 404: no such [2Jthing",
        ),
        (http("401 Unauthorized", ""), "/x", "`/x`: HTTP 401"),
        (
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n".to_owned(),
            "/x",
            "`/x`: HTTP 302: a redirect, which is not followed",
        ),
        (http("200 OK", "s3cr3t"), "/x", "`/x`: it is not the JSON that is documented"),
        (http("200 OK", "{\"Code\":\"s3cr3t\"}"), "/x", "`/x`: it has no `token`"),
    ] {
        #[derive(Debug, serde::Deserialize)]
        struct Wanted {
            #[allow(dead_code)]
            token: String,
        }
        let (base, _) = service(&[&answer]).await;
        let error = Metadata::at(&network(&[]), &base).json::<Wanted>(path, &[]).await.unwrap_err();
        assert_eq!(error.causes(), [cause]);
        assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
        assert_eq!(error.exit(), Exit::NoIdentity);
    }
}

#[tokio::test]
async fn a_busy_service_is_asked_again() {
    let (busy, good) = (http("503 Service Unavailable", ""), http("200 OK", "fine"));
    let (base, asked) = service(&[&busy, &good]).await;
    assert_eq!(Metadata::at(&network(&[]), &base).text("/x", &[]).await.unwrap(), "fine");
    assert_eq!(asked.lock().unwrap().len(), 2);
    let (base, asked) = service(&[&busy]).await;
    let error = Metadata::at(&network(&[]), &base).text("/x", &[]).await.unwrap_err();
    assert_eq!((error.status(), asked.lock().unwrap().len()), (Some(503), 3));
}

#[tokio::test]
async fn what_passes_elsewhere_may_be_final_here() {
    let (gone, good) = (http("410 Gone", ""), http("200 OK", "fine"));
    let (base, _) = service(&[&gone, &good]).await;
    let metadata = Metadata::at(&network(&[]), &base);
    assert_eq!(metadata.text("/x", &[]).await.unwrap_err().status(), Some(410));
    let (base, _) = service(&[&gone, &good]).await;
    let metadata = Metadata::at(&network(&[]), &base).passing(&[404, 410]);
    assert_eq!(metadata.text("/x", &[]).await.unwrap(), "fine");
}

#[tokio::test]
async fn one_that_starts_is_waited_for() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let base = format!("http://{}", socket.local_addr().unwrap());
    let metadata = Metadata::at(&network(&[]), &base);
    assert!(metadata.text("/x", &[]).await.is_err());
    let asking = metadata.starting(true);
    let starts = async {
        // After the first attempt, which it refuses.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let listener = socket.listen(8).unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 1024];
        let _ = stream.read(&mut bytes).await;
        stream.write_all(http("200 OK", "up").as_bytes()).await.unwrap();
    };
    let (answer, ()) = tokio::join!(asking.text("/x", &[]), starts);
    assert_eq!(answer.unwrap(), "up");
}

#[test]
fn the_vendors_words_are_found() {
    for (body, want) in [
        (r#"{"error":"invalid_request","error_description":"Identity not found"}"#, "Identity not found"),
        (r#"{"statusCode":400,"message":"No MSI found"}"#, "No MSI found"),
        (r#"{"error":{"code":"x","message":"m"}}"#, "m"),
        (r#"{"error":"unknown_source"}"#, "unknown_source"),
        ("service account not found\n", "service account not found"),
        (" <!DOCTYPE html><p>Missing</p>", "an HTML page"),
        ("", ""),
        ("{}", "{}"),
    ] {
        assert_eq!(said(body.as_bytes()), want);
    }
}

#[tokio::test]
async fn silence_is_borne_for_a_second() {
    let (base, asked) = service(&[""]).await;
    let begin = Instant::now();
    let error = Metadata::at(&network(&[]), &base).text("/x", &[]).await.unwrap_err();
    assert!(matches!(error, MetadataError::Silent { .. }), "{error:?}");
    assert!(begin.elapsed() >= Duration::from_millis(900), "it is borne");
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    assert_eq!(asked.lock().unwrap().len(), 1, "and not a second time");
}

#[tokio::test]
async fn only_this_machine_and_its_link_are_asked() {
    for base in ["http://192.0.2.1", "https://127.0.0.1", "http://metadata.example", "ftp://127.0.0.1"] {
        let error = Metadata::at(&network(&[]), base).text("/x", &[]).await.unwrap_err();
        let MetadataError::Silent { source: NetError::Address { .. }, .. } = error else {
            panic!("{base}: {error:?}")
        };
    }
}

#[test]
fn refusals_under_fire() {
    let refusals = [
        r#"{"error":"invalid_request","error_description":"no"}"#,
        r#"{"error":{"code":"x","message":"no"}}"#,
        "<!DOCTYPE html>",
        "no such path",
    ];
    crate::under_fire::parser("refusals of metadata services", refusals).memory(200, 256 * 1024).bytes(
        |bytes| {
            let words = said(bytes);
            assert!(words.chars().count() <= SHOWN && !words.chars().any(char::is_control), "{words}");
        },
    );
}
