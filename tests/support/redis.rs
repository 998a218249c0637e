//! A real Redis on loopback.

use std::net::SocketAddr;
use std::process::Command;

use super::program::{Program, free_port};

/// A running server that keeps nothing; ends with the value.
pub struct Redis {
    _program: Program,
    pub address: SocketAddr,
}

impl Redis {
    pub fn start() -> Self {
        for _ in 0..20 {
            let port = free_port();
            // Its log is on standard output.
            let line =
                format!("exec redis-server --port {port} --bind 127.0.0.1 --save '' --appendonly no >&2");
            let mut program = Program::start(Command::new("sh").args(["-c", &line]).current_dir("/"));
            if program.wait_for("a listening server", |log| log.contains("Ready to accept connections")) {
                return Self { _program: program, address: ([127, 0, 0, 1], port).into() };
            }
            assert!(program.log().contains("in use"), "{}", program.log());
        }
        panic!("no port for redis-server");
    }
}
