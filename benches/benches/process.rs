//! What a call into a plugin costs that is a process of Python, beside JSON lines, an MCP server's tool and gRPC, all of
//! them in Python and asked for the same text, in turns.
//!
//! `cargo xtask bench process` brings `mcp` and `grpcio`; what is not there is left out. The client of gRPC is Python, too,
//! so its figure holds the cost of two Pythons.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tapline::core::{METHODS, Request};
use tapline::process::{ProcessRuntime, Walls};
use tapline::{HookPoint, Host, Load, Value};
use tapline_benches::peers;
use tapline_test_kit::{ProcessPackage, programs};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Each figure is measured in so many turns with those of the others, and the lowest counts.
const TURNS: usize = 5;
const SIZES: [(usize, &str, usize); 3] =
    [(256, "256 B", 2000), (64 << 10, "64 KiB", 500), (1 << 20, "1 MiB", 40)];
const STARTS: usize = 20;
const MANIFEST: &str = "[plugin]\nid = 'echoing'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'process'\n\
    [requires]\ncontext = { read = ['input', 'output'], write = ['output'] }\n\
    [[provides]]\npoint = 'plugin'\nkey = 'echoing'\n[[hook]]\nname = 'wrap'\npoint = 'wrap'\nkind = 'around'\n";
const AIM: &str = "40 µs at 256 B, and a fifth of gRPC";

fn main() {
    let Some(ours) = Ours::new() else {
        println!("skipped: there is no Python; `cargo xtask setup --install` makes an environment");
        return;
    };
    println!(
        "{:<10}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}",
        "µs, p50", "call", "around", "JSON lines", "MCP", "gRPC", "gRPC / call"
    );
    let mut others = [Lines::json(), Lines::mcp(), Lines::grpc()];
    for (size, name, times) in SIZES {
        let mut lowest = [None; 5];
        for _ in 0..TURNS {
            let figures = [
                Some(ours.call(size, times)),
                Some(ours.around(size, times)),
                others[0].as_mut().map(|lines| lines.call(&text(size), times)),
                others[1].as_mut().map(|lines| lines.call(&called(size), times)),
                others[2].as_mut().map(|lines| lines.measured(size, times)),
            ];
            for (lowest, figure) in lowest.iter_mut().zip(figures) {
                *lowest = lowest.map_or(figure, |before: f64| figure.map(|figure| before.min(figure)));
            }
        }
        let cells = lowest
            .map(|figure| figure.map_or_else(|| format!("{:>12}", "-"), |figure| format!("{figure:>12.1}")));
        let ratio = lowest[4]
            .zip(lowest[0])
            .map_or_else(|| "-".to_owned(), |(grpc, call)| format!("{:.1}", grpc / call));
        println!("{name:<10}{}{ratio:>14}", cells.concat());
    }
    println!("aim: {AIM}");
    ours.start_up();
}

/// A host with the plugin in it.
struct Ours {
    runtime: Runtime,
    host: Host,
    folder: TempDir,
    point: HookPoint<String, String>,
}

impl Ours {
    fn new() -> Option<Self> {
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/process/echo.py");
        let package = ProcessPackage::of_module(&module)?;
        let folder = tempfile::tempdir().unwrap();
        package.write(folder.path());
        let quoted =
            |words: Vec<String>| words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ");
        let (command, files) =
            (quoted(package.declaration.command), quoted(package.declaration.files.into_iter().collect()));
        let process = format!("{MANIFEST}[process]\ncommand = [{command}]\nfiles = [{files}]\n");
        fs::write(folder.path().join("plugin.toml"), process).unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let host = Host::builder()
            .runtime(ProcessRuntime::builder(Walls::none()).path([programs()]).build())
            .build();
        let point = host.hook_point("wrap").unwrap();
        runtime.block_on(host.load(Load::folder(folder.path()))).unwrap();
        Some(Self { runtime, host, folder, point })
    }

