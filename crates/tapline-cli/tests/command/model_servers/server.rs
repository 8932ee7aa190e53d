//! A model server that others have written, as a process of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use crate::support::repository;

/// The server; its process ends when it is dropped.
pub(super) struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// Starts it at a port that the system chooses, and waits until it says that it listens there.
    pub(super) fn start(command: &mut Command) -> Self {
        command.args(["--host", "127.0.0.1", "--port", "0"]).env_remove("PORT");
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = process.stderr.take().unwrap();
        let mut server = Self { process, address: String::new() };
        server.address = address(said);
        server
    }

    /// As `tapline.toml` names it.
    pub(super) fn host(&self) -> &str {
        &self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The address that a server tells; what it says later is read to the end, so that it never waits for a reader.
fn address(said: ChildStderr) -> String {
    let (told, telling) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            let _ = told.send(line);
        }
    });
    let mut before = Vec::new();
    let address = telling.iter().find_map(|line| {
        let address = line.split_once("running on ").and_then(|(_, rest)| rest.split_whitespace().next());
        let address = address.map(str::to_owned);
        before.push(line);
        address
    });
    assert!(address.is_some(), "the server has ended:\n{}", before.join("\n"));
    address.unwrap()
}

/// A program of a virtual environment that `cargo xtask test --all` makes.
#[expect(clippy::disallowed_methods, reason = "the test runner says where it is")]
pub(super) fn program(environment: &str, name: &str) -> Option<PathBuf> {
    let beside = || repository().join("target/peers");
    let peers = std::env::var("TAPLINE_PEERS").map_or_else(|_| beside(), PathBuf::from);
    let program = peers.join(environment).join("bin").join(name);
    if program.exists() {
        return Some(program);
    }
    // The test harness would swallow what is printed by a macro.
    let message = format!("SKIPPED: {environment} is not installed; `cargo xtask test --all` brings it\n");
    std::io::stderr().write_all(message.as_bytes()).unwrap();
    None
}
