use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tapline::Value;
use tapline::pipeline::{NodeReport, NodeState, Observer, RunEvent};

use crate::output::Output;
use crate::output::redacted;
use crate::summary::time;

/// Shows how a run goes on: on a terminal a line for each node under way, with its time, its items and the end of what
/// it says, and below them the run as a whole; elsewhere a plain line for each node that is done.
pub(crate) struct Progress {
    lines: MultiProgress,
    is_terminal: bool,
    whole: ProgressBar,
    running: Mutex<BTreeMap<Arc<str>, Line>>,
}

/// The line of a node.
struct Line {
    bar: ProgressBar,
    /// What it has said last.
    tail: String,
}

/// So many characters of what a node says are shown.
const TAIL: usize = 60;
const WHOLE: &str = "{bar:20} {pos}/{len} nodes  {elapsed}  {msg}";
const NODE: &str = "{spinner} {prefix}  {elapsed}  {msg}";
const NODE_OF_ITEMS: &str = "{spinner} {prefix}  {elapsed}  {bar:20} {pos}/{len}  {msg}";

impl Progress {
    /// For a pipeline of so many nodes.
    pub(crate) fn new(nodes: usize) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let target = if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let lines = MultiProgress::with_draw_target(target);
        let whole = lines.add(ProgressBar::new(nodes as u64));
        style(&whole, WHOLE);
        Self { lines, is_terminal, whole, running: Mutex::default() }
    }

    /// Takes the moving lines away.
    pub(crate) fn finish(&self) {
        for line in std::mem::take(&mut *self.running()).into_values() {
            line.bar.finish_and_clear();
        }
        self.whole.finish_and_clear();
    }

    fn started(&self, id: &Arc<str>) {
        let bar = self.lines.insert_before(&self.whole, ProgressBar::new_spinner());
        let bar = bar.with_prefix(id.to_string());
        style(&bar, NODE);
        bar.enable_steady_tick(Duration::from_millis(100));
        self.running().insert(Arc::clone(id), Line { bar, tail: String::new() });
    }

    fn progressed(&self, id: &Arc<str>, done: usize, total: usize) {
        let running = self.running();
        let Some(line) = running.get(id) else { return };
        if line.bar.length().is_none() {
            line.bar.set_length(total as u64);
            style(&line.bar, NODE_OF_ITEMS);
        }
        line.bar.set_position(done as u64);
    }

    fn said(&self, id: &Arc<str>, piece: &Value) {
        let mut running = self.running();
        let Some(line) = running.get_mut(id) else { return };
        line.tail.push_str(&piece.as_str().map_or_else(|| piece.to_json(), str::to_owned));
        let start = line.tail.char_indices().rev().nth(TAIL - 1).map_or(0, |(start, _)| start);
        line.tail.drain(..start);
        line.bar.set_message(visible(&line.tail));
    }

    fn failed(&self, id: &Arc<str>, what: &str, error: &str) {
        if let Some(line) = self.running().get(id) {
            line.bar.set_message(visible(&format!("{what}: {error}")));
        }
    }

    fn finished(&self, report: &NodeReport) {
        if let Some(line) = self.running().remove(&report.id) {
            line.bar.finish_and_clear();
        }
        self.whole.inc(1);
        let text = redacted(&plain(report)).into_owned();
        if self.is_terminal {
            // A line above those that still move; without a terminal to draw on there is nobody to miss it.
            let _ = self.lines.println(text);
        } else {
            Output::Error.line(text);
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<Arc<str>, Line>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Progress {
    fn event(&self, event: &RunEvent<'_>) {
        match event {
            RunEvent::NodeFinished { report } => self.finished(report),
            _ if !self.is_terminal => {}
            RunEvent::RunStarted { run, .. } => {
                let run = run.map(|run| format!("run {run}; Ctrl-C stops it")).unwrap_or_default();
                self.whole.set_message(run);
                self.whole.enable_steady_tick(Duration::from_millis(100));
            }
            RunEvent::NodeStarted { node } => self.started(node),
            RunEvent::Progress { node, done, total } => self.progressed(node, *done, *total),
            RunEvent::Token { node, piece, .. } => self.said(node, piece),
            RunEvent::Retry { node, error, attempt, .. } => {
                self.failed(node, &format!("again after attempt {attempt}"), error);
            }
            RunEvent::Tolerated { node, error, .. } => self.failed(node, "goes on without", error),
            _ => {}
        }
    }

    fn wants_tokens(&self) -> bool {
        self.is_terminal
    }
}

fn style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

/// A text as one line that cannot steer the terminal.
fn visible(text: &str) -> String {
    crate::audit::visible(&redacted(text).replace('\n', " "))
}

fn plain(report: &NodeReport) -> String {
    let items = report.items.map(|items| format!(", {items} items")).unwrap_or_default();
    let left = match report.tolerated {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    let known = if report.reused > 0 { ", known before" } else { "" };
    match report.state {
        NodeState::Skipped => format!("{} skipped{left}", report.id),
        state => format!("{} {state} in {}{items}{left}{known}", report.id, time(report.took)),
    }
}
