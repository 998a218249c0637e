//! Stand-ins for the metadata services of clouds: plain HTTP on loopback, with what they were asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a client asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// With its query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// What it is told.
pub enum Told {
    /// Status, further header lines, body.
    Answer(u16, Vec<String>, String),
    /// Nothing, on an open connection: as when the answer is lost on its way.
    Nothing,
    /// The same after a while.
    Late(Duration, Box<Told>),
}

impl Told {
    pub fn text(body: &str) -> Self {
        Self::Answer(200, Vec::new(), body.to_owned())
    }

    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), String::new())
    }
}

/// A service on a port of its own, for as long as the test runs.
pub struct Service {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Service {
    pub fn start(answer: impl Fn(&Asked) -> Told + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let service = Self { address: listener.local_addr().unwrap(), asked: Arc::default() };
        let (asked, answer) = (service.asked.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (asked, answer) = (asked.clone(), answer.clone());
                std::thread::spawn(move || serve(stream, &asked, &*answer));
            }
        });
        service
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, asked: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked) -> Told) {
    let mut reader = BufReader::new(stream);
    let Some(request) = read(&mut reader) else { return };
    asked.lock().unwrap().push(request.clone());
    tell(reader, answer(&request));
}

fn tell(mut reader: BufReader<TcpStream>, told: Told) {
    match told {
        Told::Answer(status, headers, body) => {
            let headers = headers.iter().map(|line| format!("{line}\r\n")).collect::<Vec<_>>().concat();
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
            );
            let _ = reader.get_mut().write_all((head + &body).as_bytes());
        }
        // Until the client has had enough.
        Told::Nothing => drop(reader.read_to_end(&mut Vec::new())),
        Told::Late(wait, told) => {
            std::thread::sleep(wait);
            tell(reader, *told);
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let line = |reader: &mut BufReader<TcpStream>| {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let first = line(reader)?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let next = line(reader)?;
        let Some((name, value)) = next.split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, v)| v.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, path, headers, body: String::from_utf8_lossy(&body).into_owned() })
}
