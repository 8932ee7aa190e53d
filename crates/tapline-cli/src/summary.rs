use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};
use semver::Version;
use serde::{Deserialize, Serialize};
use tapline::core::{Object, Request, RuntimeKind};
use tapline::host::PluginInfo;
use tapline::pipeline::{Definition, NodeReport, NodeState, RunError, RunReport};
use tapline::{Host, PluginId, Value};

use crate::cost::cost;
use crate::output::{Output, redacted_json};

/// What a run leaves behind for whoever started it: outputs on standard output, all else on standard error. As JSON, it is
/// the same for programs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Summary {
    pipeline: Arc<str>,
    pub(crate) run: Option<Arc<str>>,
    outputs: Option<Object>,
    error: Option<String>,
    milliseconds: f64,
    nodes: Vec<NodeSummary>,
    plugins: Vec<PluginSummary>,
    /// What plugins report of the run, by their keys.
    reports: Object,
}

#[derive(Debug, Serialize, Deserialize)]
struct NodeSummary {
    id: Arc<str>,
    #[serde(rename = "type")]
    kind: Arc<str>,
    plugin: Arc<str>,
    state: NodeState,
    items: Option<usize>,
    milliseconds: f64,
}

#[derive(Debug, Serialize, Deserialize)]
struct PluginSummary {
    id: PluginId,
    version: Version,
    runtime: RuntimeKind,
    calls: u64,
    errors: u64,
    milliseconds: f64,
    cost: serde_json::Value,
}

/// The extension point of plugins that have something to say after a run.
const REPORT: &str = "report";
/// A table on the terminal is for looking at; longer outputs are shortened.
const ROWS: usize = 50;

impl Summary {
    /// Of a run on a host, with the plugins that are there.
    pub(crate) async fn new(definition: &Definition, report: &RunReport, host: &Host) -> Self {
        Self::of(definition, report, host, |_| true).await
    }

    /// As [`new`](Self::new), with some of the plugins.
    pub(crate) async fn of(
        definition: &Definition,
        report: &RunReport,
        host: &Host,
        which: impl Fn(&PluginId) -> bool,
    ) -> Self {
        let plugins = host.plugins().into_iter().filter(|plugin| which(plugin.manifest.id()));
        Self {
            pipeline: Arc::clone(&definition.name),
            run: report.id.clone(),
            outputs: report.outputs.as_ref().ok().cloned(),
            error: report.outputs.as_ref().err().map(RunError::with_causes),
            milliseconds: milliseconds(report.took),
            nodes: report.nodes.iter().map(NodeSummary::new).collect(),
            plugins: plugins.map(|plugin| PluginSummary::new(host, &plugin)).collect(),
            reports: reports(host).await,
        }
    }

    /// What each plugin has cost.
    pub(crate) fn costs(&self) -> impl Iterator<Item = (&PluginId, &serde_json::Value)> {
        self.plugins.iter().map(|plugin| (&plugin.id, &plugin.cost))
    }

    /// For people.
    pub(crate) fn show(&self) {
        self.show_nodes();
        self.show_plugins();
        for (key, report) in &self.reports {
            show_report(key, report);
        }
        for (name, value) in self.outputs.iter().flatten() {
            show_output(name, value);
        }
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> Result<serde_json::Value> {
        Ok(redacted_json(serde_json::to_value(self)?))
    }

    fn show_nodes(&self) {
        let mut table = table(["node", "type", "state", "items", "time"]);
        for node in &self.nodes {
            let items = node.items.map(|items| items.to_string()).unwrap_or_default();
            let took = time(from_milliseconds(node.milliseconds));
            table.add_row([&*node.id, &*node.kind, &node.state.to_string(), &items, &took]);
        }
        align_right(&mut table, &[3, 4]);
        let took = time(from_milliseconds(self.milliseconds));
        let headline = format!("{}: {} in {took}", self.pipeline, self.outcome());
        Output::Error.line(format_args!("\n{headline}\n{table}"));
    }

    fn show_plugins(&self) {
        let mut table = table(["plugin", "version", "runtime", "calls", "errors", "time"]);
        for plugin in &self.plugins {
            let (calls, errors) = (plugin.calls.to_string(), plugin.errors.to_string());
            let (version, runtime) = (plugin.version.to_string(), plugin.runtime.to_string());
            let took = time(from_milliseconds(plugin.milliseconds));
            table.add_row([plugin.id.as_str(), &version, &runtime, &calls, &errors, &took]);
        }
        align_right(&mut table, &[3, 4, 5]);
        Output::Error.line(&table);
    }

    const fn outcome(&self) -> &'static str {
        if self.error.is_none() { "done" } else { "failed" }
    }
}

