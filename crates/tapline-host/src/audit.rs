use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde::Serialize;
use tapline_core::{Act, Level, PluginId};

/// Whoever is told of privileged acts.
pub(crate) type Auditor = Arc<dyn Fn(&Act<'_>) + Send + Sync>;
/// Whoever is told of what plugins log.
pub(crate) type Logger = Arc<dyn Fn(&PluginId, Level, &str) + Send + Sync>;

/// A file that takes one line of JSON for each privileged act and each refusal, without payloads:
/// `{"time":"…","plugin":"a","action":"call","target":"provider/echo","outcome":"granted"}`.
#[derive(Debug)]
pub struct AuditFile(Mutex<Open>);

#[derive(Debug)]
struct Open {
    file: File,
    /// Whether it has been said that lines are lost.
    is_failing: bool,
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    plugin: &'a str,
    action: &'a str,
    target: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// The line of what a plugin has cost.
#[derive(Serialize)]
struct CostLine<'a, T> {
    time: String,
    plugin: &'a str,
    cost: &'a T,
}

fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}

impl AuditFile {
    /// Opens a file, and makes it where there is none; lines are added at its end.
    ///
    /// # Errors
    /// When it cannot be opened for writing.
    pub fn open(file: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(file)?;
        Ok(Self(Mutex::new(Open { file, is_failing: false })))
    }

    /// Adds the line of an act. One that cannot be written is told to the log, once until it works again.
    pub fn write(&self, act: &Act<'_>) {
        let line = Line {
            time: now(),
            plugin: act.plugin.as_str(),
            action: act.action,
            target: act.target,
            outcome: if act.refusal.is_none() { "granted" } else { "refused" },
            reason: act.refusal,
        };
        self.add(&line);
    }

    /// Adds what a plugin has cost: `{"time":"…","plugin":"a","cost":{…}}`.
    pub fn write_cost(&self, plugin: &PluginId, cost: &impl Serialize) {
        self.add(&CostLine { time: now(), plugin: plugin.as_str(), cost });
    }

    fn add(&self, line: &impl Serialize) {
        let Ok(mut line) = serde_json::to_vec(line) else { return };
        line.push(b'\n');
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One write a line, so that lines of several processes do not mix.
        let written = open.file.write_all(&line);
        if let (Err(error), false) = (&written, open.is_failing) {
            tracing::error!(%error, "the audit cannot be written");
        }
        open.is_failing = written.is_err();
    }
}
