//! A host with the server of these tests as a plugin.

#![expect(clippy::disallowed_methods, reason = "a test looks for the Python of this machine")]

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tapline_core::{Manifest, Request, Value};
use tapline_host::{Host, HostBuilder, HostError, Load, Policy};
use tapline_http::WebClient;
use tapline_mcp::{McpRuntime, McpRuntimeBuilder, Offer};
use tapline_process::Walls;
use tempfile::TempDir;

/// A host with one server.
pub(crate) struct Rig {
    pub(crate) host: Host,
    log: Arc<Mutex<Vec<String>>>,
    _folder: TempDir,
}

/// How the server is started, and what its host has.
#[derive(Clone)]
pub(crate) struct How {
    pub(crate) python: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) url: Option<String>,
    /// Lines of the table `[mcp]`.
    pub(crate) mcp: String,
    /// Lines of the manifest.
    pub(crate) rest: String,
    pub(crate) walls: Walls,
    pub(crate) ready: Duration,
}

/// What these tests are about.
pub(crate) const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mcp/server.py");

/// The Python of this machine; without one, the test says that it was skipped.
pub(crate) fn python() -> Option<PathBuf> {
    let asked = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let Ok(output) = asked else {
        // The test harness would swallow what is printed by a macro.
        std::io::stderr().write_all(b"SKIPPED: there is no python3\n").unwrap();
        return None;
    };
    Some(PathBuf::from(String::from_utf8(output.stdout).unwrap().trim()))
}

impl How {
    /// The server as it should be.
    pub(crate) fn new(python: PathBuf) -> Self {
        Self {
            python,
            arguments: Vec::new(),
            url: None,
            mcp: String::new(),
            rest: String::new(),
            walls: Walls::none(),
            ready: Duration::from_secs(30),
        }
    }

    /// The server that behaves as these arguments say.
    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(ToString::to_string).collect();
        self
    }

    pub(crate) fn mcp(mut self, lines: &str) -> Self {
        self.mcp += lines;
        self
    }

    pub(crate) fn rest(mut self, lines: &str) -> Self {
        self.rest += lines;
        self
    }

    /// The manifest before anything of the server was accepted.
    pub(crate) fn manifest(&self) -> Manifest {
        let place = match &self.url {
            Some(url) => format!("url = '{url}'"),
            None => {
                let own = [self.python.display().to_string(), SERVER.to_owned()];
                let command: Vec<_> =
                    own.iter().chain(&self.arguments).map(|part| format!("'{part}'")).collect();
                format!("command = [{}]", command.join(", "))
            }
        };
        let (mcp, rest) = (&self.mcp, &self.rest);
        let text = format!(
            "[plugin]\nid = 'mock'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'mcp'\n[mcp]\n{place}\n{mcp}\n{rest}"
        );
        toml::from_str(&text).unwrap()
    }

    fn runtime(&self) -> McpRuntimeBuilder {
        let variables = |name: &str| (name == "MOCK_TOKEN").then(|| "a-token".to_owned());
        McpRuntime::builder(self.walls.clone()).variables(variables).ready_within(self.ready)
    }

    pub(crate) fn builder(&self) -> HostBuilder {
        let id = "mock".parse().unwrap();
        let policy = Policy::default().allow_for(id, &self.manifest().requires);
        Host::builder().runtime(self.runtime().build()).policy(policy).http(WebClient::new().unwrap())
    }

    /// What the server offers.
    pub(crate) async fn offer(&self) -> Offer {
        let rig = self.load(&Offer::default().accepted(&self.manifest())).await.unwrap();
        let offer = rig.ask("plugin", "mock", "tools", Value::Null).await.unwrap();
        rig.host.shut_down().await.unwrap();
        offer.to().unwrap()
    }

    /// A host with the server, all of which was accepted while it behaved.
    pub(crate) async fn accepted(&self) -> Rig {
        self.accepted_as(&Self { arguments: Vec::new(), ..self.clone() }).await
    }

    /// A host with the server, all of which was accepted when it was as the other says.
    pub(crate) async fn accepted_as(&self, other: &Self) -> Rig {
        let manifest = other.offer().await.accepted(&self.manifest());
        self.load(&manifest).await.unwrap()
    }

    /// Why a host does not load it.
    pub(crate) async fn refused(&self, manifest: &Manifest) -> String {
        let error = self.load(manifest).await.err().unwrap();
        let (mut told, mut cause) = (error.to_string(), error.source());
        while let Some(error) = cause {
            told = format!("{told}: {error}");
            cause = error.source();
        }
        told
    }

    /// The processes that were started with these arguments.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let wanted = self.arguments.join("\0");
        let all = std::fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let is_ours = |id: &u32| {
            let command = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&command).contains(&wanted)
        };
        all.filter(is_ours).collect()
    }

    pub(crate) async fn load(&self, manifest: &Manifest) -> Result<Rig, HostError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("plugin.toml"), toml::to_string(manifest).unwrap()).unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        let logger = move |_: &_, _, line: &str| lines.lock().unwrap().push(line.to_owned());
        let host = self.builder().log(logger).build();
        host.load(Load::folder(folder.path())).await?;
        Ok(Rig { host, log, _folder: folder })
    }
}

impl Rig {
    /// Calls the tool of a node type.
    pub(crate) async fn call(&self, tool: &str, with: Value) -> Result<Value, String> {
        let with = Value::from_iter([("with", with)]);
        self.ask("node", &format!("mock.{tool}"), "handle", with).await
    }

    pub(crate) async fn ask(
        &self,
        point: &str,
        key: &str,
        method: &str,
        input: Value,
    ) -> Result<Value, String> {
        let answer = self.host.request(Request::new(point, key, method, input)).await;
        answer.map_err(|error| error.to_string())
    }

    /// What was logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Waits until something is in the log.
    pub(crate) async fn logged(&self, text: &str) {
        while !self.log().contains(text) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A value from JSON.
pub(crate) fn json(text: &str) -> Value {
    Value::from_json(text).unwrap()
}
