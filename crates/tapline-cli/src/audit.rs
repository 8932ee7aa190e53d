//! What an audit file tells of one plugin.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// What a plugin has done, and how often, by action and target.
#[derive(Debug, Default)]
pub(crate) struct Audited {
    pub(crate) acts: BTreeMap<(String, String), Counts>,
    /// What it has cost in the last run that came to its end.
    pub(crate) cost: Option<Value>,
    /// So many lines are none of an audit.
    pub(crate) unreadable: usize,
}

/// How often an act was granted and refused.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) granted: u64,
    pub(crate) refused: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Act(ActLine),
    Cost { plugin: String, cost: Value },
}

#[derive(Deserialize)]
struct ActLine {
    plugin: String,
    action: String,
    target: String,
    outcome: Outcome,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Granted,
    Refused,
}

/// A line longer than this is none of an audit, in bytes.
const LONGEST: u64 = 64 << 10;
/// So many targets are told apart; a plugin can make up any number of them.
const TARGETS: usize = 1000;

impl Audited {
    /// Reads what a file tells of a plugin.
    pub(crate) fn read(file: &Path, plugin: &str) -> io::Result<Self> {
        let mut reader = BufReader::new(File::open(file)?);
        let (mut audited, mut line) = (Self::default(), Vec::new());
        loop {
            line.clear();
            if reader.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
                return Ok(audited);
            }
            if line.len() as u64 == LONGEST && line.last() != Some(&b'\n') {
                reader.skip_until(b'\n')?;
                line.clear();
            }
            match serde_json::from_slice::<Line>(&line) {
                Ok(Line::Act(line)) if line.plugin == plugin => audited.count(&line),
                Ok(Line::Cost { plugin: whose, cost }) if whose == plugin => audited.cost = Some(cost),
                Ok(_) => {}
                Err(_) => audited.unreadable += 1,
            }
        }
    }

    fn count(&mut self, line: &ActLine) {
        let mut act = (visible(&line.action), visible(&line.target));
        if self.acts.len() >= TARGETS && !self.acts.contains_key(&act) {
            act = ("(others)".into(), String::new());
        }
        let counts = self.acts.entry(act).or_default();
        match line.outcome {
            Outcome::Granted => counts.granted += 1,
            Outcome::Refused => counts.refused += 1,
        }
    }
}

/// The text without what could steer a terminal: plugins choose what they try.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
