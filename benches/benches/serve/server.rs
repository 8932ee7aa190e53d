//! Servers that are asked, as processes of their own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tapline_benches::peers;

/// A server; its process ends when it is dropped.
pub(crate) struct Server {
    process: Child,
    /// Where it is, as in `http://127.0.0.1:4000`.
    pub(crate) host: String,
    /// From the start of its process until it said that it listens.
    pub(crate) ready: Duration,
    /// What it wants to be asked with.
    pub(crate) token: String,
}

/// What is served: it adds one, as the peer does.
const PIPELINE: &str = "inputs: { n: { type: integer, required: true } }\n\
    nodes:\n  add: { type: transform, with: { value: { n: '{{ inputs.n }}' }, set: { n: item.n + 1 } } }\n\
    outputs: { n: '{{ add.value.n }}' }\n";

impl Server {
    /// `tapline serve` with two pipelines of one node, of which `kept` keeps its runs, as it was last built for release.
    #[expect(clippy::disallowed_methods, reason = "a server is what is measured")]
    pub(crate) fn tapline(folder: &Path) -> Option<Self> {
        fs::write(folder.join("quick.yaml"), format!("name: quick\ndurability: none\n{PIPELINE}")).unwrap();
        fs::write(folder.join("kept.yaml"), format!("name: kept\n{PIPELINE}")).unwrap();
        let mut command = Command::new(command()?);
        command.args(["serve", "quick.yaml", "kept.yaml", "--listen", "127.0.0.1:0"]).current_dir(folder);
        let mut server = Self::start(&mut command, " on ")?;
        server.token = fs::read_to_string(folder.join(".tapline/token")).unwrap().trim().to_owned();
        Some(server)
    }

    /// `tapline serve` with one pipeline, which uses so many plugins that are installed.
    #[expect(clippy::disallowed_methods, reason = "a server is what is measured")]
    pub(crate) fn with_plugins(folder: &Path, plugins: usize) -> Option<Self> {
        let used: String = (0..plugins).map(|plugin| format!("  p{plugin}: {{}}\n")).collect();
        let used = if plugins == 0 { String::new() } else { format!("plugins:\n{used}") };
        fs::write(folder.join("pipeline.yaml"), format!("name: bench\n{used}{PIPELINE}")).unwrap();
        fs::write(folder.join("tapline.toml"), "[plugins]\nfolders = ['plugins']\n").unwrap();
        fs::create_dir_all(folder.join("plugins")).unwrap();
        (0..plugins).for_each(|plugin| package(&folder.join("plugins"), plugin));
        let mut command = Command::new(command()?);
        command.args(["serve", "pipeline.yaml", "--listen", "127.0.0.1:0"]).current_dir(folder);
        Self::start(command.env("XDG_CACHE_HOME", folder.join("cache")), " on ")
    }

    /// FastAPI with LangGraph in it.
    #[expect(clippy::disallowed_methods, reason = "the peers are programs of their own")]
    pub(crate) fn langgraph(folder: &Path) -> Option<Self> {
        let python = peers().join("serving/bin/python3");
        if !python.is_file() {
            println!("skipped: LangGraph is not there; `cargo xtask bench serve` brings it");
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/serve/on_langgraph.py");
        Self::start(Command::new(python).arg(script).arg(folder.join("checkpoints.db")), "running on ")
    }

    /// Waits until it says that it listens, after these words.
    fn start(command: &mut Command, listens: &'static str) -> Option<Self> {
        let begun = Instant::now();
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().ok()?;
        let said = BufReader::new(process.stderr.take()?);
        let mut server = Self { process, host: String::new(), ready: Duration::ZERO, token: String::new() };
        let (told, telling) = mpsc::channel();
        // It is read to the end, so that it never waits for a reader.
        thread::spawn(move || said.lines().map_while(Result::ok).for_each(|line| drop(told.send(line))));
        server.host = telling.iter().find_map(|line| {
            let (_, rest) = line.split_once(&format!("{listens}http"))?;
            rest.split([' ', ';']).next().map(|host| format!("http{host}"))
        })?;
        server.ready = begun.elapsed();
        Some(server)
    }

    /// Memory in MiB, as Linux tells it.
    pub(crate) fn resident(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok())
            .map_or(0.0, |kib: f64| kib / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A plugin in its sandbox, of another id each.
fn package(plugins: &Path, number: usize) {
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/triage/plugins/redact");
    let manifest = fs::read_to_string(original.join("plugin.toml")).unwrap();
    let folder = plugins.join(format!("p{number}"));
    fs::create_dir_all(&folder).unwrap();
    let manifest = manifest.replacen("id = \"redact\"", &format!("id = \"p{number}\""), 1);
    fs::write(folder.join("plugin.toml"), manifest).unwrap();
    fs::copy(original.join("plugin.wasm"), folder.join("plugin.wasm")).unwrap();
}

/// The command lies two folders above the benchmark itself.
fn command() -> Option<PathBuf> {
    let benchmark = std::env::current_exe().ok()?;
    let command = benchmark.parent()?.parent()?.join(format!("tapline{}", std::env::consts::EXE_SUFFIX));
    command.is_file().then_some(command)
}