impl NodeSummary {
    fn new(node: &NodeReport) -> Self {
        let (id, kind, plugin) = (Arc::clone(&node.id), Arc::clone(&node.kind), Arc::clone(&node.plugin));
        let (state, items, milliseconds) = (node.state, node.items, milliseconds(node.took));
        Self { id, kind, plugin, state, items, milliseconds }
    }
}

impl PluginSummary {
    fn new(host: &Host, plugin: &PluginInfo) -> Self {
        let (about, stats) = (&plugin.manifest.plugin, &plugin.stats);
        Self {
            id: about.id.clone(),
            version: about.version.clone(),
            runtime: about.runtime,
            calls: stats.calls(),
            errors: stats.errors(),
            milliseconds: milliseconds(stats.own_time()),
            cost: cost(host, plugin),
        }
    }
}

/// What plugins have to say after a run, by their keys.
async fn reports(host: &Host) -> Object {
    let mut reports = Object::new();
    for contribution in host.registry().contributions(REPORT) {
        let request = Request::new(REPORT, &contribution.key, "handle", Value::Null);
        match host.request(request).await {
            Ok(value) => drop(reports.insert(Arc::clone(&contribution.key), value)),
            Err(error) => tracing::warn!(plugin = %contribution.plugin, %error, "no report"),
        }
    }
    reports
}

/// A report that maps names to rows of numbers becomes a table.
fn show_report(key: &str, report: &Value) {
    let rows = report.as_object().into_iter().flatten().filter_map(|(name, row)| {
        let mut columns = Object::from_iter([(key.into(), Value::from(&**name))]);
        columns.extend(row.as_object()?.clone());
        Some(Value::from(columns))
    });
    let rows: Vec<_> = rows.collect();
    if let Some(table) = rows_table(&rows) {
        Output::Error.line(&table);
    }
}

/// A list of rows becomes a table, anything else is written as JSON.
fn show_output(name: &str, value: &Value) {
    let rows = value.get("items").unwrap_or(value).as_array();
    match rows.and_then(rows_table) {
        Some(table) => Output::Standard.line(format_args!("{name}\n{table}")),
        None => match value.as_str() {
            Some(text) => Output::Standard.line(format_args!("{name}: {text}")),
            None => Output::Standard.line(format_args!("{name}: {value}")),
        },
    }
}

fn rows_table(rows: &[Value]) -> Option<Table> {
    let columns: Vec<_> = rows.first()?.as_object()?.keys().cloned().collect();
    let mut table = table(columns.iter().map(|column| &**column));
    for row in rows.iter().take(ROWS) {
        let row = row.as_object()?;
        table.add_row(columns.iter().map(|column| row.get(column).map(cell).unwrap_or_default()));
    }
    if rows.len() > ROWS {
        table.add_row([format!("… and {} more", rows.len() - ROWS)]);
    }
    let numbers = columns.iter().enumerate().filter(|(_, column)| {
        rows.iter().all(|row| row.get(column).is_some_and(|value| value.as_number().is_some()))
    });
    let numbers: Vec<_> = numbers.map(|(place, _)| place).collect();
    align_right(&mut table, &numbers);
    Some(table)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.to_string(),
        Value::Number(number) if number.is_f64() => format!("{:.3}", number.as_f64().unwrap_or_default()),
        other => other.to_json(),
    }
}

pub(crate) fn table<'a>(columns: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(columns.into_iter().collect::<Vec<_>>());
    table
}

fn align_right(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// A time as people compare it.
pub(crate) fn time(time: Duration) -> String {
    match time.as_micros() {
        0..1_000 => format!("{} µs", time.as_micros()),
        1_000..10_000_000 => format!("{:.1} ms", milliseconds(time)),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    // Fractions of a microsecond are noise.
    time.as_micros() as f64 / 1e3
}

fn from_milliseconds(milliseconds: f64) -> Duration {
    // What somebody else says may be no time at all.
    Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default()
}
