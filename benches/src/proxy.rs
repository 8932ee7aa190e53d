use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use tempfile::TempDir;

use crate::peer::peers;

/// LiteLLM's proxy in front of a model server.
#[derive(Debug)]
pub struct Proxy {
    process: Child,
    host: String,
    _folder: TempDir,
}

impl Proxy {
    /// What it wants to be asked with.
    pub const KEY: &str = "sk-5c1f7e0a94d24b6f8e3a70d1b2c9f685";

    /// Starts it, and waits until it listens; nothing where it is not there, or does not begin.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the proxy is a program of others")]
    pub fn start(model: &str) -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        let config = folder.path().join("config.yaml");
        let (key, parameters) =
            (Self::KEY, format!("model: openai/small, api_base: \"{model}/v1\", api_key: x"));
        let text = format!(
            "general_settings: {{ master_key: {key} }}\nmodel_list:\n  - model_name: small\n    litellm_params: {{ {parameters} }}\n"
        );
        fs::write(&config, text).ok()?;
        let mut command = Command::new(peers().join("litellm/bin/litellm"));
        command.args(["--host", "127.0.0.1", "--port", "0", "--config"]).arg(config);
        // The prices of the world's models would be fetched from elsewhere.
        command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True").env_remove("PORT");
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().ok()?;
        let said = BufReader::new(process.stderr.take()?);
        let mut proxy = Self { process, host: String::new(), _folder: folder };
        let (told, telling) = mpsc::channel();
        // It is read to the end, so that it never waits for a reader.
        thread::spawn(move || said.lines().map_while(Result::ok).for_each(|line| drop(told.send(line))));
        proxy.host = telling.iter().find_map(|line| {
            let (_, rest) = line.split_once("running on ")?;
            rest.split_whitespace().next().map(str::to_owned)
        })?;
        Some(proxy)
    }

    /// Where it is, as in `http://127.0.0.1:4000`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
