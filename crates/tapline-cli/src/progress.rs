use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tapline::pipeline::{NodeReport, NodeState, Observer, RunEvent};

use crate::output::Output;
use crate::output::redacted;
use crate::summary::time;

/// Shows how a run goes on: moving lines on a terminal, a plain line for each node elsewhere.
pub(crate) struct Progress {
    lines: MultiProgress,
    is_terminal: bool,
    running: Mutex<BTreeMap<Arc<str>, ProgressBar>>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let target = if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { lines: MultiProgress::with_draw_target(target), is_terminal, running: Mutex::default() }
    }

    /// Takes the moving lines away.
    pub(crate) fn finish(&self) {
        for line in std::mem::take(&mut *self.running()).into_values() {
            line.finish_and_clear();
        }
    }

    fn started(&self, id: &Arc<str>) {
        let line = self.lines.add(ProgressBar::new_spinner()).with_message(id.to_string());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            line.set_style(style);
        }
        line.enable_steady_tick(Duration::from_millis(100));
        self.running().insert(Arc::clone(id), line);
    }

    fn progressed(&self, id: &Arc<str>, done: usize, total: usize) {
        let running = self.running();
        let Some(line) = running.get(id) else { return };
        if line.length().is_none()
            && let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {pos}/{len}")
        {
            line.set_length(total as u64);
            line.set_style(style);
        }
        line.set_position(done as u64);
    }

    fn finished(&self, report: &NodeReport) {
        if let Some(line) = self.running().remove(&report.id) {
            line.finish_and_clear();
        }
        let text = redacted(&plain(report)).into_owned();
        if self.is_terminal {
            // A line above those that still move; without a terminal to draw on there is nobody to miss it.
            let _ = self.lines.println(text);
        } else {
            Output::Error.line(text);
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<Arc<str>, ProgressBar>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Progress {
    fn event(&self, event: &RunEvent<'_>) {
        match event {
            RunEvent::NodeStarted { node } if self.is_terminal => self.started(node),
            RunEvent::Progress { node, done, total } if self.is_terminal => {
                self.progressed(node, *done, *total);
            }
            RunEvent::NodeFinished { report } => self.finished(report),
            _ => {}
        }
    }
}

fn plain(report: &NodeReport) -> String {
    let items = report.items.map(|items| format!(", {items} items")).unwrap_or_default();
    match report.state {
        NodeState::Skipped => format!("{} skipped", report.id),
        state => format!("{} {state} in {}{items}", report.id, time(report.took)),
    }
}
