//! The server, asked by schemathesis whatever its description allows, and much that it does not.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use crate::support::{Workplace, repository};

/// A version on trial is not waited for long.
const SETTINGS: &str = "[plugins]\nfolders = ['plugins']\n[supervision]\ntrial = '100ms'\n";

/// A run that is gone when the server is.
const QUICK: &str = r#"
name: quick
durability: none
inputs: { text: { type: string, default: Hello } }
nodes:
  say: { type: transform, with: { value: { text: "{{ inputs.text }}" } } }
outputs: { said: "{{ say.value }}" }
"#;

/// A run that is kept.
const KEPT: &str = r#"
name: kept
inputs: { text: { type: string, default: Hello } }
nodes:
  ask: { type: chat, with: { provider: echo, prompt: "{{ inputs.text }}" } }
outputs: { said: "{{ ask }}" }
"#;

#[test]
#[ignore = "needs schemathesis, and takes a minute"]
fn the_server_answers_whatever_it_is_asked_as_it_says() {
    let Some(schemathesis) = schemathesis() else { return };
    let workplace = Workplace::new();
    workplace.write("quick.yaml", QUICK);
    workplace.write("kept.yaml", KEPT);
    workplace.write("tapline.toml", SETTINGS);
    let redact = tapline_test_kit::guest("redact");
    for file in ["plugin.toml", "plugin.wasm"] {
        workplace.write(&format!("plugins/redact/{file}"), std::fs::read(redact.join(file)).unwrap());
    }
    let mut server = Server::start(&workplace);

    let asked = ask(&schemathesis, &workplace, &server);

    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stdout));
    assert!(server.process.try_wait().unwrap().is_none(), "the server has ended");
    assert!(server.terminate().success(), "the server does not end well");
}

/// Has schemathesis ask the server.
#[expect(clippy::disallowed_methods, reason = "it is a program of others")]
fn ask(schemathesis: &Path, workplace: &Workplace, server: &Server) -> std::process::Output {
    let config = repository().join("crates/tapline-cli/tests/command/fuzzed/schemathesis.toml");
    let mut command = Command::new(schemathesis);
    command.args(["--config-file".as_ref(), config.as_os_str()]);
    command.args(["run", &format!("{}/openapi.json", server.address)]);
    // What it notes lies beside where it runs.
    command.current_dir(workplace.path("")).env("TOKEN", workplace.read(".tapline/token").trim());
    command.output().unwrap()
}

/// `tapline serve`; its process ends when it is dropped.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// Starts it at a port that the system chooses, and waits until it says that it listens there.
    fn start(workplace: &Workplace) -> Self {
        let mut command = workplace.going();
        command.args(["serve", "quick.yaml", "kept.yaml", "--listen", "127.0.0.1:0"]);
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(process.stderr.take().unwrap());
        let (told, telling) = mpsc::channel();
        // It is read to the end, so that the server never waits for a reader.
        thread::spawn(move || said.lines().map_while(Result::ok).for_each(|line| drop(told.send(line))));
        let address = telling.iter().find_map(|line| {
            let (_, rest) = line.split_once(" on ")?;
            rest.split_once("; the token is in ").map(|(address, _)| address.to_owned())
        });
        Self { process, address: address.unwrap() }
    }

    /// Asks it to end as systemd does, and waits until it has.
    fn terminate(&mut self) -> ExitStatus {
        let id = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        self.process.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program, which `cargo xtask test --all` installs; without it, the test says that it was skipped.
#[expect(clippy::disallowed_methods, reason = "the test runner says where it is")]
fn schemathesis() -> Option<PathBuf> {
    let beside = || repository().join("target/peers");
    let peers = std::env::var("TAPLINE_PEERS").map_or_else(|_| beside(), PathBuf::from);
    let program = peers.join("schemathesis/bin/schemathesis");
    if program.exists() {
        return Some(program);
    }
    // The test harness would swallow what is printed by a macro.
    let message = "SKIPPED: schemathesis is not installed; `cargo xtask test --all` brings it\n";
    std::io::stderr().write_all(message.as_bytes()).unwrap();
    None
}
