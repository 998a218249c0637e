//! A running `jobpass tunnel`: the variables it gave, what it says, and its end.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::cluster::Job;
use super::command::{Ran, run};

pub struct Tunnels {
    child: Child,
    log: Arc<Mutex<String>>,
    reader: Option<std::thread::JoinHandle<()>>,
    pub variables: BTreeMap<String, String>,
    pub ready_file: PathBuf,
}

impl Tunnels {
    /// Starts them for that job and waits until they are open.
    #[track_caller]
    pub fn start(job: &Job<'_>, arguments: &[&str]) -> Self {
        let proxy = job.cluster.proxy();
        let token = job.token.clone();
        Self::with(job, &[&["--proxy", &proxy, "--token", &token], arguments].concat())
    }

    /// With exactly these arguments, and a ready file.
    #[track_caller]
    pub fn with(job: &Job<'_>, arguments: &[&str]) -> Self {
        static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let ready_file = job.cluster.path(&format!("ready-{number}"));
        let all = [&["tunnel", "--ready-file", ready_file.to_str().unwrap()], arguments].concat();
        let mut command = job.command(&all);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::<Mutex<String>>::default();
        let sink = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let mut log = sink.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let reader = Some(reader);
        let mut tunnels = Self { child, log, reader, variables: BTreeMap::new(), ready_file };
        tunnels.wait_for("the ready file", |tunnels| tunnels.ready_file.exists());
        let text = std::fs::read_to_string(&tunnels.ready_file).unwrap();
        tunnels.variables = variables(&text);
        tunnels
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    #[track_caller]
    pub fn port(&self, name: &str) -> u16 {
        self.variables[&format!("JOBPASS_TUNNEL_{name}_PORT")].parse().unwrap()
    }

    /// Waits until something holds; the tunnels go on meanwhile.
    #[track_caller]
    pub fn wait_for(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(120);
        while !holds(self) {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{what} did not come, but the end ({status}):\n{}", self.log());
            }
            assert!(Instant::now() < end, "{what} did not come:\n{}", self.log());
            std::thread::yield_now();
        }
    }

    /// A program with their variables and nothing else but a path and a home.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("HOME", "/nonexistent").envs(&self.variables).stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(&self, program: &str, arguments: &[&str]) -> Ran {
        let output = self.command(program, arguments).output();
        Ran::of(&output.unwrap_or_else(|e| panic!("{program}: {e}")))
    }

    /// Sends a signal, and what became of it.
    #[track_caller]
    pub fn stop(mut self, signal: &str) -> Ran {
        run("kill", &[signal, &self.id().to_string()]).ok();
        self.ended()
    }

    /// Waits for the end.
    #[track_caller]
    pub fn ended(&mut self) -> Ran {
        let status = self.child.wait().unwrap();
        drop(self.reader.take().map(std::thread::JoinHandle::join));
        Ran { code: status.code().unwrap_or(-1), stdout: String::new(), stderr: self.log() }
    }
}

impl Drop for Tunnels {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a shell makes of `export` lines.
pub fn variables(text: &str) -> BTreeMap<String, String> {
    let script = format!("{text}\nenv -0");
    let output = Command::new("sh").args(["-c", &script]).env_clear().env("PATH", "/usr/bin:/bin").output();
    let output = String::from_utf8(output.unwrap().stdout).unwrap();
    let pairs = output.split('\0').filter_map(|pair| pair.split_once('='));
    let own = pairs.filter(|(name, _)| text.contains(&format!("export {name}=")));
    own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