    async fn ask(&self, method: &str, request: Value) -> Value {
        self.host.request(Request::new(METHODS, "echoing", method, request)).await.unwrap()
    }

    fn call(&self, size: usize, times: usize) -> f64 {
        let text = Value::from("x".repeat(size));
        self.runtime.block_on(async {
            let mut took = Vec::new();
            for _ in 0..times {
                let begun = Instant::now();
                let answer = self.ask("echo", text.clone()).await;
                took.push(begun.elapsed());
                assert_eq!(answer.as_str().map(str::len), Some(size));
            }
            median(took)
        })
    }

    fn around(&self, size: usize, times: usize) -> f64 {
        let text = "x".repeat(size);
        self.runtime.block_on(async {
            let mut took = Vec::new();
            for _ in 0..times {
                let input = text.clone();
                let begun = Instant::now();
                let answer = self.point.call(input, |input| async move { Ok(input) }).await.unwrap();
                took.push(begun.elapsed());
                assert_eq!(answer.len(), size);
            }
            median(took)
        })
    }

    /// Shows how long it takes until the plugin is ready, and the memory of its process.
    fn start_up(&self) {
        self.runtime.block_on(async {
            let mut took = Vec::new();
            for _ in 0..STARTS {
                self.host.unload("echoing").await.unwrap();
                let begun = Instant::now();
                self.host.load(Load::folder(self.folder.path())).await.unwrap();
                took.push(begun.elapsed());
            }
            let process = self.ask("process", Value::Null).await;
            let memory = fs::read_to_string(format!("/proc/{}/statm", process.to_json())).unwrap_or_default();
            let pages: f64 =
                memory.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
            println!(
                "from a load to a plugin that is ready: {:.0} ms; resident: {:.1} MiB",
                median(took) / 1e3,
                pages * 4096.0 / f64::from(1 << 20)
            );
        });
    }
}

/// A process of Python that answers lines.
struct Lines {
    process: Child,
    asked: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Lines {
    fn start(python: PathBuf, script: &str) -> Option<Self> {
        if !python.is_file() {
            println!("skipped: {script}: {} is not there", python.display());
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/process").join(script);
        #[expect(clippy::disallowed_methods, reason = "the peers are programs of their own")]
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().ok()?;
        let (asked, answers) = (process.stdin.take()?, BufReader::new(process.stdout.take()?));
        Some(Self { process, asked, answers })
    }

    fn json() -> Option<Self> {
        Self::start(programs().join("python3"), "lines.py")
    }

    fn mcp() -> Option<Self> {
        let mut lines = Self::start(peers().join("process/bin/python3"), "mcp_echo.py")?;
        let client = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;
        lines.ask(client);
        writeln!(lines.asked, r#"{{"jsonrpc":"2.0","method":"notifications/initialized"}}"#).unwrap();
        Some(lines)
    }

    fn grpc() -> Option<Self> {
        Self::start(peers().join("process/bin/python3"), "grpc_echo.py")
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.asked, "{line}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert!(!answer.is_empty(), "the peer has ended");
        answer
    }

    fn call(&mut self, line: &str, times: usize) -> f64 {
        let took = (0..times).map(|_| {
            let begun = Instant::now();
            let answer = self.ask(line);
            let answer = Value::from_json(&answer).unwrap();
            let took = begun.elapsed();
            assert!(answer.get("error").is_none(), "{}", answer.to_json());
            took
        });
        median(took.collect())
    }

    /// What it has measured itself.
    fn measured(&mut self, size: usize, times: usize) -> f64 {
        self.ask(&format!("{size} {times}")).trim().parse().unwrap()
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn text(size: usize) -> String {
    format!("{{\"text\": \"{}\"}}", "x".repeat(size))
}

fn called(size: usize) -> String {
    let text = "x".repeat(size);
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"echo","arguments":{{"text":"{text}"}}}}}}"#
    )
}

/// In microseconds.
fn median(mut took: Vec<Duration>) -> f64 {
    took.sort();
    took[took.len() / 2].as_secs_f64() * 1e6
}
