//! Requests from many connections at once, which `wrk` makes.

use std::fs;
use std::path::Path;
use std::process::Command;

use tapline::Value;

use crate::server::Server;

/// How long each load lasts, in seconds.
const LASTS: u32 = 4;

/// Something that a server is asked.
pub(crate) struct Way<'a> {
    pub(crate) name: &'static str,
    pub(crate) server: &'a Server,
    pub(crate) path: &'static str,
    /// What is sent; a way without it is looked up.
    pub(crate) body: Option<&'static str>,
    /// What has to be in the answer.
    pub(crate) answer: &'static str,
}

/// What came of a load.
#[derive(Clone, Copy)]
pub(crate) struct Answers {
    /// Answers a second.
    pub(crate) rate: f64,
    /// Milliseconds that all but a hundredth took at most.
    pub(crate) p99: f64,
}

impl Way<'_> {
    /// Asks once, and holds the server to the right answer.
    pub(crate) async fn check(&self) {
        let client = reqwest::Client::new();
        let url = format!("{}{}", self.server.host, self.path);
        let request = match self.body {
            Some(body) => client.post(url).header("content-type", "application/json").body(body),
            None => client.get(url),
        };
        let answer = request.bearer_auth(&self.server.token).send().await.unwrap();
        let answer = answer.error_for_status().unwrap().text().await.unwrap();
        assert!(answer.contains(self.answer), "{}: {answer}", self.name);
    }

    /// Asks from so many connections, on each of them as soon as it is answered; nothing where there is no `wrk`.
    #[expect(clippy::disallowed_methods, reason = "`wrk` is a program of others")]
    pub(crate) fn load(&self, connections: u32) -> Option<Answers> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/serve/run.lua");
        let mut command = Command::new("wrk");
        command.args(["-t", &connections.min(2).to_string(), "-c", &connections.to_string()]);
        command.args(["-d", &format!("{LASTS}s"), "--timeout", "30s", "-s"]).arg(script);
        command.arg(format!("{}{}", self.server.host, self.path)).env("TOKEN", &self.server.token);
        command.env("METHOD", if self.body.is_some() { "POST" } else { "GET" });
        command.envs(self.body.map(|body| ("BODY", body)));
        let output = String::from_utf8(command.output().ok()?.stdout).unwrap();
        let said = Value::from_json(output.lines().next_back()?).unwrap();
        let number = |key| said.get(key).and_then(Value::as_f64).unwrap();
        assert!(number("failed") == 0.0, "{} at {connections}: {output}", self.name);
        Some(Answers { rate: number("rate"), p99: number("p99") / 1e3 })
    }
}

/// A program that is in a folder of the path.
pub(crate) fn has_wrk() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| fs::exists(folder.join("wrk")).unwrap_or_default())
}
